"""Becoming somebody here: names, passwords, roles, and many who try at once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import update

import auth_service
from models import RetiredName, Site, User, now
from services import passwords, usernames
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def crowded(running_blog: Blog) -> Iterator[Blog]:
    """The same blog behind a proxy, where people come from many addresses."""
    with running_blog.beside(trusted_proxies=1) as found:
        yield found


def register(blog: Blog, username: str, password: str = PASSWORD, **fields: str) -> httpx2.Response:
    """One registration, in a browser of its own."""
    return Person(blog, username).register(password, **fields)


def can_log_in(blog: Blog, username: str, password: str) -> bool:
    response = Person(blog, username).log_in(password)
    assert response.status_code in (303, 401)
    return response.status_code == 303


def users(blog: Blog) -> list[str]:
    return sorted(user.username for user in blog.rows(User))


def user_named(blog: Blog, username: str) -> User:
    found: User = next(user for user in blog.rows(User) if user.username == username)
    return found


# The first, and all who come after.


def test_the_first_account_owns_the_blog(blog: Blog) -> None:
    person = Person(blog, ALICE)
    assert person.get("/users/register").status_code == 200
    response = person.register()
    assert response.status_code == 303
    assert response.headers["location"] == "/"
    assert "This blog is yours now." in person.get("/").text
    assert person.is_logged_in()
    assert user_named(blog, ALICE).is_owner
    assert [site.owner_id for site in blog.rows(Site)] == [user_named(blog, ALICE).id]


def test_everybody_after_that_writes(alice: Person, blog: Blog) -> None:
    bob = Person(blog, BOB)
    bob.register()
    assert "Welcome, bob." in bob.get("/").text
    assert user_named(blog, BOB).role == "author"
    assert len(blog.rows(Site)) == 1


@pytest.mark.parametrize("role", ["reader", "author", "editor"])
def test_the_owner_says_what_new_people_may_do(blog: Blog, role: str) -> None:
    with blog.beside(new_user_role=role) as other:
        register(other, ALICE)
        register(other, BOB)
    assert user_named(blog, ALICE).role == "owner"
    assert user_named(blog, BOB).role == role


def test_an_owner_who_loses_the_role_is_not_replaced_by_the_next_newcomer(
    alice: Person, blog: Blog
) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).values(role="reader"))
    register(blog, BOB)
    assert user_named(blog, BOB).role == "author"


@pytest.mark.parametrize("registration", ["closed", "invite"])
def test_a_closed_blog_takes_nobody(alice: Person, blog: Blog, registration: str) -> None:
    with blog.beside(registration=registration) as closed:
        person = Person(closed, BOB)
        for response in (person.get("/users/register"), person.register()):
            assert response.status_code == 403
            assert "new accounts" in response.text.lower()
            assert PASSWORD not in response.text
        assert "/users/register" not in person.get("/").text
        assert "/users/register" not in person.get("/auth/login").text
        assert Person(closed, ALICE).log_in().status_code == 303
    assert users(blog) == [ALICE]


def test_whoever_is_logged_in_needs_no_form(alice: Person) -> None:
    response = alice.get("/users/register?next=/drafts")
    assert response.status_code == 303
    assert response.headers["location"] == "/drafts"


# Many at once.


def patiently(crowded: Blog, number: int, username: str) -> int:
    """The status in the end: whoever is told to try again in a moment does so."""
    headers = {"X-Forwarded-For": f"10.0.0.{number}"}
    form = {"username": username, "password": PASSWORD}
    with httpx2.Client(base_url=crowded.url, trust_env=False, verify=False, timeout=30) as client:
        deadline = time.monotonic() + 20
        while True:
            response = client.post("/users/register", data=form, headers=headers)
            if response.status_code != 503:
                return response.status_code
            assert response.headers["retry-after"]
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_of_fifty_who_want_one_name_one_gets_it(blog: Blog, crowded: Blog) -> None:
    spellings = ["alice", "Alice", "ALICE", " alice ", "ａｌｉｃｅ"]
    statuses = at_once(50, lambda number: patiently(crowded, number, spellings[number % 5]))
    assert statuses.count(303) == 1
    assert statuses.count(409) == 49
    assert users(blog) == [ALICE]


def test_of_twenty_who_are_the_first_one_owns_the_blog(blog: Blog, crowded: Blog) -> None:
    statuses = at_once(20, lambda number: patiently(crowded, number, f"writer-{number}"))
    assert statuses == [303] * 20
    assert [user.role for user in blog.rows(User)].count("owner") == 1
    [site] = blog.rows(Site)
    assert next(user for user in blog.rows(User) if user.is_owner).id == site.owner_id


def test_one_address_makes_so_many_accounts_an_hour(
    blog: Blog, crowded: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = replace(auth_service.REGISTRATIONS_OF_ADDRESS, most=3)
    monkeypatch.setattr(auth_service, "REGISTRATIONS_OF_ADDRESS", three)
    for _ in range(5):
        assert register(blog, "!").status_code == 422  # a slip makes no account
    statuses = [register(blog, f"writer-{number}").status_code for number in range(4)]
    assert statuses == [303] * 3 + [429]
    response = register(blog, "writer-5")
    assert 3000 < int(response.headers["retry-after"]) <= 3600
    assert len(blog.rows(User)) == 3
    assert patiently(crowded, 1, "somebody-elsewhere") == 303


def test_thirty_accounts_from_one_address_are_too_many(alice: Person, blog: Blog) -> None:
    """At twenty an hour it ends, whatever is behind that address."""
    statuses = [register(blog, f"writer-{number}").status_code for number in range(30)]
    assert statuses == [303] * 19 + [429] * 11  # Alice was the first
    assert len(blog.rows(User)) == 20


def test_a_field_that_people_do_not_see_catches_programs(alice: Person, blog: Blog) -> None:
    """It looks as if it had gone well."""
    page = blog.visitor().get("/users/register").text
    trap = page.split('class="nowhere"')[1].split("</div>")[0]
    for part in ('aria-hidden="true"', 'name="homepage"', 'tabindex="-1"', 'autocomplete="off"'):
        assert part in trap
    program = Person(blog, BOB)
    filled = program.register(homepage="https://spam.example", email="b@example.org")
    assert (filled.status_code, filled.headers["location"]) == (303, "/")
    assert program.register(homepage="x", username="!").status_code == 303
    assert not program.is_logged_in()
    assert users(blog) == [ALICE]
    assert blog.mails_to("b@example.org") == []
    assert program.register(homepage="").status_code == 303
    assert users(blog) == [ALICE, BOB]


# Names.


TWINS = [
    "  alice\t",
    "\u3000alice",
    *"alice Alice ALICE ａｌｉｃｅ ＡＬＩＣＥ ⓐⓛⓘⓒⓔ 𝐚𝐥𝐢𝐜𝐞 ₐlice alⅰce".split(),
]


def test_a_name_that_only_looks_different_is_taken(alice: Person, blog: Blog) -> None:
    for twin in TWINS:
        response = register(blog, twin)
        assert response.status_code == 409, ascii(twin)
        assert "That name is taken." in response.text
        assert PASSWORD not in response.text
    assert users(blog) == [ALICE]


OTHER_SHAPES = [
    "",
    " ",
    "a",
    "x" * 41,
    "аlice",  # Cyrillic
    "αlice",  # Greek
    "alıce",
    "ali\u200dce",
    "ali\u200bce",
    "ali\u00adce",
    "\u202eecila",
    "alice\u0301",
    "alice\ufe0f",
    "alice.",
    "alice@example.org",
    "-alice",
    "alice-",
    "al--ice",
    "al_-ice",
    "al ice",
    "al\u00a0ice",
    "../alice",
    "alice/edit",
    "alice%2e",
    "al\nice",
    "al\0ice",
    "\0",
    "<b>alice</b>",
    "\U0001f642",
]


def test_a_name_that_is_given_up_at_that_moment_is_taken(
    alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes its time, and its former owner may have left meanwhile."""
    hash_password = passwords.hash_password

    def meanwhile(*arguments: Any) -> str:
        with blog.database.writing() as db:
            db.add(RetiredName(username=BOB, until=now() + timedelta(days=1)))
        return hash_password(*arguments)

    monkeypatch.setattr(passwords, "hash_password", meanwhile)
    assert Person(blog, BOB).register().status_code == 409
    assert [user.username for user in blog.rows(User)] == [ALICE]


