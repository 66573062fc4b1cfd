"""The words that the renderer itself puts into a text, in the language that is spoken.

Stored HTML has them in English, whatever the blog speaks, so that another language needs no rendering.
"""

import re

import languages
from languages import N_, _

TITLES = {
    "Note": N_("Note"),
    "Tip": N_("Tip"),
    "Important": N_("Important"),
    "Warning": N_("Warning"),
    "Caution": N_("Caution"),
}
LABELS = {
    "Contents": N_("Contents"),
    "Link to this section": N_("Link to this section"),
    "to do": N_("to do"),
    "done": N_("done"),
}
# As the sanitiser writes it: no text holds a "<", and `">` is nowhere but at the end of a tag. So
# these are what they look like, and nothing that an author quotes. A title of its own stays.
ANY_CALLOUT = '<aside class="admonition '
CALLOUT = re.compile(ANY_CALLOUT + r'(\w+)">\n<p class="admonition-title">((?i:\1))(?=</p>)')
LABEL = re.compile(
    rf' aria-label="(?:({"|".join(LABELS)})|Back to reference ([\d-]+))"'
    r'(?=>| rel="noopener">| disabled="">)'
)


def said(html: str) -> str:
    """The same HTML, as `render` gives it; in English it stays what it is."""
    if languages.spoken().language == "en":
        return html
    if ANY_CALLOUT in html:
        html = CALLOUT.sub(with_title, html)
    return LABEL.sub(with_label, html)


def with_title(match: re.Match[str]) -> str:
    begin = match[0].removesuffix(match[2])
    return begin + _(TITLES.get(match[2], match[2]))


def with_label(match: re.Match[str]) -> str:
    label, number = match.groups()
    words = _(LABELS[label]) if label else _("Back to reference %(number)s", number=number)
    return f' aria-label="{words}"'
