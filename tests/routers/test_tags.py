"""Tags: which there are, under which address, and what becomes of a name that is given up."""

import re

import pytest

from models import AuditEvent, Post, PostTag, Tag, TagAlias
from services import audit, listings
from tests.blog import Blog, Person

ERIN = "erin"


@pytest.fixture
def erin(alice: Person, blog: Blog) -> Person:
    """Edits what others write."""
    return blog.person(ERIN, role="editor")


def rename(person: Person, slug: str, name: str, **fields: str) -> tuple[int, str]:
    answer = person.post(f"/tags/{slug}", {"name": name, **fields})
    return answer.status_code, answer.headers.get("location", "")


def slugs(page: str) -> list[str]:
    """The tags on the index, in order."""
    return re.findall(r'<li><a href="/tags/([^"/]+)">', page)


def tags_of(person: Person, slug: str) -> list[str]:
    found: list[str] = person.get(f"/api/v1/posts/{slug}").json()["tags"]
    return found


def test_the_index_counts_public_posts_by_name_and_by_use(bob: Person, stranger: Person) -> None:
    bob.write("One", tags="tides, Knots, ales")
    bob.write("Two", tags="tides")
    bob.draft("Three", tags="secret, ales")
    page = stranger.get("/tags").text
    assert slugs(page) == ["ales", "knots", "tides"]
    assert slugs(stranger.get("/tags?by=use").text) == ["tides", "ales", "knots"]
    assert "secret" not in page


