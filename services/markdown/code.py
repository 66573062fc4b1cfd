"""Listings: coloured by Pygments, and with a title where the author gives one."""

import html
import re
import time
from collections.abc import Iterable
from functools import cache
from io import StringIO
from typing import Any, TypeVar

T = TypeVar("T")

# Lexers take quadratic time for some text or other, and a regular expression cannot be interrupted.
# So only these are asked, which tests/services/test_rendering.py tries to slow down; and only for
# listings that look like code, and are not too long. The rest stays uncoloured.
LANGUAGES = """
    awk bash bat c clojure cmake common-lisp console cpp csharp css dart diff django docker elixir
    elm erlang fsharp go graphql groovy haskell html http ini java javascript json jsx julia
    kotlin less lua make matlab nginx nim nix ocaml objective-c perl php postgresql powershell
    prolog properties protobuf python pycon r ruby rust scala scheme scss sql swift terraform
    toml ts tsx typescript vim vue xml yaml zig
    """.split()
LONGEST_LISTING = 16 * 1024
LONGEST_LINE = 500
WIDE_GAP = re.compile(r"\s{100}")
MOST_COLOURED_BYTES = 64 * 1024
MOST_LISTINGS = 2_000
# For what no test thought of. Counted in time of the processor, so that the same text comes out the
# same on a busy machine.
MOST_COLOURING_SECONDS = 0.5

# comrak escapes what is inside, so [^<]* reads a node to its end and no further: every pattern of
# this package is linear in the text, also when raw HTML imitates the nodes.
LISTING = re.compile(r"<pre><code([^<>]*)>([^<]*)</code></pre>")
LANGUAGE = re.compile(r' class="language-([\w+#.-]{1,40})')
META = re.compile(r' data-meta="([^"]{1,1000})')
TITLE = re.compile(r"""(?:^|\s)title=(?:"([^"]{1,120})"|([^\s"]{1,120}))""")


def with_colours(body: str) -> str:
    budget = Budget()
    return LISTING.sub(lambda match: listing(match, budget), body, count=MOST_LISTINGS)


class Budget:
    """What the colouring of one text may take."""

    def __init__(self) -> None:
        self.bytes = MOST_COLOURED_BYTES
        self.ends_at = time.thread_time() + MOST_COLOURING_SECONDS

    @property
    def is_used_up(self) -> bool:
        return time.thread_time() > self.ends_at

    def covers(self, code: str) -> bool:
        """Whether there is enough for this listing too; it is taken off then."""
        if len(code) > self.bytes or self.is_used_up:
            return False
        self.bytes -= len(code)
        return True


def listing(match: re.Match[str], budget: Budget) -> str:
    attributes, code = match.groups()  # in any order
    language = LANGUAGE.search(attributes)
    if language is None or "data-math-style" in attributes:
        return match.group()
    spans = coloured(html.unescape(code), language.group(1), budget)
    pre = f"<pre><code>{code if spans is None else spans}</code></pre>"
    title = title_in(attributes)
    if not title:
        return pre
    return f'<figure class="listing"><figcaption>{html.escape(title)}</figcaption>{pre}</figure>'


def title_in(attributes: str) -> str:
    """What follows the language on the first line may be title="..."."""
    meta = META.search(attributes)
    found = meta and TITLE.search(html.unescape(meta.group(1)))
    return (found.group(1) or found.group(2)) if found else ""


def coloured(code: str, language: str, budget: Budget) -> str | None:
    """The code with a span for each token; None if it stays as it is."""
    name = languages().get(language.lower())
    if name is None or not looks_like_code(code) or not budget.covers(code):
        return None
    from pygments.lexers import find_lexer_class

    lexer: Any = find_lexer_class(name)
    try:
        tokens = in_time(lexer(stripnl=False).get_tokens(code), budget)
    except TimeoutError:
        return None
    output = StringIO()
    formatter().format(tokens, output)
    return output.getvalue()


def looks_like_code(text: str) -> bool:
    lines = text.split("\n") if len(text) <= LONGEST_LISTING else []
    return 0 < max(map(len, lines), default=0) <= LONGEST_LINE and not WIDE_GAP.search(text)


def in_time(tokens: Iterable[T], budget: Budget) -> list[T]:
    """All tokens. Raises TimeoutError when the time is up before the last."""
    found = []
    for token in tokens:
        if budget.is_used_up:
            raise TimeoutError
        found.append(token)
    return found


@cache
def languages() -> dict[str, str]:
    """The name of a lexer for each word that may stand for it."""
    from pygments.lexers import get_all_lexers  # heavy, and only posts with code need it

    known = ((name, words) for name, words, _, _ in get_all_lexers(plugins=False))
    return {word: name for name, words in known if set(words) & set(LANGUAGES) for word in words}


@cache
def formatter() -> Any:
    # Not from the package: it replaces itself while it is imported, and a thread that comes in at
    # that moment is left with a module that has no formatters.
    from pygments.formatters.html import HtmlFormatter

    return HtmlFormatter(nowrap=True)
