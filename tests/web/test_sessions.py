"""Logins over HTTP: what the cookie is, what it is not, how long it lives and what ends it."""

import asyncio
import json
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import delete, event, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backends import Unavailable
from backends.session_store import SessionStore, open_store
from models import Post, StoredSession, User, now
from tests.blog import SECRET, Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once
from tests.routers.test_remembering import out_of_reach
from web.headers import read_cookie
from web.session_middleware import SessionMiddleware
from web.sessions import Remembered, Session, SessionView, store_key
from web.signing import CookieOptions, Cookies

COOKIE, REMEMBER = "inkstand_session", "inkstand_remember"
AN_HOUR = timedelta(hours=1)
PUBLIC = ("/", "/posts", "/auth/login", "/users/register", "/users/alice", "/no-such-page")


def cookie_of(person: Person) -> str:
    return str(person.client.cookies[COOKIE])


def key_of(person: Person) -> str:
    """What the store knows this person's session by."""
    cookies: Cookies = person.blog.app.state.cookies
    session_id = cookies.verify(cookie_of(person))
    assert session_id
    return store_key(session_id)


def get_with(blog: Blog, cookie: str, path: str = "/") -> httpx2.Response:
    """What a browser with just this session cookie sees."""
    return blog.visitor().get(path, headers={"Cookie": f"{COOKIE}={cookie}"})


def set_cookies(response: httpx2.Response, name: str = COOKIE) -> list[str]:
    lines = response.headers.get_list("set-cookie")
    return [line for line in lines if line.startswith(f"{name}=")]


def is_greeted(response: httpx2.Response) -> bool:
    """Whether the page is one for somebody who is logged in."""
    return "Log out" in response.text


def is_cleared(response: httpx2.Response) -> bool:
    lines = set_cookies(response)
    return len(lines) == 1 and lines[0].startswith(f"{COOKIE}=; Max-Age=0; ")


def live_for(person: Person, idle: timedelta, longest: timedelta) -> None:
    """Change how long this person's session still lives, behind the scenes."""
    expires_at, ends_at = now() + idle, now() + longest
    blog, key = person.blog, key_of(person)
    if not blog.settings.redis_url:
        with blog.database.writing() as db:
            times = {"expires_at": expires_at, "ends_at": ends_at}
            db.execute(update(StoredSession).filter_by(key=key).values(times))
        return
    with redis.Redis.from_url(blog.settings.redis_url) as client:
        client.hset(f"inkstand:session:{key}", ".ends", str(ends_at.timestamp()))
        client.pexpire(f"inkstand:session:{key}", int(idle.total_seconds() * 1000))


def stored_keys(blog: Blog) -> set[str]:
    if not blog.settings.redis_url:
        return {row.key for row in blog.rows(StoredSession)}
    with redis.Redis.from_url(blog.settings.redis_url, decode_responses=True) as client:
        names = client.scan_iter("inkstand:session:*")
        return {name.removeprefix("inkstand:session:") for name in names}


@contextmanager
def look_ups(blog: Blog) -> Iterator[list[str]]:
    """Every access to the session store during the block; complete after its end."""
    seen: list[str] = []
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            own_number = client.connection_pool.connection_kwargs["db"]
            with client.monitor() as monitor:
                yield seen
                client.echo("the end")
                for command in monitor.listen():
                    if "the end" in command["command"]:
                        break
                    if command["db"] == own_number and "inkstand:" in command["command"]:
                        seen.append(command["command"])
        return

    def note(*arguments: Any) -> None:
        if "sessions" in arguments[2]:
            seen.append(arguments[2])

    event.listen(blog.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(blog.database.engine, "before_cursor_execute", note)


# Strangers.


def test_readers_get_no_cookie_and_cost_no_look_up(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = alice.write()
    with look_ups(blog) as seen:
        for path in (*PUBLIC, f"/posts/{slug}", "/favicon.ico", "/healthz"):
            response = stranger.get(path)
            assert "set-cookie" not in response.headers, path
    assert seen == []
    with look_ups(blog) as seen:
        alice.get("/")
    assert seen != []


def test_a_refused_login_leaves_no_cookie_and_no_session(alice: Person, blog: Blog) -> None:
    before = stored_keys(blog)
    visitor = blog.visitor()
    visitor.username = ALICE
    response = visitor.log_in("not her password")
    assert response.status_code == 401
    assert not set_cookies(response)
    assert stored_keys(blog) == before


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "junk.junk",
        ".",
        "a" * 10_000,
        "%0d%0aSet-Cookie:%20planted=1",
        "\\r\\nSet-Cookie: planted=1",
        '"quoted"',
        "<script>alert(1)</script>",
        "gASVJAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOU",
        "eyJ1c2VyX2lkIjogMX0.aaaa.bbbb",
        "y" * 43,
        Cookies(["another secret, long enough to sign with"], CookieOptions()).sign("x" * 43),
        "k\xe4se",
    ],
)
def test_a_cookie_that_is_not_ours_is_nobodys(alice: Person, blog: Blog, cookie: str) -> None:
    with look_ups(blog) as seen:
        line = f"{COOKIE}={cookie}".encode("latin-1")
        response = blog.visitor().get("/", headers=[(b"Cookie", line)])
    assert response.status_code == 200
    assert not is_greeted(response)
    assert seen == []
    assert "planted" not in str(response.headers)
    if len(cookie) > 1:
        assert cookie not in response.text
        assert cookie not in str(response.headers)


