"""Images: sent, kept, shown to those who may see them, described and deleted."""

import io
import json
import re
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import httpx2
import pytest

from backends.limits import Limit
from models import Blob, Media, MediaUse, Post, User, now
from routers import receiving
from services import media
from settings import Role
from tests import pictures
from tests.blog import Blog, Person
from tests.people import PASSWORD
from tests.processes import at_once

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


def shown_in(image: dict[str, Any], more: str = "") -> str:
    return f"Look at this.\n\n{image['markdown']}\n\n{more}"


def nothing_is_left(blog: Blog) -> bool:
    return not blog.rows(Media) and not blog.rows(Blob)


# Sent.


def test_an_image_is_taken_and_says_where_it_is(bob: Person) -> None:
    response = bob.upload(pictures.photo(1200, 900), "Sunset at sea.JPG", alt="The sun [low]")
    assert response.status_code == 201
    image = response.json()
    assert image["url"] == f"/media/{image['id']}/sunset-at-sea-1200x900.webp"
    assert (image["width"], image["height"]) == (1200, 900)
    assert image["widths"] == [480, 960, 1200]
    assert image["markdown"] == f"![The sun \\[low\\]]({image['url']})"
    assert bob.get(image["url"]).status_code == 200


def test_a_caption_becomes_the_title(bob: Person) -> None:
    image = bob.image(alt="A heron", caption='The "old" one')
    assert image["markdown"] == f'![A heron]({image["url"]} "The \\"old\\" one")'


def test_a_form_without_a_script_leads_to_the_library(bob: Person, blog: Blog) -> None:
    files = [
        ("file", ("one.jpg", pictures.photo())),
        ("file", ("two.png", pictures.drawing())),
    ]
    response = bob.client.post("/media", files=files, headers=HTML)
    assert (response.status_code, response.headers["location"]) == (303, "/media")
    page = bob.get("/media")
    assert "2 images are in your library." in page.text
    assert "one-640x480.webp" in page.text
    assert "two-300x200.webp" in page.text


def test_of_several_files_the_good_ones_are_kept(bob: Person, blog: Blog) -> None:
    files = [("file", ("good.jpg", pictures.photo())), ("file", ("bad.svg", pictures.SVG))]
    response = bob.client.post("/media", files=files, headers=HTML)
    assert response.status_code == 415
    assert "<strong>bad.svg</strong>: This is not an image" in response.text
    assert [image.name for image in blog.rows(Media)] == ["good-640x480.webp"]


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["page", "script"])
def test_a_form_without_a_file_says_so(bob: Person, headers: dict[str, str]) -> None:
    for files in ({"file": ("", b"")}, {"other": (None, "x")}):
        response = bob.client.post("/media", files=files, headers=headers)
        assert response.status_code == 422
        assert "Please choose an image." in response.text


def test_several_files_at_once_are_for_pages(bob: Person, blog: Blog) -> None:
    files = [("file", ("one.jpg", pictures.photo())), ("file", ("two.jpg", pictures.drawing()))]
    response = bob.client.post("/media", files=files, headers=JSON)
    assert response.status_code == 422
    assert response.json()["detail"] == "One image at a time, please."
    assert nothing_is_left(blog)


def test_the_same_file_again_is_the_same_image(bob: Person, mallory: Person, blog: Blog) -> None:
    first = bob.image()
    again = bob.image(name="another-name.jpg", alt="Described at last")
    assert again["id"] == first["id"]
    assert again["alt"] == "Described at last"
    assert bob.image(alt="Something else")["alt"] == "Described at last"
    assert mallory.image()["id"] != first["id"]
    assert len(blog.rows(Media)) == 2


