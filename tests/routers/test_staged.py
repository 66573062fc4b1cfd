"""Changes to a published post that were saved and that readers do not see yet."""

import pytest

from tests.blog import Blog, Person, slug_in

STAGED = {
    "title": "Heliotrope plans",
    "content": "A heliotrope secret, " + "in many words " * 300,
    "tags": "heliotrope, wood",
    "slug": "heliotrope-plans",
}


def surfaces(blog: Blog, person: Person, slug: str) -> dict[str, tuple[int, bytes]]:
    """All that somebody may read, also where the staged text would be if it were public."""
    paths = {
        path for _, path in blog.paths("GET", slug=slug, tag="wood", username="bob", number="1")
    }
    paths |= {f"/posts/{slug}", "/tags/wood", "/tags/heliotrope", "/users/bob", "/api/v1/tags"}
    paths |= {"/posts/heliotrope-plans", "/api/v1/posts/heliotrope-plans", "/api/v1/posts?tag=wood"}
    paths |= {"/tags/heliotrope", f"/posts/{slug}?x", f"/api/v1/posts/{slug}"}
    found = {}
    for path in sorted(path for path in paths if not path.startswith(OWN)):
        answer = person.get(path)
        # What is refused carries the number of the request.
        found[path] = (answer.status_code, b"" if answer.status_code == 403 else answer.content)
    return found


# Pages about the reader's own account, and those that count something.
OWN = ("/settings", "/auth", "/admin", "/posts/new", "/metrics", "/readyz", "/healthz")


@pytest.mark.parametrize("who", ["stranger", "mallory"])
def test_saving_changes_nothing_that_readers_see(
    bob: Person, stranger: Person, mallory: Person, blog: Blog, who: str
) -> None:
    reader = stranger if who == "stranger" else mallory
    slug = bob.write("Public plans", "Everybody may read this.", tags="wood")
    before = surfaces(blog, reader, slug)
    assert bob.edit(slug, **STAGED).status_code == 303
    after = surfaces(blog, reader, slug)
    assert {path for path in before if before[path] != after[path]} == set()
    assert b"eliotrope secret" not in b"".join(content for _, content in after.values())
    new = slug_in(bob.edit(slug, **STAGED, action="publish"))
    assert new == "heliotrope-plans"
    updated = surfaces(blog, reader, slug)
    changed = {path for path in before if before[path] != updated[path]}
    assert {
        "/",
        "/api/v1/posts",
        f"/posts/{slug}",
        "/posts/heliotrope-plans",
        "/tags/heliotrope",
        "/users/bob",
        "/api/v1/tags",
        f"/api/v1/posts/{slug}",
    } <= changed


def test_the_page_of_its_author_is_the_public_one_too(bob: Person) -> None:
    slug = bob.write("Public plans", "Everybody may read this.", tags="wood")
    bob.edit(slug, **STAGED)
    page = bob.get(f"/posts/{slug}").text
    assert "eliotrope" not in page
    assert "You have saved changes that readers do not see yet." in page


def test_the_edit_page_shows_what_differs(alice: Person) -> None:
    slug = alice.write("Public plans", "Everybody may read this.", tags="wood")
    assert "What readers do not see yet" not in alice.get(f"/posts/{slug}/edit").text
    alice.edit(slug, title="Public plans", content="Everybody can read this.", tags="wood")
    page = alice.get(f"/posts/{slug}/edit").text
    assert "What readers do not see yet" in page
    assert "<mark>can</mark>" in page
    assert f'action="/posts/{slug}/staged/delete"' in page


def test_staged_changes_can_be_thrown_away_and_stay_among_the_revisions(
    alice: Person, stranger: Person
) -> None:
    slug = alice.write("Public plans", "Public words.", tags="wood")
    alice.edit(slug, **STAGED)
    version = alice.stored(slug).version
    answer = alice.post(f"/posts/{slug}/staged/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{slug}/edit")
    page = alice.get(f"/posts/{slug}/edit").text
    assert "Public words.</textarea>" in page
    assert "What readers do not see yet" not in page
    assert alice.stored(slug).staged is None
    assert alice.stored(slug).version == version + 1
    assert "A heliotrope secret" in alice.get(f"/posts/{slug}/revisions/2").text
    assert ">Restored</span>" in alice.get(f"/posts/{slug}/revisions").text
    alice.post(f"/posts/{slug}/revisions/2/restore")
    staged = alice.stored(slug).staged
    assert staged is not None
    assert staged["title"] == "Heliotrope plans"


def test_throwing_away_twice_is_once(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    alice.edit(slug, **STAGED)
    for _ in range(2):
        assert alice.post(f"/posts/{slug}/staged/delete").status_code == 303
    assert alice.stored(slug).version == 3


def test_a_save_begun_before_does_not_bring_them_back_silently(alice: Person) -> None:
    slug = alice.write()
    alice.edit(slug, **STAGED)
    alice.post(f"/posts/{slug}/staged/delete")
    assert alice.edit(slug, content="Begun before.", version=2).status_code == 409


def test_saving_what_readers_see_already_stages_nothing(alice: Person) -> None:
    slug = alice.write("Same", "Words.", tags="Wood")
    alice.edit(slug, **STAGED)
    alice.edit(slug, title="Same", content="Words.", tags="wood", slug=slug)
    assert alice.stored(slug).staged is None
    assert "It is what readers see already." in alice.get(f"/posts/{slug}").text


def test_a_staged_address_is_checked_when_it_is_saved_and_again_at_the_update(
    alice: Person, bob: Person, stranger: Person
) -> None:
    bob.write("Taken")
    slug = alice.write("Mine")
    answer = alice.edit(slug, slug="taken", content="Kept words.")
    assert answer.status_code == 409
    assert "That address is taken." in answer.text
    assert "Kept words." in answer.text
    assert alice.edit(slug, slug="free-yet").status_code == 303
    assert stranger.get("/posts/free-yet").status_code == 404
    assert bob.write("Free yet") == "free-yet"
    late = alice.edit(slug, slug="free-yet", content="Kept words.", action="publish")
    assert late.status_code == 409
    assert "Kept words." in late.text
    assert stranger.get("/posts/mine").status_code == 200