def test_a_cookie_that_is_not_ours_is_taken_back(blog: Blog) -> None:
    assert is_cleared(get_with(blog, "junk"))


def test_of_two_session_cookies_none_counts(alice: Person, bob: Person, blog: Blog) -> None:
    both = f"{COOKIE}={cookie_of(alice)}; {COOKIE}={cookie_of(bob)}"
    response = blog.visitor().get("/", headers={"Cookie": both})
    assert response.status_code == 200
    assert not is_greeted(response)


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0", b"\x01", b"\xff"])
def test_control_bytes_in_a_cookie_reach_no_header(alice: Person, blog: Blog, byte: bytes) -> None:
    request = (
        b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nCookie: %s=a%sPlanted: 1\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        connection.sendall(request % (COOKIE.encode(), byte))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith((b"http/1.1 200", b"http/1.1 400"))
    assert b"planted" not in head
    assert b"Log out" not in answer


def test_no_changed_cookie_is_anybody_elses(alice: Person, blog: Blog) -> None:
    cookies: Cookies = blog.app.state.cookies
    good = cookie_of(alice)
    session_id = cookies.verify(good)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_. "
    for place in range(len(good)):
        for letter in letters:
            changed = good[:place] + letter + good[place + 1 :]
            assert cookies.verify(changed) in (None, session_id)
        assert cookies.verify(good[:place]) is None
    for changed in (good[:-10], good[1:], good.swapcase(), good + good, good[::-1]):
        assert not is_greeted(get_with(blog, changed))


def test_the_cookie_tells_nothing(alice: Person, blog: Blog) -> None:
    session_id, _, signature = cookie_of(alice).partition(".")
    assert re.fullmatch(r"[\w-]{43}", session_id)  # 256 bits
    assert re.fullmatch(r"[\w-]{43}", signature)


def test_no_two_ids_are_the_same(alice: Person, blog: Blog) -> None:
    seen = set()
    for _ in range(20):
        alice.log_out()
        alice.log_in()
        seen.add(cookie_of(alice).partition(".")[0])
    assert len(seen) == 20
    assert len(set("".join(seen))) > 40  # of 64 letters


def test_the_store_knows_no_id_that_would_log_in(alice: Person, blog: Blog) -> None:
    session_id = cookie_of(alice).partition(".")[0]
    assert key_of(alice) in stored_keys(blog)
    everything = str(blog.rows(StoredSession))
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url, decode_responses=True) as client:
            everything = str([(name, contents(client, name)) for name in client.scan_iter()])
    assert key_of(alice) in everything
    assert session_id not in everything
    assert not is_greeted(get_with(blog, key_of(alice)))


def contents(client: Any, name: str) -> Any:
    read = {"hash": client.hgetall, "set": client.smembers, "string": client.get}
    return read[client.type(name)](name)


# Logging in and out.


def test_every_login_has_a_new_id_and_the_old_one_is_dead(alice: Person, blog: Blog) -> None:
    old = cookie_of(alice)
    alice.client.cookies.clear()
    alice.log_in()
    assert cookie_of(alice) != old
    assert is_greeted(get_with(blog, old))  # another browser, and nobody ended it
    alice.log_out()
    assert is_greeted(get_with(blog, old))


def test_a_new_account_leaves_the_old_session_behind(alice: Person, blog: Blog) -> None:
    alice.draft("Alice's own draft")
    old = cookie_of(alice)
    response = alice.post("/users/register", {"username": BOB, "password": PASSWORD})
    assert response.status_code == 303
    assert cookie_of(alice) != old
    assert not is_greeted(get_with(blog, old))
    assert "Alice's own draft" not in alice.get("/drafts").text
    assert len(stored_keys(blog)) == 1


