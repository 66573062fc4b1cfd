"""Access tokens for 15 minutes, and refresh tokens: each good once."""

import hashlib
import hmac
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from models import AuditEvent, RefreshToken, User, now
from services import audit, jwts
from services.logins import end_all
from tests.blog import SECRET, Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.programs import is_problem, log_in, program, refresh

OTHER = "another secret for tests, which is long enough too"
Claims = dict[str, Any]


def id_of(blog: Blog, username: str) -> Any:
    return next(user.id for user in blog.rows(User) if user.username == username)


def opens(blog: Blog, token: str) -> bool:
    response = program(blog, token).get("/api/v1/me")
    assert response.status_code == 200 or is_problem(response, 401)
    return response.status_code == 200


# Getting one.


@pytest.mark.parametrize("kind", ["data", "json"])
def test_a_password_gives_a_pair(bob: Person, blog: Blog, kind: str) -> None:
    grant = {"grant_type": "password", "username": BOB, "password": PASSWORD}
    response = program(blog).client.post("/api/v1/token", **{kind: grant})  # type: ignore[arg-type]
    assert response.status_code == 200
    issued = response.json()
    assert issued["token_type"] == "bearer"
    assert issued["expires_in"] == 900
    assert issued["scope"] == "posts:read posts:write"
    assert "no-store" in response.headers["cache-control"]
    assert "set-cookie" not in response.headers
    found = program(blog, issued["access_token"]).get("/api/v1/me").json()
    assert (found["username"], found["by"]) == (BOB, "jwt")
    [row] = blog.rows(RefreshToken)
    assert row.digest == hashlib.sha256(issued["refresh_token"].encode()).hexdigest()


def test_a_program_may_ask_for_less(bob: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB, scope="posts:read")
    assert issued["scope"] == "posts:read"
    caller = program(blog, issued["access_token"])
    new = {"title": "x", "content": "y"}
    assert is_problem(caller.client.post("/api/v1/posts", json=new), 403)
    again = refresh(blog, issued["refresh_token"]).json()
    assert again["scope"] == "posts:read"


@pytest.mark.parametrize("scope", ["site:manage", "posts:read nonsense", "x" * 201])
def test_a_program_may_not_ask_for_more(bob: Person, blog: Blog, scope: str) -> None:
    grant = {"username": BOB, "password": PASSWORD, "scope": scope}
    response = program(blog).post("/api/v1/token", grant)
    assert is_problem(response, 422)
    assert blog.rows(RefreshToken) == []


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        ({}, 415),
        ({"username": ALICE}, 422),
        ({"grant_type": "client_credentials", "username": ALICE, "password": PASSWORD}, 422),
        ({"grant_type": "refresh_token"}, 422),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 401),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 10_000}, 401),
        ({"grant_type": "refresh_token", "refresh_token": "\u00e9"}, 401),
        ({"grant_type": "refresh_token", "refresh_token": f"{uuid4().hex}.x.y"}, 401),
        ({"username": ALICE, "password": "wrong"}, 401),
        ({"username": "nobody", "password": PASSWORD}, 401),
    ],
)
def test_what_is_no_grant_gives_nothing(
    alice: Person, blog: Blog, grant: dict[str, str], status: int
) -> None:
    response = program(blog).post("/api/v1/token", grant)
    assert response.status_code == status
    assert "access_token" not in response.json()
    assert blog.rows(RefreshToken) == []


def test_a_new_program_is_told_to_its_owner_once(blog: Blog) -> None:
    bob = Person(blog, BOB)
    bob.register(email="bob@example.org")
    before = len(blog.mails_to("bob@example.org"))
    for _ in range(3):
        log_in(blog, BOB)
    mails = blog.mails_to("bob@example.org")[before:]
    assert [mail.subject for mail in mails] == ["A new login to Inkstand"]


# What makes a token good.


def signed(claims: Claims, key: bytes | str | None = None, **options: Any) -> str:
    ours = hmac.digest(SECRET.encode(), b"inkstand jwt v1", "sha256")
    headers = {"kid": jwts.key_id(ours), **options.pop("headers", {})}
    payload = json.dumps(claims).encode()  # jwt.encode would refuse to write nonsense
    return jwt.PyJWS().encode(payload, ours if key is None else key, headers=headers, **options)


@pytest.fixture
def claims(bob: Person, blog: Blog) -> Claims:
    """Those of a good token of Bob's."""
    token = log_in(blog, BOB)["access_token"]
    found: Claims = jwt.decode(token, options={"verify_signature": False})
    return found


