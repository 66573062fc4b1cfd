"""What the owner chooses of the blog: its name, its colours, its language and the ways through it."""

import re
import time
from typing import Any
from unittest.mock import patch

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from models import AuditEvent, SiteSettings
from services import audit, site
from tests.blog import Blog, Person
from tests.pictures import photo

PAGE = "/admin/settings"
AS_IT_COMES = {
    "site_name": "",
    "site_description": "",
    "language": "en",
    "date_format": "long",
    "per_page": "20",
    "accent": "#214a9b",
    "navigation": "",
    "footer": "",
    "css": "",
}


def choose(person: Person, **fields: str) -> httpx2.Response:
    return person.post(PAGE, {**AS_IT_COMES, **fields})


def chosen(person: Person, **fields: str) -> None:
    response = choose(person, **fields)
    assert response.status_code == 303, response.text


def style_of(person: Person, path: str = "/") -> str:
    """The address of the owner's style sheet, "" if a page has none."""
    found = re.findall(r'href="(/style/[^"]+)"', person.get(path).text)
    return found[0] if found else ""


def test_a_name_and_a_description_show_everywhere(alice: Person, stranger: Person) -> None:
    assert ">Inkstand</a>" in stranger.get("/").text
    chosen(alice, site_name="Salt & tides", site_description="Words from the <quay>.")
    page = stranger.get("/").text
    assert "<title>Salt &amp; tides</title>" in page
    assert "Words from the &lt;quay&gt;." in page
    assert "– Salt &amp; tides</title>" in stranger.get("/auth/login").text


def test_what_is_left_empty_is_what_the_environment_says(blog: Blog, alice: Person) -> None:
    chosen(alice, site_name="Mine")
    with blog.beside(site_name="From outside", site_description="As deployed") as other:
        at_other = alice.at(other)
        assert ">Mine</a>" in at_other.get("/").text
        assert "As deployed" in at_other.get("/").text
        chosen(at_other)
        assert ">From outside</a>" in at_other.get("/").text


def test_the_form_shows_what_was_chosen(alice: Person) -> None:
    chosen(
        alice,
        site_name="Tides",
        per_page="7",
        navigation="About = /about\r\n\r\n  Elsewhere =https://example.org/a?b=c ",
        css="body { color: red }",
    )
    page = alice.get(PAGE).text
    assert 'value="Tides"' in page
    assert 'value="7"' in page
    assert "About = /about\nElsewhere = https://example.org/a?b=c</textarea>" in page
    assert "body { color: red }</textarea>" in page


def test_posts_on_a_page_are_as_many_as_chosen(alice: Person, stranger: Person) -> None:
    for number in range(12):
        alice.write(f"Post {number}", tags="tides")
    chosen(alice, per_page="5")
    for path in ("/", "/users/alice", "/tags/tides"):
        seen: list[str] = []
        where = path
        for expected in (5, 5, 2):
            page = stranger.get(where).text
            found = re.findall(r">Post (\d+)<", page)
            assert len(found) == expected, where
            seen += found
            older = re.search(r'rel="next" href="([^"]+)"', page)
            where = older.group(1).replace("&amp;", "&") if older else ""
        assert where == ""
        assert seen == [str(number) for number in range(11, -1, -1)]


def test_navigation_leads_through_the_blog(alice: Person, stranger: Person) -> None:
    chosen(alice, navigation="Tags & such = /tags\nFriends = https://example.org/")
    page = stranger.get("/tags").text
    assert '<a href="/tags" aria-current="page">Tags &amp; such</a>' in page
    assert '<a href="https://example.org/" rel="noopener">Friends</a>' in page


ASTRAY = [
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://example.org",
    "https://",
    "https://user:word@example.org",
    "https://example.org:99999",
    "tags",
    '/x" onclick="x',
    "/a b",
]


def test_navigation_leads_nowhere_that_it_should_not(alice: Person) -> None:
    for address in ASTRAY:
        response = choose(alice, navigation=f"Label = {address}")
        assert response.status_code == 422, address
        assert "Label" in response.text


