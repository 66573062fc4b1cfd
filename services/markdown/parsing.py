"""Markdown to HTML by comrak, with the edge taken off texts that would end the process."""

import re
from functools import cache
from typing import Any

import comrak

# What is beyond these numbers stays as it is written; see docs/decisions/0011.
DEEP_LINE = re.compile(r"^([ \t]*(?:>[ \t]*+|\d{1,9}[.)][ \t]++){40})(?=[>\d])", re.M)
MOST_ADDRESSES = 200
MOST_TILDES = 10_000
MOST_NOTES = 2_000
MOST_TASKS = 5_000
MOST_CELLS = 100_000

DELIMITERS = re.compile(r"^(?=[^\n-]*-)[ \t>|:-]++$", re.M)  # the second line of a table
TASK = re.compile(r"\[[ xX]\]")
BOX = re.compile(r'<input type="checkbox" class="task-list-item-checkbox"( checked="")?')

EXTENSIONS = ("alerts", "math_dollars", "math_code")
# As GFM's "tagfilter", whose implementation takes quadratic time: these would swallow the text that
# follows them, so they are shown as they are written.
SWALLOWING = re.compile(
    r"<(?=/?(?:iframe|noembed|noframes|noscript|object|plaintext|script|style|template|textarea"
    r"|title|xmp)(?:[\s/>]|$))",
    re.I,
)


def parsed(source: str) -> str:
    """CommonMark with GFM's tables, task lists, footnotes and alerts, and formulas. HTML that the
    author wrote goes through untouched, but for elements that would swallow what follows."""
    flat = DEEP_LINE.sub(r"\1\\", source)
    return SWALLOWING.sub("&lt;", comrak.render_markdown(flat, *options(extensions_for(flat))))


def extensions_for(source: str) -> frozenset[str]:
    """Those that are safe for a text.

    comrak recurses for each e-mail address in a paragraph, down to the end of the stack; it takes
    quadratic time for tildes; notes, tasks and the cells of tables become many times as long.
    """
    chosen = set(EXTENSIONS)
    if all(block.count("@") <= MOST_ADDRESSES for block in source.split("\n\n")):
        chosen.add("autolink")
    if source.count("~") <= MOST_TILDES:
        chosen.add("strikethrough")
    if source.count("[^") <= MOST_NOTES:
        chosen.add("footnotes")
    if len(TASK.findall(source)) <= MOST_TASKS:
        chosen.add("tasklist")
    columns = max((line.count("|") + 1 for line in DELIMITERS.findall(source)), default=0)
    if columns * source.count("\n") <= MOST_CELLS:
        chosen.add("table")
    return frozenset(chosen)


@cache
def options(extensions: frozenset[str]) -> tuple[Any, Any, Any]:
    extension = comrak.ExtensionOptions()
    for name in extensions:
        setattr(extension, name, True)
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
    return BOX.sub(labelled, body)


def labelled(match: re.Match[str]) -> str:
    return f'{match.group()} aria-label="{"done" if match.group(1) else "to do"}"'