def planted(blog: Blog) -> dict[str, str]:
    cookies: Cookies = blog.app.state.cookies
    foreign = Cookies(["another secret, long enough to sign with"], CookieOptions())
    return {
        "plain": "attacker",
        "unsigned": secrets.token_urlsafe(32),
        "signed by somebody else": foreign.sign(secrets.token_urlsafe(32)),
        "signed by us, never stored": cookies.sign(secrets.token_urlsafe(32)),
    }


@pytest.mark.parametrize(
    "how", ["plain", "unsigned", "signed by somebody else", "signed by us, never stored"]
)
def test_a_planted_id_is_never_adopted(alice: Person, blog: Blog, how: str) -> None:
    cookie = planted(blog)[how]
    victim = blog.visitor()
    response = victim.post(
        "/auth/login",
        {"username": ALICE, "password": PASSWORD},
        headers={"Cookie": f"{COOKIE}={cookie}"},
    )
    assert response.status_code == 303
    assert is_greeted(get_with(blog, cookie_of(victim)))
    assert cookie_of(victim).partition(".")[0] not in cookie
    assert not is_greeted(get_with(blog, cookie))
    assert store_key(cookie.partition(".")[0]) not in stored_keys(blog)


def test_a_planted_id_of_an_ended_session_is_never_adopted(alice: Person, blog: Blog) -> None:
    ended = cookie_of(alice)
    alice.log_out()
    alice.post(
        "/auth/login",
        {"username": ALICE, "password": PASSWORD},
        headers={"Cookie": f"{COOKIE}={ended}"},
    )
    assert is_greeted(alice.get("/"))
    assert not is_greeted(get_with(blog, ended))


def test_logging_out_kills_a_copied_cookie(alice: Person, blog: Blog) -> None:
    copied = cookie_of(alice)
    assert is_greeted(get_with(blog, copied))
    response = alice.log_out()
    assert response.status_code == 303
    assert is_cleared(response)
    assert stored_keys(blog) == set()
    assert not is_greeted(get_with(blog, copied))
    assert get_with(blog, copied, "/posts/new").headers["location"].startswith("/auth/login")


def test_logging_out_of_one_browser_leaves_the_other_alone(alice: Person, blog: Blog) -> None:
    laptop = cookie_of(alice)
    alice.client.cookies.clear()
    alice.log_in()
    alice.log_out()
    assert is_greeted(get_with(blog, laptop))


def test_a_stranger_may_log_out_too(stranger: Person, blog: Blog) -> None:
    assert stranger.log_out().status_code == 303
    assert stored_keys(blog) == set()


def test_login_sets_the_session_beside_the_sentence_for_the_next_page(alice: Person) -> None:
    alice.log_out()
    response = alice.log_in()
    assert len(set_cookies(response)) == 1
    assert len(set_cookies(response, "inkstand_flash")) == 1
    page = alice.get("/")
    assert "Welcome back, alice." in page.text
    assert set_cookies(page, "inkstand_flash")[0].startswith("inkstand_flash=; Max-Age=0")
    assert "Welcome back" not in alice.get("/").text


def test_a_sentence_that_we_did_not_write_is_not_shown(stranger: Person) -> None:
    words = Cookies(["another secret, long enough to sign with"], CookieOptions()).flashes
    for forged in ("Hacked", words.dumps("Hacked"), "x" * 5000):
        page = stranger.get("/", headers={"Cookie": f"inkstand_flash={forged!s}"})
        assert page.status_code == 200
        assert "Hacked" not in page.text


# Keys.


def test_a_cookie_signed_with_an_older_key_is_taken_and_signed_anew(
    alice: Person, blog: Blog
) -> None:
    newer = "a newer secret for tests, long enough as well"
    with blog.beside(secret_key=[SecretStr(newer), SecretStr(SECRET)]) as rotated:
        response = get_with(rotated, cookie_of(alice))
        assert is_greeted(response)
        [line] = set_cookies(response)
        fresh = line.removeprefix(f"{COOKIE}=").partition(";")[0]
        assert fresh != cookie_of(alice)
        assert Cookies([newer], CookieOptions()).verify(fresh) == cookie_of(alice).partition(".")[0]
        again = get_with(rotated, fresh)
        assert is_greeted(again)
        assert not set_cookies(again)
    assert not is_greeted(get_with(blog, fresh))  # the newer key is unknown here