def test_a_name_of_another_shape_is_refused(alice: Person, blog: Blog) -> None:
    for name in OTHER_SHAPES:
        response = register(blog, name, next="/drafts", email="new@example.org")
        assert response.status_code == 422, ascii(name)
        assert 'aria-invalid="true"' in response.text
        assert PASSWORD not in response.text
        assert 'value="new@example.org"' in response.text
        assert 'value="/drafts"' in response.text
    assert users(blog) == [ALICE]


def test_a_name_may_have_these_shapes(blog: Blog) -> None:
    names = ["al", "42", "a-b_c-d", "x" * 40, "Margarethe", "r2-d2"]
    assert [register(blog, name).status_code for name in names] == [303] * len(names)
    assert users(blog) == sorted(name.lower() for name in names)
    assert user_named(blog, "margarethe").display_name == "Margarethe"


def test_no_name_stands_where_an_address_of_ours_begins(alice: Person, blog: Blog) -> None:
    paths = {path.strip("/") for _, path in blog.routes()}
    first = {path.partition("/")[0] for path in paths} | {"static"}
    below_users = {path.split("/")[1] for path in paths if path.startswith("users/")}
    segments = {name for name in first | below_users if name and "{" not in name}
    assert {"posts", "auth", "users", "register", "static", "healthz"} <= segments
    for segment in segments:
        response = register(blog, segment.title())
        assert response.status_code == 422, segment
    assert users(blog) == [ALICE]


