"""Logging in and out, who may go where, and what guessing passwords comes to."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import redis
from sqlalchemy import update

from auth_service import FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS
from models import Post, Throttle, User, now
from services import passwords
from services.waiting_room import MOST_WAITING
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MOST = FAILURES_OF_ACCOUNT.most
WRONG = "not the password"


def at_the_door(blog: Blog, username: str = ALICE) -> Person:
    """Somebody with an account, in a browser that does not know them yet."""
    return Person(blog, username)


def is_greeted(response: httpx2.Response) -> bool:
    return "Log out" in response.text


@pytest.fixture(scope="module")
def crowded(running_blog: Blog) -> Iterator[Blog]:
    """The same blog behind a proxy, where people come from many addresses."""
    with running_blog.beside(trusted_proxies=1) as found:
        yield found


# Who may go where.


def test_a_stranger_is_sent_to_the_login(stranger: Person) -> None:
    response = stranger.get("/posts/new")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/login?next=%2Fposts%2Fnew"


def test_the_query_comes_along(stranger: Person) -> None:
    response = stranger.get("/posts/new?draft=1&title=a%20b")
    assert (
        response.headers["location"]
        == "/auth/login?next=%2Fposts%2Fnew%3Fdraft%3D1%26title%3Da%2520b"
    )


def test_after_the_login_one_is_where_one_wanted_to_be(alice: Person, blog: Blog) -> None:
    visitor = at_the_door(blog)
    form = visitor.get("/posts/new?title=Kept", follow_redirects=True)
    assert 'name="next" value="/posts/new?title=Kept"' in form.text
    response = visitor.log_in(next="/posts/new?title=Kept")
    assert response.headers["location"] == "/posts/new?title=Kept"
    assert visitor.get("/posts/new").status_code == 200


def test_an_address_that_sounds_like_a_public_one_is_none(alice: Person, stranger: Person) -> None:
    """Who reaches what is in tests/test_routes.py, route by route."""
    slug = alice.draft("login tips")
    response = stranger.get(f"/posts/{slug}/edit")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/login?next=%2Fposts%2Flogin-tips%2Fedit"


def test_a_stranger_posts_nothing(stranger: Person, blog: Blog) -> None:
    for form in ({}, {"title": "Planted", "content": "Planted"}):
        response = stranger.post("/posts", form)
        assert response.status_code == 303
        assert response.headers["location"].startswith("/auth/login")
    assert blog.rows(Post) == []


def test_a_stranger_with_a_broken_body_is_sent_to_the_login_too(
    stranger: Person, blog: Blog
) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data"):
        response = stranger.client.post("/posts", content=b"{", headers={"Content-Type": kind})
        assert response.status_code == 303, kind
    assert blog.rows(Post) == []


@pytest.mark.parametrize(
    "referer", ["http://[", "http://[::1", "//\u2100@evil.example/", "\xff", "x" * 9000, "http://"]
)
def test_a_page_before_that_makes_no_sense_breaks_nothing(stranger: Person, referer: str) -> None:
    headers = [(b"Referer", referer.encode())]
    response = stranger.client.post("/posts", headers=headers)
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/login?next=%2Fposts"


def test_a_way_back_that_is_too_long_is_the_front_page(stranger: Person) -> None:
    """Proxies refuse headers of many kilobytes: that would be a 502."""
    response = stranger.get("/posts/new?title=" + "%C3%BC" * 2000)
    assert response.headers["location"] == "/auth/login?next=%2F"


def test_a_reader_is_refused_and_not_sent_to_the_login(carol: Person, blog: Blog) -> None:
    for response in (carol.get("/posts/new"), carol.post("/posts", {"title": "x", "content": "y"})):
        assert response.status_code == 403
        assert "location" not in response.headers
        assert "Your account may not do that here." in response.text
    assert blog.rows(Post) == []


def test_a_role_that_changes_counts_at_once(bob: Person, blog: Blog) -> None:
    assert bob.get("/posts/new").status_code == 200
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=BOB).values(role="reader"))
    assert bob.get("/posts/new").status_code == 403


def test_a_role_that_nobody_knows_may_do_nothing(bob: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=BOB).values(role="superuser"))
    assert bob.get("/posts/new").status_code == 403


def test_pages_greet_strangers_as_strangers(alice: Person, stranger: Person) -> None:
    page = stranger.get("/").text
    assert "/auth/login" in page
    assert "/users/register" in page
    assert "/posts/new" not in page
    page = alice.get("/").text
    assert "/posts/new" in page
    assert "/users/alice" in page
    assert "/users/register" not in page


def test_head_is_get_without_a_body(alice: Person, stranger: Person) -> None:
    slug = alice.write()
    for path in ("/", "/posts/new", f"/posts/{slug}", "/auth/login", "/auth/logout", "/no-such"):
        stranger.get(path)  # from then on it is kept, and sent compressed
        got, head = stranger.get(path), stranger.client.head(path)
        assert head.status_code == got.status_code, path
        assert head.text == ""
        assert head.headers.get("location") == got.headers.get("location")
        assert head.headers.get("content-length") == got.headers.get("content-length")


def test_options_break_nothing(alice: Person, stranger: Person) -> None:
    for person in (alice, stranger):
        for path in ("/", "/posts/new", "/posts", "/auth/login"):
            assert person.client.request("OPTIONS", path).status_code in (200, 204, 405)


def test_another_spelling_of_an_address_opens_no_door(stranger: Person) -> None:
    for path in ("/posts/NEW", "//posts/new", "/posts/./new", "/posts/new;x", "/%70osts/new"):
        response = stranger.client.get(stranger.blog.url + path)
        assert response.status_code in (301, 303, 404), path


# Logging in.


def test_a_right_password_logs_in(alice: Person, blog: Blog) -> None:
    visitor = at_the_door(blog)
    assert visitor.get("/auth/login").status_code == 200
    response = visitor.log_in()
    assert response.status_code == 303
    assert response.headers["location"] == "/"
    assert "inkstand_session=" in str(response.headers.get_list("set-cookie"))
    page = visitor.get("/")
    assert is_greeted(page)
    assert "Welcome back, alice." in page.text


@pytest.mark.parametrize(
    "agent", [b"\xff\xfe\x80", "Föx ☃".encode(), b"x" * 9000, b"%00", b"'; --", b"", b"\x85\xad"]
)
def test_a_browser_may_call_itself_anything(alice: Person, blog: Blog, agent: bytes) -> None:
    """It is stored, listed, and told in a mail."""
    alice.blog.put(User, email="alice@example.org")
    visitor = at_the_door(blog)
    visitor.client.headers = {b"User-Agent": agent}
    assert visitor.log_in(WRONG).status_code == 401
    assert visitor.log_in(remember="on").status_code == 303
    visitor.lose_session()
    assert visitor.get("/settings/sessions").text.count("this device") == 1
    assert visitor.get("/settings/security").status_code == 200
    assert len(blog.mails_to("alice@example.org")) == 1


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(
    alice: Person, blog: Blog
) -> None:
    answers = []
    for name in (ALICE, "alicf"):
        response = Person(blog, name).log_in(WRONG)
        body = response.text.replace(f'value="{name}"', 'value="NAME"')
        headers = set(response.headers) - {"x-request-id"}
        answers.append((response.status_code, body, headers, response.headers["content-length"]))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert "That name and password do not match." in answers[0][1]


def test_a_disabled_account_gets_that_answer_too(bob: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=BOB).values(disabled_at=datetime.now(UTC)))
    right, wrong = (at_the_door(blog, BOB).log_in(word) for word in (PASSWORD, WRONG))
    assert (right.status_code, right.text) == (wrong.status_code, wrong.text)
    assert right.status_code == 401


def test_a_stored_password_that_is_none_fits_nothing(alice: Person, blog: Blog) -> None:
    for stored in ("", "x", "v1:", "v1:junk", "v0:$2b$04$", "$2b$04$" + "a" * 53, "v1:$2b$04$\n"):
        with blog.database.writing() as db:
            db.execute(update(User).values(password_hash=stored))
        assert at_the_door(blog).log_in().status_code == 401, stored


def test_a_name_is_known_however_it_is_typed(alice: Person, blog: Blog) -> None:
    for typed in ("Alice", "ALICE", " alice ", "ａｌｉｃｅ", "ⓐlice"):
        assert Person(blog, typed).log_in().status_code == 303, typed


def test_an_address_does_as_well_as_a_name(blog: Blog) -> None:
    Person(blog, "matt").register(email="matt@lp.com")
    for typed in ("matt@lp.com", "MATT@LP.com", " Matt@lp.COM "):
        visitor = Person(blog, typed)
        assert visitor.log_in().status_code == 303, typed
        assert "/users/matt" in visitor.get("/").text


def test_an_address_that_two_people_gave_logs_in_neither(blog: Blog) -> None:
    for name in (ALICE, BOB):
        Person(blog, name).register(email="both@example.org")
    assert Person(blog, "both@example.org").log_in().status_code == 401
    assert Person(blog, ALICE).log_in().status_code == 303


def test_an_address_is_no_pattern(blog: Blog) -> None:
    Person(blog, "matt").register(email="matt@lp.com")
    for typed in ("%@lp.com", "_att@lp.com", "@", "@lp.com", "matt@lp.com\0", "matt@lp.com'--"):
        assert Person(blog, typed).log_in().status_code in (401, 422), typed


LACKING = [
    (b"", ""),
    (b"username=alice", "alice"),
    (b"username=alice&password=", "alice"),
    (b"password=a+quay+in+the+north", ""),
    (b"username=%00&password=a+quay+in+the+north", ""),
    (b"username=al%00ice&password=a+quay+in+the+north", ""),
    (b"username=%FF&password=a+quay+in+the+north", ""),
    (b"username=%ED%A0%80&password=a+quay+in+the+north", ""),
    (b"username=alice&password=%FF%FF%FF%FF%FF%FF%FF%FF", "alice"),
    (b"username=alice&username=bob&password=a+quay+in+the+north", ""),
    (b"username=" + b"x" * 400 + b"&password=a+quay+in+the+north", "x" * 400),
]


def test_a_form_that_lacks_something_comes_back(alice: Person, stranger: Person) -> None:
    for body, kept in LACKING:
        response = stranger.client.post("/auth/login", content=body, headers=FORM)
        assert response.status_code == 422, body
        assert 'action="/auth/login"' in response.text
        assert f'value="{kept}"' in response.text
        assert PASSWORD not in response.text
    assert not stranger.is_logged_in()


def test_json_is_no_form(stranger: Person) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{}", b"[]", b"null", b'{"username": []}', b"{"):
        response = stranger.client.post("/auth/login", content=body, headers=headers)
        assert response.status_code == 415, body


def test_a_wrong_password_keeps_the_name_and_drops_the_password(alice: Person, blog: Blog) -> None:
    response = at_the_door(blog).log_in(WRONG)
    assert 'value="alice"' in response.text
    assert WRONG not in response.text
    assert response.headers["content-type"].startswith("text/html")


def test_whoever_is_logged_in_already_stays_who_they_are(alice: Person, bob: Person) -> None:
    for response in (
        bob.get("/auth/login"),
        bob.post("/auth/login", {"username": ALICE, "password": PASSWORD}),
        bob.post("/auth/login", {"username": ALICE, "password": WRONG}),
    ):
        assert response.status_code == 303
        assert response.headers["location"] == "/"
    assert "/users/bob" in bob.get("/").text


def test_pages_with_a_form_for_passwords_are_not_kept(stranger: Person) -> None:
    for path in ("/auth/login", "/users/register"):
        assert "no-store" in stranger.get(path).headers["cache-control"]
    assert "no-store" in Person(stranger.blog, ALICE).log_in().headers["cache-control"]


# Logging out.


def test_logging_out_leads_to_the_front_page(alice: Person) -> None:
    response = alice.log_out()
    assert response.status_code == 303
    assert response.headers["location"] == "/"
    assert "You are logged out." in alice.get("/").text
    assert not alice.is_logged_in()


def test_following_a_link_does_not_log_out(alice: Person) -> None:
    for method in ("GET", "HEAD"):
        assert alice.client.request(method, "/auth/logout").status_code == 200
    assert '<form method="post" action="/auth/logout"' in " ".join(
        alice.get("/auth/logout").text.replace('class="form" ', "").split()
    )
    assert alice.is_logged_in()


# Guessing.


def guess(blog: Blog, username: str, password: str = WRONG, address: str = "") -> httpx2.Response:
    """One try from an address, in a browser of its own."""
    headers = {"X-Forwarded-For": address} if address else {}
    form = {"username": username, "password": password}
    return blog.visitor().post("/auth/login", form, headers=headers)


def test_ten_wrong_passwords_for_one_account_are_enough(
    alice: Person, bob: Person, crowded: Blog
) -> None:
    addresses = [f"10.0.0.{number}" for number in range(MOST + 5)]
    statuses = [guess(crowded, ALICE, address=address).status_code for address in addresses]
    assert statuses == [401] * MOST + [429] * 5
    response = guess(crowded, ALICE, PASSWORD, "10.0.1.1")
    assert response.status_code == 429  # the right one as well: a guesser must not learn it is
    assert 240 < int(response.headers["retry-after"]) <= 300
    assert "tried too often" in response.text
    assert guess(crowded, BOB, PASSWORD, "10.0.1.1").status_code == 303


def test_an_account_that_is_not_there_is_counted_alike(alice: Person, crowded: Blog) -> None:
    statuses = [
        guess(crowded, "nobody-here", address=f"10.0.0.{number}").status_code
        for number in range(MOST + 1)
    ]
    assert statuses == [401] * MOST + [429]


def test_all_spellings_of_a_name_are_one(alice: Person, crowded: Blog) -> None:
    spellings = ["alice", "Alice", "ALICE", " alice", "alice ", "ａｌｉｃｅ", "ⓐlice", "aLiCe"]
    statuses = [
        guess(crowded, spellings[number % len(spellings)], address=f"10.0.0.{number}").status_code
        for number in range(MOST + 1)
    ]
    assert statuses == [401] * MOST + [429]


def test_ten_wrong_passwords_from_one_address_are_enough(alice: Person, crowded: Blog) -> None:
    statuses = [
        guess(crowded, f"somebody-{number}", address="10.0.0.1").status_code
        for number in range(MOST + 1)
    ]
    assert statuses == [401] * MOST + [429]
    assert guess(crowded, ALICE, PASSWORD, "10.0.0.1").status_code == 429
    assert guess(crowded, ALICE, PASSWORD, "10.0.0.2").status_code == 303


def test_a_success_forgives_the_account(alice: Person, crowded: Blog) -> None:
    for number in range(MOST - 1):
        guess(crowded, ALICE, address=f"10.0.0.{number}")
    assert guess(crowded, ALICE, PASSWORD, "10.0.1.1").status_code == 303
    statuses = [
        guess(crowded, ALICE, address=f"10.0.2.{number}").status_code for number in range(MOST + 1)
    ]
    assert statuses == [401] * MOST + [429]


def test_a_success_does_not_forgive_the_address(alice: Person, crowded: Blog) -> None:
    """Else one account of one's own would be a way to guess for ever."""
    statuses = []
    for number in range(MOST + 1):
        statuses.append(guess(crowded, f"somebody-{number}", address="10.0.0.1").status_code)
        guess(crowded, ALICE, PASSWORD, "10.0.0.1")
    assert statuses == [401] * MOST + [429]


