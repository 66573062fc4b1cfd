"""Accounts as JSON: signing up, logging in and out, who one is. Numbers are those of the cases."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from auth_service import FAILURES_OF_ACCOUNT
from models import AuditEvent, Passkey, RefreshToken, User, now
from services import audit, proofs
from tests.blog import Blog, Person
from tests.factors import App, recovery_codes, set_up_app
from tests.people import ALICE, BOB, PASSWORD
from tests.programs import is_problem, log_in, new_token, program

JSON = {"Content-Type": "application/json"}
OPEN = ("/api/v1/auth/signup", "/api/v1/auth/login", "/api/v1/token")


def signup(person: Person, **fields: Any) -> Any:
    new = {"username": "dora", "password": PASSWORD, **fields}
    return person.client.post("/api/v1/auth/signup", json=new)


def login(person: Person, username: str = ALICE, password: str = PASSWORD, **fields: Any) -> Any:
    given = {"username": username, "password": password, **fields}
    return person.client.post("/api/v1/auth/login", json=given)


# Who one is.


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/auth/me"])
def test_a_stranger_is_nobody(stranger: Person, path: str) -> None:
    response = stranger.get(path, headers={"Accept": "application/json"})
    assert is_problem(response, 401)
    assert "location" not in response.headers


def test_a_person_is_themselves(alice: Person, bob: Person) -> None:
    found = bob.get("/api/v1/me").json()
    assert found == bob.get("/api/v1/auth/me").json()
    assert (found["username"], found["role"], found["by"]) == (BOB, "author", "session")
    assert found["scopes"] == ["posts:read", "posts:write"]
    assert not any("password" in name or "secret" in name for name in found)


def test_asking_for_the_options_asks_for_no_login(blog: Blog) -> None:
    for _, path in blog.paths():
        if path.startswith("/api/"):
            response = program(blog, "garbage").client.options(path)
            assert response.status_code in (200, 204, 405), path
            assert "www-authenticate" not in response.headers


def test_head_is_get_without_a_body(alice: Person, stranger: Person) -> None:
    for person, status in ((alice, 200), (stranger, 401)):
        response = person.client.head("/api/v1/me")
        assert (response.status_code, response.content) == (status, b"")


def test_an_account_that_is_disabled_has_no_way_in(alice: Person, bob: Person, blog: Blog) -> None:
    token, issued = new_token(bob), log_in(blog, BOB)
    ways = [program(blog, token), program(blog, issued["access_token"]), bob]
    assert [way.get("/api/v1/me").status_code for way in ways] == [200, 200, 200]
    disable(blog, BOB)
    for way in ways:
        assert is_problem(way.get("/api/v1/me"), 401)
        assert way.client.post("/api/v1/posts", json={}).status_code == 401
    assert is_problem(login(program(blog), BOB), 401)


def disable(blog: Blog, username: str) -> None:
    with blog.database.writing() as db:
        user = db.get_one(User, next(u.id for u in blog.rows(User) if u.username == username))
        user.disabled_at = now()


# Signing up.


def test_signing_up_logs_in(stranger: Person, blog: Blog) -> None:
    response = signup(stranger, email="Dora@example.org")
    assert response.status_code == 201
    assert "password" not in response.text
    assert response.json()["role"] == "owner"  # the first one is
    assert stranger.get("/api/v1/me").json() == response.json()
    assert "Log out" in stranger.get("/").text


def test_nobody_makes_themselves_more_than_they_are(alice: Person, blog: Blog) -> None:
    invented = "00000000-0000-4000-8000-000000000000"
    dora = blog.visitor()
    response = signup(
        dora,
        is_admin=True,
        is_superuser=True,
        role="owner",
        id=invented,
        email_verified_at="2001-01-01T00:00:00Z",
        created_at="2001-01-01T00:00:00Z",
    )
    assert response.status_code == 201
    [user] = [user for user in blog.rows(User) if user.username == "dora"]
    assert (user.role, user.email_verified_at) == (blog.settings.new_user_role, None)
    assert str(user.id) != invented
    assert user.created_at.year > 2001
    for field in ("role=owner", "username=eve"):  # what stands in the address counts for nothing
        again = blog.visitor().client.post(
            f"/api/v1/auth/signup?{field}", json={"username": "finn", "password": PASSWORD}
        )
        assert again.status_code in (201, 409)
    assert {user.username for user in blog.rows(User)} == {ALICE, "dora", "finn"}
    assert [user.role for user in blog.rows(User)].count("owner") == 1


def test_a_field_that_is_sent_twice_is_refused(stranger: Person, blog: Blog) -> None:
    body = f'{{"username": "dora", "username": "eve", "password": "{PASSWORD}"}}'
    response = stranger.client.post("/api/v1/auth/signup", content=body, headers=JSON)
    assert is_problem(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#/username"
    assert blog.rows(User) == []


def test_a_name_is_given_once(alice: Person, blog: Blog) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = ("dora", "DORA", "Dora", "dOra")
        people = [blog.visitor() for _ in names]
        answers = list(
            pool.map(
                lambda each: signup(each[0], username=each[1]), zip(people, names, strict=True)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"username": "admin"}, "#/username"),
        ({"username": "a\0b"}, "#/username"),
        ({"username": "\ud800"}, "#/username"),
        ({"password": "short"}, "#/password"),
        ({"password": ""}, "#/password"),
        ({"email": "nowhere"}, "#/email"),
        ({"email": []}, "#/email"),
    ],
)
def test_what_is_wrong_is_named(
    stranger: Person, blog: Blog, fields: dict[str, Any], pointer: str
) -> None:
    body = json.dumps({"username": "dora", "password": PASSWORD, **fields})
    response = stranger.client.post("/api/v1/auth/signup", content=body, headers=JSON)
    assert is_problem(response, 422)
    assert [each["pointer"] for each in response.json()["errors"]] == [pointer]
    assert blog.rows(User) == []


@pytest.mark.parametrize("registration", ["closed", "invite"])
def test_a_blog_that_is_not_open_takes_nobody(blog: Blog, registration: str) -> None:
    with blog.beside(registration=registration) as closed:
        assert is_problem(signup(closed.visitor()), 403)
    assert blog.rows(User) == []


# Logging in and out.


def test_logging_in_gives_a_session_and_logging_out_takes_it(alice: Person, blog: Blog) -> None:
    browser = blog.visitor()
    response = login(browser)
    assert (response.status_code, response.json()["username"]) == (200, ALICE)
    thief = browser.copy()
    gone = browser.client.post("/api/v1/auth/logout")
    assert (gone.status_code, gone.content) == (204, b"")
    assert [each.get("/api/v1/me").status_code for each in (browser, thief)] == [401, 401]
    assert browser.client.post("/api/v1/auth/logout").status_code == 204


@pytest.mark.parametrize(("remember", "age"), [(False, None), (True, 30 * 86_400), (7, 7 * 86_400)])
def test_a_login_may_last(alice: Person, blog: Blog, remember: Any, age: int | None) -> None:
    cookies = login(blog.visitor(), remember=remember).headers.get_list("set-cookie")
    remembered = [cookie for cookie in cookies if cookie.startswith("inkstand_remember=")]
    assert [f"Max-Age={age};" in cookie for cookie in remembered] == [True] * (age is not None)


@pytest.mark.parametrize("remember", [0, -1, 91, "on", 1.5, None, []])
def test_a_login_lasts_for_no_nonsense(alice: Person, blog: Blog, remember: Any) -> None:
    assert is_problem(login(blog.visitor(), remember=remember), 422)


def test_a_wrong_password_and_an_unknown_name_are_the_same(alice: Person, blog: Blog) -> None:
    wrong = login(blog.visitor(), password="not the password")
    unknown = login(blog.visitor(), "nobody", "not the password")
    assert is_problem(wrong, 401)
    assert wrong.content == unknown.content
    [event] = [e for e in blog.rows(AuditEvent) if e.action == audit.LOGIN_FAILED and e.user_id]
    assert event.username == ALICE


def test_guessing_by_the_api_counts_like_guessing_by_the_page(alice: Person, blog: Blog) -> None:
    guesser = blog.visitor()
    for path in ("/auth/login", "/api/v1/auth/login", "/api/v1/token"):
        for _ in range(FAILURES_OF_ACCOUNT.most // 3):
            fields = {"username": ALICE, "password": "a wrong guess"}
            kind: dict[str, Any] = {"json" if path == OPEN[1] else "data": fields}
            assert guesser.client.post(path, **kind).status_code == 401
    while login(guesser, password="a wrong guess").status_code == 401:
        pass
    for response in (
        login(guesser),
        guesser.post("/api/v1/token", {"username": ALICE, "password": PASSWORD}),
    ):
        assert is_problem(response, 429)
        assert int(response.headers["retry-after"]) > 0


# Where a password is not enough.


@pytest.fixture
def app(bob: Person) -> App:
    """Bob's; from now on a password is not enough for him."""
    return set_up_app(bob)