def test_the_claims_are_those_of_the_contract(claims: Claims, blog: Blog) -> None:
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "scopes"}
    assert claims["iss"] == blog.settings.link_base
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert claims["sub"] == str(id_of(blog, BOB))
    assert claims["sid"] == str(blog.rows(RefreshToken)[0].id)


def test_a_token_that_we_sign_here_is_good(claims: Claims, blog: Blog) -> None:
    """Otherwise the refusals below would prove nothing."""
    assert opens(blog, signed(claims))


def later(claims: Claims, name: str, seconds: int) -> Claims:
    return {**claims, name: int(datetime.now().timestamp()) + seconds}  # noqa: DTZ005


SPOILED: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "a list of issuers": lambda claims: {**claims, "iss": [claims["iss"]]},
    "another audience": lambda claims: {**claims, "aud": "another-api"},
    "several audiences": lambda claims: {**claims, "aud": [claims["aud"], "another-api"]},
    "expired": lambda claims: later(claims, "exp", -1),
    "not yet": lambda claims: later(claims, "nbf", 3600),
    "from the future": lambda claims: later(claims, "iat", 3600),
    "an end that is no number": lambda claims: {**claims, "exp": "soon"},
    "nobody": lambda claims: {**claims, "sub": str(uuid4())},
    "a number for a person": lambda claims: {**claims, "sub": 1},
    "a name for a person": lambda claims: {**claims, "sub": ALICE},
    "a login that never was": lambda claims: {**claims, "sid": str(uuid4())},
    "no id of a login": lambda claims: {**claims, "sid": []},
    "scopes in another shape": lambda claims: {**claims, "scopes": ["posts:read"]},
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_claim_that_is_wrong_spoils_the_token(claims: Claims, blog: Blog, spoil: str) -> None:
    assert not opens(blog, signed(SPOILED[spoil](claims)))


@pytest.mark.parametrize("name", jwts.CLAIMS)
def test_no_claim_may_be_missing(claims: Claims, blog: Blog, name: str) -> None:
    assert not opens(blog, signed({**claims, name: None}))
    del claims[name]
    assert not opens(blog, signed(claims))


def test_the_token_of_another_person_is_not_made_of_ones_own(
    claims: Claims, alice: Person, blog: Blog
) -> None:
    assert not opens(blog, signed({**claims, "sub": str(id_of(blog, ALICE))}))


def test_scopes_are_not_made_more_by_saying_so(claims: Claims, blog: Blog) -> None:
    token = signed({**claims, "scopes": "posts:read site:manage posts:edit_any"})
    found = program(blog, token).get("/api/v1/me").json()
    assert found["scopes"] == ["posts:read"]


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_only_our_algorithm_and_our_keys_count(claims: Claims, blog: Blog) -> None:
    ours = hmac.digest(SECRET.encode(), b"inkstand jwt v1", "sha256")
    good = signed(claims)
    head, body, signature = good.split(".")
    forged = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": jwts.key_id(ours)}),
        f"{jwt.encode({}, '', algorithm='none').split('.')[0]}.{body}.{signature}",
        signed(claims, ours, algorithm="HS384"),
        signed(claims, ours, algorithm="HS512"),
        signed(claims, SECRET),
        signed(claims, b"x" * 32),
        signed(claims, headers={"kid": "another"}),
        signed(claims, headers={"kid": "../../dev/null"}),
        jwt.encode(claims, ours),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-2]}",
        f".{body}.{signature}",
        f"{good}.{signature}",
        good * 4,
        jwt.utils.base64url_encode(b"[" * 1200).decode() + f".{body}.{signature}",
        jwt.utils.base64url_encode(b'{"kid": 1, "alg": "HS256"}').decode() + f".{body}.{signature}",
        jwt.utils.base64url_encode(b"[]").decode() + f".{body}.{signature}",
    ]
    for token in forged:
        assert not opens(blog, token), token


def test_an_older_secret_still_opens_and_a_newer_one_signs(bob: Person, blog: Blog) -> None:
    """Both kinds of tokens survive the rotation of a key."""
    issued = log_in(blog, BOB)
    both = [SecretStr(OTHER), SecretStr(SECRET)]
    with blog.beside(secret_key=both) as rotated:
        assert opens(rotated, issued["access_token"])
        newer = refresh(rotated, issued["refresh_token"]).json()
        assert opens(rotated, newer["access_token"])
        assert not opens(blog, newer["access_token"])
        assert refresh(rotated, newer["refresh_token"]).status_code == 200
    with blog.beside(secret_key=both[:1]) as forgetful:
        assert not opens(forgetful, issued["access_token"])


# What ends one.


