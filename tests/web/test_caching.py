"""Who may keep a copy of a page: anybody a public one, nobody the others."""

import pytest

from tests.blog import Person

ACCOUNT_PAGES = [
    "/auth/login",
    "/auth/logout",
    "/users/register",
    "/nothing",
    "/healthz",
    "/drafts",
]


def test_what_everybody_sees_may_be_kept_and_is_asked_for_again(
    alice: Person, stranger: Person
) -> None:
    slug = alice.write(tags="one")
    for path in ("/", "/posts", f"/posts/{slug}", "/tags/one", "/users/alice"):
        stranger.get(path)  # from then on it is kept
        headers = stranger.get(path).headers
        assert headers["cache-control"] == "no-cache"
        assert headers["vary"] == "Accept-Encoding, Cookie"
        assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ACCOUNT_PAGES)
def test_account_pages_are_never_kept(stranger: Person, path: str) -> None:
    assert "no-store" in stranger.get(path).headers["cache-control"]


def test_what_somebody_sees_who_is_logged_in_is_theirs_alone(alice: Person) -> None:
    slug = alice.draft()
    for path in ("/", f"/posts/{slug}", "/posts/new", "/drafts", "/nothing", *ACCOUNT_PAGES):
        headers = alice.get(path).headers
        assert (headers["cache-control"], headers["vary"]) == ("private, no-store", "Cookie")
