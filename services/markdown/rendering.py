"""The steps from a source to HTML, one after the other; each is linear in what it gets."""

import html
import logging

from services import sanitiser
from services.markdown import apart, code, formulas, headings, nesting, parsing, pictures, tables

log = logging.getLogger("inkstand")

# Raised when the output changes, so that stored HTML is rendered again; see rerendering.py.
RENDERER = 3
LONG = 64 * 1024  # characters; see apart.py

# Raw HTML passes through all but the last: whatever they make of it, nh3 decides at the end what
# stays. Only the frame around tables comes after it, which is right only around whole tables.
STEPS = (
    parsing.parsed,
    parsing.with_labels,
    code.with_colours,
    headings.with_anchors,
    formulas.with_formulas,
    pictures.with_media,
    nesting.not_too_deep,
    sanitiser.clean,
    tables.with_frames,
)


def render(source: str) -> str:
    """HTML for a text in CommonMark, with what the cheat sheet adds to it.

    The answer holds no script, style, form or event handler, whatever the source says; it may be
    put into a page as it is. The same source always gives the same answer. Never raises.
    """
    text = source.encode("utf-8", "replace").decode()  # half a character has no place in a page
    try:
        return apart.render(text) if len(text) > LONG else rendered(text)
    except BaseException as error:
        if not is_fault(error):
            raise
        log.exception("A text could not be rendered; it is shown as it was written.")
        return f'<pre tabindex="0">{html.escape(text, quote=False)}</pre>'


def rendered(text: str) -> str:
    """The same in this very thread, which comrak does not let go for up to a microsecond a byte."""
    for step in STEPS:
        text = step(text)
    return text


def is_fault(error: BaseException) -> bool:
    """Rust's panics are no Exception, and no reason to stop."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
