"""What differs between two texts, line by line, for people to read."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# Comparing takes time with the product of both lengths: a longer text is compared in one piece.
MOST_LINES = 4_000


@dataclass(frozen=True)
class Line:
    kind: Literal["same", "removed", "added"]
    text: str


def lines(old: str, new: str) -> list[Line]:
    """All lines of both texts in order; what only the old one has comes before the new."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > MOST_LINES:
        return [Line("removed", text) for text in before] + [Line("added", text) for text in after]
    found: list[Line] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Line("same", text) for text in before[a:b]]
        else:
            found += [Line("removed", text) for text in before[a:b]]
            found += [Line("added", text) for text in after[c:d]]
    return found