def test_any_number_of_right_passwords_is_fine(alice: Person, crowded: Blog) -> None:
    statuses = [guess(crowded, ALICE, PASSWORD, "10.0.0.1").status_code for _ in range(MOST + 5)]
    assert statuses == [303] * (MOST + 5)


def test_forms_that_lack_something_are_no_guesses(alice: Person, blog: Blog) -> None:
    for _ in range(MOST + 5):
        assert guess(blog, ALICE, "").status_code == 422
    assert guess(blog, ALICE, PASSWORD).status_code == 303


def test_of_fifty_guesses_at_once_no_more_than_ten_are_answered(
    alice: Person, crowded: Blog
) -> None:
    def one(number: int) -> int:
        address = {"X-Forwarded-For": f"10.0.0.{number}"}
        form = {"username": ALICE, "password": WRONG}
        with httpx2.Client(base_url=crowded.url, trust_env=False, verify=False) as client:
            return client.post("/auth/login", data=form, headers=address, timeout=30).status_code

    statuses = at_once(50, one)
    assert set(statuses) <= {401, 429, 503}
    assert 1 <= statuses.count(401) <= MOST


def test_when_the_window_closes_the_account_opens(alice: Person, crowded: Blog) -> None:
    for number in range(MOST + 1):
        guess(crowded, ALICE, address=f"10.0.0.{number}")
    let_windows_close(crowded)
    assert guess(crowded, ALICE, PASSWORD, "10.0.1.1").status_code == 303


