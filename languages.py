"""The words for people, in the language that the blog speaks.

They are written in English where they are said, and marked there: `_("Saved.")` is said at once,
`N_("Saved.")` is only marked, for what is said later by `_()`. Catalogues are in translations/; that
of a language is read when it is first spoken, and English needs none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "de": "Deutsch"}
# How a day is written; see services/zones.py.
DATE_FORMATS = ("full", "long", "medium", "iso")


@dataclass(frozen=True)
class Speech:
    """A language, and how dates are written in it."""

    language: str = "en"
    dates: str = "long"


ENGLISH = Speech()
SPEAKER: ContextVar[Callable[[], Speech]] = ContextVar("speaker", default=lambda: ENGLISH)


def spoken() -> Speech:
    """What is spoken here and now: English unless somebody has said otherwise."""
    return SPEAKER.get()()


def speak(speaker: Callable[[], Speech]) -> None:
    """From now on, in this request or job: as `speaker` says each time that it is asked."""
    SPEAKER.set(speaker)


@contextmanager
def speaking(speech: Speech) -> Iterator[None]:
    """For the block."""
    token = SPEAKER.set(lambda: speech)
    try:
        yield
    finally:
        SPEAKER.reset(token)


def N_(message: str) -> str:
    """The same; only marked, to be said later."""
    return message


def _(message: str, /, **values: Any) -> str:
    """The message in the language spoken; `%(name)s` in it stands for a value of that name."""
    said = words_of(spoken().language).one(message)
    return said % values if values else said


def gettext(message: str) -> str:
    """The same for templates, which put in the values themselves."""
    return words_of(spoken().language).one(message)


def ngettext(one: str, many: str, number: int, /, **values: Any) -> str:
    """The same for so many; `%(name)s` stands for a value."""
    said = words_of(spoken().language).several(one, many, number)
    return said % values if values else said


@dataclass(frozen=True)
class Words:
    """A catalogue: what messages, and messages with a plural, are in a language."""

    single: dict[str, str] = field(default_factory=dict)
    plural: dict[str, tuple[str, ...]] = field(default_factory=dict)
    form: Callable[[int], int] = lambda number: int(number != 1)

    def one(self, message: str) -> str:
        return self.single.get(message, message)

    def several(self, one: str, many: str, number: int) -> str:
        return self.plural.get(one, (one, many))[self.form(number)]


@cache
def words_of(language: str) -> Words:
    """Those of a language; English ones for one that we do not know."""
    if language == "en" or language not in LANGUAGES:
        return Words()
    from gettext import c2py

    from babel.messages.pofile import read_po  # a language of its own is worth the time

    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    single: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if isinstance(message.id, str):
            single[message.id] = str(message.string) or message.id
        else:
            plural[message.id[0]] = tuple(message.string or message.id)
    return Words(single, plural, c2py(catalogue.plural_expr))