def grant(person: Person, username: str = BOB, **fields: str) -> Any:
    return person.post("/api/v1/token", {"username": username, "password": PASSWORD, **fields})


def test_a_password_alone_opens_no_account_that_asks_for_more(app: App, blog: Blog) -> None:
    """At each door."""
    browser = blog.visitor()
    for response in (login(browser, BOB), grant(browser), login(browser, BOB, code="")):
        assert is_problem(response, 401, "second_factor_required")
        assert "set-cookie" not in response.headers
    assert is_problem(browser.get("/api/v1/me"), 401)
    assert blog.rows(RefreshToken) == []
    assert blog.rows(AuditEvent)[-1].action == audit.SECOND_STEP_ASKED


def test_a_passkey_asks_for_more_too(alice: Person, blog: Blog) -> None:
    [user] = blog.rows(User)
    with blog.database.writing() as db:
        db.add(Passkey(user_id=user.id, credential_id=b"1", public_key=b"2", name="A key"))
    for response in (login(blog.visitor()), grant(blog.visitor(), ALICE)):
        assert is_problem(response, 401, "second_factor_required")


def test_a_code_completes_the_login(app: App, blog: Blog) -> None:
    browser = blog.visitor()
    assert login(browser, BOB, code=app.next_code()).status_code == 200
    assert browser.get("/api/v1/me").json()["username"] == BOB
    issued = grant(blog.visitor(), code=app.next_code())
    assert issued.status_code == 200
    found = program(blog, issued.json()["access_token"]).get("/api/v1/me")
    assert found.json()["username"] == BOB
    by = {e.action: e.details.get("by") for e in blog.rows(AuditEvent)}
    assert (by[audit.LOGGED_IN], by[audit.API_LOGIN]) == ("password and code",) * 2


