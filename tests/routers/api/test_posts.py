"""Posts and tags as JSON: the same rules as for the pages."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Post, PostTag, User
from services import listings
from tests.blog import Blog, Person
from tests.people import BOB
from tests.programs import is_problem, log_in, new_token, program

POSTS = "/api/v1/posts"
NEW = {"title": "Four ropes", "content": "They *hold* a boat."}


def write(person: Person, **fields: Any) -> Any:
    response = person.client.post(POSTS, json={**NEW, **fields})
    assert response.status_code == 201, response.text
    return response.json()


def change(person: Person, slug: str, version: Any, /, **fields: Any) -> Any:
    return person.client.patch(f"{POSTS}/{slug}", json={"version": version, **fields})


def slugs_in(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["slug"] for item in response.json()["items"]]


# Reading.


def test_everybody_reads_what_is_published(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes", "Four *ropes*.", tags="harbour, knots")
    for reader in (stranger, bob):
        found = reader.get(f"{POSTS}/{slug}").json()
        assert (found["title"], found["content"]) == ("Ropes", "Four *ropes*.")
        assert "<em>ropes</em>" in found["html"]
        assert found["tags"] == ["harbour", "knots"]
        assert found["author"] == {"username": BOB, "display_name": BOB}
        assert found["url"].endswith(f"/posts/{slug}")
        assert slugs_in(reader.get(POSTS)) == [slug]
        assert (found["working"] is None) == (reader is stranger)


def test_nobody_reads_the_draft_of_another(
    alice: Person, bob: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    slug = bob.draft("Secret")
    missing = stranger.get(f"{POSTS}/nothing")
    for reader in (stranger, mallory, program(blog, new_token(mallory))):
        response = reader.get(f"{POSTS}/{slug}")
        assert is_problem(response, 404)
        assert response.content == missing.content
        assert slugs_in(reader.get(POSTS)) == []
    for reader in (
        bob,
        alice,
        program(blog, new_token(bob)),
        program(blog, log_in(blog, BOB)["access_token"]),
    ):
        assert reader.get(f"{POSTS}/{slug}").json()["state"] == "draft"
        assert slugs_in(reader.get(POSTS)) == []


def test_a_token_reads_drafts_only_if_it_may(alice: Person, bob: Person, blog: Blog) -> None:
    slug = bob.draft()
    writer = program(blog, new_token(bob, "posts:write"))
    assert is_problem(writer.get(f"{POSTS}/{slug}"), 404)
    assert is_problem(writer.get(f"{POSTS}?author=me&state=draft"), 403)
    reader = program(blog, new_token(alice, "posts:read"))
    assert is_problem(reader.get(f"{POSTS}/{slug}"), 404)  # of others: that is posts:edit_any
    editor = program(blog, new_token(alice, "posts:read", "posts:edit_any"))
    assert editor.get(f"{POSTS}/{slug}").status_code == 200


def test_a_bad_token_is_not_taken_for_a_stranger(bob: Person, blog: Blog) -> None:
    slug = bob.write()
    for path in (POSTS, f"{POSTS}/{slug}", f"{POSTS}/nothing"):
        assert is_problem(program(blog, "ink_nonsense").get(path), 401)


def test_ones_own_drafts_are_listed(bob: Person, mallory: Person, stranger: Person) -> None:
    draft, published = bob.draft("A draft", tags="knots"), bob.write("Published")
    mallory.draft("Another's")
    own = bob.get(f"{POSTS}?author=me&state=draft")
    assert slugs_in(own) == [draft]
    assert own.json()["items"][0]["tags"] == ["knots"]
    assert slugs_in(bob.get(f"{POSTS}?author=me")) == [published]
    assert is_problem(stranger.get(f"{POSTS}?author=me&state=draft"), 401)
    assert is_problem(stranger.get(f"{POSTS}?author=me"), 401)
    for query in ("state=draft", f"state=draft&author={BOB}", "author=bob&tag=knots"):
        assert is_problem(bob.get(f"{POSTS}?{query}"), 422)


def test_posts_are_found_by_author_and_by_tag(
    bob: Person, mallory: Person, stranger: Person
) -> None:
    ours, theirs = bob.write("Ours", tags="knots"), mallory.write("Theirs", tags="Knots, tides")
    assert slugs_in(stranger.get(f"{POSTS}?author=Bob")) == [ours]
    assert slugs_in(stranger.get(f"{POSTS}?tag=knots")) == [theirs, ours]
    bob.draft("Not yet", tags="secret")
    for query in ("author=nobody", "tag=nothing", "tag=secret", "before=nonsense"):
        assert is_problem(stranger.get(f"{POSTS}?{query}"), 404)
    assert "secret" not in stranger.get("/api/v1/tags").text


def test_lists_come_in_pages(bob: Person, stranger: Person) -> None:
    written = [bob.write(f"Post {number}", tags="tides") for number in range(25)][::-1]
    first = stranger.get(f"{POSTS}?tag=tides")
    assert slugs_in(first) == written[:20]
    assert first.json()["prev"] is None
    assert first.headers["link"] == f'<{first.json()["next"]}>; rel="next"'
    second = stranger.get(first.json()["next"])
    assert slugs_in(second) == written[20:]
    assert second.json()["next"] is None
    assert 'rel="prev"' in second.headers["link"]
    assert slugs_in(stranger.get(second.json()["prev"])) == written[:20]


def test_an_old_address_leads_to_the_newest(bob: Person, stranger: Person) -> None:
    slug = bob.write("Before")
    assert change(bob, slug, 1, slug="after", action="publish").status_code == 200
    response = stranger.get(f"{POSTS}/{slug}")
    assert (response.status_code, response.headers["location"]) == (301, f"{POSTS}/after")
    assert change(bob, slug, 2, title="Still found").status_code == 200


# Writing.


def test_a_post_is_written(bob: Person, stranger: Person, blog: Blog) -> None:
    response = bob.client.post(POSTS, json={**NEW, "tags": ["harbour", "C++"]})
    assert response.status_code == 201
    assert response.headers["location"] == f"{POSTS}/four-ropes"
    found = response.json()
    assert (found["state"], found["tags"]) == ("published", ["harbour", "C++"])
    assert found["working"]["version"] == 1
    assert stranger.get("/posts/four-ropes").status_code == 200
    assert write(bob, action="draft")["state"] == "draft"


def test_the_same_again_is_the_same_post(bob: Person, blog: Blog) -> None:
    assert write(bob, idempotency_key="once")["id"] == write(bob, idempotency_key="once")["id"]
    other = bob.client.post(POSTS, json={**NEW, "title": "Other", "idempotency_key": "once"})
    assert is_problem(other, 409)
    assert len(blog.rows(Post)) == 1


def test_a_change_changes_what_was_sent(bob: Person, stranger: Person) -> None:
    slug = write(bob, tags=["knots"])["slug"]
    found = change(bob, slug, 1, title="Five ropes", action="publish").json()
    assert (found["title"], found["content"], found["tags"]) == (
        "Five ropes",
        NEW["content"],
        ["knots"],
    )
    assert found["working"]["version"] == 2
    whole = {**NEW, "version": 2, "action": "publish"}
    replaced = bob.client.put(f"{POSTS}/{slug}", json=whole).json()
    assert (replaced["title"], replaced["tags"]) == ("Four ropes", [])
    assert is_problem(bob.client.put(f"{POSTS}/{slug}", json={"version": 3, "title": "x"}), 422)


def test_saving_a_published_post_changes_nothing_public(bob: Person, stranger: Person) -> None:
    slug = write(bob)["slug"]
    found = change(bob, slug, 1, content="Staged.").json()
    assert found["working"]["staged"]["content"] == "Staged."
    assert "Staged" not in stranger.get(f"{POSTS}/{slug}").text
    assert change(bob, slug, 2, action="publish").json()["content"] == "Staged."
    assert change(bob, slug, 3, action="unpublish").json()["state"] == "draft"
    assert is_problem(stranger.get(f"{POSTS}/{slug}"), 404)


def test_a_stale_change_overwrites_nothing(bob: Person, blog: Blog) -> None:
    slug = write(bob)["slug"]
    assert change(bob, slug, 1, title="First", action="publish").status_code == 200
    for response in (
        change(bob, slug, 1, title="Second", action="publish"),
        bob.client.put(f"{POSTS}/{slug}", json={**NEW, "version": 1}),
    ):
        assert is_problem(response, 409)
    assert bob.get(f"{POSTS}/{slug}").json()["title"] == "First"
    assert is_problem(bob.client.post(POSTS, json={**NEW, "slug": slug}), 409)


def test_a_deleted_post_is_in_the_trash(bob: Person, stranger: Person) -> None:
    slug = write(bob)["slug"]
    for _ in range(2):
        assert bob.client.delete(f"{POSTS}/{slug}").status_code == 204
    assert is_problem(stranger.get(f"{POSTS}/{slug}"), 410)
    assert slugs_in(stranger.get(POSTS)) == []
    assert "Four ropes" in bob.get("/trash").text
    assert is_problem(change(bob, slug, 3, title="x"), 409)
    bob.post(f"/posts/{slug}/restore")
    assert stranger.get(f"{POSTS}/{slug}").status_code == 200


def test_nobody_changes_what_is_not_theirs(
    alice: Person, bob: Person, mallory: Person, carol: Person, stranger: Person, blog: Blog
) -> None:
    public, draft = bob.write(), bob.draft()
    before = [row.model_dump() for row in blog.rows(Post)]
    cases = [(stranger, 401, 401), (carol, 403, 403), (mallory, 403, 404)]
    cases.append((program(blog, new_token(mallory)), 403, 404))
    cases.append((program(blog, new_token(alice)), 403, 404))  # the owner, by a token for less
    for who, of_public, of_draft in cases:
        for slug, status in ((public, of_public), (draft, of_draft)):
            address = f"{POSTS}/{slug}"
            assert is_problem(change(who, slug, 1, title="Planted"), status)
            assert is_problem(who.client.put(address, json={**NEW, "version": 1}), status)
            assert is_problem(who.client.delete(address), status)
    assert [row.model_dump() for row in blog.rows(Post)] == before
    editor = program(blog, new_token(alice, "posts:read", "posts:write", "posts:edit_any"))
    assert change(editor, draft, 1, title="Edited").status_code == 200


def test_nobody_writes_in_the_name_of_another(alice: Person, bob: Person, blog: Blog) -> None:
    [owner] = [user for user in blog.rows(User) if user.role == "owner"]
    invented = "00000000-0000-4000-8000-000000000000"
    extra = {"author_id": str(owner.id), "author": {"username": "alice"}, "id": invented}
    moments = {"created_at": "2001-01-01", "published_at": "2001-01-01", "html": "<script>"}
    found = write(bob, **extra, **moments, version=99)
    assert found["author"]["username"] == BOB
    assert found["id"] != invented
    assert found["working"]["version"] == 1
    assert "2001" not in str(found["published_at"]) + str(found["working"])
    assert "script" not in found["html"]
    changed = change(bob, found["slug"], 1, **extra, **moments).json()
    assert (changed["author"]["username"], changed["id"]) == (BOB, found["id"])


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "#/title"),
        ({"title": 1}, "#/title"),
        ({"title": "x" * 201}, "#/title"),
        ({"title": "a\nb"}, "#/title"),
        ({"content": " \n"}, "#/content"),
        ({"content": None}, "#/content"),
        ({"content": "x" * (512 * 1024 + 1)}, "#/content"),
        ({"tags": "a, b"}, "#/tags"),
        ({"tags": ["a, b"]}, "#/tags"),
        ({"tags": [1]}, "#/tags"),
        ({"tags": [str(n) for n in range(11)]}, "#/tags"),
        ({"tags": ["!!!"]}, "#/tags"),
        ({"slug": "!!!"}, "#/slug"),
        ({"action": "schedule-it"}, "#/action"),
        ({"idempotency_key": "x" * 65}, "#/idempotency_key"),
    ],
)
def test_what_is_wrong_is_named(
    bob: Person, blog: Blog, fields: dict[str, Any], pointer: str
) -> None:
    response = bob.client.post(POSTS, json={**NEW, **fields})
    assert is_problem(response, 422)
    assert [each["pointer"] for each in response.json()["errors"]] == [pointer]
    assert blog.rows(Post) == blog.rows(PostTag) == []


@pytest.mark.parametrize("version", [None, "1", 0, -1, 2**31, 1.5, True, [], 10**40])
def test_a_version_that_is_no_number_is_refused(bob: Person, version: Any) -> None:
    slug = write(bob)["slug"]
    assert is_problem(change(bob, slug, version, title="x"), 422)
    assert is_problem(bob.client.patch(f"{POSTS}/{slug}", json={"title": "x"}), 422)


def test_a_form_writes_nothing_here(bob: Person, stranger: Person, blog: Blog) -> None:
    """And a stranger is told that they are one before what they sent is looked at."""
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "text/json",
    ):
        headers = {"Content-Type": kind}
        body = b'{"title": "Planted", "content": "Planted."}'
        assert is_problem(bob.client.post(POSTS, content=body, headers=headers), 415)
        assert is_problem(stranger.client.post(POSTS, content=b"{", headers=headers), 401)
    broken = {"Content-Type": "application/json"}
    assert is_problem(stranger.client.post(POSTS, content=b"{", headers=broken), 401)
    assert blog.rows(Post) == []


@pytest.mark.parametrize(
    "slug", ["%00", "%FF", "x" * 5000, "..%2f..", "00000000-0000-0000-0000-000000000000", "'--"]
)
def test_addresses_that_make_no_sense_are_404(bob: Person, slug: str) -> None:
    assert bob.get(f"{POSTS}/{slug}").status_code == 404
    assert bob.client.delete(f"{POSTS}/{slug}").status_code == 404


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = "title content tags slug action version username password scope scopes name".split()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), anything))
def test_no_json_ever_causes_a_5xx(bob: Person, fields: dict[str, Any]) -> None:
    body = json.dumps(fields)
    headers = {"Content-Type": "application/json"}
    slug = bob.draft()
    for method, path in (
        ("POST", POSTS),
        ("PUT", f"{POSTS}/{slug}"),
        ("PATCH", f"{POSTS}/{slug}"),
        ("POST", "/api/v1/tokens"),
        ("POST", "/api/v1/token"),
        ("POST", "/api/v1/auth/signup"),
    ):
        assert bob.client.request(method, path, content=body, headers=headers).status_code < 500


# Tags.


def test_tags_of_published_posts_are_counted(bob: Person, stranger: Person) -> None:
    bob.write("One", tags="tides, Knots")
    bob.write("Two", tags="knots")
    bob.draft("Three", tags="secret, knots")
    found = stranger.get("/api/v1/tags").json()["items"]
    assert found == [
        {"slug": "knots", "name": "Knots", "posts": 2},
        {"slug": "tides", "name": "tides", "posts": 1},
    ]


def test_very_many_tags_are_paged_and_none_is_missing(
    bob: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PER_PAGE", 4)
    bob.write("One", tags=", ".join(f"t{n}" for n in range(9)))
    bob.write("Two", tags="t8")
    for order in ("", "?by=use"):
        address, found, seen = f"/api/v1/tags{order}", [], []
        while address:
            answer = stranger.get(address)
            seen.append(address)
            found += [item["slug"] for item in answer.json()["items"]]
            address = answer.json()["next"]
            assert (f'<{address}>; rel="next"' in answer.headers.get("link", "")) is bool(address)
        assert sorted(found) == [f"t{n}" for n in range(9)]
        assert found[0] == ("t8" if order else "t0")
        assert answer.json()["prev"]
        assert stranger.get(answer.json()["prev"]).json() == stranger.get(seen[1]).json()
    assert is_problem(stranger.get("/api/v1/tags?after=%00"), 404)
