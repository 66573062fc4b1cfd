"""Markdown to HTML that is safe to show: comrak parses, Pygments colours, nh3 sanitises."""

import html
import re
import time
from collections.abc import Iterable
from functools import cache
from io import StringIO
from itertools import islice
from typing import Any, TypeVar

import comrak
from slugify import slugify

from services import sanitiser

T = TypeVar("T")

# Raised when the output changes, so that stored HTML can be rendered again.
RENDERER = 1

# Longer listings stay uncoloured, and so does what is left when the time is up: nearly every lexer
# takes quadratic time for some text or other. Counted in time of the processor, so that the same
# text comes out the same on a busy machine.
MOST_CODE_BYTES = 32 * 1024
MOST_COLOURING_SECONDS = 0.3
MOST_FORMULA_BYTES = 2 * 1024
MOST_FORMULAS = 500

# comrak escapes what is inside, so [^<]* reads a node to its end and no further: every pattern
# here is linear in the text, also when raw HTML imitates the nodes.
CODE = re.compile(r'<pre><code class="language-([\w+#.-]{1,40})[^"<>]*">([^<]*)</code></pre>')
MATH = re.compile(r'<span data-math-style="(inline|display)">([^<]*)</span>')
FIGURE = re.compile(r"<p>(<figure><img [^<>]*/>(?:<figcaption>[^<]*</figcaption>)?</figure>)</p>")
TASK = re.compile(r'<input type="checkbox" class="task-list-item-checkbox"( checked="")?')
HEADING = re.compile(r"<h([1-6])>(.{1,300}?)</h\1>")
TABLE = re.compile(r"<table\b")
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
ADMONITION = re.compile(r"<aside\b.*?</aside>", re.S)
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
DEEP_QUOTE = re.compile(r"^([ \t]*(?:>[ \t]*){40})(?=>)", re.M)

# Trees of any depth take the parsers quadratic time; nobody reads the hundredth level.
DEEPEST = 100
# Elements without depth of their own: void ones, and those that the next of their kind ends.
FLAT = frozenset(
    "area base br col dd dt embed hr img input li link meta p source tbody td tfoot th thead tr "
    "track wbr".split()
)
MOST_ANCHORS = 500
MOST_OPENING_PARAGRAPHS = 8
MOST_ADDRESSES = 200
MOST_LISTINGS = 2_000


def render(source: str) -> str:
    """HTML for a text in CommonMark with GFM's tables, task lists, footnotes and alerts.

    The answer holds no script, style, form or event handler, whatever the source says; it may be
    put into a page as it is. Never raises for any text.
    """
    body = comrak.render_markdown(DEEP_QUOTE.sub(r"\1\\", source), *options(can_autolink(source)))
    body = TASK.sub(labelled, body)
    body = FIGURE.sub(r"\1", body)
    body = with_colours(body)
    body = with_formulas(body)
    body = with_anchors(body)
    return with_wide_tables(sanitiser.clean(not_too_deep(body)))


def plain_text(rendered: str) -> str:
    """The words of rendered HTML without any markup, whitespace folded."""
    without_notes = rendered.partition('<section class="footnotes"')[0]
    spaced = re.sub(
        r"<(?:sup|pre|math|figcaption)\b.*?</(?:sup|pre|math|figcaption)>",
        " ",
        without_notes,
        flags=re.S,
    )
    spaced = re.sub(r"</(?:p|li|h\d|td|th|div|blockquote)>", " ", spaced)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", spaced)).split())


def opening(rendered: str) -> str:
    """The words of the first paragraphs: what a list or a feed says about a text."""
    prose = ADMONITION.sub("", rendered.partition('<section class="footnotes"')[0])
    paragraphs = islice(PARAGRAPH.findall(prose), MOST_OPENING_PARAGRAPHS)
    return " ".join(filter(None, map(plain_text, paragraphs))) or plain_text(rendered)


def can_autolink(source: str) -> bool:
    """comrak recurses for each e-mail address in a paragraph, down to the end of the stack."""
    return all(block.count("@") <= MOST_ADDRESSES for block in source.split("\n\n"))