def test_a_name_that_speaks_for_the_house_is_reserved(alice: Person, blog: Blog) -> None:
    for name in "admin Admin ＡＤＭＩＮ root new api me owner security inkstand".split():
        response = register(blog, name)
        assert response.status_code == 422, name
        assert "That name is reserved." in response.text


def test_every_reserved_name_could_be_taken_otherwise() -> None:
    """A word that no shape allows would be a mistake in the list."""
    assert all(usernames.SHAPE.fullmatch(name) for name in usernames.RESERVED)


# Passwords.


SHORT = [
    "1234567",
    "correct",
    "       ",
    "éàüöñçß",
    "\U0001f642\U0001f680\U0001f33b\U0001f58b",
    "ﬁﬂﬃ",
]


def test_a_short_password_is_refused(blog: Blog) -> None:
    for password in SHORT:
        response = register(blog, ALICE, password)
        assert response.status_code == 422, ascii(password)
        assert "At least 8 characters" in response.text
        assert 'value="alice"' in response.text
        assert password.strip() not in response.text or not password.strip()
    assert "Please fill this in." in register(blog, ALICE, "").text
    assert blog.rows(User) == []


UNUSUAL = [
    "\U0001f642\U0001f680\U0001f33b" * 4,
    "\U0001f642\U0001f680\U0001f33b\U0001f58b" * 2,
    "żółw i jeż",
    "käse-brötchen",
    " spaces around ",
    "tab\tand\nline",
    "nul\0in between",
    "' OR 1=1 --",
    "é" * 2046 + "ab!",
    "x" * 4093 + "yz!",
]


def test_any_other_password_will_do_and_logs_in(blog: Blog) -> None:
    for number, password in enumerate(UNUSUAL):
        name = f"writer-{number}"
        assert register(blog, name, password).status_code == 303, ascii(password[:20])
        assert can_log_in(blog, name, password)
        if number < 5:  # the tenth wrong one would be the last
            assert not can_log_in(blog, name, password[:-1])


@pytest.mark.parametrize("size", [4097, 1024 * 1024])
@pytest.mark.parametrize("address", ["/users/register", "/auth/login"])
def test_a_password_over_4096_bytes_is_refused_before_any_work(
    blog: Blog, address: str, size: int
) -> None:
    started_at = time.monotonic()
    response = Person(blog).post(address, {"username": ALICE, "password": "ab!" + "x" * (size - 3)})
    assert response.status_code == 422
    assert "At most 4096 bytes" in response.text
    assert len(response.text) < 10_000
    assert time.monotonic() - started_at < 1
    assert blog.rows(User) == []


def test_the_size_of_a_password_is_counted_in_bytes(blog: Blog) -> None:
    assert register(blog, ALICE, "é" * 2049).status_code == 422
    assert register(blog, ALICE, "é" * 2046 + "ab!").status_code == 303


def test_a_password_that_many_use_is_refused(blog: Blog) -> None:
    common = (
        "password Password1 password1234 PASSWORD1234 qwertyuiop iloveyou 12345678 ｐａｓｓｗｏｒｄ"
    )
    for password in [*common.split(), "aaaaaaaaaaaa", "abababababab", " password1234 "]:
        response = register(blog, ALICE, password)
        assert response.status_code == 422, password
        assert "guessed first" in response.text
    assert blog.rows(User) == []


def test_a_password_that_the_account_gives_away_is_refused(blog: Blog) -> None:
    for password in (
        "margarethe",
        "Margarethe",
        "ehteragram",
        "margarethemargarethe",
        "inkstand",
        "INKSTAND",
        "m@example.org",
        "M@Example.org",
    ):
        response = register(blog, "Margarethe", password, email="m@example.org")
        assert response.status_code == 422, password
        assert "too easy to guess" in response.text
    assert blog.rows(User) == []


def test_every_byte_of_a_long_password_counts(blog: Blog) -> None:
    """bcrypt alone would stop at the 72nd."""
    password = "a long password, " * 8
    register(blog, ALICE, password)
    for place in (71, 72, 73, 100, len(password) - 1):
        changed = password[:place] + "#" + password[place + 1 :]
        assert not can_log_in(blog, ALICE, changed)
    assert not can_log_in(blog, ALICE, password[:72])
    assert not can_log_in(blog, ALICE, password + " ")
    assert can_log_in(blog, ALICE, password)


