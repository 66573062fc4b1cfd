"""Personal access tokens: what they open, what they never open, and who makes them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import ApiToken, AuditEvent, Login, Post, User, now
from services import api_tokens, audit
from services.digests import digest
from tests.blog import INVENTED, Blog, Person
from tests.people import BOB
from tests.programs import is_problem, log_in, new_token, program

NEW = {"title": "By a program", "content": "Some words."}


def test_a_token_is_shown_once_and_kept_as_a_digest(bob: Person, blog: Blog) -> None:
    response = bob.client.post("/api/v1/tokens", json={"name": "CI", "scopes": ["posts:read"]})
    assert response.status_code == 201
    assert response.headers["cache-control"] == "private, no-store"
    secret = response.json()["token"]
    assert secret.startswith("ink_")
    assert len(secret) >= 40
    [row] = blog.rows(ApiToken)
    assert secret not in str(row.model_dump())
    assert row.digest == digest(secret)
    listed = bob.get("/api/v1/tokens")
    assert secret not in listed.text
    [item] = listed.json()["items"]
    assert (item["name"], item["hint"]) == ("CI", secret[:8])
    assert "token" not in item


def test_a_token_opens_the_api_without_a_cookie(bob: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob))
    response = caller.client.post("/api/v1/posts", json=NEW)
    assert response.status_code == 201
    assert "set-cookie" not in response.headers
    assert not caller.client.cookies
    assert caller.get("/api/v1/me").json()["by"] == "token"


def test_a_token_may_come_from_elsewhere_but_not_beside_a_cookie(bob: Person, blog: Blog) -> None:
    """An app or an extension has an origin of its own, and no cookie of ours."""
    token = new_token(bob)
    foreign = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    caller = program(blog, token)
    assert caller.client.post("/api/v1/posts", json=NEW, headers=foreign).status_code == 201
    beside = {**foreign, "Authorization": f"Bearer {token}"}
    assert is_problem(bob.client.post("/api/v1/posts", json=NEW, headers=beside), 403)
    basic = {**foreign, "Authorization": "Basic Ym9iOmJvYg=="}
    assert program(blog).client.post("/api/v1/posts", json=NEW, headers=basic).status_code == 403
    assert caller.post("/posts", {"title": "x"}, headers=foreign).status_code == 403


def test_a_token_may_do_what_it_was_given(bob: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob, "posts:read"))
    slug = bob.draft("Mine")
    assert caller.get(f"/api/v1/posts/{slug}").status_code == 200
    assert is_problem(caller.client.post("/api/v1/posts", json=NEW), 403)
    assert is_problem(caller.client.patch(f"/api/v1/posts/{slug}", json={"version": 1}), 403)
    assert is_problem(caller.client.delete(f"/api/v1/posts/{slug}"), 403)
    assert len(blog.rows(Post)) == 1


def test_a_token_never_does_more_than_its_owner_may_now(bob: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob))
    blog_roles(blog, BOB, "reader")
    assert caller.get("/api/v1/me").json()["scopes"] == ["posts:read"]
    assert is_problem(caller.client.post("/api/v1/posts", json=NEW), 403)


def blog_roles(blog: Blog, username: str, role: str) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=username).values(role=role))


def test_nobody_gives_away_what_they_do_not_have(bob: Person, blog: Blog) -> None:
    for scopes in (["posts:edit_any"], ["posts:read", "site:manage"], ["nonsense"], []):
        response = bob.client.post("/api/v1/tokens", json={"name": "x", "scopes": scopes})
        assert is_problem(response, 422)
        assert [each["pointer"] for each in response.json()["errors"]] == ["#/scopes"]
    assert blog.rows(ApiToken) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": 1},
        {"scopes": "posts:read"},
        {"scopes": [1]},
        {"scopes": ["posts:read"] * 21},
        {"expires_in_days": 0},
        {"expires_in_days": 366},
        {"expires_in_days": "30"},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    bob: Person, blog: Blog, fields: dict[str, Any]
) -> None:
    wanted = {"name": "x", "scopes": ["posts:read"], **fields}
    assert is_problem(bob.client.post("/api/v1/tokens", json=wanted), 422)
    assert blog.rows(ApiToken) == []


@pytest.mark.parametrize(("asked", "days"), [({}, 90), ({"expires_in_days": 7}, 7)])
def test_a_token_lasts_as_long_as_it_was_made_for(
    bob: Person, blog: Blog, asked: dict[str, int], days: int
) -> None:
    caller = program(blog, new_token(bob, **asked))
    [row] = blog.rows(ApiToken)
    assert abs(row.expires_at - now() - timedelta(days=days)) < timedelta(minutes=1)
    blog.put(ApiToken, expires_at=now() - timedelta(seconds=1))
    assert is_problem(caller.get("/api/v1/me"), 401)


def test_a_token_may_last_until_it_is_revoked(bob: Person, mallory: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob, expires_in_days=None))
    [row] = blog.rows(ApiToken)
    assert row.expires_at is None
    assert is_problem(mallory.client.delete(f"/api/v1/tokens/{row.id}"), 404)
    assert caller.get("/api/v1/me").status_code == 200
    assert bob.client.delete(f"/api/v1/tokens/{row.id}").status_code == 204
    assert is_problem(caller.get("/api/v1/me"), 401)
    assert is_problem(bob.client.delete(f"/api/v1/tokens/{row.id}"), 404)
    actions = [event.action for event in blog.rows(AuditEvent) if event.username == BOB]
    assert actions[-2:] == [audit.ACCESS_GIVEN, audit.ACCESS_TAKEN]


def test_it_is_noted_when_a_token_was_used_but_not_each_time(bob: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob))
    assert blog.rows(ApiToken)[0].used_at is None
    caller.client.post("/api/v1/posts", json=NEW)
    first = blog.rows(ApiToken)[0].used_at
    assert first is not None
    caller.get("/api/v1/me")
    assert blog.rows(ApiToken)[0].used_at == first
    blog.put(ApiToken, used_at=now() - timedelta(minutes=6))
    caller.get("/api/v1/me")
    assert blog.rows(ApiToken)[0].used_at >= first


@pytest.mark.parametrize(
    "header",
    [
        "Basic Ym9iOnBhc3N3b3Jk",
        "Bearer",
        "Bearer invalid",
        "Bearer ink_",
        "Bearer ink_" + "x" * 43,
        "Bearer ink_" + "x" * 20_000,
        "Token ink_x",
        "ink_x",
        "Digest username=bob",
        "",
        "Bearer \xff\xfe",
    ],
)
def test_what_is_no_token_of_ours_is_refused_everywhere(
    alice: Person, blog: Blog, header: str
) -> None:
    """Also where a stranger might read, and also beside a session."""
    headers = {b"Authorization": header.encode("latin-1")}
    for path in ("/api/v1/me", "/api/v1/posts", "/api/v1/posts/nothing"):
        assert is_problem(program(blog).client.get(path, headers=headers), 401)
    if header.startswith("Bearer"):
        assert is_problem(alice.client.get("/api/v1/me", headers=headers), 401)


def test_two_headers_are_none(bob: Person, blog: Blog) -> None:
    token = new_token(bob)
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer ink_x")]
    for order in (headers, headers[::-1]):
        assert is_problem(program(blog).client.get("/api/v1/me", headers=order), 401)


def test_a_token_in_an_address_or_a_body_opens_nothing(bob: Person, blog: Blog) -> None:
    token = new_token(bob)
    for name in ("token", "access_token", "api_key", "authorization"):
        assert is_problem(program(blog).get(f"/api/v1/me?{name}={token}"), 401)
        body = {**NEW, name: token}
        assert is_problem(program(blog).client.post("/api/v1/posts", json=body), 401)


def test_a_token_opens_no_page(bob: Person, blog: Blog) -> None:
    slug = bob.draft()
    caller = program(blog, new_token(bob))
    for path in ("/posts/new", "/settings", "/settings/tokens"):
        response = caller.get(path)
        assert response.status_code == 303
        assert response.headers["location"].startswith("/auth/login")
    assert caller.get(f"/posts/{slug}").status_code == 404
    assert "Log out" not in caller.get("/").text
    assert caller.post("/posts", NEW).status_code == 303
    assert len(blog.rows(Post)) == 1


def test_no_token_makes_lists_or_ends_tokens(bob: Person, blog: Blog) -> None:
    token = new_token(bob)
    for secret in (token, log_in(blog, BOB)["access_token"]):
        caller = program(blog, secret)
        wanted = {"name": "More", "scopes": ["posts:read"]}
        assert is_problem(caller.client.post("/api/v1/tokens", json=wanted), 403)
        assert is_problem(caller.get("/api/v1/tokens"), 403)
        assert is_problem(caller.client.delete(f"/api/v1/tokens/{INVENTED}"), 403)
        assert is_problem(program(blog, token).client.post("/api/v1/auth/logout"), 403)
    assert len(blog.rows(ApiToken)) == 1


def test_only_a_fresh_login_makes_tokens(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    bob.lose_session()  # the remembered login that comes back is not fresh
    wanted = {"name": "x", "scopes": ["posts:read"]}
    assert is_problem(bob.client.post("/api/v1/tokens", json=wanted), 401, "reauth_required")
    assert bob.get("/api/v1/tokens").status_code == 200
    assert blog.rows(ApiToken) == []


def test_there_are_not_ever_more_tokens(bob: Person, blog: Blog) -> None:
    for _ in range(api_tokens.MOST):
        new_token(bob)
    wanted = {"name": "One more", "scopes": ["posts:read"]}
    assert is_problem(bob.client.post("/api/v1/tokens", json=wanted), 409)
    assert len(blog.rows(ApiToken)) == api_tokens.MOST


def test_a_token_outlives_logins(bob: Person, blog: Blog) -> None:
    caller = program(blog, new_token(bob))
    bob.log_out()
    assert not [row for row in blog.rows(Login) if row.user_id == blog.rows(ApiToken)[0].user_id]
    assert caller.get("/api/v1/me").status_code == 200
