"""What pages say of themselves to search engines, and to those who make previews of links."""

import io
from urllib.parse import urlsplit

import pytest
from PIL import Image

from models import Post, Series, Tag, User
from services import heads
from tests import pictures
from tests.blog import Blog, Person
from tests.heads import HeadOf

HOSTILE = "\"'><x>& </script><!-- <script>alert(1)"
PNG = "image/png"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + f"?{parts.query}" * bool(parts.query)


@pytest.fixture
def everything(bob: Person, alice: Person) -> list[str]:
    """The addresses of one public page of each kind."""
    slug = bob.write("Ropes", tags="knots", series="On ropes")
    about = alice.write("About", kind="page")
    bob.post("/settings/profile", {"display_name": "Bob", "bio": "Ties knots."})
    return [
        "/",
        f"/posts/{slug}",
        f"/{about}",
        "/tags",
        "/tags/knots",
        "/users/bob",
        "/series",
        "/series/on-ropes",
        "/docs",
    ]


def test_every_public_page_says_what_it_is_exactly_once(
    stranger: Person, everything: list[str]
) -> None:
    base = stranger.blog.settings.link_base
    for path in everything:
        head = HeadOf(stranger.get(path))
        assert head.links("canonical") == [base + path]
        assert head.meta("og:url") == base + path
        assert head.meta("description") == head.meta("og:description") != ""
        assert len(head.titles) == 1
        assert head.titles[0]
        assert head.meta("og:title") in head.titles[0]
        assert head.is_listed, path
        assert head.meta("og:site_name") == "Inkstand"
        assert head.meta("og:locale") == "en_US"
        assert head.meta("twitter:card") == "summary_large_image"


def test_every_public_page_has_a_picture_that_is_there(
    stranger: Person, everything: list[str]
) -> None:
    for path in everything:
        head = HeadOf(stranger.get(path))
        response = stranger.get(path_of(head.meta("og:image")))
        assert response.headers["content-type"] == head.meta("og:image:type") == PNG
        picture = Image.open(io.BytesIO(response.content))
        assert picture.size == (1200, 630)
        assert head.meta("og:image:width") == "1200"
        assert head.meta("og:image:height") == "630"
        assert head.meta("og:image:alt")


def test_a_page_that_is_asked_for_in_another_way_says_the_same_address(
    stranger: Person, everything: list[str]
) -> None:
    base = stranger.blog.settings.link_base
    for path in everything:
        odd = stranger.get(
            f"{path}?utm_source=elsewhere", headers={"X-Forwarded-Host": "evil.example"}
        )
        assert HeadOf(odd).links("canonical") == [base + path]
    assert HeadOf(stranger.get("/posts")).links("canonical") == [f"{base}/"]


