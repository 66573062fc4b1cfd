"""What differs between two texts, line by line, for people to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

# Comparing takes time with the product of both lengths: more than this is shown in one piece.
MOST_PAIRS = 250_000


@dataclass(frozen=True)
class Line:
    kind: Literal["same", "removed", "added"]
    text: str


def lines(old: str, new: str) -> list[Line]:
    """All lines of both texts in order; what only the old one has comes before the new."""
    before, after = old.splitlines(), new.splitlines()
    head = shared(before, after)
    tail = shared(before[head:][::-1], after[head:][::-1])
    ends = len(before) - tail, len(after) - tail
    same = [Line("same", text) for text in before]
    return [*same[:head], *between(before[head : ends[0]], after[head : ends[1]]), *same[ends[0] :]]


def shared(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def between(before: list[str], after: list[str]) -> Iterator[Line]:
    whole = [("replace", 0, len(before), 0, len(after))]
    is_small = len(before) * len(after) <= MOST_PAIRS
    steps = SequenceMatcher(None, before, after).get_opcodes() if is_small else whole
    for kind, a, b, c, d in steps:
        if kind == "equal":
            yield from (Line("same", text) for text in before[a:b])
        else:
            yield from (Line("removed", text) for text in before[a:b])
            yield from (Line("added", text) for text in after[c:d])
