"""WebSockets of people who are logged in: who gets one, what it tells, and when it ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import Depends
from sqlalchemy import delete, event, update

import live_dependencies
import live_watch
import web.live
from live_dependencies import ws_requires
from models import Login, User, now
from services import audit
from services.permissions import MANAGE_SITE
from settings import Role
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.sockets import DASHBOARD, end_of, listening, ready, refused, told
from web.live import LOGIN_ENDED, NOT_ALLOWED, LiveSocket

OWNERS = "/live/owners-only"


@pytest.fixture(scope="module", autouse=True)
def impatience() -> Iterator[None]:
    """Without Redis, processes look for themselves, and here they do it more often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_watch, "LOOK_SECONDS", 0.2)
        yield


@pytest.fixture(scope="module")
def beside(running_blog: Blog) -> Iterator[Blog]:
    """Another process on the same data, with a socket for the owner alone."""
    other = running_blog.beside()

    @other.app.websocket(OWNERS)
    async def owners(socket: Annotated[LiveSocket, Depends(ws_requires(MANAGE_SITE))]) -> None:
        socket.send({"type": "ready"})
        await socket.tell()

    with other as found:
        yield found


def elsewhere(person: Person, blog: Blog) -> Person:
    """The same browser at another process."""
    twin = Person(blog, person.username)
    twin.client.cookies.update(person.client.cookies)
    return twin


def again(person: Person) -> Person:
    """The same person with another browser."""
    other = Person(person.blog, person.username)
    assert other.log_in().status_code == 303
    return other


# Who gets one


def test_a_stranger_is_refused_before_anything_is_opened(stranger: Person, alice: Person) -> None:
    answer = refused(stranger)
    assert answer.status_code == 403
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]


def test_a_login_that_has_ended_opens_nothing(alice: Person) -> None:
    copied = elsewhere(alice, alice.blog)
    alice.log_out()
    assert refused(copied).status_code == 403


def test_a_forged_cookie_opens_nothing(stranger: Person, alice: Person) -> None:
    stranger.client.cookies.set("inkstand_session", "forged.signature")
    assert refused(stranger).status_code == 403


def test_a_reader_is_refused_where_only_the_owner_may_be(
    alice: Person, carol: Person, beside: Blog
) -> None:
    assert refused(elsewhere(carol, beside), OWNERS).status_code == 403
    with ready(elsewhere(alice, beside), OWNERS):
        pass


# By a token instead of a cookie


def personal_token(person: Person, *scopes: str) -> tuple[str, str]:
    """A token and the address at which it is revoked."""
    wanted = {"name": "A program", "scopes": list(scopes) or ["posts:read"]}
    made = person.client.post("/api/v1/tokens", json=wanted).json()
    return made["token"], f"/api/v1/tokens/{made['id']}"


def access_token(person: Person) -> tuple[str, str]:
    grant = {"grant_type": "password", "username": person.username, "password": PASSWORD}
    made = person.blog.visitor().post("/api/v1/token", grant).json()
    return made["access_token"], "/api/v1/token"


def by_token(blog: Blog, token: str, path: str = DASHBOARD) -> dict[str, Any]:
    """What `ready` and `refused` need for a program, which has neither cookies nor an origin."""
    return {
        "person": blog.visitor(),
        "path": path,
        "origin": None,
        "Authorization": f"Bearer {token}",
    }


@pytest.mark.parametrize("kind", [personal_token, access_token])
def test_a_program_gets_one_by_its_token_until_that_is_revoked(
    bob: Person, blog: Blog, kind: Callable[[Person], tuple[str, str]]
) -> None:
    token, address = kind(bob)
    with ready(**by_token(blog, token)) as socket:
        again(bob)
        assert told(socket)["action"] == audit.LOGGED_IN
        headers = {} if kind is personal_token else {"Authorization": f"Bearer {token}"}
        assert bob.client.delete(address, headers=headers).status_code == 204
        assert end_of(socket) == LOGIN_ENDED
    assert refused(**by_token(blog, token)).status_code == 403


@pytest.mark.parametrize("token", ["ink_nonsense", "nonsense", ""])
def test_a_token_that_is_not_good_opens_nothing(alice: Person, blog: Blog, token: str) -> None:
    assert refused(**by_token(blog, token)).status_code == 403


def test_a_token_is_no_more_than_it_was_made_for(alice: Person, beside: Blog) -> None:
    """For a token of the owner that may only read."""
    token, _ = personal_token(alice)
    assert refused(**by_token(beside, token, OWNERS)).status_code == 403
    with ready(**by_token(beside, token)) as socket:
        alice.blog.person("newcomer")
        again(alice)
        assert told(socket)["type"] == "account"  # nothing of the newcomer
    token, _ = personal_token(alice, MANAGE_SITE)
    with ready(**by_token(beside, token, OWNERS)):
        pass


