"""The contents of a long text, read from its stored HTML: the sanitiser writes it in one form only."""

import re
from dataclasses import dataclass
from itertools import islice

from languages import _
from services.markdown import plain_text

FEWEST_HEADINGS, MOST_HEADINGS = 3, 60
FEWEST_WORDS = 600
HEADING = re.compile(r'<h([2-4]) id="(h-[^"<>]+)">(.*?)<a class="anchor"', re.S)
OWN_CONTENTS = '<nav class="toc"'
LONGEST_TITLE = 200


@dataclass(frozen=True)
class Line:
    """`depth` is 0 for a section and 1 for what is within it."""

    target: str
    title: str
    depth: int


def of(html: str, words: int) -> list[Line]:
    """The sections of a text, in two levels; none for a short one, or one that lists them itself."""
    if words < FEWEST_WORDS or OWN_CONTENTS in html:
        return []
    found = list(islice(HEADING.finditer(html), MOST_HEADINGS))
    if len(found) < FEWEST_HEADINGS:
        return []
    top = min(int(each[1]) for each in found)
    return [
        Line(each[2], plain_text(each[3])[:LONGEST_TITLE] or _("Section"), depth)
        for each in found
        if (depth := int(each[1]) - top) < 2
    ]
