"""What pages say of people and posts in their very text (https://microformats.org)."""

from typing import Any

import html5lib
from httpx2 import Response

from tests import pictures
from tests.blog import Person
from tests.heads import NAMESPACE

HOSTILE = "\"'><x>&"


def roots(response: Response, kind: str) -> list[Any]:
    document = html5lib.parse(response.text)
    return [each for each in document.iter() if kind in (each.get("class") or "").split()]


def values(root: Any, name: str) -> list[str]:
    """As a parser of microformats2 takes them: an address, a date, a value, or the text."""
    found = []
    for each in root.iter():
        if name in (each.get("class") or "").split():
            kind, tag = name.partition("-")[0], each.tag.removeprefix(NAMESPACE)
            attribute = {"u": "href", "dt": "datetime"}.get(kind, "")
            taken = each.get("value") if tag == "data" else each.get(attribute)
            found.append(taken if taken is not None else "".join(each.itertext()).strip())
    return found


def test_a_post_is_an_entry(bob: Person, stranger: Person) -> None:
    image = bob.image(pictures.photo(1600, 900))
    slug = bob.write(f"Ropes {HOSTILE}", f"Words.\n\n{image['markdown']}", tags="knots, tides")
    (entry,) = roots(stranger.get(f"/posts/{slug}"), "h-entry")
    base = stranger.blog.settings.link_base
    assert values(entry, "p-name")[0] == f"Ropes {HOSTILE}"
    assert values(entry, "u-uid") == [f"{base}/posts/{slug}"]
    assert values(entry, "p-author") == ["bob"]
    assert values(entry, "p-category") == ["knots", "tides"]
    assert values(entry, "p-summary") == ["Words."]
    assert len(values(entry, "dt-published")) == 1
    assert values(entry, "e-content")[0].startswith("Words.")
    assert values(entry, "u-featured") == [f"{base}{image['url']}?w=1440"]


def test_a_list_is_a_feed_of_entries(bob: Person, stranger: Person) -> None:
    slugs = [bob.write(f"Post {n}", tags="knots") for n in range(3)]
    for path in ("/", "/tags/knots", "/users/bob"):
        (feed,) = roots(stranger.get(path), "h-feed")
        entries = [each for each in feed.iter() if "h-entry" in (each.get("class") or "")]
        assert [values(each, "u-url") for each in entries] == [
            [f"/posts/{slug}"] for slug in reversed(slugs)
        ]
        for entry in entries:
            assert values(entry, "p-summary") == ["Some words."]
            assert values(entry, "p-category") == ["knots"]
            assert len(values(entry, "dt-published")) == 1
            assert values(entry, "p-author") == ([] if path == "/users/bob" else ["bob"])


def test_an_author_has_a_card(bob: Person, stranger: Person) -> None:
    about = {"display_name": HOSTILE, "bio": HOSTILE, "website": "https://bob.example/"}
    bob.post("/settings/profile", about)
    (card,) = roots(stranger.get("/users/bob"), "h-card")
    own = f"{stranger.blog.settings.link_base}/users/bob"
    assert (values(card, "p-name"), values(card, "p-note")) == ([HOSTILE], [HOSTILE])
    assert values(card, "u-uid") == [own]
    assert values(card, "u-url") == [own, "https://bob.example/"]
    assert (
        'rel="me nofollow noopener" href="https://bob.example/"' in stranger.get("/users/bob").text
    )


def test_a_draft_is_no_entry_of_anybody(bob: Person) -> None:
    page = bob.get(f"/posts/{bob.draft()}").text
    assert "u-uid" not in page
