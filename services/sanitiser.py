"""What of HTML may stand in a post: nh3 with our own list of what is allowed."""

import re
from collections.abc import Callable
from html import escape
from typing import Any

import nh3

from services import media_names

MOST_ROUNDS = 8


def clean(html: str) -> str:
    """The same HTML without whatever could run, submit, restyle or break out. Never raises.

    Cleaning the answer again changes nothing: it means to a browser what it meant to the cleaner.
    Where an element is taken out, what is left may be read otherwise, so it is looked at again.
    """
    for _ in range(MOST_ROUNDS):
        cleaned = CLEANER.clean(html)
        if cleaned == html:
            return html
        html = cleaned
    return escape(html)


MATHML = {
    name: {
        "mathvariant",
        "displaystyle",
        "stretchy",
        "fence",
        "form",
        "columnalign",
        "linethickness",
    }
    for name in """
    mi mn mo ms mtext mspace mrow mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup
    munder mover munderover mmultiscripts mtable mtr mtd
    """.split()
}
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"lang", "dir", "title"},
    "a": {"href", "id", "aria-label"},
    "img": {"src", "alt", "width", "height", "srcset"},
    "video": {"src", "poster", "width", "height", "controls", "aria-label"},
    "audio": {"src", "controls", "aria-label"},
    "source": {"src", "type"},
    "ol": {"start", "reversed"},
    "li": {"id", "value"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "details": {"open"},
    "input": {"checked", "disabled", "aria-label"},
    **{f"h{n}": {"id"} for n in range(1, 7)},
    "math": {"display", "xmlns"},
    **MATHML,
}
TAGS = set(ATTRIBUTES) - {"*"} | set(
    """
        abbr aside b bdi blockquote br caption cite code col colgroup dd del dfn div dl dt em
        figcaption figure hr i ins kbd mark nav p pre q rp rt ruby s samp section small span strong sub
        summary sup table tbody tfoot thead tr u ul var
        """.split()
)
OUR_IDS = re.compile(r"(h-|fn-|fnref-)[^\s]{1,200}")


def only_ours(_tag: str, name: str, value: str) -> str | None:
    """An id of the author's own could take a name that the page around it uses; the addresses in a
    `srcset` are looked at by nobody else."""
    check = CHECKS.get(name)
    return value if check is None or check(value) else None


CHECKS: dict[str, Callable[[str], object]] = {
    "id": OUR_IDS.fullmatch,
    "srcset": media_names.is_srcset,
}


# Short names that Pygments gives its tokens, e.g. "kn" or "s2".
TOKENS = {a + b for a in "abcdefghiklmnopsuvw" for b in ["", *"abcdefhiklmnoprstuvx12"]} | {
    "err", "fm", "vm", "bp",
}  # fmt: skip
SANITISER: dict[str, Any] = {
    "tags": TAGS,
    "clean_content_tags": {"script", "style", "template", "noscript", "iframe", "object", "title"},
    "attributes": ATTRIBUTES,
    "attribute_filter": only_ours,
    "tag_attribute_values": {
        "input": {"type": {"checkbox"}},
        "img": {"sizes": {media_names.IN_TEXT, media_names.ALONE}, "decoding": {"async"}},
        "video": {"preload": {"metadata", "none"}},
        "audio": {"preload": {"metadata", "none"}},
        "nav": {"aria-label": {"Contents"}},
        "div": {"tabindex": {"0"}},
    },
    # One attribute each: nh3 adds several in no particular order, and the same text must always
    # give the same bytes.
    "set_tag_attribute_values": {
        "input": {"disabled": ""},
        "pre": {"tabindex": "0"},  # long lines scroll, and not everybody has a mouse
        "img": {"loading": "lazy"},
        "video": {"controls": ""},
        "audio": {"controls": ""},
    },
    "allowed_classes": {
        "a": {"anchor", "footnote-backref", "large"},
        "nav": {"toc"},
        "figure": {"listing"},
        "div": {"wide-table"},
        "aside": {"admonition", "note", "tip", "important", "warning", "caution"},
        "p": {"admonition-title"},
        "section": {"footnotes"},
        "sup": {"footnote-ref"},
        "ul": {"contains-task-list"},
        "li": {"task-list-item"},
        "span": TOKENS,
    },
    "url_schemes": {"http", "https", "mailto", "tel"},
    "link_rel": "noopener",
}
CLEANER = nh3.Cleaner(**SANITISER)
