"""The pictures that other places show beside a link to here."""

import io
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from PIL import Image, ImageChops

from errors import Busy
from models import Post
from services import cards
from services.cards import Card
from services.cards.drawing import drawn
from services.cards.gallery import Gallery
from services.cards.lettering import BOLD, words_of
from services.colours import INK_BLUE, accent_of
from tests.blog import Blog, Person
from tests.heads import HeadOf

LONG = "An inventory of the north wall, " * 6


def card_in(person: Person, path: str) -> str:
    url = HeadOf(person.get(path)).meta("og:image")
    return url.removeprefix(person.blog.settings.link_base)


def test_a_card_shows_the_title_and_may_be_kept(bob: Person, stranger: Person) -> None:
    slug = bob.write("What the tide tables leave out")
    path = card_in(stranger, f"/posts/{slug}")
    response = stranger.get(path)
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"].startswith("public, max-age=31536000, s-maxage=300")
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert Image.open(io.BytesIO(response.content)).size == (1200, 630)
    etag = response.headers["etag"]
    again = stranger.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_another_title_or_name_has_another_address(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    first = card_in(stranger, f"/posts/{slug}")
    bob.edit(slug, title="Ropes and knots")
    assert card_in(stranger, f"/posts/{slug}") == first
    bob.edit(slug, title="Ropes and knots", action="publish")
    second = card_in(stranger, f"/posts/{slug}")
    bob.post("/settings/profile", {"display_name": "Robert"})
    third = card_in(stranger, f"/posts/{slug}")
    assert len({first, second, third}) == 3
    # Who comes with the address of before gets what there is now, and may not keep it.
    late = stranger.get(first)
    assert late.content == stranger.get(third).content
    assert late.headers["cache-control"] == "no-cache"


def test_what_readers_do_not_see_has_no_card(bob: Person, stranger: Person) -> None:
    missing = stranger.get("/posts/never-was/card.png")
    for slug in (
        bob.draft("A draft"),
        bob.write("Later", action="schedule", publish_at="2030-01-01T10:00"),
    ):
        for person in (stranger, bob):
            assert person.get(f"/posts/{slug}/card.png").status_code == 404
        assert stranger.get(f"/posts/{slug}/card.png").content == missing.content
    slug = bob.write("Thrown away")
    bob.post(f"/posts/{slug}/delete")
    assert stranger.get(f"/posts/{slug}/card.png").status_code == 410


def test_a_saved_change_shows_on_no_card(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    before = stranger.get(f"/posts/{slug}/card.png")
    bob.edit(slug, title="A secret title")
    after = stranger.get(f"/posts/{slug}/card.png")
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


def test_an_older_address_leads_to_the_newest(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    bob.edit(slug, slug="knots", action="publish")
    moved = stranger.get(f"/posts/{slug}/card.png?v=abc")
    assert (moved.status_code, moved.headers["location"]) == (301, "/posts/knots/card.png?v=abc")


def test_the_blog_has_a_card_of_its_own(blog: Blog, stranger: Person) -> None:
    path = card_in(stranger, "/")
    assert path.startswith("/card.png?v=")
    with blog.beside(site_name="Harbour notes") as other:
        assert card_in(stranger.at(other), "/") != path
        assert stranger.at(other).get(path).content != stranger.get(path).content


def test_no_title_breaks_a_card(bob: Person, stranger: Person) -> None:
    slug = bob.write("A post")
    for title in (
        "W" * 200,
        "🎉",
        "\u200b\u200d",
        LONG,
        "a\u0301" * 100,
        "{{7*7}}",
        "<b>",
        "م" * 200,
    ):
        bob.blog.put(Post, title=title)
        assert stranger.get(f"/posts/{slug}/card.png").status_code == 200, title


@pytest.mark.parametrize(
    "title",
    [
        "Ewa Łukasiewicz-Ďurišová",
        "Ő, ğ, ș, ậ",
        "Ελληνικά",
        "О чём молчат",
        "ما لا تقوله",
        "מה שהים זוכר,",
    ],
)
def test_these_scripts_need_no_font_of_the_machine(title: str) -> None:
    words = words_of(title, BOLD)
    assert words
    assert {word.font for word in words} <= {0, 1, 2}
    assert "".join(word.text for word in words) == title.replace(" ", "")


def test_a_script_that_no_font_has_is_left_out_rather_than_shown_as_boxes() -> None:
    assert words_of("Lines of \U00012000\U00012001", BOLD) is None  # cuneiform
    assert [word.text for word in words_of("Sailing \U0001fae8 home", BOLD) or []] == [
        "Sailing",
        "home",
    ]


def test_words_stay_on_the_card() -> None:
    for title in ("Fish", LONG, "W" * 200, "ما لا تقوله جداول المد والجزر عن البحر " * 4):
        picture = Image.open(io.BytesIO(drawn(Card(title, "x" * 80, "y" * 80)))).convert("RGB")
        paper = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
        box = ImageChops.difference(picture, paper).crop((0, 0, 1200, 600)).getbbox()
        assert box
        left, top, right, _ = box
        assert (left, top, 1200 - right) >= (60, 60, 60), title


def test_another_accent_is_another_picture() -> None:
    assert drawn(Card("Ropes", "Bob", "Notes", "#5a1846")) != drawn(Card("Ropes", "Bob", "Notes"))


def test_the_colour_of_the_owner_is_that_of_the_card(stranger: Person) -> None:
    site = stranger.blog.app.state.site.now()
    assert cards.of_site(site).accent == INK_BLUE
    wine = SimpleNamespace(site_name="Notes", site_description="", accent=accent_of("#5a1846"))
    assert cards.of_site(wine).accent == "#5a1846"


def test_a_card_is_drawn_once_and_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings = []

    def draw(card: Card) -> bytes:
        drawings.append(card.title)
        return bytes(10)

    monkeypatch.setattr("services.cards.drawing.drawn", draw)
    gallery = Gallery(most_bytes=25)
    for title in ("a", "b", "a", "c", "a", "b"):
        gallery.picture(Card(title, "", ""))
    assert drawings == ["a", "b", "c", "b"]
    assert gallery.bytes == 20


def test_who_comes_when_too_many_wait_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = Event(), Event()

    def draw(_: Card) -> bytes:
        started.set()
        assert go_on.wait(20)
        return b"picture"

    monkeypatch.setattr("services.cards.drawing.drawn", draw)
    gallery = Gallery(most_waiting=1)
    first = Thread(target=gallery.picture, args=(Card("a", "", ""),))
    first.start()
    assert started.wait(20)
    with pytest.raises(Busy):
        gallery.picture(Card("b", "", ""))
    go_on.set()
    first.join()
    assert gallery.picture(Card("b", "", "")) == b"picture"