FOREIGN: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "no origin to speak of": {"origin": "null"},
    "our host with another scheme": {"origin": "https://127.0.0.1:1"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a neighbour": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_site_opens_nothing(alice: Person, origin: str) -> None:
    answer = refused(alice, **FOREIGN[origin])
    assert answer.status_code == 403
    assert b"another site" in (answer.body or b"")


OURS: list[dict[str, Any]] = [{}, {"Sec-Fetch-Site": "same-origin"}, {"origin": None}]


def test_our_own_page_opens_one(alice: Person) -> None:
    """And so does a program that has the cookie: it is no browser, and nobody makes it do things."""
    for headers in OURS:
        with ready(alice, **headers):
            pass


def test_addresses_without_a_socket_are_missing(alice: Person) -> None:
    for path in ("/live/nothing", "/", "/live/dashboard/x", "/healthz"):
        assert refused(alice, path).status_code == 404


def test_a_socket_is_no_page(alice: Person) -> None:
    assert alice.get(DASHBOARD).status_code == 404


def test_nobody_has_more_than_a_few_open(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.live, "MOST_OF_PERSON", 2)
    with ready(alice) as first, ready(alice):
        assert refused(alice).status_code == 429
        with ready(bob):
            pass
        first.close()
        with ready(alice):
            pass


def test_a_process_has_room_for_so_many(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.live, "MOST_OF_PROCESS", 1)
    with ready(alice):
        answer = refused(bob)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
    with ready(bob):
        pass


# What it tells


def test_it_tells_what_happens_to_the_account(alice: Person, bob: Person, blog: Blog) -> None:
    with ready(bob) as socket:
        again(bob)
        event = told(socket)
        assert event.pop("at").endswith("Z")
        assert event == {
            "type": "account",
            "action": audit.LOGGED_IN,
            "device": f"{bob.client.headers['user-agent']}"[:40],
            "address": "127.0.0.1",
        }
        blog.visitor().post("/auth/login", {"username": BOB, "password": "not it, sorry"})
        assert told(socket)["action"] == audit.LOGIN_FAILED


def test_it_tells_the_owner_what_happens_on_the_blog(alice: Person, blog: Blog) -> None:
    with ready(alice) as socket:
        newcomer = blog.person("newcomer")
        event = told(socket)
        assert (event["type"], event["action"]) == ("blog", audit.REGISTERED)
        assert event["username"] == "newcomer"
        slug = newcomer.draft("Tides")
        newcomer.edit(slug, action="publish")
        event = told(socket)
        assert (event["type"], event["action"]) == ("blog", audit.POST_PUBLISHED)
        assert (event["title"], event["slug"]) == ("Tides", slug)
        assert event["username"] == "newcomer"


def test_nobody_hears_of_the_accounts_of_others(alice: Person, bob: Person, carol: Person) -> None:
    with ready(carol) as hers, ready(alice) as owners:
        bob.write("For everybody")
        assert told(owners)["action"] == audit.POST_PUBLISHED
        again(bob)
        again(carol)
        again(alice)
        assert told(hers)["type"] == "account"
        assert told(owners)["type"] == "account"
        for socket in (hers, owners):
            with pytest.raises(TimeoutError):
                told(socket, 0.2)


def test_it_tells_what_another_process_has_recorded(alice: Person, beside: Blog) -> None:
    with ready(alice) as here, ready(elsewhere(alice, beside)) as there:
        again(alice)
        assert told(here)["action"] == told(there)["action"] == audit.LOGGED_IN
        for socket in (here, there):
            with pytest.raises(TimeoutError):
                told(socket, 0.6)  # not twice, though it is heard and read


def test_nothing_is_told_that_was_not_committed(alice: Person, blog: Blog) -> None:
    with ready(alice) as socket:
        with suppress(RuntimeError), blog.database.writing() as db:
            audit.record(db, "never happened", db.get(User, id_of(blog, ALICE)))
            db.flush()
            raise RuntimeError
        again(alice)
        assert told(socket)["action"] == audit.LOGGED_IN


# When it ends


def id_of(blog: Blog, username: str) -> UUID:
    found: UUID = next(user.id for user in blog.rows(User) if user.username == username)
    return found


def log_out(person: Person, _: Blog) -> None:
    person.log_out()


def end_the_device(person: Person, blog: Blog) -> None:
    """From another browser, by the page of devices."""
    other = again(person)
    user_id = id_of(blog, person.username)
    logins = [login for login in blog.rows(Login) if login.user_id == user_id]
    first = min(logins, key=lambda login: login.created_at)
    assert other.post(f"/settings/sessions/{first.id}/delete").status_code == 303


def end_all_others(person: Person, _: Blog) -> None:
    assert again(person).post("/settings/sessions/delete").status_code == 303


def suspend(person: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        user = db.get_one(User, id_of(blog, person.username))
        user.disabled_at = now()
        db.add(user)
        audit.record(db, "account suspended", user)


def remove(person: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        user = db.get_one(User, id_of(blog, person.username))
        audit.record(db, "account deleted", user)
        db.delete(user)


WAYS = [log_out, end_the_device, end_all_others, suspend, remove]


@pytest.mark.parametrize("end", WAYS)
def test_it_closes_when_the_login_ends(
    alice: Person, blog: Blog, beside: Blog, end: Callable[[Person, Blog], None]
) -> None:
    """On the process that ends it and on another."""
    carla = blog.person("carla")
    with ready(carla) as here, ready(elsewhere(carla, beside)) as there, ready(alice) as others:
        end(carla, blog)
        assert end_of(here) == LOGIN_ENDED
        assert end_of(there) == LOGIN_ENDED
        others.ping().wait(5)
    assert refused(carla).status_code == 403


@pytest.mark.parametrize(
    "values", [{"expires_at": now()}, {"user_id": None}], ids=["expired", "deleted"]
)
def test_it_closes_also_when_nobody_says_that_the_login_ended(
    alice: Person, blog: Blog, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as by a command, or because its time is over."""
    monkeypatch.setattr(live_watch, "LOOK_ANYHOW_SECONDS", 0.1)
    with ready(alice) as socket:
        again(alice)  # wakes the watch, so that it knows of its shorter sleep
        assert told(socket)["action"] == audit.LOGGED_IN
        oldest = min(blog.rows(Login), key=lambda login: login.created_at)
        change: Any = update(Login).values(**values) if values.get("expires_at") else delete(Login)
        with blog.database.writing() as db:
            db.execute(change.where(Login.id == oldest.id))
        assert end_of(socket) == LOGIN_ENDED


def test_it_closes_when_the_person_loses_what_it_needs(
    alice: Person, blog: Blog, beside: Blog
) -> None:
    with ready(elsewhere(alice, beside), OWNERS) as owners, ready(alice) as everybodys:
        with blog.database.writing() as db:
            user = db.get_one(User, id_of(blog, ALICE))
            user.role = Role.reader
            db.add(user)
            audit.record(db, "role changed", user)
        assert end_of(owners) == NOT_ALLOWED
        assert told(everybodys)["action"] == "role changed"
        blog.person("newcomer")
        again(alice)
        assert told(everybodys)["action"] == audit.LOGGED_IN  # and nothing of the newcomer


def test_it_closes_when_something_is_said_to_it(alice: Person) -> None:
    with ready(alice) as socket:
        socket.send("hello")
        assert end_of(socket) == 1003


def test_it_closes_at_a_message_that_is_too_long(alice: Person) -> None:
    with ready(alice) as socket:
        socket.send("x" * 2_000_000)
        assert end_of(socket) == 1009


def test_it_closes_after_half_a_day(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_dependencies, "LONGEST", web.live.LONGEST / 1_000_000)
    with listening(alice) as socket:
        assert end_of(socket) == 1001


def test_whoever_leaves_all_unread_is_closed() -> None:
    socket: Any = LiveSocket(None, None, frozenset(), frozenset())  # type: ignore[arg-type]
    for _ in range(web.live.MOST_UNREAD + 1):
        socket.send({})
    assert socket.ending[0] == web.live.TRY_AGAIN_LATER
    waiting = socket.unread.qsize()
    socket.send({})
    assert socket.unread.qsize() == waiting


def test_sockets_are_not_looked_up_one_by_one(alice: Person, bob: Person, blog: Blog) -> None:
    queries: list[str] = []

    def count(*args: Any) -> None:
        queries.append(args[2])

    with ExitStack() as opened:
        sockets = [opened.enter_context(ready(each)) for each in (alice, bob) for _ in range(10)]
        event.listen(blog.database.engine, "before_cursor_execute", count)
        try:
            again(alice)
            assert told(sockets[0])["action"] == audit.LOGGED_IN
        finally:
            event.remove(blog.database.engine, "before_cursor_execute", count)
        lookups = [query for query in queries if "logins.id, users.role" in query]
    assert 1 <= len(lookups) < 10  # one, and those of the clock
