"""The place of a text that answers a question, with the words marked: plain text in parts, which a
template escapes one by one. No HTML is ever cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.search.documents import text_of
from services.search.queries import Phrase
from services.search.words import RUN, folded

AROUND = 240  # characters
BEFORE = 60  # of them ahead of the first word


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
    words = list(candidates(text, phrases))
    found: list[Span] = []
    end = 0
    for at, (start, _, _, _) in enumerate(words):
        if start < end:
            continue
        for number, phrase in enumerate(phrases):
            last = matched(words, at, phrase)
            if last is not None:
                found.append(Span(start, last, number))
                end = last
                break
    return found


Word = tuple[int, int, int, str]  # start, end, number among all runs or -1, folded


def candidates(text: str, phrases: Sequence[Phrase]) -> Iterator[Word]:
    """The words of a text that can be part of a phrase: with their places, since phrases are made
    of neighbours. Words are told apart by their first letter before they are folded."""
    wanted = {word for phrase in phrases for word in phrase}
    letters = {letter for word in wanted for letter in (word[0], word[0].upper())}
    number = 0
    for run in RUN.finditer(text):
        said = run[0]
        if said[0] not in letters and said[0] < "\x80":
            number += 1
            continue
        for word in folded(said):
            if word in wanted:
                yield run.start(), run.end(), number, word
            number += 1


def matched(words: list[Word], at: int, phrase: Phrase) -> int | None:
    """Where a phrase ends that begins here; None if it does not."""
    first = words[at][2]
    part = words[at : at + len(phrase)]
    is_it = len(part) == len(phrase) and all(
        word == wanted and number == first + step
        for step, ((_, _, number, word), wanted) in enumerate(zip(part, phrase, strict=True))
    )
    return part[-1][1] if is_it else None


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