def test_a_cookie_signed_with_an_unknown_key_is_nobodys(alice: Person, blog: Blog) -> None:
    newer = SecretStr("a newer secret for tests, long enough as well")
    with blog.beside(secret_key=[newer]) as rotated:
        response = get_with(rotated, cookie_of(alice))
        assert response.status_code == 200
        assert not is_greeted(response)
        assert is_cleared(response)


# Time.


def test_a_session_in_the_first_half_of_its_idle_time_is_not_written(
    alice: Person, blog: Blog
) -> None:
    live_for(alice, timedelta(days=16), timedelta(days=80))
    with look_ups(blog) as seen:
        response = alice.get("/")
    assert is_greeted(response)
    assert not set_cookies(response)
    assert not [command for command in seen if re.match("UPDATE|INSERT|PEXPIRE|HSET|EVAL", command)]


def test_using_a_session_keeps_it_alive(alice: Person, blog: Blog) -> None:
    alice.log_in_again(remember="on")
    live_for(alice, timedelta(days=14), timedelta(days=80))
    response = alice.get("/")
    assert is_greeted(response)
    [line] = set_cookies(response)
    assert 29 < max_age(line) / 86400 <= 30
    assert 29 < days_left(alice) <= 30
    assert not set_cookies(alice.get("/"))


def test_no_use_keeps_a_session_alive_past_its_end(alice: Person, blog: Blog) -> None:
    alice.log_in_again(remember="on")
    live_for(alice, timedelta(days=2), timedelta(days=3))
    [line] = set_cookies(alice.get("/"))
    assert 2.9 < max_age(line) / 86400 <= 3
    assert 2.9 < days_left(alice) <= 3
    assert not set_cookies(alice.get("/"))  # there is nothing left to add


def max_age(line: str) -> int:
    found = re.search(r"; Max-Age=(\d+);", line)
    assert found
    return int(found.group(1))


def days_left(person: Person) -> float:
    blog, key = person.blog, key_of(person)
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            return int(str(client.pttl(f"inkstand:session:{key}"))) / 86_400_000
    row = next(row for row in blog.rows(StoredSession) if row.key == key)
    return float((row.expires_at - now()) / timedelta(days=1))


@pytest.mark.parametrize(
    ("idle", "longest"),
    [(-AN_HOUR, AN_HOUR), (-AN_HOUR, -AN_HOUR), (AN_HOUR, -AN_HOUR)],
    ids=["idle for too long", "over", "over in spite of use"],
)
def test_a_session_whose_time_is_over_is_nobodys(
    alice: Person, blog: Blog, idle: timedelta, longest: timedelta
) -> None:
    live_for(alice, idle, longest)
    response = alice.get("/drafts")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/login?next=%2Fdrafts"
    assert is_cleared(response)
    assert not alice.is_logged_in()
    assert alice.log_in().status_code == 303


# Accounts that change while somebody is logged in.


def disable(blog: Blog, username: str) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=username).values(disabled_at=datetime.now(UTC)))


def remove(blog: Blog, username: str) -> None:
    with blog.database.writing() as db:
        db.execute(delete(User).filter_by(username=username))


@pytest.mark.parametrize("end", [disable, remove])
def test_an_account_that_is_gone_is_logged_out_at_once(bob: Person, blog: Blog, end: Any) -> None:
    copied = cookie_of(bob)
    key = key_of(bob)
    end(blog, BOB)
    page = bob.get("/")
    assert page.status_code == 200
    assert not is_greeted(page)
    assert is_cleared(page)
    assert key not in stored_keys(blog)
    assert get_with(blog, copied, "/drafts").status_code == 303


@pytest.mark.parametrize("end", [disable, remove])
@pytest.mark.parametrize("path", ["/posts/new", "/drafts"])
def test_an_account_that_is_gone_reaches_no_page_of_its_own(
    bob: Person, blog: Blog, end: Any, path: str
) -> None:
    end(blog, BOB)
    response = bob.get(path)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/auth/login?next=")
    assert is_cleared(response)


@pytest.mark.parametrize("end", [disable, remove])
def test_whoever_shares_the_browser_of_an_account_that_is_gone_can_log_in(
    alice: Person, bob: Person, blog: Blog, end: Any
) -> None:
    end(blog, BOB)
    response = bob.post("/auth/login", {"username": ALICE, "password": PASSWORD})
    assert response.status_code == 303
    assert "alice" in bob.get("/").text