def test_the_same_file_sent_twice_at_once_is_one_image(bob: Person, blog: Blog) -> None:
    file = pictures.photo(100, 100)
    found = at_once(4, lambda _: bob.upload(file).json()["id"])
    assert len(set(found)) == 1
    assert len(blog.rows(Media)) == 1
    assert len(blog.rows(Blob)) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (pictures.SVG, 415),
        (b"<!doctype html><script>alert(1)</script>", 415),
        (b"", 422),
        (pictures.photo()[:5000], 422),
        (pictures.png(50_000, 50_000), 422),
        (pictures.gif_of_many(201), 422),
    ],
    ids=["SVG", "HTML", "empty", "half", "pixels", "frames"],
)
def test_what_is_no_image_or_too_much_leaves_nothing(
    bob: Person, blog: Blog, data: bytes, status: int
) -> None:
    response = bob.upload(data, "picture.jpg")
    assert response.status_code == status
    assert nothing_is_left(blog)
    page = bob.client.post("/media", files={"file": ("picture.jpg", data)}, headers=HTML)
    assert page.status_code == status
    assert "picture.jpg</strong>" in page.text


NAMES = (
    "../../../etc/cron.d/x.jpg",
    "..\\..\\x.jpg",
    "C:\\boot.jpg",
    "x\u0000.php.jpg",
    "a" * 3000 + ".jpg",
    "x\r\nSet-Cookie: a=b.jpg",
    "\u202egpj.exe",
    ".htaccess",
    "évil <script>.jpg",
    "image.jpg.php",
    " ",
)


def test_a_name_is_only_a_name(bob: Person) -> None:
    for number, name in enumerate(NAMES):
        image = bob.image(pictures.drawing(8, 8) + bytes([number]), name=name)
        assert re.fullmatch(r"[a-z0-9-]{1,60}-8x8\.webp", image["name"])
        served = bob.get(image["url"])
        assert served.headers["content-disposition"] == f'inline; filename="{image["name"]}"'
        assert "set-cookie" not in served.headers


def test_a_name_that_is_a_book_is_refused(bob: Person, blog: Blog) -> None:
    assert bob.upload(pictures.drawing(), "a" * 100_000).status_code == 400
    assert nothing_is_left(blog)


@pytest.mark.parametrize("field", ["alt", "caption"])
def test_a_description_has_its_limits(bob: Person, blog: Blog, field: str) -> None:
    assert bob.upload(pictures.photo(), **{field: "x" * 501}).status_code == 422
    assert bob.upload(pictures.photo(), **{field: "nul\0"}).status_code == 422
    assert nothing_is_left(blog)


def test_strangers_and_readers_send_nothing(stranger: Person, carol: Person, blog: Blog) -> None:
    assert stranger.upload(pictures.photo()).headers["location"].startswith("/auth/login")
    response = stranger.client.post("/media", files={"file": ("x", b"x")}, headers=JSON)
    assert response.status_code == 401
    assert carol.upload(pictures.photo()).status_code == 403
    assert nothing_is_left(blog)


def test_too_many_uploads_have_to_wait(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "UPLOADS_OF_PERSON", Limit("few", 2, timedelta(hours=1)))
    assert [bob.upload(b"x").status_code for _ in range(3)] == [415, 415, 429]
    response = bob.client.post("/media", files={"file": ("x", b"x")}, headers=JSON)
    assert int(response.headers["retry-after"]) > 3000
    assert response.json()["title"] == "Too often"


# Room.


