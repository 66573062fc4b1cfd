"""Accounts without HTTP: names, passwords, scopes, ownership, and the work that a login costs."""

import statistics
import sys
import time
import unicodedata
from typing import Any

import anyio
import pytest
from fastapi import Depends

import auth_service
from auth_dependencies import requires
from auth_service import FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS
from backends.limits import Limits, MemoryLimits
from errors import Conflict, Forbidden, Invalid, TooOften, WrongPassword
from models import Site, User
from services import passwords, usernames
from services.credentials import Credentials, Registration
from services.logins import Client
from services.permissions import EDIT_ANY, MANAGE_SITE, MODERATE, WRITE
from settings import Role
from tests.blog import Blog, blog_settings
from tests.people import ALICE, BOB, PASSWORD
from web.sessions import Session

WRONG = "not the password"
QUICK = 4  # bcrypt's cost
NOWHERE = "10.0.0.1"


def register(blog: Blog, username: str, password: str = PASSWORD, **fields: str) -> User:
    with blog.database.writing() as db:
        new = Registration(username=username, password=password, **fields)
        return auth_service.register(db, new, blog.settings, Client())


def validate(
    blog: Blog,
    username: str,
    password: str,
    limits: Limits,
    cost: int = QUICK,
    address: str = NOWHERE,
) -> User:
    settings = blog.settings.model_copy(update={"bcrypt_cost": cost})
    with blog.database.writing() as db:
        given = Credentials(username=username, password=password)
        return auth_service.validate_user(
            db, given, settings, limits, Client(network=address), Session()
        )


# Names.


def test_a_name_has_one_form() -> None:
    for code in range(0x20000):
        typed = f" Al{chr(code)}ce "
        name = usernames.canonical(typed)
        assert usernames.canonical(name) == name
        if usernames.problem(name) is None:
            assert name.isascii()
            assert name == name.lower().strip()


def test_every_way_to_write_a_letter_is_the_letter() -> None:
    """Whatever Unicode calls a compatible form of a plain letter conflicts with it."""
    forms = [
        chr(code)
        for code in range(sys.maxunicode)
        if (plain := unicodedata.normalize("NFKD", chr(code))).isascii() and plain.isalnum()
    ]
    assert len(forms) > 1000
    for form in forms:
        plain = unicodedata.normalize("NFKD", form).lower()
        assert usernames.canonical(form) == plain


@pytest.mark.parametrize("length", [usernames.SHORTEST, usernames.LONGEST])
def test_a_name_may_be_as_short_and_as_long_as_this(length: int) -> None:
    assert usernames.problem("x" * length) is None


@pytest.mark.parametrize("length", [0, usernames.SHORTEST - 1, usernames.LONGEST + 1])
def test_a_name_may_not_be_shorter_or_longer(length: int) -> None:
    assert usernames.problem("x" * length) is not None


# Passwords.


def test_a_password_fits_its_hash_and_no_other_does() -> None:
    stored = passwords.hash_password(PASSWORD, QUICK)
    assert passwords.verify(PASSWORD, stored, QUICK)
    assert not passwords.verify(PASSWORD + " ", stored, QUICK)
    assert not passwords.verify("", stored, QUICK)
    assert passwords.hash_password(PASSWORD, QUICK) != stored


def test_bcrypt_gets_all_of_a_password_in_less_than_it_can_take() -> None:
    digests = {passwords.digest("x" * length) for length in range(200)}
    assert len(digests) == 200
    assert all(len(digest) <= 72 and b"\0" not in digest for digest in digests)


@pytest.mark.parametrize("stored", [None, "", "v1:", "v1:$2b$04$short", "v2:$2b$04$" + "a" * 53])
def test_what_is_no_hash_of_ours_fits_nothing(stored: str | None) -> None:
    for password in (PASSWORD, "", "nobody"):
        assert not passwords.verify(password, stored, QUICK)


def test_a_hash_is_renewed_when_the_work_changes() -> None:
    stored = passwords.hash_password(PASSWORD, QUICK)
    assert not passwords.needs_rehash(stored, QUICK)
    assert passwords.needs_rehash(stored, QUICK + 1)
    assert passwords.needs_rehash(stored.replace("v1:", "v0:"), QUICK)


@pytest.mark.parametrize("password", ["sixteen!", "1Ü3ß5€7\U0001f642", "x" * 4093 + "yz!"])
def test_a_password_of_eight_characters_to_4096_bytes_will_do(password: str) -> None:
    assert passwords.problem(password) is None


@pytest.mark.parametrize(
    "password", ["seven!!", "1Ü3ß5€\U0001f642", "x" * 4094 + "yz!", "€" * 1366]
)
def test_a_shorter_or_longer_one_will_not(password: str) -> None:
    assert passwords.problem(password) is not None


def test_no_password_that_many_use_will_do() -> None:
    assert len(passwords.common()) > 3000
    for password in passwords.common():
        for spelling in (password, password.upper(), password.title(), f" {password} "):
            assert passwords.problem(spelling) is not None, spelling


# Accounts.


def test_a_blog_is_owned_by_the_first_account_that_is_kept(blog: Blog) -> None:
    with pytest.raises(RuntimeError):
        register_and_fail(blog)
    assert blog.rows(User) == []
    bob = register(blog, BOB)
    assert bob.is_owner
    assert [site.owner_id for site in blog.rows(Site)] == [bob.id]


def register_and_fail(blog: Blog) -> None:
    with blog.database.writing() as db:
        new = Registration(username=ALICE, password=PASSWORD)
        assert auth_service.register(db, new, blog.settings, Client()).is_owner
        raise RuntimeError("before it is kept")


