"""Series: posts in an order, of which readers see what is public and nothing else."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from models import Post, Series, Tag, now
from services import series, trash
from tests.blog import Blog, Person
from tests.test_costs import statements


@pytest.fixture
def erin(alice: Person, blog: Blog) -> Person:
    return blog.person("erin", role="editor")


def in_a_month() -> str:
    return (now() + timedelta(days=30)).isoformat()


def place(person: Person, slug: str) -> str:
    """What the page of a post says of its series, in words."""
    page = person.get(f"/posts/{slug}").text
    found = re.search(r'<p class="part">(.*?)</p>', page, re.S)
    return " ".join(re.sub("<[^>]+>", " ", found[1]).split()) if found else ""


def neighbours(person: Person, slug: str) -> dict[str, str]:
    page = person.get(f"/posts/{slug}").text
    return dict(re.findall(r'rel="(prev|next)" href="/posts/([^"]+)"', page))


def parts(person: Person, series: str = "knots") -> list[str]:
    page = person.get(f"/series/{series}").text
    return re.findall(r'href="/posts/([^"/]+)"', page.partition('class="parts"')[2])


def arrange(person: Person, slug: str, series: str = "knots", **fields: object) -> int:
    part = str(person.stored(slug).id)
    return person.post(f"/series/{series}/parts", {"part": part, **fields}).status_code


def test_a_new_title_begins_a_series_and_the_same_title_goes_on_with_it(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    one, two, three = (bob.write(title, series="Knots") for title in ("One", "Two", "Three"))
    assert place(stranger, two) == "Part 2 of 3 in Knots"
    assert neighbours(stranger, two) == {"prev": one, "next": three}
    assert neighbours(stranger, one) == {"next": two}
    assert "Three" in stranger.get(f"/posts/{two}").text
    assert parts(stranger) == [one, two, three]
    assert [series.slug for series in blog.rows(Series)] == ["knots"]


def test_what_readers_may_not_see_is_no_part_and_leaves_no_gap(
    bob: Person, stranger: Person, mallory: Person
) -> None:
    one = bob.write("One", series="Knots")
    draft = bob.draft("Canary draft", series="Knots")
    later = bob.post(
        "/posts",
        {
            "title": "Canary later",
            "content": "c",
            "series": "Knots",
            "action": "schedule",
            "publish_at": in_a_month(),
        },
    )
    assert later.status_code == 303
    gone = bob.write("Canary gone", series="Knots")
    bob.post(f"/posts/{gone}/delete")
    four = bob.write("Four", series="Knots")
    for reader in (stranger, mallory):
        assert place(reader, four) == "Part 2 of 2 in Knots"
        assert neighbours(reader, four) == {"prev": one}
        for address in (f"/posts/{one}", f"/posts/{four}", "/series/knots", "/series"):
            assert "Canary" not in reader.get(address).text
    assert place(bob, draft) == "A draft for Knots"
    bob.edit(draft, action="publish")
    assert place(stranger, draft) == "Part 2 of 3 in Knots"


def test_a_series_of_drafts_alone_is_as_if_it_never_was(
    bob: Person, mallory: Person, stranger: Person
) -> None:
    bob.draft(series="Heliotrope")
    missing = stranger.get("/series/never-was")
    assert stranger.get("/series/heliotrope").content == missing.content
    assert "Heliotrope" not in stranger.get("/series").text
    for address in ("/series/heliotrope", "/series/HELIOTROPE", "/series/heliotrope/edit"):
        assert mallory.get(address).status_code == 404
    assert bob.get("/series/heliotrope").status_code == 200
    mallory.write(series="Heliotrope")  # nothing tells that there was one
    assert stranger.get("/series/heliotrope-2").status_code == 200


def test_capitals_lead_to_the_series(bob: Person, stranger: Person) -> None:
    bob.write(series="Knots")
    assert stranger.get("/series/KNOTS").headers["location"] == "/series/knots"


def test_a_post_leaves_a_series_by_an_empty_title_and_stays_without_the_field(
    bob: Person, stranger: Person
) -> None:
    slug = bob.draft(series="Knots")
    bob.edit(slug, action="publish")
    assert place(stranger, slug) == "Part 1 of 1 in Knots"
    bob.edit(slug, series="", action="publish")
    assert place(stranger, slug) == ""
    assert stranger.get("/series/knots").status_code == 404


def test_the_series_of_a_published_post_changes_with_the_update(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    slug = bob.write(series="Knots")
    bob.edit(slug, series="Ropes")
    assert place(stranger, slug) == "Part 1 of 1 in Knots"
    assert 'value="Ropes"' in bob.get(f"/posts/{slug}/edit").text
    assert [series.title for series in blog.rows(Series)] == ["Knots"]
    bob.edit(slug, series="Ropes", action="publish")
    assert place(stranger, slug) == "Part 1 of 1 in Ropes"


def test_the_form_knows_the_series(bob: Person) -> None:
    slug = bob.write(series="Knots")
    page = bob.get(f"/posts/{slug}/edit").text
    assert 'name="series" type="text" value="Knots"' in page
    assert '<option value="Knots">' in page


def test_the_series_of_another_author_is_named_and_kept(
    bob: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    one = bob.write("One", series="Knots")
    published, draft = mallory.write("Intruder"), mallory.draft("Draft")
    new = mallory.post("/posts", {"title": "T", "content": "Kept.", "series": "knots"})
    answers = [
        new,
        mallory.edit(published, series="Knots"),  # said when it is saved, not at the update
        mallory.edit(published, series="Knots", action="publish"),
        mallory.edit(draft, series="Knots"),
    ]
    for answer in answers:
        assert answer.status_code == 409
        assert "“Knots” is a series of bob. Only they add to it." in answer.text
    assert "Kept." in new.text
    assert parts(stranger) == [one]
    assert mallory.stored(draft).version == 1


def test_editors_add_to_any_series(bob: Person, erin: Person, stranger: Person) -> None:
    one = bob.write("One", series="Knots")
    two = erin.write("Two", series="Knots")
    assert parts(stranger) == [one, two]
    hers = bob.write("Hers")
    erin.edit(hers, series="Knots", action="publish")
    assert parts(stranger) == [one, two, hers]
    assert bob.edit(two, series="").status_code == 403
    other = bob.write("Four", series="Knots")  # it is still his
    assert parts(stranger)[-1] == other


def test_an_author_keeps_what_an_editor_put_into_anothers_series(
    bob: Person, mallory: Person, erin: Person, stranger: Person
) -> None:
    bob.write("One", series="Knots")
    two = mallory.write("Two")
    erin.edit(two, series="Knots", action="publish")
    assert mallory.edit(two, series="Knots", content="More.", action="publish").status_code == 303
    assert place(stranger, two) == "Part 2 of 2 in Knots"


def test_parts_are_moved_by_number_and_taken_out(bob: Person, stranger: Person, blog: Blog) -> None:
    one, two, three, four = (bob.write(f"Part {n}", series="Knots") for n in range(4))
    assert arrange(bob, four, place=1) == 303
    assert parts(stranger) == [four, one, two, three]
    assert arrange(bob, four, place=3) == 303
    assert parts(stranger) == [one, two, four, three]
    assert arrange(bob, one, place=99) == 303
    assert parts(stranger) == [two, four, three, one]
    assert arrange(bob, four, action="remove") == 303
    assert parts(stranger) == [two, three, one]
    assert place(stranger, four) == ""
    five = bob.write("Five", series="Knots")
    assert parts(stranger) == [two, three, one, five]
    assert {post.version for post in blog.rows(Post)} == {1}


@pytest.mark.parametrize(
    "fields", [{"place": 0}, {"place": "x"}, {"place": "9" * 30}, {"action": "burn"}, {"part": "x"}]
)
def test_a_move_that_makes_no_sense_is_422(
    bob: Person, stranger: Person, fields: dict[str, str]
) -> None:
    one, two = bob.write("One", series="Knots"), bob.write("Two", series="Knots")
    assert (
        bob.post("/series/knots/parts", {"part": str(bob.stored(one).id), **fields}).status_code
        == 422
    )
    assert parts(stranger) == [one, two]


def test_what_is_no_part_is_not_moved(bob: Person, mallory: Person, stranger: Person) -> None:
    bob.write("One", series="Knots")
    assert arrange(bob, bob.write("Apart"), place=1) == 404
    assert arrange(bob, mallory.draft("Hidden"), place=1) == 404


def test_the_drafts_of_others_stay_hidden_in_ones_own_series_and_keep_their_place(
    bob: Person, mallory: Person, erin: Person
) -> None:
    one, two = bob.write("One", series="Knots"), bob.write("Two", series="Knots")
    hidden = mallory.draft("Canary")
    erin.edit(hidden, series="Knots")
    three = bob.write("Three", series="Knots")
    assert "Canary" not in bob.get("/series/knots/edit").text
    assert "Canary" in erin.get("/series/knots/edit").text
    assert arrange(bob, hidden, action="remove") == 404
    assert arrange(bob, one, place=2) == 303
    mallory.edit(hidden, action="publish")
    assert parts(bob) == [two, hidden, one, three]


def test_a_series_is_renamed_and_keeps_its_address(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    one = bob.write("One", series="Knots")
    bob.edit(one, series="Knots", content="Staged.")
    answer = bob.post("/series/knots", {"title": "Ropes & knots", "description": "All of them."})
    assert (answer.status_code, answer.headers["location"]) == (303, "/series/knots/edit")
    page = stranger.get("/series/knots").text
    assert "Ropes &amp; knots" in page
    assert "All of them." in page
    assert "All of them." in stranger.get("/series").text
    bob.edit(one, **blog.rows(Post)[0].staged, action="publish")
    two = bob.write("Two", series="Ropes & knots")
    three = bob.write("Three", series="Knots")  # from a form that was opened before
    assert parts(stranger) == [one, two, three]
    assert len(blog.rows(Series)) == 1


def test_two_series_of_one_name_would_be_confusing(bob: Person, blog: Blog) -> None:
    bob.write("One", series="Knots")
    bob.write("Two", series="Ropes")
    answer = bob.post("/series/ropes", {"title": "Knots", "description": "Kept"})
    assert answer.status_code == 409
    assert "There is a series of that name" in answer.text
    assert "Kept" in answer.text
    assert {series.title for series in blog.rows(Series)} == {"Knots", "Ropes"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "Please fill this in."),
        ({"title": "x" * 121}, "At most 120 characters"),
        ({"title": "!!!"}, "needs a letter or a digit"),
        ({"title": "nul\0"}, "cannot be stored"),
        ({"title": "Knots", "description": "x" * 501}, "At most 500 characters"),
    ],
)
def test_a_bad_name_gets_a_sentence(
    bob: Person, blog: Blog, fields: dict[str, str], sentence: str
) -> None:
    bob.write(series="Knots")
    answer = bob.post("/series/knots", fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert blog.rows(Series)[0].title == "Knots"


@pytest.mark.parametrize("title", ["!!!", "x" * 121, "nul\0"])
def test_a_bad_title_in_the_editor_gets_a_sentence(bob: Person, blog: Blog, title: str) -> None:
    answer = bob.post("/posts", {"title": "T", "content": "Kept words.", "series": title})
    assert answer.status_code == 422
    assert "Kept words." in answer.text
    assert blog.rows(Series) == blog.rows(Post) == []


def test_deleting_a_series_leaves_its_posts(bob: Person, stranger: Person, blog: Blog) -> None:
    one = bob.write("One", series="Knots")
    assert "Its posts stay" in bob.get("/series/knots/delete").text
    assert bob.post("/series/knots/delete").headers["location"] == "/series"
    assert stranger.get("/series/knots").status_code == 404
    assert stranger.get(f"/posts/{one}").status_code == 200
    assert place(stranger, one) == ""
    assert blog.rows(Series) == []


def test_only_its_author_editors_and_the_owner_change_a_series(
    alice: Person, bob: Person, erin: Person, mallory: Person, carol: Person, stranger: Person
) -> None:
    one = bob.write("One", series="Knots")
    changes = {
        "/series/knots": {"title": "Mine"},
        "/series/knots/parts": {"part": str(bob.stored(one).id), "action": "remove"},
        "/series/knots/delete": {},
    }
    for address, fields in changes.items():
        for person in (mallory, carol):
            assert person.post(address, fields).status_code == 403
        assert stranger.post(address, fields).headers["location"].startswith("/auth/login")
    assert parts(stranger) == [one]
    assert "/series/knots/edit" not in mallory.get("/series/knots").text
    for person in (bob, erin, alice):
        assert "/series/knots/edit" in person.get("/series/knots").text
        assert person.post("/series/knots", {"title": "Knots"}).status_code == 303


def test_a_place_in_a_series_costs_one_query(bob: Person, stranger: Person, blog: Blog) -> None:
    alone, in_series = bob.write("Alone"), bob.write("One", series="Knots")
    for number in range(5):
        bob.write(f"Part {number}", series="Knots")
    blog.know_pages()
    with statements(blog) as without:
        stranger.get(f"/posts/{alone}")
    with statements(blog) as found:
        stranger.get(f"/posts/{in_series}")
    assert len([each for each in without if "series" in each.partition("FROM")[2]]) == 0
    assert len([each for each in found if "FROM series" in each]) == 1


def test_a_series_stays_when_its_author_leaves_and_posts_remain(
    alice: Person, bob: Person, erin: Person, stranger: Person, blog: Blog
) -> None:
    kept = erin.write("Kept", series="Knots")
    mine = bob.write("Mine", series="Ropes")
    erin.edit(mine, series="Knots", action="publish")
    erin.draft("Alone", series="Erins own")
    assert (
        erin.post(
            "/settings/delete", {"password": "a quay in the north", "posts": "delete"}
        ).status_code
        == 303
    )
    assert parts(stranger) == [mine]
    assert stranger.get(f"/posts/{kept}").status_code == 410
    assert "erin" not in stranger.get("/series/knots").text
    assert {series.title for series in blog.rows(Series)} == {"Knots", "Ropes"}


def test_series_are_part_of_the_api(bob: Person, stranger: Person) -> None:
    one = bob.write("One", series="Knots")
    sent = {"title": "Two", "content": "c", "series": "Knots"}
    two = bob.client.post("/api/v1/posts", json=sent).json()
    assert two["series"] == {"slug": "knots", "title": "Knots", "part": 2, "parts": 2}
    assert two["kind"] == "post"
    change = {"version": two["working"]["version"], "tags": ["x"], "action": "publish"}
    same = bob.client.patch(f"/api/v1/posts/{two['slug']}", json=change).json()
    assert same["series"]["title"] == "Knots"
    change = {"version": same["working"]["version"], "series": "", "action": "publish"}
    assert bob.client.patch(f"/api/v1/posts/{two['slug']}", json=change).json()["series"] is None
    assert stranger.get(f"/api/v1/posts/{one}").json()["series"]["parts"] == 1


def test_markup_in_names_comes_out_as_text(alice: Person, stranger: Person) -> None:
    nasty = "\"'><script>alert(1)</script>{{7*1234567}}"
    slug = alice.write(nasty, series=nasty, tags="<b>&{{7*1234567}}")
    two = alice.write("Two", series=nasty)
    alice.write(nasty, slug="nasty", kind="page")
    [series] = alice.blog.rows(Series)
    address = f"/series/{series.slug}"
    assert alice.post(address, {"title": nasty, "description": nasty}).status_code == 303
    [tag] = alice.blog.rows(Tag)
    shown = (f"/posts/{slug}", f"/posts/{two}", "/series", address, "/tags", f"/tags/{tag.slug}")
    edited = (f"{address}/edit", f"{address}/delete", f"/tags/{tag.slug}/edit")
    for who, addresses in ((stranger, shown), (alice, (*shown, *edited)), (stranger, ("/nasty",))):
        for each in addresses:
            page = who.get(each)
            assert page.status_code == 200, each
            assert "<script>alert" not in page.text, each
            assert "8641969" not in page.text, each


def test_the_longest_title_of_a_series_is_allowed(bob: Person, stranger: Person) -> None:
    slug = bob.write("One", series="щ" * 120)
    assert place(stranger, slug).endswith("щ" * 120)
    two = bob.write("Two", series="щ" * 119)  # its address begins alike
    assert place(stranger, two).startswith("Part 1 of 1 in")


def test_changes_that_are_saved_while_a_series_is_renamed_stay(alice: Person, blog: Blog) -> None:
    slug = alice.write("A part", series="Tides")
    alice.edit(slug, content="Staged once.", series="Tides")
    with ThreadPoolExecutor(1) as pool:
        with blog.database.writing() as db:
            post = db.get_one(Post, alice.stored(slug).id)
            post.staged = (post.staged or {}) | {"content": "Staged twice."}
            db.flush()
            renaming = pool.submit(alice.post, "/series/tides", {"title": "Ebb"})
            time.sleep(0.3)  # it has begun, and waits for the row or for all of the database
        assert renaming.result().status_code == 303
    staged = alice.stored(slug).staged
    assert staged
    assert (staged["content"], staged["series"]) == ("Staged twice.", "Ebb")


def test_a_page_that_is_shown_while_its_series_goes_is_shown(alice: Person, blog: Blog) -> None:
    post = alice.stored(alice.write("A part", series="Tides"))
    post.series_id = uuid4()
    with blog.database.reading() as db:
        assert series.place_of(db, post) is None


def test_parts_are_put_in_order_while_one_is_deleted_for_good(alice: Person, blog: Blog) -> None:
    first, second = (alice.write(title, series="Tides") for title in ("First", "Second"))
    gone = alice.draft("Gone", series="Tides")
    alice.post(f"/posts/{gone}/delete")
    with ThreadPoolExecutor(1) as pool:
        with blog.database.writing() as db:
            trash.delete_for_good(db, alice.stored(gone))
            move = {"part": str(alice.stored(second).id), "place": "1"}
            moving = pool.submit(alice.post, "/series/tides/parts", move)
            time.sleep(0.3)  # it has begun, and waits for the row or for all of the database
        assert moving.result().status_code == 303
    assert place(alice, second) == "Part 1 of 2 in Tides"
    assert place(alice, first) == "Part 2 of 2 in Tides"