def test_very_many_tags_are_paged_and_none_is_missing(
    bob: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PER_PAGE", 4)
    bob.write("One", tags=", ".join(f"t{n}" for n in range(10)))
    bob.write("Two", tags="t3, t7")
    for order in ("name", "use"):
        first = page = stranger.get(f"/tags?by={order}").text
        found = [slugs(page)]
        while following := re.search(r'rel="next" href="([^"]+)"', page):
            page = stranger.get(following[1].replace("&amp;", "&")).text
            found.append(slugs(page))
        assert [len(each) for each in found] == [4, 4, 2]
        expected = [f"t{n}" for n in range(10)]
        if order == "use":
            expected.sort(key=lambda name: (name not in ("t3", "t7"), name))
        assert [name for each in found for name in each] == expected
        for _ in range(2):
            [back] = re.findall(r'<a rel="prev" href="([^"]+)"', page)
            page = stranger.get(back.replace("&amp;", "&")).text
        assert slugs(page) == slugs(first)
        assert 'rel="prev"' not in page


@pytest.mark.parametrize(
    "query", ["after=%00", "after=A", "after=1.x", "by=use&after=x", "after=-%2F", "before='"]
)
def test_a_place_in_the_index_that_we_never_gave_is_missing(stranger: Person, query: str) -> None:
    assert stranger.get(f"/tags?{query}").status_code == 404


def test_a_tag_says_on_how_many_posts_it_is(bob: Person, stranger: Person) -> None:
    for number in range(22):
        bob.write(f"Post {number}", tags="tides")
    bob.draft(tags="tides")
    page = stranger.get("/tags/tides").text
    assert "22 posts about" in page
    [following] = re.findall(r'<a rel="next" href="([^"]+)"', page)
    assert stranger.get(following).text.count('class="entry"') == 2


def test_capitals_lead_to_the_tag(bob: Person, stranger: Person) -> None:
    bob.write(tags="Tides")
    answer = stranger.get("/tags/TIDES")
    assert (answer.status_code, answer.headers["location"]) == (301, "/tags/tides")


def test_a_tag_of_drafts_alone_is_as_if_it_never_was(
    bob: Person, alice: Person, stranger: Person
) -> None:
    bob.draft(tags="Heliotrope")
    assert rename(alice, "heliotrope", "Vermilion") == (303, "/tags/vermilion/edit")
    for address in ("heliotrope", "vermilion", "VERMILION"):
        answer = stranger.get(f"/tags/{address}")
        assert answer.content == stranger.get("/tags/never-was").content


def test_a_renamed_tag_is_found_under_its_newest_address_at_once(
    bob: Person, erin: Person, stranger: Person, blog: Blog
) -> None:
    slug = bob.write(tags="boat")
    assert rename(erin, "boat", "Boats") == (303, "/tags/boats")
    assert "“boat” is “Boats” now." in erin.get("/tags/boats").text
    assert rename(erin, "boats", "Ships") == (303, "/tags/ships")
    for old in ("boat", "boats", "BOAT"):
        answer = stranger.get(f"/tags/{old}")
        assert (answer.status_code, answer.headers["location"]) == (301, "/tags/ships")
    assert tags_of(stranger, slug) == ["Ships"]
    assert stranger.get("/api/v1/posts?tag=boat").json()["items"]
    events = [each.details for each in blog.rows(AuditEvent) if each.action == audit.TAG_RENAMED]
    assert events[-1] == {"before": "Boats", "after": "Ships", "username": ERIN}


def test_a_name_can_go_back_and_forth(bob: Person, erin: Person, stranger: Person) -> None:
    bob.write(tags="boat")
    for name in ("ship", "boat", "ship", "boat"):
        old = "boat" if name == "ship" else "ship"
        assert rename(erin, old, name) == (303, f"/tags/{name}")
        assert stranger.get(f"/tags/{name}").status_code == 200
        assert stranger.get(f"/tags/{old}").headers["location"] == f"/tags/{name}"


def test_another_spelling_of_the_same_name_keeps_the_address(bob: Person, erin: Person) -> None:
    slug = bob.write(tags="javascript")
    assert rename(erin, "javascript", "JavaScript") == (303, "/tags/javascript")
    assert tags_of(bob, slug) == ["JavaScript"]


def test_the_name_of_another_tag_asks_before_the_two_become_one(
    bob: Person, erin: Person, stranger: Person, blog: Blog
) -> None:
    both = bob.write("Both", tags="boat, tides, boats")
    one = bob.write("One", tags="boat")
    draft = bob.draft("Draft", tags="boat")
    question = erin.post("/tags/boat", {"name": "Boats"})
    assert question.status_code == 409
    assert "Merge 3 posts of “boat” into “boats”?" in question.text
    assert stranger.get("/tags/boat").status_code == 200  # nothing has happened yet
    assert rename(erin, "boat", "Boats", into="boats") == (303, "/tags/boats")
    assert stranger.get("/tags/boat").headers["location"] == "/tags/boats"
    assert tags_of(bob, both) == ["tides", "boats"]
    assert tags_of(bob, one) == tags_of(bob, draft) == ["boats"]
    [event] = [each for each in blog.rows(AuditEvent) if each.action == audit.TAG_MERGED]
    assert event.details == {"name": "boat", "into": "boats", "username": ERIN}
    assert "erin merged the tag “boat” into “boats”." in audit_log(blog)


def audit_log(blog: Blog) -> str:
    """The audit log as its owner reads it."""
    owner = Person(blog, "alice")
    owner.log_in()
    return owner.get("/admin/audit").text


def test_all_names_that_two_tags_ever_had_lead_to_what_they_became(
    bob: Person, erin: Person, stranger: Person
) -> None:
    bob.write("One", tags="a")
    bob.write("Two", tags="c")
    rename(erin, "a", "b")
    rename(erin, "c", "d")
    assert rename(erin, "b", "D", into="d") == (303, "/tags/d")
    assert rename(erin, "d", "e") == (303, "/tags/e")
    for old in "abcd":
        answer = stranger.get(f"/tags/{old}")
        assert (answer.status_code, answer.headers["location"]) == (301, "/tags/e")


def test_an_old_name_of_another_tag_asks_too(bob: Person, erin: Person) -> None:
    bob.write("One", tags="knots")
    bob.write("Two", tags="cords")
    rename(erin, "knots", "ropes")
    question = erin.post("/tags/cords", {"name": "knots"})
    assert question.status_code == 409
    assert "into “ropes”?" in question.text


def test_whoever_is_asked_about_one_tag_does_not_say_yes_to_another(
    bob: Person, erin: Person, blog: Blog
) -> None:
    bob.write("One", tags="a, b, c")
    assert rename(erin, "a", "c", into="b")[0] == 409
    assert {tag.slug for tag in blog.rows(Tag)} == {"a", "b", "c"}


def test_a_form_that_still_says_the_old_name_means_the_new_tag(
    bob: Person, erin: Person, blog: Blog
) -> None:
    """From an open editor, from staged changes, from the API."""
    draft = bob.draft("Draft", tags="boat")
    staged = bob.write("Staged", tags="tides")
    bob.edit(staged, tags="boat, tides")
    other = bob.write("Other", tags="boats")
    rename(erin, "boat", "Boats", into="boats")
    bob.edit(draft, tags="Boat, boats")
    bob.edit(staged, tags="boat, tides", action="publish")
    sent = bob.client.post(
        "/api/v1/posts", json={"title": "T", "content": "c", "tags": ["BOAT", "Boats"]}
    )
    assert sent.json()["tags"] == ["boats"]
    assert tags_of(bob, draft) == ["boats"]
    assert tags_of(bob, staged) == ["boats", "tides"]
    assert tags_of(bob, other) == ["boats"]
    assert {tag.slug for tag in blog.rows(Tag)} == {"boats", "tides"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "needs a letter or a digit|Please fill this in"),
        ("!!!", "needs a letter or a digit"),
        ("a, b", "cannot have a comma"),
        ("x" * 51, "At most 50 characters"),
        ("nul\0", "cannot be stored"),
    ],
)
def test_a_bad_name_gets_a_sentence(
    bob: Person, erin: Person, blog: Blog, name: str, sentence: str
) -> None:
    bob.write(tags="boat")
    answer = erin.post("/tags/boat", {"name": name})
    assert answer.status_code == 422
    assert re.search(sentence, answer.text)
    assert [tag.slug for tag in blog.rows(Tag)] == ["boat"]
    assert blog.rows(TagAlias) == []


