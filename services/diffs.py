"""What differs between two texts, line by line and word by word, for people to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby, takewhile
from typing import Literal

from languages import N_, _

# Comparing takes time with the product of both lengths, and in bad cases more: of longer texts all
# that lies between their equal ends is shown in one piece, and longer lines are not looked into.
MOST_PAIRS = 250_000
MOST_WORD_PAIRS = 40_000
# For all lines of one comparison together; looking at a line at all costs as much as some pairs.
WORD_PAIRS_IN_ALL, A_LOOK = 400_000, 100
# Of lines that share less than this the words are not worth comparing: all would be marked.
ALIKE = 0.4
WORDS = re.compile(r"\w+|\s+|[^\w\s]")
# What a page shows: so many equal lines around each change, changed lines in a row, lines in all.
CONTEXT = 3
MOST_IN_A_ROW = 300
MOST_LINES = 2_000
SAME = N_("%(count)s lines that are the same")  # of at least three
MORE = N_("%(count)s lines more")


@dataclass(frozen=True)
class Part:
    """Some words of a line, and whether the other text has them there too."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True)
class Line:
    """One line; of a changed one `parts` tells which words did change, or is empty for all.

    A "gap" stands for lines that are left out, and its text says which.
    """

    kind: Literal["same", "removed", "added", "gap"]
    text: str
    parts: tuple[Part, ...] = ()


@dataclass
class Budget:
    """What may still be spent on words, so that no text takes longer than another."""

    pairs: int = field(default=WORD_PAIRS_IN_ALL)

    def spend(self, pairs: int) -> bool:
        self.pairs -= pairs
        return self.pairs >= 0


def for_page(old: str, new: str) -> list[Line]:
    """What changed with a little around it, and gaps for what is too much to look at."""
    runs = [list(run) for _kind, run in groupby(lines(old, new), key=lambda line: line.kind)]
    shown: list[Line] = []
    for place, run in enumerate(runs):
        if run[0].kind == "same":
            before, after = CONTEXT * (place > 0), CONTEXT * (place < len(runs) - 1)
            shown += folded(run, before, after, SAME)
        else:
            shown += folded(run, MOST_IN_A_ROW, 0, MORE)
        if len(shown) > MOST_LINES:
            return [*shown, Line("gap", _("And more further down"))]
    return shown


def folded(run: list[Line], first: int, last: int, what: str) -> list[Line]:
    """A run with so many of its first and last lines, and a gap between if it is worth one."""
    left_out = len(run) - first - last
    if left_out < 3:
        return run
    return [*run[:first], Line("gap", _(what, count=left_out)), *run[len(run) - last :]]


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
    budget = Budget()
    for kind, a, b, c, d in steps:
        if kind == "equal":
            yield from (Line("same", text) for text in before[a:b])
        else:
            yield from replaced(before[a:b], after[c:d], budget)


def replaced(before: list[str], after: list[str], budget: Budget) -> Iterator[Line]:
    """Lines that stand in each other's place, the first for the first and so on."""
    beside = zip(before[:MOST_IN_A_ROW], after[:MOST_IN_A_ROW], strict=False)
    pairs = [words(old, new, budget) for old, new in beside]
    looked_into = len(pairs)
    yield from (
        Line("removed", text, parts) for text, (parts, _) in zip(before, pairs, strict=False)
    )
    yield from (Line("removed", text) for text in before[looked_into:])
    yield from (Line("added", text, parts) for text, (_, parts) in zip(after, pairs, strict=False))
    yield from (Line("added", text) for text in after[looked_into:])


Parts = tuple[Part, ...]


def words(old: str, new: str, budget: Budget) -> tuple[Parts, Parts]:
    """Both lines in parts; nothing for lines that are too long, or that have little in common."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    pairs = len(before) * len(after)
    if not 0 < pairs <= MOST_WORD_PAIRS or not budget.spend(pairs + A_LOOK):
        return (), ()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < ALIKE:
        return (), ()
    steps = matcher.get_opcodes()
    return (
        tuple(Part("".join(before[a:b]), kind != "equal") for kind, a, b, _, _ in steps if a < b),
        tuple(Part("".join(after[c:d]), kind != "equal") for kind, _, _, c, d in steps if c < d),
    )