def test_a_disabled_account_that_returns_has_to_log_in_again(bob: Person, blog: Blog) -> None:
    copied = cookie_of(bob)
    disable(blog, BOB)
    bob.get("/")
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=BOB).values(disabled_at=None))
    assert not is_greeted(get_with(blog, copied))
    assert bob.log_in().status_code == 303


def test_a_name_that_changes_shows_at_once(alice: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).values(username="alicia", display_name="Alicia"))
    assert "/users/alicia" in alice.get("/").text


def test_an_error_page_comes_out_without_the_account(alice: Person, blog: Blog) -> None:
    with out_of_reach(blog, "logins"):
        page = alice.get("/no/such-page")
        assert page.status_code == 404
        assert not is_greeted(page)
        assert not set_cookies(page)
    assert is_greeted(alice.get("/no-such-page"))


@pytest.mark.parametrize("junk", [1, True, None, [], {"id": 1}, "x", "0" * 36, 1e99])
def test_a_session_of_no_login_is_nobodys(alice: Person, blog: Blog, junk: object) -> None:
    key = key_of(alice)
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            client.hset(f"inkstand:session:{key}", "login", json.dumps(junk))
    else:
        blog.put(StoredSession, data=json.dumps({"login": junk}))
    for path, status in (("/", 200), ("/no-such-page", 404), ("/drafts", 303)):
        assert get_with(blog, cookie_of(alice), path).status_code == status
    assert alice.log_in().status_code == 303


@pytest.mark.parametrize("junk", ["junk", "", "0" * 36, "../../etc/passwd", "\U0001f642"])
def test_a_session_of_nobody_we_know_is_nobodys(alice: Person, blog: Blog, junk: str) -> None:
    key = key_of(alice)
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            client.hset(f"inkstand:session:{key}", ".user", junk)
    else:
        with blog.database.writing() as db:
            db.execute(update(StoredSession).values(user_id=junk))
    for path, status in (("/", 200), ("/no-such-page", 404), ("/drafts", 303)):
        response = get_with(blog, cookie_of(alice), path)
        assert response.status_code == status
        assert not is_greeted(response)
    assert alice.log_in().status_code == 303


def test_a_spoilt_session_is_nobodys(alice: Person, blog: Blog) -> None:
    key = key_of(alice)
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            client.delete(f"inkstand:session:{key}")
            client.lpush(f"inkstand:session:{key}", "junk")
    else:
        with blog.database.writing() as db:
            db.execute(update(StoredSession).values(data="junk"))
    response = alice.get("/")
    assert response.status_code == 200
    assert not is_greeted(response)
    assert alice.log_in().status_code == 303
    assert is_greeted(alice.get("/"))


# What caches and browsers are told.


def test_pages_of_somebody_are_for_nobody_else(alice: Person) -> None:
    slug = alice.write()
    for path in (*PUBLIC, "/posts/new", "/drafts", f"/posts/{slug}", f"/posts/{slug}/edit"):
        headers = alice.get(path).headers
        assert "no-store" in headers["cache-control"], path
        assert path == "/no-such-page" or "private" in headers["cache-control"], path
        assert "cookie" in headers["vary"].lower(), path


def test_public_pages_vary_by_cookie(alice: Person, stranger: Person) -> None:
    slug = alice.write()
    for path in (*PUBLIC, f"/posts/{slug}"):
        assert "cookie" in stranger.get(path).headers["vary"].lower(), path


def test_redirects_that_carry_a_cookie_are_not_cached(alice: Person) -> None:
    for response in (alice.log_out(), alice.log_in()):
        assert "no-store" in response.headers["cache-control"]


def test_logging_out_empties_the_browsers_cache(alice: Person) -> None:
    assert alice.log_out().headers["clear-site-data"] == '"cache"'