def test_a_recovery_code_does_once(app: App, bob: Person, blog: Blog) -> None:
    code, other, *_ = recovery_codes(bob)
    assert login(blog.visitor(), BOB, code=code).status_code == 200
    assert is_problem(login(blog.visitor(), BOB, code=code), 401)
    assert is_problem(grant(blog.visitor(), code=code), 401)
    assert grant(blog.visitor(), code=other).status_code == 200
    actions = [event.action for event in blog.rows(AuditEvent)]
    assert actions.count(audit.RECOVERY_CODE_USED) == 2


def test_a_code_does_once(app: App, blog: Blog) -> None:
    code = app.next_code()
    assert login(blog.visitor(), BOB, code=code).status_code == 200
    for response in (login(blog.visitor(), BOB, code=code), grant(blog.visitor(), code=code)):
        assert is_problem(response, 401)


def test_guessing_codes_ends_soon_at_whichever_door(app: App, blog: Blog) -> None:
    guesser = blog.visitor()
    for number in range(proofs.FAILURES_OF_ACCOUNT.most):
        tried = login(guesser, BOB, code="000000") if number % 2 else grant(guesser, code="000000")
        assert is_problem(tried, 401)
    for response in (login(guesser, BOB, code=app.next_code()), grant(guesser, code=app.code())):
        assert is_problem(response, 429)


