"""The page of access tokens, and of programs that are logged in."""

import re
from datetime import timedelta

import pytest

from models import ApiToken, AuditEvent, RefreshToken, now
from services import audit
from tests.blog import Blog, Person
from tests.people import BOB, CAROL
from tests.programs import log_in, new_token, program, refresh

PAGE = "/settings/tokens"


def make(person: Person, *scopes: str, name: str = "Backup", days: str = "30") -> str:
    """The new token, as the page shows it."""
    fields = {"name": name, "scopes": [*scopes], "days": days}
    response = person.client.post(PAGE, data=fields)
    assert response.status_code == 201, response.text
    assert "no-store" in response.headers["cache-control"]
    found = re.search(r">(ink_[\w-]{43})<", response.text)
    assert found
    return found[1]


def test_a_token_is_made_and_shown_once(bob: Person, blog: Blog) -> None:
    secret = make(bob, "posts:read", "posts:write")
    found = program(blog, secret).get("/api/v1/me").json()
    assert found["scopes"] == ["posts:read", "posts:write"]
    page = bob.get(PAGE).text
    assert secret not in page
    assert f"{secret[:8]}…" in page
    assert "Backup" in page
    assert "last used" in page
    event = blog.rows(AuditEvent)[-1]
    assert (event.action, event.username) == (audit.ACCESS_GIVEN, BOB)
    assert secret not in str(event.model_dump())


@pytest.mark.parametrize("days", ["7", "30", "90", "365", "never"])
def test_it_lasts_as_long_as_was_chosen(bob: Person, blog: Blog, days: str) -> None:
    make(bob, "posts:read", days=days)
    [row] = blog.rows(ApiToken)
    if days == "never":
        assert row.expires_at is None
    else:
        assert abs(row.expires_at - now() - timedelta(days=int(days))) < timedelta(minutes=1)


def test_only_what_one_may_do_oneself_is_offered(
    alice: Person, bob: Person, carol: Person, blog: Blog
) -> None:
    offered = {
        who.username: re.findall(r'name="scopes" value="([^"]+)"', who.get(PAGE).text)
        for who in (alice, bob, carol)
    }
    assert offered[BOB] == ["posts:read", "posts:write"]
    assert offered[CAROL] == ["posts:read"]
    assert "site:manage" in offered["alice"]
    response = bob.client.post(PAGE, data={"name": "x", "scopes": ["site:manage"], "days": "7"})
    assert response.status_code == 422
    assert blog.rows(ApiToken) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "scopes": ["posts:read"]},
        {"name": "x" * 81, "scopes": ["posts:read"]},
        {"name": "Kept"},
        {"name": "Kept", "scopes": ["posts:read"], "days": "8"},
        {"name": "Kept", "scopes": ["posts:read"], "days": ["7", "30"]},
        {"name": ["Kept", "Kept"], "scopes": ["posts:read"]},
        {"name": "Kept", "scopes": ["posts:read"] * 30},
        {"name": "Kept", "scopes": ["\ud800".encode("utf-8", "surrogatepass")]},
    ],
)
def test_a_wrong_form_comes_back(
    bob: Person, blog: Blog, fields: dict[str, str | list[str]]
) -> None:
    new_token(bob, name="There before")
    response = bob.client.post(PAGE, data=fields)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert "There before" in response.text
    if fields["name"] == "Kept" and fields.get("scopes") == ["posts:read"]:
        assert 'value="Kept"' in response.text
        assert 'value="posts:read" checked' in response.text
    assert len(blog.rows(ApiToken)) == 1


def test_a_token_is_revoked_by_its_owner_alone(bob: Person, mallory: Person, blog: Blog) -> None:
    caller = program(blog, make(bob, "posts:read"))
    [row] = blog.rows(ApiToken)
    assert mallory.post(f"{PAGE}/{row.id}/delete").status_code == 404
    assert caller.get("/api/v1/me").status_code == 200
    response = bob.post(f"{PAGE}/{row.id}/delete")
    assert (response.status_code, response.headers["location"]) == (303, PAGE)
    assert "“Backup” is revoked." in bob.get(PAGE).text
    assert caller.get("/api/v1/me").status_code == 401
    for nonsense in (row.id, "x", "%00"):
        assert bob.post(f"{PAGE}/{nonsense}/delete").status_code in (404, 422)


def test_programs_are_listed_and_logged_out(bob: Person, mallory: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB)
    assert "python-httpx2" in bob.get(PAGE).text
    assert "python-httpx2" not in mallory.get(PAGE).text
    [row] = blog.rows(RefreshToken)
    assert mallory.post(f"{PAGE}/programs/{row.id}/delete").status_code == 404
    assert bob.post(f"{PAGE}/programs/{row.id}/delete").status_code == 303
    assert program(blog, issued["access_token"]).get("/api/v1/me").status_code == 401
    assert refresh(blog, issued["refresh_token"]).status_code == 401
    assert "That program is logged out." in bob.get(PAGE).text


def test_a_program_that_is_silent_for_long_is_not_listed(bob: Person, blog: Blog) -> None:
    log_in(blog, BOB)
    blog.put(RefreshToken, used_at=now() - timedelta(days=8))
    assert "python-httpx2" not in bob.get(PAGE).text


def test_the_page_wants_a_fresh_login(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    bob.lose_session()
    for response in (bob.get(PAGE), bob.post(PAGE, {"name": "x"})):
        assert response.status_code == 303
        assert response.headers["location"].startswith("/auth/confirm?next=")
    assert blog.rows(ApiToken) == []


def test_names_come_out_as_text(bob: Person) -> None:
    nasty = "\"'><script>alert(1)</script>{{7*7}}"
    new_token(bob, name=nasty)
    page = bob.get(PAGE).text
    assert "<script>" not in page
    assert "{{7*7}}" in page