def room_for(blog: Blog, monkeypatch: pytest.MonkeyPatch, images: int, size: int) -> None:
    """Let everybody have so many images of a size, and not one more."""
    quota = blog.settings.media_quota_mb
    monkeypatch.setattr(media, "MEGABYTE", (images * size + size // 2) / quota)


def test_of_twenty_at_once_no_more_are_taken_than_there_is_room_for(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = bob.image(pictures.drawing(40, 40))["bytes"]
    room_for(blog, monkeypatch, 5, size)
    some = [pictures.drawing(40, 40) + bytes([number]) for number in range(20)]
    found = at_once(20, lambda number: bob.upload(some[number]))
    assert sorted(each.status_code for each in found) == [201] * 4 + [422] * 16
    assert "There is no room for this image" in next(e for e in found if e.status_code == 422).text
    assert len(blog.rows(Media)) == len(blog.rows(Blob)) == 5
    assert bob.get("/media").status_code == 200


def test_deleting_makes_room(bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bob.image(pictures.drawing(40, 40))
    room_for(blog, monkeypatch, 1, first["bytes"])
    assert bob.upload(pictures.drawing(40, 40) + b"x").status_code == 422
    assert bob.post(f"/media/{first['id']}/delete").status_code == 303
    assert bob.upload(pictures.drawing(40, 40) + b"x").status_code == 201


def test_everybody_has_room_of_their_own(
    bob: Person, mallory: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(blog, monkeypatch, 1, bob.image(pictures.drawing(40, 40))["bytes"])
    assert mallory.upload(pictures.drawing(40, 40)).status_code == 201


# Shown.


def test_an_image_is_public_while_a_public_post_shows_it(
    bob: Person, stranger: Person, mallory: Person
) -> None:
    image = bob.image()
    others = (stranger, mallory)
    assert [each.get(image["url"]).status_code for each in others] == [404, 404]
    slug = bob.draft(content=shown_in(image))
    assert [each.get(image["url"]).status_code for each in others] == [404, 404]
    bob.edit(slug, content=shown_in(image), action="publish")
    slug = bob.stored("a-draft").slug
    assert [each.get(image["url"]).status_code for each in others] == [200, 200]
    bob.edit(slug, content=shown_in(image), action="unpublish")
    assert [each.get(image["url"]).status_code for each in others] == [404, 404]
    bob.edit(slug, content=shown_in(image), action="publish")
    bob.post(f"/posts/{slug}/delete")
    assert [each.get(image["url"]).status_code for each in others] == [404, 404]
    bob.post(f"/posts/{slug}/restore")
    assert [each.get(image["url"]).status_code for each in others] == [200, 200]


def test_what_is_staged_shows_nothing_yet_and_what_is_published_still_does(
    bob: Person, stranger: Person
) -> None:
    old, new = bob.image(pictures.photo(seed=1)), bob.image(pictures.photo(seed=2))
    slug = bob.write(content=shown_in(old))
    bob.edit(slug, content=shown_in(new))
    assert stranger.get(old["url"]).status_code == 200
    assert stranger.get(new["url"]).status_code == 404
    bob.edit(slug, content=shown_in(new), action="publish")
    assert stranger.get(old["url"]).status_code == 404
    assert stranger.get(new["url"]).status_code == 200


def test_a_scheduled_post_shows_its_images_when_it_is_time(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    image = bob.image()
    bob.write(content=shown_in(image))
    blog.put(Post, published_at=now() + timedelta(minutes=1))
    assert stranger.get(image["url"]).status_code == 404
    blog.put(Post, published_at=now())
    assert stranger.get(image["url"]).status_code == 200


def test_nobody_makes_an_image_of_others_public(
    bob: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    image = bob.image()
    mallory.write(content=shown_in(image))
    assert stranger.get(image["url"]).status_code == 404
    assert mallory.get(image["url"]).status_code == 404
    assert not blog.rows(MediaUse)


def test_editors_see_all_images_and_may_put_them_into_any_post(
    alice: Person, bob: Person, stranger: Person
) -> None:
    image, hers = bob.image(), alice.image()
    assert alice.get(image["url"]).status_code == 200
    slug = bob.draft(content="Words.")
    alice.edit(slug, content=shown_in(hers))
    assert bob.get(hers["url"]).status_code == 200  # it stands in his draft
    assert stranger.get(hers["url"]).status_code == 404
    bob.edit(slug, content=shown_in(hers, "Bob’s words."), action="publish")
    assert stranger.get(hers["url"]).status_code == 200  # his saving does not take it away


def test_a_hidden_image_is_missing_to_the_byte(bob: Person, stranger: Person) -> None:
    image = bob.image()
    hidden = stranger.get(image["url"])
    wrong_name = stranger.get(f"/media/{image['id']}/other-1x1.webp")
    missing = stranger.get("/media/00000000-0000-4000-8000-000000000000/x-1x1.webp")
    nothing = stranger.get("/nothing-here")
    for each in (hidden, wrong_name, missing, nothing):
        assert each.status_code == 404
        assert each.content == nothing.content
        assert comparable(each) == comparable(nothing)


def comparable(response: httpx2.Response) -> dict[str, str]:
    one_time = {"date", "x-request-id"}
    return {name: value for name, value in response.headers.items() if name not in one_time}


@pytest.mark.parametrize(
    "path",
    [
        "/media/x/y-1x1.webp",
        "/media/%00/y",
        "/media/1/2",
        "/media/{id}/%2e%2e",
        "/media/{id}/a%0ab",
    ],
)
def test_odd_addresses_are_missing(bob: Person, path: str) -> None:
    assert bob.get(path.replace("{id}", "0" * 32)).status_code == 404


def test_widths_are_those_that_are_offered(bob: Person) -> None:
    image = bob.image(pictures.photo(1200, 900))
    for width, size in ((480, (480, 360)), (960, (960, 720))):
        response = bob.get(f"{image['url']}?w={width}")
        assert pictures.opened(response.content).size == size
    assert pictures.opened(bob.get(image["url"]).content).size == (1200, 900)
    for wrong in ("481", "1440", "1200", "0", "-1", "x", "480.0", "٤٨٠"):
        assert bob.get(image["url"], params={"w": wrong}).status_code == 404


def test_another_name_leads_to_the_right_one(bob: Person, stranger: Person) -> None:
    image = bob.image(pictures.photo(1200, 900))
    bob.write(content=shown_in(image))
    other = f"/media/{image['id'].upper()}/old-name-1200x900.webp"
    response = stranger.get(f"{other}?w=480")
    assert (response.status_code, response.headers["location"]) == (301, f"{image['url']}?w=480")


def test_what_is_public_may_be_kept_for_ever_and_runs_nothing(
    bob: Person, stranger: Person
) -> None:
    image = bob.image()
    bob.write(content=shown_in(image))
    for person in (stranger, bob):
        headers = person.get(image["url"]).headers
        assert headers["content-type"] == "image/webp"
        assert headers["cache-control"] == "public, max-age=31536000, s-maxage=300, immutable"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["content-disposition"] == f'inline; filename="{image["name"]}"'
        assert "vary" not in headers
        assert "set-cookie" not in headers


def test_what_is_not_public_is_kept_by_nobody(bob: Person) -> None:
    headers = bob.get(bob.image()["url"]).headers
    assert headers["cache-control"] == "private, no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "Cookie" in headers["vary"]


def test_an_image_that_is_known_is_not_sent_again(bob: Person, stranger: Person) -> None:
    image = bob.image()
    tag = bob.get(image["url"]).headers["etag"]
    assert stranger.get(image["url"], headers={"If-None-Match": tag}).status_code == 404
    bob.write(content=shown_in(image))
    response = stranger.get(image["url"], headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert "immutable" in response.headers["cache-control"]


def test_ranges_cost_nothing(bob: Person) -> None:
    image = bob.image()
    whole = bob.get(image["url"]).content
    response = bob.get(image["url"], headers={"Range": "bytes=" + "0-," * 5000 + "0-"})
    assert (response.status_code, response.content) == (200, whole)


def test_head_has_no_body(bob: Person) -> None:
    response = bob.client.head(bob.image()["url"])
    assert (response.status_code, response.content) == (200, b"")


# By the secret link to a draft.


def linked(person: Person, slug: str) -> str:
    """The path of the secret link to a post."""
    assert person.post(f"/posts/{slug}/preview-link").status_code == 303
    return f"/preview/{person.stored(slug).preview_token}"


def test_whoever_has_the_link_to_a_draft_sees_its_images(bob: Person, stranger: Person) -> None:
    image = bob.image(pictures.photo(1200, 900), alt="See /media/ there")
    other = bob.image(pictures.drawing())
    link = linked(bob, bob.draft(content=shown_in(image)))
    page = stranger.get(link).text
    assert 'alt="See /media/ there"' in page
    assert not re.search(r'(?:"|, )/media/', page)
    sources = re.search(r'srcset="([^"]+)"', page)
    assert sources
    for source in sources[1].split(", "):
        response = stranger.get(source.split()[0])
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert "noindex" in response.headers["x-robots-tag"]
    assert stranger.get(link + image["url"]).status_code == 200
    for missing in (other["url"], image["url"] + "x", "/media/x/y.webp", image["url"] + "?w=1"):
        assert stranger.get(link + missing).status_code == 404
    assert stranger.get(image["url"]).status_code == 404
    bob.post(f"/posts/{bob.stored('a-draft').slug}/preview-link/delete")
    assert stranger.get(link + image["url"]).status_code == 404


def test_the_link_shows_the_images_of_what_is_staged(bob: Person, stranger: Person) -> None:
    old, new = bob.image(pictures.photo(seed=1)), bob.image(pictures.photo(seed=2))
    slug = bob.write(content=shown_in(old))
    bob.edit(slug, content=shown_in(new))
    link = linked(bob, slug)
    assert stranger.get(link + new["url"]).status_code == 200
    assert stranger.get(link + old["url"]).status_code == 404
    assert link + new["url"] in stranger.get(link).text


# The library.


def test_the_library_shows_ones_own_images_newest_first(bob: Person, mallory: Person) -> None:
    first, second = bob.image(pictures.photo(seed=1)), bob.image(pictures.photo(seed=2), alt="Two")
    theirs = mallory.image()
    page = bob.get("/media").text
    assert page.index(second["id"]) < page.index(first["id"])
    assert theirs["id"] not in page
    assert page.count("No description yet") == 1
    assert f'src="{first["url"]}?w=480" width="480" height="360"' in page
    assert "of 500 MB" in page


def test_images_are_found_by_name_description_and_caption(bob: Person) -> None:
    bob.image(pictures.photo(seed=1), name="heron.jpg")
    bob.image(pictures.photo(seed=2), name="two.jpg", alt="A grey Heron")
    bob.image(pictures.photo(seed=3), name="three.jpg", caption="No heron here: 100% rope_")
    bob.image(pictures.photo(seed=4), name="four.jpg")
    assert names_on(bob.get("/media?q=heron")) == {"three", "two", "heron"}
    assert names_on(bob.get("/media?q=grey+heron")) == {"two"}
    assert names_on(bob.get("/media?q=100%25+rope_")) == {"three"}
    assert "No image has these words." in bob.get("/media?q=x%00%25").text


def names_on(response: httpx2.Response) -> set[str]:
    return set(re.findall(r'class="name"><a [^>]*>(\w+)-', response.text))


def test_the_library_goes_on_by_cursor(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "PER_PAGE", 2)
    for number in range(5):
        bob.image(pictures.drawing(40, 40) + bytes([number]), name=f"n{number}.png")
    path, found = "/media", []
    while path:
        page = bob.get(path)
        found.append(names_on(page))
        older = re.search(r'rel="next" href="([^"]+)"', page.text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert found == [{"n4", "n3"}, {"n2", "n1"}, {"n0"}]
    assert bob.get("/media?before=nonsense").status_code == 404


def test_editors_may_see_everybodys_images_and_others_may_not(alice: Person, bob: Person) -> None:
    image, hers = bob.image(), alice.image()
    assert image["id"] not in alice.get("/media").text
    assert image["id"] in alice.get("/media?of=all").text
    assert hers["id"] not in bob.get("/media?of=all").text


def test_an_image_is_described(bob: Person) -> None:
    image = bob.image()
    path = f"/media/{image['id']}/edit"
    response = bob.post(path, {"alt": " A heron ", "caption": "Grey & patient"})
    assert response.status_code == 303
    page = bob.get(path).text
    assert 'value="A heron"' in page
    assert "Grey &amp; patient&#34;)" in page  # the Markdown to copy
    wrong = bob.post(path, {"alt": "x" * 501, "caption": "Kept"})
    assert wrong.status_code == 422
    assert 'value="Kept"' in wrong.text


def test_it_says_where_an_image_is_used(bob: Person) -> None:
    image = bob.image()
    path = f"/media/{image['id']}/edit"
    assert "In no text." in bob.get(path).text
    bob.write("Public words", shown_in(image))
    bob.draft("Private words", shown_in(image))
    page = bob.get(path).text
    assert re.search(r'href="/posts/public-words">Public words</a> <span class="mark">public', page)
    assert re.search(
        r'href="/posts/private-words/edit">Private words</a> <span class="mark">draft', page
    )


def test_drafts_of_others_are_counted_but_not_named(alice: Person, bob: Person, blog: Blog) -> None:
    image = alice.image()
    slug = bob.draft("His secret plan")
    alice.edit(slug, content=shown_in(image))
    with blog.database.writing() as db:
        db.get_one(User, blog.rows(Media)[0].user_id).role = Role.author
    page = alice.get(f"/media/{image['id']}/edit").text
    assert "In 1 text of others that only they can see." in page
    assert "secret plan" not in page


def test_deleting_says_where_it_is_used_and_takes_the_files_along(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    image = bob.image(pictures.photo(1200, 900))
    bob.write("Public words", shown_in(image))
    page = bob.get(f"/media/{image['id']}/delete").text
    assert "Readers can see it now." in page
    assert "Public words" in page
    assert len(blog.rows(Blob)) == 3
    assert bob.post(f"/media/{image['id']}/delete").status_code == 303
    assert nothing_is_left(blog)
    assert not blog.rows(MediaUse)
    assert stranger.get(image["url"]).status_code == 404
    assert bob.post(f"/media/{image['id']}/delete").status_code == 404
    assert stranger.get("/posts/public-words").status_code == 200


def test_images_of_others_are_out_of_reach_but_for_editors(
    alice: Person, bob: Person, mallory: Person, blog: Blog
) -> None:
    image = bob.image()
    paths = [f"/media/{image['id']}/{verb}" for verb in ("edit", "delete")]
    assert [mallory.get(path).status_code for path in paths] == [404, 404]
    assert [mallory.post(path).status_code for path in paths] == [404, 404]
    bob.write(content=shown_in(image))
    assert [mallory.get(path).status_code for path in paths] == [403, 403]
    assert [mallory.post(path).status_code for path in paths] == [403, 403]
    assert len(blog.rows(Media)) == 1
    assert alice.post(paths[0], {"alt": "Described by an editor"}).status_code == 303
    assert alice.post(paths[1]).status_code == 303
    assert nothing_is_left(blog)


# Leaving, and taking along.


def test_images_of_kept_posts_stay_and_the_others_go(
    alice: Person, bob: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    kept = bob.image(pictures.photo(seed=1))
    hidden = bob.image(pictures.photo(seed=2))
    bob.write("Kept", shown_in(kept))
    bob.draft("Hidden", shown_in(hidden))
    mallorys = mallory.image(pictures.photo(seed=1))
    mallory.write("Kept too", shown_in(mallorys))
    for person in (bob, mallory):
        response = person.post("/settings/delete", {"password": PASSWORD, "posts": "keep"})
        assert response.status_code == 303, response.text
    assert [stranger.get(each["url"]).status_code for each in (kept, hidden)] == [200, 404]
    assert stranger.get(mallorys["url"]).status_code == 200
    assert {str(image.id) for image in blog.rows(Media)} == {kept["id"], mallorys["id"]}
    assert {blob.key.split("/")[1] for blob in blog.rows(Blob)} == {kept["id"], mallorys["id"]}


def test_whoever_deletes_everything_leaves_no_image(bob: Person, blog: Blog) -> None:
    bob.write(content=shown_in(bob.image()))
    assert bob.post("/settings/delete", {"password": PASSWORD, "posts": "delete"}).is_redirect
    assert nothing_is_left(blog)


def test_ones_images_are_in_ones_archive(bob: Person, mallory: Person) -> None:
    image = bob.image(pictures.photo(1200, 900), alt="A heron")
    theirs = mallory.image()
    archive = ZipFile(io.BytesIO(bob.get("/settings/export").content))
    name = f"images/{image['id']}/{image['name']}"
    assert archive.read(name) == bob.get(image["url"]).content
    [about] = json.loads(archive.read("images.json"))
    assert (about["id"], about["alt"]) == (image["id"], "A heron")
    assert theirs["id"] not in " ".join(archive.namelist())