def test_a_code_without_the_password_is_worth_nothing(app: App, blog: Blog) -> None:
    given = {"username": BOB, "password": "not the password", "code": app.next_code()}
    response = blog.visitor().client.post("/api/v1/auth/login", json=given)
    assert is_problem(response, 401)
    assert response.json()["errors"][0]["pointer"] == "#/password"
    assert login(blog.visitor(), BOB, code=given["code"]).status_code == 200  # it was not used up


def test_a_password_that_is_hashed_anew_does_not_hinder_the_second_step(
    app: App, blog: Blog
) -> None:
    before = next(user.password_hash for user in blog.rows(User) if user.username == BOB)
    with blog.beside(bcrypt_cost=5) as costlier:
        assert login(costlier.visitor(), BOB, code=app.next_code()).status_code == 200
        assert grant(costlier.visitor(), code=app.next_code()).status_code == 200
    after = next(user.password_hash for user in blog.rows(User) if user.username == BOB)
    assert after != before
    assert "$05$" in after


def test_a_blog_that_wants_an_address_waits_for_it(alice: Person, blog: Blog) -> None:
    """For programs."""
    with blog.beside(require_verified_email=True) as strict:
        browser = strict.visitor()
        assert is_problem(signup(browser), 422)
        assert signup(browser, email="dora@example.org").status_code == 201
        assert is_problem(browser.get("/api/v1/me"), 401)
        for response in (login(browser, "dora"), grant(browser, "dora")):
            assert is_problem(response, 403, "unverified_email")
        blog.put(User, email_verified_at=now())
        assert login(browser, "dora").status_code == 200
        assert grant(strict.visitor(), "dora").status_code == 200


# Bodies that are none.


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"[1, 2]",
        b'"text"',
        b"1",
        b"null",
        b"",
        b"{",
        b"\xff\xfe",
        b'{"username": NaN',
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
def test_a_body_that_is_no_object_is_refused(stranger: Person, path: str, body: bytes) -> None:
    response = stranger.client.post(path, content=body, headers=JSON)
    assert is_problem(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("value", [[], {}, 1, 1.5, True, None, ["alice"], {"$ne": ""}])
def test_a_field_of_another_type_is_refused(stranger: Person, path: str, value: Any) -> None:
    for field in ("username", "password", "code"):
        if field == "code" and path.endswith("signup"):
            continue
        given = {"username": ALICE, "password": PASSWORD, field: value}
        response = stranger.client.post(path, json=given)
        assert is_problem(response, 422)
        assert [each["pointer"] for each in response.json()["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""],
)
@pytest.mark.parametrize("path", ["/api/v1/auth/signup", "/api/v1/auth/login"])
def test_what_is_not_said_to_be_json_is_not_read(
    alice: Person, blog: Blog, path: str, kind: str
) -> None:
    """A form of another site can send text/plain without being asked."""
    body = json.dumps({"username": ALICE, "password": PASSWORD})
    headers = {"Content-Type": kind} if kind else {}
    response = blog.visitor().client.post(path, content=body.encode(), headers=headers)
    assert is_problem(response, 415)
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_another_site_is_told_nothing_and_lets_nobody_in(
    alice: Person, blog: Blog, origin: str
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for path in ("/api/v1/me", "/api/v1/posts", "/openapi.json", *OPEN):
        for response in (
            alice.get(path, headers={"Origin": origin}),
            alice.client.options(path, headers=asked),
        ):
            assert not [name for name in response.headers if name.startswith("access-control-")]
    victim = blog.visitor()
    given = {"username": ALICE, "password": PASSWORD}
    for path in OPEN:
        response = victim.client.post(path, json=given, headers={"Origin": origin})
        assert is_problem(response, 403)
        assert "set-cookie" not in response.headers


def test_errors_of_the_api_are_problems(stranger: Person) -> None:
    assert is_problem(stranger.get("/api/v1/nothing"), 404)
    assert is_problem(stranger.client.put("/api/v1/me"), 405)
    response = stranger.get("/api/v1/posts?state=nonsense")
    assert is_problem(response, 422)
    assert response.json()["errors"][0]["parameter"] == "state"