@pytest.mark.parametrize(
    ("field", "longest"),
    [("site_name", 80), ("site_description", 300), ("footer", 1000), ("css", 32 * 1024)],
)
def test_nothing_is_longer_than_it_may_be(alice: Person, field: str, longest: int) -> None:
    chosen(alice, **{field: "x" * longest})
    assert choose(alice, **{field: "x" * (longest + 1)}).status_code == 422


def test_a_style_sheet_is_measured_in_bytes(alice: Person) -> None:
    assert choose(alice, css="é" * (16 * 1024 + 1)).status_code == 422


WRONG = [
    {"per_page": "4"},
    {"per_page": "101"},
    {"per_page": "-5"},
    {"per_page": "ten"},
    {"per_page": "٢٠"},
    {"per_page": ""},
    {"language": "tlh"},
    {"date_format": "%Y"},
    {"accent": "red"},
    {"accent": "#12345"},
    {"accent": "#336699;} body{"},
    {"logo_alone": "maybe"},
    {"navigation": "\n".join(f"{n} = /{n}" for n in range(13))},
    {"navigation": "x" * 41 + " = /x"},
    {"navigation": "x = /" + "x" * 200},
    {"navigation": "x" * 100_000},
    {"navigation": "no address"},
    {"navigation": " = /x"},
]


def test_what_cannot_be_is_said_and_changes_nothing(alice: Person, blog: Blog) -> None:
    for fields in WRONG:
        response = choose(alice, **fields)
        assert response.status_code == 422, fields
        assert 'class="error"' in response.text
    assert blog.rows(SiteSettings) == []


