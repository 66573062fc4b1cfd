"""What people say about themselves."""

import pytest

from models import User
from tests.blog import Blog, Person

NEW = {"display_name": "Maren Holt", "bio": "Boatbuilder.", "website": "maren.example/boats"}


def test_a_profile_is_shown_beside_the_posts(alice: Person, stranger: Person) -> None:
    slug = alice.write()
    saved = alice.post("/settings/profile", NEW)
    assert (saved.status_code, saved.headers["location"]) == (303, "/users/alice")
    for path in ("/users/alice", f"/posts/{slug}"):
        page = stranger.get(path).text
        assert "Maren Holt" in page
        assert "Boatbuilder." in page
    assert 'href="https://maren.example/boats"' in stranger.get("/users/alice").text
    assert "Edit profile" not in stranger.get("/users/alice").text
    assert 'value="https://maren.example/boats"' in alice.get("/settings/profile").text


def test_the_form_may_leave_all_but_the_name_empty(alice: Person, blog: Blog) -> None:
    alice.post("/settings/profile", NEW)
    assert alice.post("/settings/profile", {"display_name": "A"}).status_code == 303
    user = blog.rows(User)[0]
    assert (user.display_name, user.bio, user.website) == ("A", "", "")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("display_name", " ", "Please fill this in."),
        ("display_name", "x" * 81, "At most 80 characters"),
        ("display_name", "over\u202eride", "cannot be in a line"),
        ("bio", "x" * 501, "At most 500 characters"),
        ("bio", "nul\0", "cannot be stored"),
        ("website", "javascript:alert(1)", "does not look like a web address"),
        ("website", "ftp://example.org", "does not look like a web address"),
        ("website", "https://", "does not look like a web address"),
        ("website", "x" * 201, "At most 200 characters"),
        ("website", "https://ü" + "ü" * 60 + ".example/" + "ü" * 100, ""),
    ],
)
def test_a_bad_profile_is_shown_again(
    alice: Person, blog: Blog, field: str, value: str, sentence: str
) -> None:
    answer = alice.post("/settings/profile", {**NEW, field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert (blog.rows(User)[0].display_name, blog.rows(User)[0].bio) == ("alice", "")


def test_nothing_but_the_profile_can_be_changed_by_it(mallory: Person, blog: Blog) -> None:
    mallory.post(
        "/settings/profile", {**NEW, "role": "owner", "username": "alice", "email": "x@y.z"}
    )
    user = next(user for user in blog.rows(User) if user.username == "mallory")
    assert (user.role, user.email, user.display_name) == ("author", None, "Maren Holt")


def test_strangers_have_no_profile(stranger: Person) -> None:
    for answer in (stranger.get("/settings/profile"), stranger.post("/settings/profile", NEW)):
        assert answer.headers["location"] == "/auth/login?next=%2Fsettings%2Fprofile"