def test_only_editors_and_the_owner_rename(
    alice: Person, bob: Person, erin: Person, carol: Person, stranger: Person
) -> None:
    bob.write(tags="boat")
    for person in (bob, carol):
        assert person.get("/tags/boat/edit").status_code == 403
        assert rename(person, "boat", "Ship")[0] == 403
        assert "/tags/boat/edit" not in person.get("/tags/boat").text
    assert rename(stranger, "boat", "Ship")[1].startswith("/auth/login")
    assert "/tags/boat/edit" in erin.get("/tags/boat").text
    assert rename(alice, "boat", "Ship") == (303, "/tags/ship")
    assert alice.get("/tags/boat/edit").headers["location"] == "/tags/ship/edit"
    assert rename(erin, "boat", "Vessel") == (303, "/tags/vessel")  # by an old address
    assert rename(erin, "nothing", "Ship")[0] == 404


def test_merging_changes_no_versions_and_loses_no_posts(
    bob: Person, erin: Person, blog: Blog
) -> None:
    for number in range(5):
        bob.write(f"Post {number}", tags="a, b" if number % 2 else "a")
    versions = {post.slug: post.version for post in blog.rows(Post)}
    rename(erin, "a", "b", into="b")
    assert {post.slug: post.version for post in blog.rows(Post)} == versions
    assert len(blog.rows(PostTag)) == 5


def test_the_editor_proposes_tags_but_not_those_of_others_drafts(
    alice: Person, bob: Person
) -> None:
    alice.write(tags="tides")
    alice.draft(tags="secret")
    bob.draft(tags="mine")
    page = bob.get("/posts/new").text
    assert '<option value="tides">' in page
    assert '<option value="mine">' in page
    assert "secret" not in page