def test_what_follows_a_nul_counts(blog: Blog) -> None:
    register(blog, ALICE, "before\0after it")
    assert not can_log_in(blog, ALICE, "before\0after it!")
    assert not can_log_in(blog, ALICE, "before")
    assert not can_log_in(blog, ALICE, "before\0")
    assert can_log_in(blog, ALICE, "before\0after it")


def test_every_keyboard_gives_the_same_password(blog: Blog) -> None:
    register(blog, ALICE, "café ﬁnance Å")
    for spelling in ("cafe\u0301 finance A\u030a", "café finance \u212b", "ｃａｆé finance Å"):
        assert can_log_in(blog, ALICE, spelling)
    assert not can_log_in(blog, ALICE, "cafe finance A")


def test_upper_and_lower_case_differ_in_a_password(blog: Blog) -> None:
    register(blog, ALICE, "A Quay In The North")
    assert not can_log_in(blog, ALICE, "a quay in the north")


def test_no_password_is_stored(alice: Person, blog: Blog) -> None:
    [user] = blog.rows(User)
    assert PASSWORD not in str(user.model_dump())
    assert user.password_hash.startswith("v1:$2b$04$")


# E-mail addresses.


NO_ADDRESS = [
    "nobody",
    "a@",
    "@b.example",
    "a b@c.example",
    "a@b@c.example",
    "<a@b.example>",
    "x" * 250 + "@c.example",
    "a@b.example\r\nBcc: all@b.example",
    "a@b.example\0",
]


def test_what_is_no_address_is_refused(blog: Blog) -> None:
    for email in NO_ADDRESS:
        response = register(blog, ALICE, email=email)
        assert response.status_code == 422, ascii(email)
        assert "does not look like an e-mail address" in response.text
    assert blog.rows(User) == []


def test_an_address_is_stored_in_its_normal_form(blog: Blog) -> None:
    register(blog, ALICE, email="  Alice@EXAMPLE.org ")
    register(blog, BOB, email="")
    assert user_named(blog, ALICE).email == "Alice@example.org"
    assert user_named(blog, BOB).email is None


def test_nobody_learns_whose_address_is_known(blog: Blog) -> None:
    register(blog, ALICE, email="alice@example.org")
    answers = [
        register(blog, BOB, email="alice@example.org"),
        register(blog, "carol", email="new@example.org"),
    ]
    assert [(a.status_code, a.headers["location"], a.text) for a in answers] == [(303, "/", "")] * 2


# What nobody may choose.


def test_nobody_registers_as_more_than_they_are(alice: Person, blog: Blog) -> None:
    chosen = {
        "id": "00000000-0000-0000-0000-000000000001",
        "role": "owner",
        "is_admin": "true",
        "is_owner": "1",
        "is_superuser": "on",
        "scopes": "site:manage",
        "display_name": "The Owner",
        "password_hash": "v1:x",
        "created_at": "2000-01-01T00:00:00Z",
        "disabled_at": "",
        "email_verified": "1",
        "bio": "Chosen",
        "user[role]": "owner",
    }
    assert register(blog, BOB, **chosen).status_code == 303
    bob = user_named(blog, BOB)
    assert bob.id != UUID(chosen["id"])
    assert (bob.role, bob.display_name, bob.bio) == ("author", BOB, "")
    assert bob.password_hash != "v1:x"
    assert bob.created_at.year > 2000


def test_the_address_bar_chooses_nothing_either(alice: Person, blog: Blog) -> None:
    form = {"username": BOB, "password": PASSWORD}
    Person(blog).post("/users/register?role=owner&username=mallory", form)
    assert users(blog) == [ALICE, BOB]
    assert user_named(blog, BOB).role == "author"


def test_a_field_sent_twice_is_refused(blog: Blog) -> None:
    for field in ("username", "password", "email", "next"):
        body = f"username=alice&password=a+quay+in+the+north&email=&next=&{field}=another"
        response = Person(blog).client.post("/users/register", content=body, headers=FORM)
        assert response.status_code == 422, field
    assert blog.rows(User) == []


def test_a_form_that_lacks_something_comes_back(blog: Blog) -> None:
    for body in (
        b"",
        b"username=alice",
        b"password=a+quay+in+the+north",
        b"username=%FF%FE&password=a+quay+in+the+north",
        b"username=%ED%A0%80&password=a+quay+in+the+north",
        b"username=alice&password=%FF%FE%FD%FC%FB%FA%F9%F8",
        b"&&&=&",
    ):
        response = Person(blog).client.post("/users/register", content=body, headers=FORM)
        assert response.status_code == 422, body
        assert 'action="/users/register"' in response.text
    assert blog.rows(User) == []


def test_json_is_no_form(blog: Blog) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"username": "alice"}', b"[]", b"null", b"{"):
        response = Person(blog).client.post("/users/register", content=body, headers=headers)
        assert response.status_code == 415, body
    assert blog.rows(User) == []