def test_a_post_says_who_wrote_it_and_when(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes", tags="knots, tides")
    head = HeadOf(stranger.get(f"/posts/{slug}"))
    base = bob.blog.settings.link_base
    assert head.meta("og:type") == "article"
    assert head.meta("author") == "bob"
    assert head.meta("article:author") == f"{base}/users/bob"
    assert head.metas("article:tag") == ["knots", "tides"]
    published = heads.w3c(bob.stored(slug).published_at)
    assert head.meta("article:published_time") == head.meta("article:modified_time") == published


def test_the_date_of_a_change_is_that_of_what_readers_see(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    before = stranger.get(f"/posts/{slug}").text
    bob.edit(slug, content="Saved, and not shown.")
    assert stranger.get(f"/posts/{slug}").text == before
    bob.edit(slug, content="Shown.", action="publish")
    head, stored = HeadOf(stranger.get(f"/posts/{slug}")), bob.stored(slug)
    assert head.meta("article:modified_time") == heads.w3c(stored.changed_at)
    assert head.data[0]["dateModified"] == heads.w3c(stored.changed_at)


def test_a_post_describes_itself_to_programs(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes", "Four words are here.", tags="knots, tides")
    (data,) = HeadOf(stranger.get(f"/posts/{slug}")).data
    base = bob.blog.settings.link_base
    assert data["@type"] == "BlogPosting"
    assert data["headline"] == "Ropes"
    assert data["mainEntityOfPage"] == f"{base}/posts/{slug}"
    assert data["author"] == {"@type": "Person", "name": "bob", "url": f"{base}/users/bob"}
    assert data["publisher"]["name"] == "Inkstand"
    assert data["description"] == "Four words are here."
    assert data["keywords"] == ["knots", "tides"]
    assert data["wordCount"] == 4
    assert data["inLanguage"] == "en"
    assert data["image"].startswith(f"{base}/posts/{slug}/card.png?v=")


def test_the_front_page_says_where_to_search(stranger: Person) -> None:
    (data,) = HeadOf(stranger.get("/")).data
    base = stranger.blog.settings.link_base
    assert data["@type"] == "WebSite"
    assert data["potentialAction"]["target"] == f"{base}/search?q={{search_term_string}}"


@pytest.mark.parametrize(
    "tail", ["", "\u2028\u2029", "\\", "\\u003c/script>", "-->", "]]>", "{{7*7}}"]
)
def test_no_title_ends_what_is_said_of_it(bob: Person, stranger: Person, tail: str) -> None:
    """Older texts may have characters that a title cannot have today."""
    title = HOSTILE + tail
    slug = bob.write("A post", tags="knots")
    bob.blog.put(Post, title=title, excerpt=title)
    head = HeadOf(stranger.get(f"/posts/{slug}"))
    assert (head.data[0]["headline"], head.data[0]["description"]) == (title, title)
    assert head.meta("og:title") == head.meta("og:description") == title
    assert head.meta("og:image:alt") == title


def test_no_field_becomes_markup(blog: Blog, bob: Person, stranger: Person) -> None:
    slug = bob.write("A post", tags="knots", series="On ropes")
    blog.put(Post, title=HOSTILE, excerpt=HOSTILE)
    blog.put(Tag, name=HOSTILE)
    blog.put(Series, title=HOSTILE, description=HOSTILE)
    blog.put(User, display_name=HOSTILE, bio=HOSTILE, website="https://x.example/?a='&b=%22")
    with blog.beside(site_name=HOSTILE, site_description=HOSTILE) as named:
        for path in ("/", f"/posts/{slug}", "/tags/knots", "/users/bob", "/series/on-ropes"):
            response = stranger.at(named).get(path)
            assert "<x>" not in response.text
            assert "<!-- <script>" not in response.text
            head = HeadOf(response)
            assert head.meta("og:site_name") == HOSTILE
            assert HOSTILE in head.titles[0]
            assert HOSTILE in head.meta("description")
            assert len(head.links("canonical")) == 1
        (person,) = HeadOf(stranger.at(named).get("/users/bob")).data
        assert person["mainEntity"]["name"] == person["mainEntity"]["description"] == HOSTILE


def test_an_image_of_the_text_is_the_picture(bob: Person, stranger: Person) -> None:
    image = bob.image(pictures.photo(1600, 900), alt="A heron & <x>")
    slug = bob.write("The heron", f"Look:\n\n{image['markdown']}")
    head = HeadOf(stranger.get(f"/posts/{slug}"))
    base = bob.blog.settings.link_base
    assert head.meta("og:image") == f"{base}{image['url']}?w=1440"
    assert head.meta("og:image:alt") == "A heron & <x>"
    assert (head.meta("og:image:width"), head.meta("og:image:height")) == ("1440", "810")
    response = stranger.get(path_of(head.meta("og:image")))
    assert response.headers["content-type"] == head.meta("og:image:type")
    assert Image.open(io.BytesIO(response.content)).size == (1440, 810)
    assert head.data[0]["image"] == head.meta("og:image")


def test_the_first_image_is_the_picture_also_where_it_comes_again(
    bob: Person, stranger: Person
) -> None:
    first = bob.image(pictures.photo(1600, 900), alt="First")
    other = bob.image(pictures.photo(900, 700), alt="Other")
    texts = [each["markdown"] for each in (first, other, first)]
    slug = bob.write("The heron", "\n\n".join(texts))
    head = HeadOf(stranger.get(f"/posts/{slug}"))
    assert head.meta("og:image").partition("?")[0] == bob.blog.settings.link_base + first["url"]
    assert head.meta("og:image:alt") == "First"


def test_an_image_that_is_too_small_is_not(bob: Person, stranger: Person) -> None:
    image = bob.image(pictures.photo(320, 200))
    slug = bob.write("The heron", image["markdown"])
    assert "/card.png?v=" in HeadOf(stranger.get(f"/posts/{slug}")).meta("og:image")


def test_an_image_that_readers_may_not_see_is_not(
    bob: Person, mallory: Person, stranger: Person
) -> None:
    image = bob.image(pictures.photo(1600, 900))
    bob.draft("Secret", image["markdown"])
    slug = mallory.write("Taken", image["markdown"])
    head = HeadOf(stranger.get(f"/posts/{slug}"))
    assert "/card.png?v=" in head.meta("og:image")
    assert stranger.get(image["url"]).status_code == 404


def test_what_is_not_public_is_for_no_search_engine(
    alice: Person, bob: Person, stranger: Person
) -> None:
    draft = bob.draft("Not yet", tags="knots")
    bob.post(f"/posts/{draft}/preview-link")
    secret = f"/preview/{bob.stored(draft).preview_token}"
    own = (f"/posts/{draft}", f"/posts/{draft}/edit", "/drafts", "/settings", "/media")
    for person, paths in ((bob, own), (stranger, ("/auth/login", "/users/register", secret))):
        for path in paths:
            head = HeadOf(person.get(path))
            assert not head.is_listed, path
            assert (head.links("canonical"), head.metas("og:image"), head.data) == ([], [], [])
    page = stranger.get("/nowhere").text
    assert '<meta name="robots" content="noindex">' in page
    assert "og:" not in page


def test_of_a_long_list_only_the_first_page_is_kept(bob: Person, stranger: Person) -> None:
    for n in range(21):
        bob.write(f"Post {n}", tags="knots")
    base = stranger.blog.settings.link_base
    for path in ("/", "/tags/knots", "/users/bob"):
        first = HeadOf(stranger.get(path))
        (older,) = first.links("next")
        assert (first.is_listed, first.links("prev")) == (True, [])
        second = HeadOf(stranger.get(older))
        assert second.links("canonical") == [base + older]
        assert second.meta("robots") == "noindex, follow"
        (newer,) = second.links("prev")
        assert HeadOf(stranger.get(newer)).links("next")
