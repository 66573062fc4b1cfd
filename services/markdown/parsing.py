"""Markdown to HTML by comrak, with the edge taken off texts that would end the process."""

import re
from functools import cache
from typing import Any

import comrak

# One level more is kept as text; see docs/decisions/0011.
DEEP_QUOTE = re.compile(r"^([ \t]*(?:>[ \t]*){40})(?=>)", re.M)
MOST_ADDRESSES = 200
TASK = re.compile(r'<input type="checkbox" class="task-list-item-checkbox"( checked="")?')

EXTENSIONS = (
    "strikethrough",
    "table",
    "tasklist",
    "footnotes",
    "alerts",
    "math_dollars",
    "math_code",
    "tagfilter",  # else a <title> that is meant as a word would swallow the rest of the text
)


def parsed(source: str) -> str:
    """CommonMark with GFM's tables, task lists, footnotes and alerts, and formulas. HTML that the
    author wrote goes through untouched."""
    return str(
        comrak.render_markdown(DEEP_QUOTE.sub(r"\1\\", source), *options(can_autolink(source)))
    )


def can_autolink(source: str) -> bool:
    """comrak recurses for each e-mail address in a paragraph, down to the end of the stack."""
    return all(block.count("@") <= MOST_ADDRESSES for block in source.split("\n\n"))


@cache
def options(autolink: bool) -> tuple[Any, Any, Any]:
    extension = comrak.ExtensionOptions()
    for name in EXTENSIONS:
        setattr(extension, name, True)
    extension.autolink = autolink
    parse = comrak.ParseOptions()
    parse.smart = True
    output = comrak.RenderOptions()
    output.unsafe_ = True  # raw HTML goes through; nh3 decides, once, at the end
    output.full_info_string = True
    output.tasklist_classes = True
    output.alert_style = comrak.AlertStyle.Semantic
    return extension, parse, output


def with_labels(body: str) -> str:
    """A box in a task list says what it means to those who do not see it."""
    return TASK.sub(labelled, body)


def labelled(match: re.Match[str]) -> str:
    return f'{match.group()} aria-label="{"done" if match.group(1) else "to do"}"'