def test_a_name_is_taken_in_every_spelling(blog: Blog) -> None:
    register(blog, "Alice")
    with pytest.raises(Conflict) as refused:
        register(blog, "ａLICE")
    assert list(refused.value.fields) == ["username"]


@pytest.mark.parametrize("registration", ["closed", "invite"])
def test_a_closed_blog_registers_nobody(blog: Blog, registration: str) -> None:
    closed = blog.settings.model_copy(update={"registration": registration})
    new = Registration(username=ALICE, password=PASSWORD)
    with pytest.raises(Forbidden), blog.database.writing() as db:
        auth_service.register(db, new, closed, Client())
    assert blog.rows(User) == []


def test_the_name_of_the_blog_is_no_password(blog: Blog) -> None:
    named = blog_settings(site_name="Letters from the Quay")
    for password in ("letters from the quay", "Letters From The Quay", "yauq eht morf srettel"):
        new = Registration(username=ALICE, password=password)
        with pytest.raises(Invalid), blog.database.writing() as db:
            auth_service.register(db, new, named, Client())


# Logging in.


def test_a_login_finds_the_person_by_name_and_by_address(blog: Blog) -> None:
    alice = register(blog, ALICE, email="alice@example.org")
    for typed in (ALICE, " ALICE ", "alice@example.org", "Alice@Example.ORG"):
        assert validate(blog, typed, PASSWORD, MemoryLimits()).id == alice.id


def test_tries_are_counted_for_the_account_and_for_the_address(blog: Blog) -> None:
    register(blog, ALICE)
    limits = MemoryLimits()
    for number in range(FAILURES_OF_ACCOUNT.most):
        with pytest.raises(WrongPassword):
            validate(blog, ALICE, WRONG, limits, address=str(number))
    with pytest.raises(TooOften) as refused:
        validate(blog, ALICE, PASSWORD, limits, address="another")
    assert 290 < refused.value.seconds <= 300
    assert validate(blog, register(blog, BOB).username, PASSWORD, limits, address="another")
    for number in range(FAILURES_OF_ADDRESS.most):
        with pytest.raises(WrongPassword):
            validate(blog, f"nobody-{number}", WRONG, limits)
    with pytest.raises(TooOften):
        validate(blog, BOB, PASSWORD, limits)


def test_a_try_over_the_limit_costs_no_hashing(blog: Blog) -> None:
    register(blog, ALICE)
    limits = MemoryLimits()
    for _ in range(FAILURES_OF_ACCOUNT.most):
        limits.take(FAILURES_OF_ACCOUNT, ALICE)
    started_at = time.monotonic()
    for _ in range(20):
        with pytest.raises(TooOften):
            validate(blog, ALICE, PASSWORD, limits, cost=14)  # a second each
    assert time.monotonic() - started_at < 5


def test_an_unknown_name_costs_the_same_work(blog: Blog) -> None:
    cost = 8
    settings = blog.settings.model_copy(update={"bcrypt_cost": cost})
    with blog.database.writing() as db:
        new = Registration(username=ALICE, password=PASSWORD)
        auth_service.register(db, new, settings, Client())
    waits: dict[str, list[float]] = {ALICE: [], "nobody-here": []}
    for _ in range(9):
        for name, times in waits.items():
            started_at = time.perf_counter()
            with pytest.raises(WrongPassword):
                validate(blog, name, WRONG, MemoryLimits(), cost)
            times.append(time.perf_counter() - started_at)
    known, unknown = map(statistics.median, waits.values())
    assert 0.5 < unknown / known < 2


# Scopes.


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.reader, set()),
        (Role.author, {WRITE}),
        (Role.editor, {WRITE, EDIT_ANY, MODERATE}),
        (Role.owner, {WRITE, EDIT_ANY, MODERATE, MANAGE_SITE}),
        ("superuser", set()),
        ("", set()),
    ],
)
def test_a_role_opens_what_it_should(role: str, may: set[str]) -> None:
    user = User(username="x", display_name="x", password_hash="", role=role)
    for scope in (WRITE, EDIT_ANY, MODERATE, MANAGE_SITE):
        assert is_let_in(user, scope) is (scope in may)


def test_of_several_scopes_all_are_needed() -> None:
    author = User(username="x", display_name="x", password_hash="", role=Role.author)
    editor = User(username="x", display_name="x", password_hash="", role=Role.editor)
    assert not is_let_in(author, WRITE, EDIT_ANY)
    assert is_let_in(editor, WRITE, EDIT_ANY)


@pytest.mark.parametrize(
    ("options", "status", "location"),
    [
        ({}, 403, None),
        ({"status_code": 404}, 404, None),
        ({"redirect": "users.new"}, 303, "/users/register?next=%2Fx%2Fguarded%3Fa%3Db"),
        ({"redirect": "/about"}, 303, "/about?next=%2Fx%2Fguarded%3Fa%3Db"),
    ],
)
def test_a_route_chooses_what_becomes_of_whoever_lacks_a_scope(
    blog: Blog, options: dict[str, Any], status: int, location: str | None
) -> None:
    beside = blog.beside()
    check = Depends(requires(WRITE, EDIT_ANY, **options))
    beside.app.get("/x/guarded", dependencies=[check])(lambda: "let in")
    with beside:
        alice = beside.person(ALICE)
        bob = beside.person(BOB)  # one of two scopes
        assert alice.get("/x/guarded").status_code == 200
        refused = bob.get("/x/guarded?a=b")
        assert (refused.status_code, refused.headers.get("location")) == (status, location)
        stranger = beside.visitor().get("/x/guarded?a=b")
        assert stranger.headers["location"] == "/auth/login?next=%2Fx%2Fguarded%3Fa%3Db"


def is_let_in(user: User, *scopes: str) -> bool:
    try:
        return anyio.run(requires(*scopes), user) is user
    except Forbidden:
        return False