@cache
def options(autolink: bool) -> tuple[Any, Any, Any]:
    extension = comrak.ExtensionOptions()
    for name in ("strikethrough", "table", "tasklist", "footnotes", "alerts", "math_dollars"):
        setattr(extension, name, True)
    extension.autolink = autolink
    parse = comrak.ParseOptions()
    parse.smart = True
    output = comrak.RenderOptions()
    output.unsafe_ = True  # raw HTML goes through; nh3 decides, once, at the end
    output.figure_with_caption = True
    output.tasklist_classes = True
    output.alert_style = comrak.AlertStyle.Semantic
    return extension, parse, output


def labelled(match: re.Match[str]) -> str:
    """A box in a task list says what it means to those who do not see it."""
    return f'{match.group()} aria-label="{"done" if match.group(1) else "to do"}"'


def with_colours(body: str) -> str:
    ends_at = time.thread_time() + MOST_COLOURING_SECONDS
    return CODE.sub(lambda match: coloured(match, ends_at), body, count=MOST_LISTINGS)


def coloured(match: re.Match[str], ends_at: float) -> str:
    language, code = match.group(1), html.unescape(match.group(2))
    if len(code) > MOST_CODE_BYTES or time.thread_time() > ends_at:
        return match.group()
    from pygments.lexers import get_lexer_by_name  # heavy, and only posts with code need it
    from pygments.util import ClassNotFound

    try:
        tokens = in_time(get_lexer_by_name(language).get_tokens(code), ends_at)
    except (ClassNotFound, TimeoutError):
        return match.group()
    output = StringIO()
    formatter().format(tokens, output)
    return f'<pre><code class="language-{language}">{output.getvalue()}</code></pre>'


def in_time(tokens: Iterable[T], ends_at: float) -> list[T]:
    """All tokens. Raises TimeoutError when the time is up before the last."""
    found = []
    for token in tokens:
        if time.thread_time() > ends_at:
            raise TimeoutError
        found.append(token)
    return found


@cache
def formatter() -> Any:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(nowrap=True)


def with_formulas(body: str) -> str:
    if "data-math-style" not in body:
        return body
    from latex2mathml.converter import convert

    def formula(match: re.Match[str]) -> str:
        style, latex = match.group(1), html.unescape(match.group(2))
        as_code = f"<code>{html.escape(latex)}</code>"
        if len(latex) > MOST_FORMULA_BYTES:
            return as_code
        try:
            return str(convert(latex, display="block" if style == "display" else "inline"))
        except Exception:  # whatever is wrong with a formula, the post must come out
            return as_code

    return MATH.sub(formula, body, count=MOST_FORMULAS)


def with_anchors(body: str) -> str:
    """Give headings an id and a link to it. comrak's own take quadratic time for equal titles."""
    seen: dict[str, int] = {}

    def anchor(match: re.Match[str]) -> str:
        level, inside = match.groups()
        name = slugify(plain_text(inside), max_length=60, word_boundary=True) or "section"
        seen[name] = seen.get(name, 0) + 1
        # The prefix keeps these ids apart from those of the page around them.
        target = f"h-{name}" if seen[name] == 1 else f"h-{name}-{seen[name]}"
        link = f'<a class="anchor" href="#{target}" aria-label="Link to this section"></a>'
        return f'<h{level} id="{target}">{inside}{link}</h{level}>'

    return HEADING.sub(anchor, body, count=MOST_ANCHORS)


def with_wide_tables(clean: str) -> str:
    """A table wider than the page scrolls in a box of its own, by keyboard too."""
    opened = TABLE.sub(r'<div class="wide-table" tabindex="0">\g<0>', clean)
    return opened.replace("</table>", "</table></div>")


def not_too_deep(body: str) -> str:
    depth = 0

    def shallow(match: re.Match[str]) -> str:
        nonlocal depth
        closes, name = match.groups()
        if name.lower() in FLAT:
            return match.group()
        if not closes:
            depth += 1
        keep = depth <= DEEPEST
        if closes:
            depth = max(depth - 1, 0)
        return match.group() if keep else ""

    return TAG.sub(shallow, body)