def test_logging_out_ends_the_access_token_too(bob: Person, blog: Blog) -> None:
    """A revoked one."""
    for method, path in (("DELETE", "/api/v1/token"), ("POST", "/api/v1/auth/logout")):
        issued, other = log_in(blog, BOB), log_in(blog, BOB)
        caller = program(blog, issued["access_token"])
        assert caller.client.request(method, path).status_code == 204
        assert not opens(blog, issued["access_token"])
        assert is_problem(refresh(blog, issued["refresh_token"]), 401, "invalid_grant")
        assert opens(blog, other["access_token"])
        assert blog.rows(AuditEvent)[-1].action == audit.API_LOGOUT


def test_who_is_logged_out_everywhere_is_logged_out_here(bob: Person, blog: Blog) -> None:
    """As a new password does."""
    issued = log_in(blog, BOB)
    bob.post("/settings/sessions/delete")
    assert not opens(blog, issued["access_token"])
    issued = log_in(blog, BOB)
    with blog.database.writing() as db:
        end_all(db, id_of(blog, BOB))
    assert not opens(blog, issued["access_token"])
    assert is_problem(refresh(blog, issued["refresh_token"]), 401, "invalid_grant")


def test_an_account_that_is_gone_has_no_tokens(alice: Person, bob: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB)
    with blog.database.writing() as db:
        db.execute(delete(User).filter_by(username=BOB))
    assert not opens(blog, issued["access_token"])
    assert is_problem(refresh(blog, issued["refresh_token"]), 401, "invalid_grant")


# Refresh tokens.


def test_a_refresh_token_brings_the_next_pair(bob: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB)
    again = refresh(blog, issued["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != issued["refresh_token"]
    assert opens(blog, again.json()["access_token"])
    assert opens(blog, issued["access_token"])  # until its 15 minutes are over
    assert refresh(blog, again.json()["refresh_token"]).status_code == 200
    assert len(blog.rows(RefreshToken)) == 1


def test_a_used_refresh_token_ends_the_login(blog: Blog) -> None:
    bob = Person(blog, BOB)
    bob.register(email="bob@example.org")
    issued, other = log_in(blog, BOB), log_in(blog, BOB)
    newest = refresh(blog, issued["refresh_token"]).json()
    response = refresh(blog, issued["refresh_token"])
    assert is_problem(response, 401, "invalid_grant")
    assert response.json()["error"] == "invalid_grant"
    assert not opens(blog, newest["access_token"])
    assert is_problem(refresh(blog, newest["refresh_token"]), 401, "invalid_grant")
    assert opens(blog, other["access_token"])  # another family
    event = [e for e in blog.rows(AuditEvent) if e.action == audit.REFRESH_REUSED]
    assert [(e.username, e.actor_id) for e in event] == [(BOB, None)]
    assert (
        blog.mails_to("bob@example.org")[-1].subject == "A program has been logged out of Inkstand"
    )


def test_of_several_at_once_at_most_one_wins(bob: Person, blog: Blog) -> None:
    for _ in range(3):
        issued = log_in(blog, BOB)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: refresh(blog, issued["refresh_token"]), range(6)))  # noqa: B023
        won = [answer for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} == {200, 401}
        assert len(won) == 1
        assert not opens(blog, won[0].json()["access_token"])
    assert blog.rows(RefreshToken) == []


def test_nothing_but_our_own_tokens_ends_a_login(bob: Person, blog: Blog) -> None:
    """Whoever knows its id from an old access token cannot log others out."""
    issued = log_in(blog, BOB)
    [row] = blog.rows(RefreshToken)
    head, _, signature = issued["refresh_token"].rpartition(".")
    for token in (f"{row.id.hex}.x.y", f"{head}x.{signature}", f"{head}.{signature}x", head):
        assert is_problem(refresh(blog, token), 401, "invalid_grant")
    assert opens(blog, issued["access_token"])


def test_a_week_of_silence_ends_a_login(bob: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB)
    blog.put(RefreshToken, used_at=now() - timedelta(days=7, seconds=1))
    assert is_problem(refresh(blog, issued["refresh_token"]), 401, "invalid_grant")
    assert not [e for e in blog.rows(AuditEvent) if e.action == audit.REFRESH_REUSED]


def test_a_month_ends_a_login_however_busy(bob: Person, blog: Blog) -> None:
    issued = log_in(blog, BOB)
    [row] = blog.rows(RefreshToken)
    assert abs(row.expires_at - now() - timedelta(days=30)) < timedelta(minutes=1)
    again = refresh(blog, issued["refresh_token"]).json()
    assert blog.rows(RefreshToken)[0].expires_at == row.expires_at
    blog.put(RefreshToken, expires_at=now() - timedelta(seconds=1))
    assert not opens(blog, again["access_token"])
    assert is_problem(refresh(blog, again["refresh_token"]), 401, "invalid_grant")
