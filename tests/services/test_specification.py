"""Every example of the CommonMark specification, and those of GFM's extensions, as we render them.

What we add to any text is set aside before comparing: typographic quotes and dashes, anchors and
`rel` of links, lazy loading, frames around tables, colours of listings. The examples that come out
as another document all the same are named here, each with the reason.
"""

import json
from pathlib import Path
from typing import Any

import html5lib
import pytest

from services import markdown

FOLDER = Path(__file__).parent / "specification"
ADDED = {
    "a": ("rel",),
    "pre": ("tabindex",),
    "code": ("class",),
    "img": ("loading", "decoding"),
    "input": ("aria-label",),
    "ul": ("class",),
    "li": ("class",),
    **{f"h{level}": ("id",) for level in range(1, 7)},
}
TYPOGRAPHY = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "--", "—": "---", "…": "..."}
)

COMMENT = "comments and declarations are taken out"
ELEMENT = "an element that is not allowed is taken out"
ATTRIBUTE = "an attribute that is not allowed is taken out"
SCHEME = "the scheme of the link is not allowed"
CAPTION = "an image alone in a paragraph shows its title as a caption"
AUTOLINK = "GFM makes a link of it"
DIFFERENT = {
    150: ELEMENT,
    152: ATTRIBUTE,
    153: ATTRIBUTE,
    154: ATTRIBUTE,
    163: ELEMENT,
    164: ATTRIBUTE,
    169: ATTRIBUTE,
    170: ELEMENT,
    171: ELEMENT,
    172: ELEMENT,
    173: ELEMENT,
    176: ELEMENT,
    177: COMMENT,
    178: ELEMENT,
    179: COMMENT,
    180: COMMENT,
    182: COMMENT,
    183: COMMENT,
    201: ELEMENT,
    308: COMMENT,
    309: COMMENT,
    491: ELEMENT,
    524: ELEMENT,
    536: ELEMENT,
    572: CAPTION,
    573: CAPTION,
    576: CAPTION,
    577: CAPTION,
    584: CAPTION,
    585: CAPTION,
    586: CAPTION,
    588: CAPTION,
    589: CAPTION,
    591: CAPTION,
    596: SCHEME,
    598: SCHEME,
    599: SCHEME,
    601: SCHEME,
    602: AUTOLINK,
    608: AUTOLINK,
    611: AUTOLINK,
    612: AUTOLINK,
    613: ELEMENT,
    614: ELEMENT,
    615: ELEMENT,
    616: ATTRIBUTE,
    617: ELEMENT,
    625: COMMENT,
    626: COMMENT,
    627: COMMENT,
    628: COMMENT,
    629: COMMENT,
}
GFM_DIFFERENT = {628: SCHEME}


def examples(name: str) -> list[Any]:
    found: list[Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return found


COMMONMARK, GFM = examples("commonmark-0.31.2.json"), examples("gfm-0.29.json")


def is_as_specified(example: dict[str, str]) -> bool:
    return document(markdown.render(example["markdown"])) == document(example["html"])


def document(html: str) -> str:
    """What a browser makes of it, without what we add to every text."""
    # As a whole document: html5lib loses what it moves out of a table in a fragment. The first line
    # end in a <pre> means nothing, but html5lib keeps it in a table.
    body = html.replace("<pre>\n", "<pre>")
    tree = html5lib.parse(f"<!doctype html><body>{body}", namespaceHTMLElements=False)
    for parent in list(tree.iter()):
        for name in ADDED.get(parent.tag, ()):
            parent.attrib.pop(name, None)
        for child in list(parent):
            if child.tag == "a" and child.get("class") == "anchor":
                parent.remove(child)
            elif child.get("class") == "wide-table":
                parent[list(parent).index(child)] = child[0]
                child[0].tail = child.tail
        if parent.tag == "pre" and len(parent):
            flatten(parent[0])
    written: str = html5lib.serialize(
        tree, quote_attr_values="always", alphabetical_attributes=True, omit_optional_tags=False
    )
    return " ".join(written.translate(TYPOGRAPHY).split())


def flatten(code: Any) -> None:
    """Put the text of coloured tokens in their place."""
    if code.tag == "code" and all(child.tag == "span" for child in code):
        words = "".join(code.itertext())
        del code[:]
        code.text = words


def test_the_specification_is_whole() -> None:
    assert [each["example"] for each in COMMONMARK] == list(range(1, 653))
    assert len(GFM) == 24


@pytest.mark.parametrize("section", sorted({each["section"] for each in COMMONMARK}))
def test_each_example_of_commonmark_comes_out_as_it_should(section: str) -> None:
    different = {
        each["example"]
        for each in COMMONMARK
        if each["section"] == section and not is_as_specified(each)
    }
    mine = {each["example"] for each in COMMONMARK if each["section"] == section}
    assert different == mine & set(DIFFERENT)


def test_the_examples_of_gfm_come_out_too() -> None:
    different = {each["example"] for each in GFM if not is_as_specified(each)}
    assert different == set(GFM_DIFFERENT)


def test_the_comparison_sees_a_difference() -> None:
    assert document("<p>a <em>b</em></p>") != document("<p>a b</p>")
    assert document("<pre><code>a</code></pre>") != document("<pre><code>b</code></pre>")
    assert document('<a href="/x">a</a>') != document("<a>a</a>")
