"""The words of rendered HTML, for lists, feeds and counts."""

import html
import re
from itertools import islice

MOST_OPENING_PARAGRAPHS = 8

PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
ADMONITION = re.compile(r"<aside\b.*?</aside>", re.S)
UNREAD = "sup|pre|math|figcaption|nav|video|audio"
NO_PROSE = re.compile(rf"<(?:{UNREAD})\b.*?</(?:{UNREAD})>", re.S)
BLOCK_END = re.compile(r"</(?:p|li|h\d|td|th|div|blockquote|summary)>")
TAG = re.compile(r"<[^<>]*>")


def plain_text(rendered: str) -> str:
    """The words of rendered HTML without any markup, whitespace folded."""
    without_notes = rendered.partition('<section class="footnotes"')[0]
    spaced = BLOCK_END.sub(" ", NO_PROSE.sub(" ", without_notes))
    return " ".join(html.unescape(TAG.sub("", spaced)).split())


def opening(rendered: str) -> str:
    """The words of the first paragraphs: what a list or a feed says about a text."""
    prose = ADMONITION.sub("", rendered.partition('<section class="footnotes"')[0])
    paragraphs = islice(PARAGRAPH.finditer(prose), MOST_OPENING_PARAGRAPHS)
    return " ".join(filter(None, (plain_text(each.group(1)) for each in paragraphs))) or plain_text(
        rendered
    )
