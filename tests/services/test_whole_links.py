"""Addresses in a text that is read elsewhere: whole, and still those that they were."""

import re
import time
from urllib.parse import urljoin

import pytest

from services import markdown, sanitiser
from services.whole_links import absolute
from tests.feed_rules import addresses
from tests.services.xss import PAYLOADS

HREF = re.compile(r' (?:href|src|srcset)="[^"]*"')
BASE, PATH = "https://blog.example", "/posts/tides"


@pytest.mark.parametrize(
    "address",
    [
        "/a?b=1&c=2#d",
        "#h-a",
        "",
        "?page=2",
        "other",
        "../up/./there",
        "//elsewhere.example/x",
        "///",
        "https://elsewhere.example/?a=1&amp;b=%22",
        "mailto:maren@example.org",
        "tel:+4712345678",
        "/é ü/😀",
        "/a'b",
        "http://[half",
    ],
)
def test_an_address_leads_where_a_browser_would_go(address: str) -> None:
    clean = sanitiser.clean(f'<p><a href="{address}" title="a &gt; b">x</a> href="/y"</p>')
    html = absolute(clean, BASE, PATH)
    for before, after in zip(addresses(clean), addresses(html), strict=True):
        if "[" not in before:
            assert urljoin(BASE + PATH, after) == urljoin(BASE + PATH, before)
            assert "//" in after or after.startswith(("mailto:", "tel:"))
    assert html.endswith('x</a> href="/y"</p>')


def test_images_lead_there_in_every_width() -> None:
    source = "![It](/media/9b2f1c9e-3c57-4b0e-9a53-0d2a64a7a001/heron-2000x1000.webp)"
    html = absolute(markdown.render(source), BASE, PATH)
    found = list(addresses(html))
    assert len(found) > 3
    assert all(each.startswith(f"{BASE}/media/9b2f") for each in found)


def test_hostile_texts_stay_what_they_were_but_for_their_addresses() -> None:
    """Cleaning them again takes out addresses that are none, and nothing else: so none of them broke
    out of its place."""
    for text in PAYLOADS:
        html = absolute(markdown.render(text), BASE, PATH)
        assert HREF.sub("", sanitiser.clean(html)) == HREF.sub("", html)
        for url in addresses(html):
            assert url.startswith(("https:", "http:", "mailto:", "tel:")), url


def test_it_takes_time_by_the_length_of_a_text_alone() -> None:
    for evil in ("<a " + 'x-y="z" ' * 20_000, '<a href="' + "a" * 200_000, '<img src="' * 20_000):
        started_at = time.process_time()
        assert absolute(evil, BASE, PATH) == evil
        assert time.process_time() - started_at < 5