@pytest.mark.parametrize("field", ["site_name", "site_description", "navigation", "footer", "css"])
def test_any_character_is_taken_or_refused(alice: Person, stranger: Person, field: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for value in ("a\0b", "a\x08b", "\ud800", "\ufffe", "a\u202eb", "e\u0301 😀"):
        typed = AS_IT_COMES | {field: f"{value} = /x" if field == "navigation" else value}
        body = "&".join(f"{name}={quoted(text)}" for name, text in typed.items())
        response = alice.client.post(PAGE, content=body, headers=headers)
        assert response.status_code in (303, 422), value
        assert stranger.get("/").status_code == 200


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


HOSTILE = "\"'><x>&{{7*7}}{% raw %}</title></style></script>"


def test_hostile_words_stay_words(alice: Person, stranger: Person) -> None:
    chosen(
        alice,
        site_name=HOSTILE,
        site_description=HOSTILE,
        navigation=f"{HOSTILE[:30]} = /x",
        footer=f"{HOSTILE}<script>alert(1)</script><img src=x onerror=y> [x](javascript:alert(1))",
        css=f"{HOSTILE} }} body {{ color: red",
    )
    for path in ("/", "/auth/login", "/nowhere"):
        page = re.sub('"/(?:static|style)/[^"]*"', "", stranger.get(path).text)  # hashes
        assert "<x>" not in page
        assert "49" not in page
        assert "&{{7*7}}" not in page
        assert "&amp;{{7*7}}" in page or path == "/nowhere"
        assert "</style>" not in page
        assert "<script>alert" not in page
        assert "onerror" not in page.replace("onerror=y&gt;", "")
        assert 'href="javascript:' not in page
    assert HOSTILE in stranger.get(style_of(stranger)).text


def test_the_foot_has_markdown_of_a_line(alice: Person, stranger: Person) -> None:
    chosen(alice, footer="© *Maren*, [imprint](/imprint)\n\n# No heading\n\n![no](/image.png)")
    page = stranger.get("/").text
    assert '© <em>Maren</em>, <a href="/imprint"' in page
    assert "<h1>No heading" not in page
    assert "/image.png" not in page


def test_a_blog_as_it_comes_has_no_style_sheet_of_its_own(alice: Person, stranger: Person) -> None:
    chosen(alice, accent="#214A9B")
    assert style_of(stranger) == ""


def test_colour_and_rules_are_one_sheet_for_ever(alice: Person, stranger: Person) -> None:
    chosen(alice, accent="#8a1c3b", css=".post { max-width: 50rem }")
    sheet = stranger.get(style_of(stranger))
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["x-content-type-options"] == "nosniff"
    assert sheet.text.startswith("@layer owner {\n:root { --accent: light-dark(oklch(")
    assert ".post { max-width: 50rem }" in sheet.text
    again = stranger.get(style_of(stranger), headers={"If-None-Match": sheet.headers["etag"]})
    assert again.status_code == 304


def test_nobody_locks_themselves_out_by_rules_of_their_own(alice: Person, stranger: Person) -> None:
    chosen(alice, css=".form, main { display: none }", accent="#8a1c3b")
    for person, path in ((alice, PAGE), (alice, f"{PAGE}/logo"), (stranger, "/auth/login")):
        sheet = stranger.get(style_of(person, path)).text
        assert "--accent:" in sheet
        assert "display: none" not in sheet
    assert "display: none" in stranger.get(style_of(stranger)).text
    chosen(alice, css=".form { display: none }")
    assert style_of(alice, PAGE) == ""


def test_a_page_that_was_kept_still_finds_a_style(alice: Person, stranger: Person) -> None:
    chosen(alice, css="p { color: green }")
    older = style_of(stranger)
    chosen(alice, css="p { color: teal }")
    newer = style_of(stranger)
    assert older != newer
    response = stranger.get(older)
    assert (response.status_code, response.headers["location"]) == (303, newer)
    assert "immutable" not in response.headers.get("cache-control", "")
    chosen(alice)
    assert stranger.get(newer).status_code == 404


def test_a_process_that_has_not_heard_of_a_style_looks_again(blog: Blog, alice: Person) -> None:
    with blog.beside() as other:
        other.know_pages()
        chosen(alice, css="p { color: teal }")
        address = style_of(alice)
        assert "teal" in alice.at(other).get(address).text


def test_ink_blue_can_be_had_again(alice: Person, stranger: Person) -> None:
    chosen(alice, accent="#8a1c3b")
    assert style_of(stranger)
    chosen(alice, accent="#8a1c3b", ink_blue="on")
    assert style_of(stranger) == ""


def test_an_image_of_the_library_becomes_the_logo(alice: Person, stranger: Person) -> None:
    image = alice.image(photo(600, 300), alt="A heron")
    assert stranger.get(image["url"]).status_code == 404
    assert image["id"] in alice.get(f"{PAGE}/logo").text
    assert alice.post(f"{PAGE}/logo", {"image": image["id"]}).status_code == 303
    head = re.findall(r'<a class="site-name".*?</a>', stranger.get("/").text)[0]
    assert re.search(r'<img src="[^"]+" width="80" height="40" alt="">Inkstand', head)
    source = re.findall(r'src="([^"]+)"', head)[0]
    assert stranger.get(source).status_code == 200  # everybody may see it now
    chosen(alice, logo_alone="on")
    assert 'alt="A heron"></a>' in stranger.get("/").text
    assert alice.post(f"{PAGE}/logo", {"image": ""}).status_code == 303
    assert ">Inkstand</a>" in stranger.get("/").text
    assert stranger.get(image["url"]).status_code == 404


def test_the_library_knows_that_everybody_sees_the_logo(alice: Person) -> None:
    image = alice.image(photo(60, 60))
    alice.post(f"{PAGE}/logo", {"image": image["id"]})
    assert "It is the logo" in alice.get(f"/media/{image['id']}/edit").text
    page = alice.get(f"/media/{image['id']}/delete").text
    assert "Readers can see it now." in page
    assert "Only you and the editors" not in page


def test_a_logo_that_is_deleted_is_gone(alice: Person, stranger: Person, blog: Blog) -> None:
    image = alice.image(photo(60, 60))
    alice.post(f"{PAGE}/logo", {"image": image["id"]})
    alice.post(f"/media/{image['id']}/delete")
    blog.app.state.site.forget()
    assert ">Inkstand</a>" in stranger.get("/").text


@pytest.mark.parametrize("image", ["x", "9b2f1c9e-3c57-4b0e-9a53-0d2a64a7a001", "x" * 65])
def test_there_is_no_logo_but_an_image(alice: Person, image: str) -> None:
    assert alice.post(f"{PAGE}/logo", {"image": image}).status_code in (404, 422)


def test_only_the_owner_may(alice: Person, bob: Person, carol: Person, stranger: Person) -> None:
    for person in (bob, carol, stranger):
        for path in (PAGE, f"{PAGE}/logo"):
            refused = person.get(path).status_code, person.post(path, AS_IT_COMES).status_code
            assert refused in ((403, 403), (303, 303))
    assert ">Inkstand</a>" in stranger.get("/").text


def test_the_audit_log_tells_what_was_changed(alice: Person, blog: Blog) -> None:
    chosen(alice, site_name="Tides", css="p {}")
    chosen(alice, site_name="Tides", css="p {}")  # nothing is new
    events = [e for e in blog.rows(AuditEvent) if e.action == audit.SITE_CHANGED]
    assert [event.details for event in events] == [{"changed": "css, site_name"}]
    assert (
        "changed how the blog presents itself: Style sheet, Name" in alice.get("/admin/audit").text
    )


def test_another_process_shows_it_within_a_second(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    with blog.beside() as other:
        at_other = stranger.at(other)
        assert ">Inkstand</a>" in at_other.get("/").text
        chosen(alice, site_name="Tides")
        known = other.app.state.site
        assert known.good_until - time.monotonic() <= 1
        known.good_until = time.monotonic()  # the second is over
        assert ">Tides</a>" in at_other.get("/").text


def test_the_last_that_was_known_stays_when_the_database_is_away(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    chosen(alice, site_name="Tides")
    assert ">Tides</a>" in stranger.get("/auth/login").text
    away = OperationalError("SELECT", {}, Exception("away"))
    with patch.object(site, "presented", side_effect=away) as asked:
        blog.app.state.site.forget()
        for _ in range(3):
            assert ">Tides</a>" in stranger.get("/auth/login").text
        assert asked.call_count == 1
    blog.app.state.site.forget()


def test_what_a_newer_version_stored_is_left_out(alice: Person, blog: Blog) -> None:
    values: dict[str, Any] = {"site_name": "Tides", "language": "fr", "shape": "round"}
    blog.put(SiteSettings, chosen=values)
    with blog.database.writing() as db:
        db.add(SiteSettings(chosen=values))
    blog.app.state.site.forget()
    assert ">Tides</a>" in alice.get("/").text
    assert alice.get(PAGE).status_code == 200


@pytest.mark.parametrize(
    ("name", "language", "written"),
    [
        ("full", "en", "Wednesday, 4 November 2026"),
        ("long", "en", "4 November 2026"),
        ("medium", "en", "4 Nov 2026"),
        ("iso", "en", "2026-11-04"),
        ("full", "de", "Mittwoch, 4. November 2026"),
        ("long", "de", "4. November 2026"),
        ("medium", "de", "04.11.2026"),
        ("iso", "de", "2026-11-04"),
    ],
)
def test_dates_are_written_as_chosen(
    alice: Person, stranger: Person, blog: Blog, name: str, language: str, written: str
) -> None:
    from datetime import UTC, datetime

    from models import Post

    slug = alice.write("A post")
    when = datetime(2026, 11, 4, 17, 5, tzinfo=UTC)
    blog.put(Post, published_at=when, first_published_at=when)
    chosen(alice, date_format=name, language=language)
    assert f">{written}</time>" in stranger.get(f"/posts/{slug}").text
