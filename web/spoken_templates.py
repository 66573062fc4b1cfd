"""Templates in a language. Our own: Jinja looks each message up whenever a page is rendered, and most
of them can be looked up once, when the template is compiled."""

from collections.abc import Iterable, Iterator

from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

import languages

MESSAGE = (("name", "_"), ("lparen", "("), ("string", None), ("rparen", ")"))


def be_spoken(env: Environment, language: str) -> Environment:
    """Have an environment say `_("…")` and `{% trans %}` in a language."""
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(languages.gettext, languages.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.language = language  # type: ignore[attr-defined]  # extend() would leave that of an overlay
    env.add_extension(SaidOnce)
    return env


class SaidOnce(Extension):
    """`_("Log in")` becomes what it is in this language, before the template is compiled."""

    def filter_stream(self, stream: TokenStream) -> TokenStream | Iterable[Token]:
        return self.translated(stream)

    def translated(self, stream: Iterable[Token]) -> Iterator[Token]:
        held: list[Token] = []
        for token in stream:
            if not fits(token, len(held)):
                yield from held
                held.clear()
            if not fits(token, len(held)):
                yield token
                continue
            held.append(token)
            if len(held) == len(MESSAGE):
                yield from self.said(held[2])
                held.clear()
        yield from held

    def said(self, message: Token) -> Iterator[Token]:
        """As `_()` would give it: with its percent signs resolved, and safe as it is."""
        language: str = self.environment.language  # type: ignore[attr-defined]
        text = languages.words_of(language).one(message.value) % {}
        for kind, value in (
            ("lparen", "("),
            ("string", text),
            ("pipe", "|"),
            ("name", "safe"),
            ("rparen", ")"),
        ):
            yield Token(message.lineno, kind, value)


def fits(token: Token, place: int) -> bool:
    kind, value = MESSAGE[place]
    return token.type == kind and value in (None, token.value)
