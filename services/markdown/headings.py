"""Headings get an id and a link to it; a paragraph [TOC] becomes a list of them."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from slugify import slugify

from services.markdown.words import plain_text

MOST_ANCHORS = 500
LONGEST_NAME = 60
LONGEST_TITLE = 300  # of what names and contents are made of

HEADING_TAG = re.compile(r"<(/?)h([1-6])>")
CONTENTS = "<p>[TOC]</p>"


@dataclass(frozen=True)
class Heading:
    """Where a heading is in a text: `opens` to `inside` is its tag, `closes` its end."""

    level: int
    opens: int
    inside: int
    closes: int


def with_anchors(body: str) -> str:
    """comrak's own anchors take quadratic time for equal titles."""
    names = Names()
    pieces, entries, done = [], [], 0
    for heading in headings(body):
        inside = body[heading.inside : heading.closes]
        title = plain_text(inside[: 4 * LONGEST_TITLE])[:LONGEST_TITLE]
        target = names.new(title)
        link = f'<a class="anchor" href="#{target}" aria-label="Link to this section"></a>'
        pieces += [body[done : heading.opens], f'<h{heading.level} id="{target}">', inside, link]
        entries.append((heading.level, target, title or "Section"))
        done = heading.closes
    marked = "".join([*pieces, body[done:]])
    return marked.replace(CONTENTS, contents(entries), 1)


def headings(body: str) -> Iterator[Heading]:
    """The first 500, wherever they are; raw HTML that opens one and never closes it is none."""
    opened, found = None, 0
    for tag in HEADING_TAG.finditer(body):
        closes, level = tag.groups()
        if not closes:
            opened = tag
        elif opened and opened.group(2) == level:
            yield Heading(int(level), opened.start(), opened.end(), tag.start())
            opened, found = None, found + 1
            if found == MOST_ANCHORS:
                return


class Names:
    """Ids for headings, each given once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.times: dict[str, int] = {}

    def new(self, title: str) -> str:
        # The prefix keeps these ids apart from those of the page around them.
        name = f"h-{slugify(title, max_length=LONGEST_NAME, word_boundary=True) or 'section'}"
        free = name
        while free in self.taken:
            self.times[name] = self.times.get(name, 1) + 1
            free = f"{name}-{self.times[name]}"
        self.taken.add(free)
        return free


def contents(entries: list[tuple[int, str, str]]) -> str:
    """A list of links, nested as the headings are. Nothing when there are none."""
    if not entries:
        return ""
    output, levels = ['<nav class="toc" aria-label="Contents">'], list[int]()
    for level, target, title in entries:
        while len(levels) > 1 and level < levels[-1]:
            output.append("</li></ul>")
            levels.pop()
        if levels and level <= levels[-1]:
            output.append("</li>")
            levels[-1] = level
        else:
            output.append("<ul>")
            levels.append(level)
        output.append(f'<li><a href="#{target}">{html.escape(title)}</a>')
    return "".join([*output, "</li></ul>" * len(levels), "</nav>"])
