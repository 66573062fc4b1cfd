"""Whatever was written, what comes out can do nothing: looked at as a browser's parser sees it."""

import re
from collections.abc import Iterator
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import links, markdown, media_names, sanitiser
from tests.services import hostile, xss

HTML, MATHML = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"
ADDRESSES = {"href", "src", "poster"}
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)  # RFC 3986, section 3.1
SAFE_SCHEMES = {"http", "https", "mailto", "tel"}
IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")  # by browsers, within a scheme
# Said once more here, lest a wider allowlist goes unnoticed.
NEVER = set(
    """
    applet area base button canvas dialog embed form frame frameset iframe image isindex link
    listing map marquee meta noembed noframes noscript object option param plaintext portal script
    select slot style svg template textarea title track xmp annotation-xml mglyph malignmark maction
    """.split()
)
# What the sanitiser sets itself, beside what it lets through.
SET = {"a": {"rel"}, "pre": {"tabindex"}, "img": {"loading"}}


def allowed(tag: str) -> set[str]:
    choices = sanitiser.SANITISER["tag_attribute_values"].get(tag, {})
    let_through = sanitiser.ATTRIBUTES["*"] | sanitiser.ATTRIBUTES.get(tag, set())
    return let_through | set(choices) | SET.get(tag, set()) | {"class"}


def findings(rendered: str) -> list[str]:
    """What of rendered HTML could do something."""
    return list(looked_at(html5lib.parseFragment(rendered)))


def looked_at(tree: Any) -> Iterator[str]:
    for element in tree.iter():
        name = str(element.tag)
        tag = name.removeprefix(HTML).removeprefix(MATHML)
        if tag == "DOCUMENT_FRAGMENT":
            continue
        if tag not in sanitiser.TAGS or tag in NEVER:
            yield f"<{name}>"
        for attribute, value in element.attrib.items():
            local_name = str(attribute).rpartition("}")[2]
            if not is_harmless(tag, local_name, value):
                yield f"<{tag} {attribute}={value!r}>"


def is_harmless(tag: str, attribute: str, value: str) -> bool:
    if attribute == "class":
        known: set[str] = sanitiser.SANITISER["allowed_classes"].get(tag, set())
        return set(value.split()) <= known
    if attribute in ADDRESSES:
        scheme = SCHEME.match(IGNORED.sub("", value))
        return scheme is None or scheme.group(1).lower() in SAFE_SCHEMES
    if attribute == "id":
        return sanitiser.OUR_IDS.fullmatch(value) is not None
    if attribute == "srcset":
        return media_names.is_srcset(value)
    return attribute in allowed(tag) and not attribute.startswith("on")


def test_there_are_many_payloads_and_each_is_itself() -> None:
    assert len(xss.KNOWN) >= 300
    assert len(xss.PAYLOADS) >= 800


@pytest.mark.parametrize("context", xss.CONTEXTS)
def test_nothing_that_could_run_comes_out(context: str) -> None:
    for payload in xss.PAYLOADS if context == "{}" else xss.KNOWN:
        rendered = markdown.render(context.replace("{}", payload))
        assert findings(rendered) == [], payload


def test_the_check_sees_what_could_run() -> None:
    for bad in (
        "<script>x</script>",
        "<p onclick=x>",
        '<a href="java\nscript:x">',
        "<p id=content>",
        "<p class=flash>",
        '<img srcset="//evil 1x">',
        "<p style=x>",
        "<svg></svg>",
    ):
        assert findings(bad), bad
    raw = [payload for payload in xss.PAYLOADS if findings(payload)]
    assert len(raw) > len(xss.PAYLOADS) / 2  # the others need Markdown to become anything


PIECES = st.sampled_from(xss.KNOWN) | st.sampled_from(list(hostile.PIECES.values()))
TAGS = st.sampled_from(sorted(sanitiser.TAGS | NEVER)).flatmap(
    lambda tag: st.sampled_from([f"<{tag}>", f"</{tag}>", f'<{tag} title="<{tag}>">'])
)
TEXTS = st.lists(PIECES | TAGS | st.text(max_size=20), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_no_mixture_of_them_does_either(text: str) -> None:
    rendered = markdown.render(text)
    assert findings(rendered) == []
    assert markdown.render(text) == rendered
    assert "\ufdd0" not in markdown.plain_text(rendered)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_comes_out_is_what_it_is(text: str) -> None:
    """Cleaning it once more changes nothing: the parser sees what the sanitiser meant."""
    rendered = markdown.render(text)
    assert sanitiser.clean(rendered) == rendered
    assert findings(links.of_strangers(rendered)) == []


def test_what_would_swallow_the_rest_is_shown_as_it_is_written() -> None:
    for name in (
        "title",
        "textarea",
        "script",
        "style",
        "xmp",
        "plaintext",
        "noscript",
        "template",
    ):
        rendered = markdown.render(f"The <{name}> element.\n\n- <{name}>\n\nAnd *more*.")
        assert f"The &lt;{name}&gt; element." in rendered
        assert "<p>And <em>more</em>.</p>" in rendered