def let_windows_close(blog: Blog) -> None:
    """As if five minutes had passed."""
    if not blog.settings.redis_url:
        with blog.database.writing() as db:
            db.execute(update(Throttle).values(expires_at=now()))
        return
    with redis.Redis.from_url(blog.settings.redis_url) as client:
        for name in client.scan_iter("inkstand:limit:*"):
            client.pexpire(name, 0)


def test_a_guesser_does_not_log_out_whom_the_account_belongs_to(
    alice: Person, crowded: Blog
) -> None:
    for number in range(MOST + 1):
        guess(crowded, ALICE, address=f"10.0.0.{number}")
    assert alice.is_logged_in()
    assert alice.write()


def test_nor_does_a_guesser_lock_out_the_devices_that_know_the_account(
    alice: Person, crowded: Blog
) -> None:
    """They have ten tries of their own."""
    known = Person(crowded, ALICE)
    known.client.headers["X-Forwarded-For"] = "10.0.9.9"
    assert known.log_in().status_code == 303
    known.log_out()
    for number in range(MOST + 1):
        guess(crowded, ALICE, address=f"10.0.0.{number}")
    assert guess(crowded, ALICE, PASSWORD, "10.0.9.8").status_code == 429
    assert known.log_in().status_code == 303
    known.log_out()
    statuses = []
    for number in range(MOST + 1):
        known.client.headers["X-Forwarded-For"] = f"10.0.8.{number}"
        statuses.append(known.log_in(WRONG).status_code)
    assert statuses == [401] * MOST + [429]


