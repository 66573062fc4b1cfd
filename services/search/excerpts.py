"""The place of a text that answers a question, with the words marked: plain text in parts, which a
template escapes one by one. No HTML is ever cut."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import merge
from itertools import chain, islice, pairwise
from typing import NamedTuple

from services.search.documents import text_of
from services.search.queries import Phrase
from services.search.words import MARKS, NO_SPACES, RUN, SIGNS, folded

AROUND = 240  # characters
BEFORE = 60  # of them ahead of the first word
MOST_CANDIDATES = 500

# What is marked as one: a character of a script without spaces, with the marks that kana may have
# behind it; or a run of others, from its beginning. Each is looked at from behind its first letter,
# since that is what most places of a text differ in.
ALONE = rf"(?<=[{NO_SPACES}])[\u3099\u309a\uff9e\uff9f]*"
BEGUN = rf"(?<!(?![{NO_SPACES}])[^\W_].)(?<![{SIGNS}{MARKS}].)"
# A class of its own in front, which nearly all text consists of, is twice as fast.
REST = rf"(?:[A-Za-z0-9]+|(?![{NO_SPACES}])[^\W_]|[{SIGNS}{MARKS}])*"
OF_A_WORD = rf"(?:(?<=[^\W_])|(?<=[{SIGNS}{MARKS}]))"


@dataclass(frozen=True)
class Part:
    text: str
    is_mark: bool = False


class Span(NamedTuple):
    start: int
    end: int
    phrase: int


def marked(text: str, phrases: Sequence[Phrase]) -> list[Part]:
    """All of a text, with what matches marked."""
    return parts_of(text, spans_of(text, phrases), 0, len(text))


def excerpt(rendered: str, phrases: Sequence[Phrase]) -> list[Part]:
    """Some of it, where most of what was asked for stands together; nothing if nothing does.

    The HTML may end anywhere: what is left of a tag is no text.
    """
    text = text_of(rendered.rpartition(">")[0] + ">") if ">" in rendered else ""
    spans = spans_of(text, phrases)
    if not spans:
        return []
    first = densest(spans)
    start, end = around(text, first)
    parts = parts_of(text, spans, start, end)
    return [*([Part("… ")] if start else []), *parts, *([Part(" …")] if end < len(text) else [])]


def spans_of(text: str, phrases: Sequence[Phrase]) -> list[Span]:
    """Where each phrase stands, in order, none over another."""
    if not phrases:
        return []
    words = list(islice(candidates(text, frozenset(chain(*phrases))), MOST_CANDIDATES))
    found: list[Span] = []
    end = 0
    for at, word in enumerate(words):
        if word.start < end:
            continue
        for number, phrase in enumerate(phrases):
            if word.folded == phrase[0] and (last := matched(text, words, at, phrase)):
                found.append(Span(word.start, last, number))
                end = last
                break
    return found


class Word(NamedTuple):
    """A word of a text, in a piece of it that may have several: its number there, from 0."""

    start: int
    end: int
    folded: str
    number: int
    is_last: bool


def candidates(text: str, wanted: frozenset[str]) -> Iterator[Word]:
    """The words of a text that can be part of a phrase: told apart by their first letter, which is
    quick, before they are folded."""
    letters = {word[0] for word in wanted if word[0].isascii()}
    patterns = [pieces_from(letter) for letter in letters]
    if not text.isascii():
        patterns.append(pieces_from(""))
    found = (pattern.finditer(text) for pattern in patterns)
    for piece in merge(*found, key=re.Match[str].start):
        words = folded(piece[0])
        for number, word in enumerate(words):
            if word in wanted:
                yield Word(*piece.span(), word, number, number == len(words) - 1)


@cache
def pieces_from(letter: str) -> re.Pattern[str]:
    """Pieces of a text that begin with this letter or digit of ASCII, in any case; without one,
    those that begin otherwise: what that is becomes clear when it is folded.

    One for each letter, since it takes milliseconds to compile.
    """
    if letter:
        return re.compile(f"[{letter}{letter.upper()}]{BEGUN}{REST}", re.S)
    return re.compile(rf"[^\x00-\x7f](?:{ALONE}|{OF_A_WORD}{BEGUN}{REST})", re.S)


def matched(text: str, words: list[Word], at: int, phrase: Phrase) -> int | None:
    """Where a phrase ends that begins here; None if it does not."""
    part = words[at : at + len(phrase)]
    if [word.folded for word in part] != list(phrase):
        return None
    return part[-1].end if all(follows(text, *pair) for pair in pairwise(part)) else None


def follows(text: str, one: Word, other: Word) -> bool:
    """Whether no word is between two."""
    if one.start == other.start:
        return other.number == one.number + 1
    is_beside = one.is_last and other.number == 0
    return is_beside and RUN.search(text, one.end, other.start) is None


def densest(spans: list[Span]) -> Span:
    """From where on most of what was asked for stands within sight; the first such place."""

    def in_sight(at: int) -> int:
        seen = set()
        for span in spans[at : at + 30]:
            if span.end - spans[at].start > AROUND - BEFORE:
                break
            seen.add(span.phrase)
        return len(seen)

    return spans[max(range(min(len(spans), 300)), key=in_sight)]


def around(text: str, first: Span) -> tuple[int, int]:
    """Where to cut, between words if there are spaces."""
    start = max(first.start - BEFORE, 0)
    if start:
        space = text.find(" ", start, first.start)
        start = space + 1 if space >= 0 else start
    end = min(max(start + AROUND, first.end), len(text))
    if end < len(text):
        space = text.rfind(" ", first.end, end)
        end = space if space >= 0 else end
    return start, end


def parts_of(text: str, spans: list[Span], start: int, end: int) -> list[Part]:
    parts: list[Part] = []
    at = start
    for span in spans:
        if span.start < at or span.end > end:
            continue
        if span.start > at:
            parts.append(Part(text[at : span.start]))
        parts.append(Part(text[span.start : span.end], is_mark=True))
        at = span.end
    if at < end:
        parts.append(Part(text[at:end]))
    return parts