def test_in_production_the_cookie_belongs_to_this_host_and_to_https(blog: Blog) -> None:
    flags = {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    with blog.beside(environment="production", bcrypt_cost=4) as production:
        visitor = production.visitor()
        visitor.username = ALICE
        response = visitor.register()
        assert response.status_code == 303
        given = response.headers.get_list("set-cookie")
        assert {line.partition("=")[0] for line in given} == {
            "__Host-inkstand_session",
            "__Host-inkstand_devices",
            "__Host-inkstand_flash",
        }
        pair = next(line for line in given if "session" in line).partition(";")[0]
        gone = visitor.post("/auth/logout", headers={"Cookie": pair}).headers.get_list("set-cookie")
        assert any(line.startswith("__Host-inkstand_session=; Max-Age=0") for line in gone)
        for line in (*given, *gone):
            attributes = set(line.split("; ")[1:])
            assert {each for each in attributes if not each.startswith("Max-Age=")} == flags
        page = visitor.get("/", headers={"Cookie": f"{COOKIE}={pair.partition('=')[2]}"})
        assert not is_greeted(page)  # without the prefix, anybody on the network could have set it


def test_without_https_the_cookie_is_still_kept_from_scripts_and_other_sites(
    alice: Person,
) -> None:
    [line] = set_cookies(alice.log_in_again())
    assert set(line.split("; ")[1:]) == {"Path=/", "HttpOnly", "SameSite=Lax"}


def test_a_login_that_is_not_to_be_remembered_ends_with_the_browser(alice: Person) -> None:
    [line] = set_cookies(alice.log_in_again())
    assert "Max-Age" not in line
    [line] = set_cookies(alice.log_in_again(remember="on"))
    assert 29 < max_age(line) / 86400 <= 30


# Many at once.


def test_nobody_ever_sees_a_page_of_somebody_else(alice: Person, blog: Blog) -> None:
    names = [ALICE, *(f"reader-{number}" for number in range(5))]
    people = [alice, *(blog.person(name) for name in names[1:])]

    def read(number: int) -> set[str]:
        pages = [people[number].get("/").text for _ in range(15)]
        return {name for page in pages for name in re.findall(r'href="/users/([\w-]+)"', page)}

    assert at_once(len(people), read) == [{name} for name in names]


def test_a_slow_request_does_not_bring_back_a_logout(alice: Person, blog: Blog) -> None:
    live_for(alice, timedelta(days=1), timedelta(days=80))  # so that the request would extend it
    copied = cookie_of(alice)
    with slowly_posting(blog, copied) as post:
        alice.log_out()
        assert b"set-cookie: inkstand_session=;" in post.finish().lower()
    assert not is_greeted(get_with(blog, copied))
    assert stored_keys(blog) == set()


def test_a_slow_sender_holds_up_nobody(alice: Person, bob: Person, blog: Blog) -> None:
    with slowly_posting(blog, cookie_of(alice)) as post:
        started_at = time.monotonic()
        bob.write("Written meanwhile")
        assert bob.log_out().status_code == 303
        assert time.monotonic() - started_at < 2
        assert post.finish().startswith(b"HTTP/1.1 303")
    assert {post.title for post in blog.rows(Post)} == {"Slow", "Written meanwhile"}


class SlowPost:
    """A post of which half has been sent."""

    body = b"title=Slow&content=Typed+at+leisure."

    def __init__(self, connection: socket.socket, cookie: str) -> None:
        self.connection = connection
        head = (
            "POST /posts HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
            f"Cookie: {COOKIE}={cookie}\r\nContent-Length: {len(self.body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        connection.sendall(head.encode() + self.body[:10])

    def finish(self) -> bytes:
        """Send the other half; the answer."""
        self.connection.sendall(self.body[10:])
        return b"".join(iter(lambda: self.connection.recv(65536), b""))


@contextmanager
def slowly_posting(blog: Blog, cookie: str) -> Iterator[SlowPost]:
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        with look_ups(blog) as seen:
            post = SlowPost(connection, cookie)
            while not seen and not blog.settings.redis_url:
                time.sleep(0.01)
            blog.visitor().get("/healthz")
        assert seen  # the session was loaded before the rest of the body comes
        yield post


# The layer itself, around an app of a few lines whose routes write into the session.


class Bench:
    """Requests to that app, each with a cookie or without."""

    def __init__(self, app: Starlette, store: SessionStore) -> None:
        self.store = store
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://here")
        self.gate = asyncio.Event()
        self.inside = asyncio.Event()
        app.state.bench = self

    async def ask(self, path: str, cookie: str = "", remembered: str = "") -> httpx2.Response:
        self.client.cookies.clear()
        both = f"{COOKIE}={cookie}" + f"; {REMEMBER}={remembered}" * bool(remembered)
        return await self.client.get(path, headers={"Cookie": both})

    async def log_in(self) -> str:
        [line] = set_cookies(await self.ask("/begin"))
        return line.removeprefix(f"{COOKIE}=").partition(";")[0]

    async def fields(self, cookie: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self.ask("/fields", cookie)).json()
        return found


async def begin(request: Request) -> Response:
    request.state.session.begin("a1")
    return Response()


async def who_comes_back(_: object, cookie: str) -> Remembered | None:
    """What a remember cookie stands for here."""
    if cookie != "good":
        return None
    return Remembered("a1", {"login": "1"}, "better", timedelta(days=7))


async def begin_flow(request: Request) -> Response:
    request.state.session.begin_flow(timedelta(minutes=15), pending_user="a1")
    return Response()


async def put(request: Request) -> Response:
    """Set a field, as slowly as the test wants it, and answer with a status of its choice."""
    bench: Bench = request.app.state.bench
    if "slow" in request.query_params:
        bench.inside.set()
        await bench.gate.wait()
    request.state.session.set(request.path_params["name"], "written")
    if "crash" in request.query_params:
        raise RuntimeError("on purpose")
    return Response(status_code=int(request.query_params.get("status", 200)))


async def end(request: Request) -> Response:
    request.state.session.end()
    return Response(status_code=int(request.query_params.get("status", 200)))


async def fields(request: Request) -> Response:
    record = request.state.session.record
    return JSONResponse(record.data if record else None)


ROUTES = [
    Route("/begin", begin),
    Route("/begin_flow", begin_flow),
    Route("/put/{name}", put),
    Route("/end", end),
    Route("/fields", fields),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bench(blog: Blog) -> AsyncIterator[Bench]:
    async with open_bench(blog) as found:
        yield found


@asynccontextmanager
async def open_bench(blog: Blog) -> AsyncIterator[Bench]:
    store = open_store(blog.settings.redis_url, blog.database)
    cookies = Cookies([SECRET], CookieOptions())
    layer = Middleware(
        SessionMiddleware,
        store=store,
        cookies=cookies,
        idle=timedelta(days=1),
        longest=timedelta(days=2),
        restore=who_comes_back,
        unavailable=Response(status_code=503),
    )
    found = Bench(Starlette(routes=ROUTES, middleware=[layer]), store)
    yield found
    await found.client.aclose()
    await store.close()


@pytest.mark.anyio
async def test_a_field_is_kept(bench: Bench) -> None:
    cookie = await bench.log_in()
    await bench.ask("/put/theme", cookie)
    assert await bench.fields(cookie) == {"theme": "written"}


@pytest.mark.anyio
async def test_requests_at_once_lose_nothing_of_each_other(bench: Bench) -> None:
    cookie = await bench.log_in()
    await asyncio.gather(*(bench.ask(f"/put/field{number}", cookie) for number in range(20)))
    assert await bench.fields(cookie) == {f"field{number}": "written" for number in range(20)}


@pytest.mark.anyio
async def test_two_requests_that_overlap_keep_both_fields(bench: Bench) -> None:
    cookie = await bench.log_in()
    slow = asyncio.create_task(bench.ask("/put/slow?slow", cookie))
    await bench.inside.wait()
    await bench.ask("/put/quick", cookie)
    bench.gate.set()
    await slow
    assert await bench.fields(cookie) == {"slow": "written", "quick": "written"}


@pytest.mark.anyio
async def test_a_slow_write_does_not_bring_back_a_logout(bench: Bench) -> None:
    cookie = await bench.log_in()
    slow = asyncio.create_task(bench.ask("/put/slow?slow", cookie))
    await bench.inside.wait()
    await bench.ask("/end", cookie)
    bench.gate.set()
    assert is_cleared(await slow)
    assert await bench.fields(cookie) is None


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["status=500", "status=503", "crash"])
async def test_a_request_that_fails_writes_nothing(bench: Bench, how: str) -> None:
    cookie = await bench.log_in()
    response = await bench.ask(f"/put/theme?{how}", cookie)
    assert response.status_code >= 500
    assert not set_cookies(response)
    assert await bench.fields(cookie) == {}


@pytest.mark.anyio
async def test_a_logout_that_fails_ends_nothing(bench: Bench) -> None:
    cookie = await bench.log_in()
    response = await bench.ask("/end?status=500", cookie)
    assert not set_cookies(response)
    assert await bench.fields(cookie) == {}


BETTER = f"{REMEMBER}=better; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.anyio
async def test_a_login_is_brought_back_in_the_same_request(bench: Bench) -> None:
    response = await bench.ask("/put/theme", remembered="good")
    [line] = set_cookies(response)
    assert set_cookies(response, REMEMBER) == [BETTER]
    cookie = line.removeprefix(f"{COOKIE}=").partition(";")[0]
    assert await bench.fields(cookie) == {"login": "1", "lasting": True, "theme": "written"}


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/put/theme?status=500", "/end?status=503"])
async def test_a_page_that_breaks_does_not_lose_what_is_remembered(
    bench: Bench, blog: Blog, path: str
) -> None:
    """The old value of the cookie was used up: without the new one this would look like theft."""
    response = await bench.ask(path, remembered="good")
    assert set_cookies(response, REMEMBER) == [BETTER]
    assert not set_cookies(response)
    assert stored_keys(blog) == set()


@pytest.mark.anyio
async def test_nor_does_a_store_that_breaks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(type(bench.store), "create", refuse)
    response = await bench.ask("/fields", remembered="good")
    assert response.status_code == 503
    assert set_cookies(response, REMEMBER) == [BETTER]
    assert not set_cookies(response)


@pytest.mark.anyio
async def test_a_store_that_is_away_uses_up_no_cookie(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(type(bench.store), "ping", refuse)
    response = await bench.ask("/fields", remembered="good")
    assert response.status_code == 200
    assert response.headers.get_list("set-cookie") == []
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.anyio
async def test_nor_does_a_session_that_cannot_be_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise Unavailable

    cookie = await bench.log_in()
    with monkeypatch.context() as patch:
        patch.setattr(type(bench.store), "load", refuse)
        response = await bench.ask("/fields", cookie, remembered="good")
    assert response.status_code == 200
    assert response.headers.get_list("set-cookie") == []
    assert await bench.fields(cookie) == {}


@pytest.mark.anyio
async def test_a_cookie_that_brings_nobody_back_is_taken_away(bench: Bench) -> None:
    response = await bench.ask("/put/theme", remembered="bad")
    [line] = set_cookies(response, REMEMBER)
    assert line.startswith(f"{REMEMBER}=; Max-Age=0;")


@pytest.mark.anyio
async def test_a_session_that_lives_uses_up_no_cookie(bench: Bench) -> None:
    response = await bench.ask("/fields", await bench.log_in(), remembered="good")
    assert response.headers.get_list("set-cookie") == []


@pytest.mark.anyio
async def test_a_session_that_cannot_be_made_to_live_longer_lives_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next request will do it."""

    async def refuse(*_: object) -> None:
        raise Unavailable

    cookie = await bench.log_in()
    await bench.store.extend(store_key(cookie.partition(".")[0]), timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(type(bench.store), "extend", refuse)
        response = await bench.ask("/put/theme", cookie)
    assert response.status_code == 200
    assert not set_cookies(response)
    assert await bench.fields(cookie) == {"theme": "written"}


@pytest.mark.anyio
async def test_what_a_stranger_has_begun_is_no_login_and_ends_in_time(bench: Bench) -> None:
    [line] = set_cookies(await bench.ask("/begin_flow"))
    assert "Max-Age" not in line
    cookie = line.removeprefix(f"{COOKIE}=").partition(";")[0]
    key = store_key(cookie.partition(".")[0])
    record = await bench.store.load(key)
    assert record
    assert record.user_id is None
    assert record.ends_at - now() <= timedelta(minutes=15)
    assert not set_cookies(await bench.ask("/put/theme", cookie))  # and is not made to live longer
    after = await bench.store.load(key)
    assert after
    assert after.ends_at == record.ends_at
    [login] = set_cookies(await bench.ask("/begin", cookie))
    assert login.removeprefix(f"{COOKIE}=").partition(";")[0] != cookie
    assert await bench.fields(cookie) is None


@pytest.mark.anyio
async def test_a_field_without_a_session_makes_none(bench: Bench, blog: Blog) -> None:
    response = await bench.ask("/put/theme")
    assert response.status_code == 200
    assert stored_keys(blog) == set()


def test_a_cookie_is_read_by_its_whole_name() -> None:
    scope = {"headers": [(b"cookie", b"xsid=1; sid =2; sid=3=4; SID=5"), (b"cookie", b"other=6")]}
    assert read_cookie(scope, "sid") == "3=4"
    assert read_cookie(scope, "other") == "6"
    assert read_cookie(scope, "id") is None


def test_a_socket_reads_a_session_and_cannot_change_it() -> None:
    session = Session()
    session.begin("a1", login="1")
    view = SessionView.of(session)
    assert (view.user_id, view.get("login"), view.get("theme")) == ("a1", "1", None)
    with pytest.raises(TypeError):
        view.data["login"] = "2"  # type: ignore[index]
    assert not hasattr(view, "set")