def test_what_is_counted_says_nothing_of_whom(alice: Person, blog: Blog) -> None:
    guess(blog, ALICE)
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url, decode_responses=True) as client:
            keys = list(client.scan_iter("inkstand:limit:*"))
    else:
        keys = [row.key for row in blog.rows(Throttle)]
    known = {FAILURES_OF_ACCOUNT.key(ALICE), FAILURES_OF_ADDRESS.key("127.0.0.1")}
    assert {key.removeprefix("inkstand:limit:") for key in keys} >= known
    assert "alice" not in str(keys)
    assert "127.0.0.1" not in str(keys)


# Many at once.


@pytest.mark.parametrize("is_known", [False, True])
def test_fifty_guesses_at_once_are_not_more_than_ten(
    alice: Person, crowded: Blog, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """The limit holds also for those who are counted at the same moment."""
    looked_at: list[str] = []
    matches = passwords.matches

    def counting(*args: Any) -> bool:
        looked_at.append(args[0])
        return matches(*args)

    monkeypatch.setattr(passwords, "matches", counting)
    browser = at_the_door(crowded)
    alice.log_out()
    if is_known:
        browser.client.cookies.update(alice.client.cookies)

    def one(number: int) -> int:
        headers = {"X-Forwarded-For": f"10.1.0.{number}"}
        form = {"username": ALICE, "password": f"guess number {number}"}
        cookies = dict(browser.client.cookies)
        return httpx2.post(
            f"{crowded.url}/auth/login", data=form, headers=headers, cookies=cookies, timeout=60
        ).status_code

    statuses = at_once(50, one)
    assert len(looked_at) == statuses.count(401) <= MOST
    assert set(statuses) <= {401, 429, 503}
    later = [one(50 + number) for number in range(MOST + 1)]  # what was sent away may try again
    assert 429 in statuses + later
    assert len(looked_at) <= MOST


@contextmanager
def all_hashing() -> Iterator[None]:
    """As if as many passwords were waiting as may wait, all of people we know."""
    for _ in range(1 + MOST_WAITING):
        passwords.ROOM.enter((), is_known=True)
    try:
        yield
    finally:
        for _ in range(1 + MOST_WAITING):
            passwords.ROOM.call_next()


def test_too_many_logins_at_once_are_asked_to_come_back(alice: Person, blog: Blog) -> None:
    visitor = at_the_door(blog)
    with all_hashing():
        started_at = time.monotonic()
        newcomer = Person(blog, BOB)
        for response in (visitor.log_in(), newcomer.register()):
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert "Many people are logging in" in response.text
            assert PASSWORD not in response.text
        assert blog.visitor().get("/").status_code == 200
        assert alice.write()
        assert time.monotonic() - started_at < 5
    assert visitor.log_in().status_code == 303
    assert newcomer.register().status_code == 303


def test_being_asked_to_come_back_is_no_wrong_password(alice: Person, blog: Blog) -> None:
    with all_hashing():
        assert {guess(blog, ALICE, PASSWORD).status_code for _ in range(MOST + 5)} == {503}
    assert guess(blog, ALICE, PASSWORD).status_code == 303


def test_readers_are_served_while_passwords_are_checked(alice: Person, crowded: Blog) -> None:
    passwords.ROOM.enter((), is_known=True)  # the one before us takes its time
    has_finished = False
    try:
        with ThreadPoolExecutor(MOST_WAITING) as crowd:
            names = [f"somebody-{number}" for number in range(MOST_WAITING)]
            logins = [crowd.submit(guess, crowded, name) for name in names[::2]]
            logins += [crowd.submit(Person(crowded, name).register) for name in names[1::2]]
            while len(passwords.ROOM.waiting) < MOST_WAITING:
                time.sleep(0.01)
            assert crowded.visitor().get("/").status_code == 200
            assert alice.write()
            assert guess(crowded, ALICE, PASSWORD).status_code == 503
            assert not any(login.done() for login in logins)
            passwords.ROOM.call_next()
            has_finished = True
        assert [login.result().status_code for login in logins] == [401] * 6 + [303] * 6
    finally:
        if not has_finished:
            passwords.ROOM.call_next()


def test_a_login_renews_what_was_hashed_with_less_work(alice: Person, blog: Blog) -> None:
    before = blog.rows(User)[0].password_hash
    assert before.startswith("v1:$2b$04$")
    with blog.beside(bcrypt_cost=5) as harder:
        assert guess(harder, ALICE).status_code == 401
        assert blog.rows(User)[0].password_hash == before
        assert guess(harder, ALICE, PASSWORD).status_code == 303
        renewed = blog.rows(User)[0].password_hash
        assert renewed.startswith("v1:$2b$05$")
        assert guess(harder, ALICE, PASSWORD).status_code == 303
        assert blog.rows(User)[0].password_hash == renewed
        assert guess(harder, ALICE).status_code == 401


# Mistakes of other blogs.


def test_a_missing_post_is_a_page_and_not_an_error(stranger: Person) -> None:
    for slug in ("no-such-post", "0" * 32, "not-a-uuid", "%27", "%00", "a" * 3000):
        response = stranger.get(f"/posts/{slug}")
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")


def test_redirects_after_a_form_are_303(alice: Person) -> None:
    assert alice.post("/posts", {"title": "x", "content": "y"}).status_code == 303
    assert alice.log_out().status_code == 303
    assert alice.log_in().status_code == 303


def test_a_body_too_large_is_refused_before_anybody_asks_who_sends_it(stranger: Person) -> None:
    response = stranger.client.post("/posts", content=b"x" * (3 * 1024 * 1024), headers=FORM)
    assert response.status_code == 413
