"""Redis gone, back, mute, full or read-only, under a blog that is being read and written."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import unescape
from pathlib import Path

import httpx2
import pytest
import redis

from models import Post, User
from tests.blog import Blog, Person, blog_settings
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once
from tests.servers import Redis

COOKIE = "inkstand_session"
NOTICE = "Logins cannot be checked at the moment."
TYPED = {
    "title": 'Written at <sea> & "typed" once',
    "content": "\nA line.\n\n    <b>indented</b> & kept\n\u00e9\U0001f642",
    "tags": "tides, lamps",
    "action": "draft",
}


@pytest.fixture
def blog(mortal_redis: Redis, tmp_path: Path) -> Iterator[Blog]:
    """A blog whose Redis may go; its database stays."""
    with serving(mortal_redis.url, tmp_path) as found:
        yield found


def serving(redis_url: str, folder: Path) -> Blog:
    database_url = f"sqlite:///{folder / 'inkstand.db'}"
    return Blog(blog_settings(database_url=database_url, redis_url=redis_url))


@contextmanager
def mute() -> Iterator[str]:
    """The address of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@contextmanager
def admin(server: Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def is_greeted(response: httpx2.Response) -> bool:
    return "Log out" in response.text


def wait_until_greeted(person: Person) -> float:
    """The seconds until this person is seen as logged in again."""
    started_at = time.monotonic()
    while not is_greeted(person.get("/")):
        assert time.monotonic() - started_at < 10
        time.sleep(0.02)
    return time.monotonic() - started_at


def keeps_the_cookie(response: httpx2.Response) -> bool:
    return not any(COOKIE in line for line in response.headers.get_list("set-cookie"))


def assert_unavailable(response: httpx2.Response) -> None:
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert keeps_the_cookie(response)
    assert "Back in a moment" in response.text


# Redis goes.


def test_readers_do_not_notice(alice: Person, mortal_redis: Redis, blog: Blog) -> None:
    slug = alice.write("Still here", "To be read.")
    mortal_redis.stop()
    for path in ("/", f"/posts/{slug}", "/users/alice", "/auth/login", "/users/register"):
        response = blog.visitor().get(path)
        assert response.status_code == 200, path
        assert NOTICE not in response.text
    assert "Still here" in blog.visitor().get("/").text


def test_whoever_is_logged_in_reads_on_and_is_told(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    slug = alice.write("Still here", "To be read.")
    mortal_redis.stop()
    for path in ("/", f"/posts/{slug}", "/users/alice"):
        response = alice.get(path)
        assert response.status_code == 200, path
        assert NOTICE in response.text
        assert not is_greeted(response)
        assert keeps_the_cookie(response)
        assert "no-store" in response.headers["cache-control"]


def test_a_cookie_that_is_not_ours_gets_no_notice(mortal_redis: Redis, blog: Blog) -> None:
    mortal_redis.stop()
    response = blog.visitor().get("/", headers={"Cookie": f"{COOKIE}=junk"})
    assert NOTICE not in response.text


@pytest.mark.parametrize("path", ["/posts/new", "/drafts", "/trash", "/posts/a-draft/edit"])
def test_pages_for_oneself_ask_for_patience(
    alice: Person, mortal_redis: Redis, blog: Blog, path: str
) -> None:
    alice.draft("A draft")
    mortal_redis.stop()
    assert_unavailable(alice.get(path))
    stranger = blog.visitor().get(path)
    assert stranger.status_code == 303
    assert stranger.headers["location"].startswith("/auth/login?next=")


def test_a_draft_stays_hidden(alice: Person, mortal_redis: Redis) -> None:
    slug = alice.draft("A draft", "Nobody's business.")
    mortal_redis.stop()
    response = alice.get(f"/posts/{slug}")
    assert "business" not in response.text
    assert response.status_code in (404, 503)


def test_a_text_that_cannot_be_saved_comes_back_to_be_sent_again(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    mortal_redis.stop()
    response = alice.post("/posts", TYPED)
    assert_unavailable(response)
    assert kept(response) == TYPED
    assert blog.rows(Post) == []
    mortal_redis.start()
    wait_until_greeted(alice)
    assert alice.post("/posts", kept(response)).status_code == 303
    [post] = blog.rows(Post)
    assert (post.title, post.content) == (TYPED["title"], TYPED["content"])


def test_an_edit_that_cannot_be_saved_comes_back_to_be_sent_again(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    slug = alice.draft("A draft", "As it was.")
    mortal_redis.stop()
    edit = {**TYPED, "action": "save", "version": "1"}
    response = alice.post(f"/posts/{slug}", edit)
    assert_unavailable(response)
    assert kept(response) == edit
    assert f'action="/posts/{slug}"' in response.text
    assert alice.stored(slug).content == "As it was."


def kept(response: httpx2.Response) -> dict[str, str]:
    """The fields of the form on the page, as a browser would send them again."""
    fields = {
        unescape(name): unescape(value)
        for name, value in re.findall(
            r'<input type="hidden" name="(.*?)" value="(.*?)">', response.text
        )
    }
    for name, text in re.findall(
        r'<textarea[^>]* name="(.*?)"[^>]*>\n(.*?)</textarea>', response.text, re.S
    ):
        fields[name] = unescape(text)
    return fields


def test_nobody_can_log_in_and_no_password_is_shown(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    mortal_redis.stop()
    visitor = blog.visitor()
    visitor.username = ALICE
    for password in (PASSWORD, "not her password"):
        response = visitor.log_in(password)
        assert_unavailable(response)
        assert password not in response.text


def test_nobody_can_register_and_no_half_an_account_is_made(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    mortal_redis.stop()
    visitor = blog.visitor()
    visitor.username = BOB
    response = visitor.register()
    assert_unavailable(response)
    assert PASSWORD not in response.text
    assert [user.username for user in blog.rows(User)] == [ALICE]
    mortal_redis.start()
    deadline = time.monotonic() + 2
    while (response := visitor.register()).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert response.status_code == 303


def test_a_logout_is_not_claimed_before_it_is_done(
    alice: Person, mortal_redis: Redis, blog: Blog
) -> None:
    mortal_redis.stop()
    assert_unavailable(alice.log_out())
    mortal_redis.start()
    wait_until_greeted(alice)
    assert alice.log_out().status_code == 303
    assert not is_greeted(alice.get("/"))


def test_a_whole_crowd_is_answered(alice: Person, mortal_redis: Redis, blog: Blog) -> None:
    alice.write()
    mortal_redis.stop()

    def visit(number: int) -> int:
        reads = number % 2
        return (alice.get("/") if reads else alice.post("/posts", TYPED)).status_code

    started_at = time.monotonic()
    assert set(at_once(20, visit)) == {200, 503}
    assert time.monotonic() - started_at < 10


def test_health_and_readiness_tell_them_apart(mortal_redis: Redis, blog: Blog) -> None:
    assert blog.visitor().get("/readyz").status_code == 200
    mortal_redis.stop()
    assert blog.visitor().get("/healthz").status_code == 200
    response = blog.visitor().get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["sessions"] == "unavailable"


def test_guesses_are_counted_on(alice: Person, mortal_redis: Redis, blog: Blog) -> None:
    """A Redis that lets sessions be read but counts nothing must not let anybody guess freely."""
    visitor = blog.visitor()
    visitor.username = ALICE
    with full(mortal_redis):
        statuses = [visitor.log_in("not her password").status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


# Redis comes back.


def test_the_same_cookie_works_again_within_two_seconds(alice: Person, mortal_redis: Redis) -> None:
    cookie = alice.client.cookies[COOKIE]
    at_once(5, lambda _: alice.get("/"))
    mortal_redis.stop()
    assert NOTICE in alice.get("/").text
    mortal_redis.start()
    assert wait_until_greeted(alice) < 2
    assert alice.client.cookies[COOKIE] == cookie
    assert all(is_greeted(response) for response in at_once(5, lambda _: alice.get("/")))


def test_a_restart_between_two_requests_is_not_noticed(alice: Person, mortal_redis: Redis) -> None:
    assert is_greeted(alice.get("/"))
    mortal_redis.stop()
    mortal_redis.start()
    assert is_greeted(alice.get("/"))


def test_a_redis_that_has_forgotten_everything_asks_to_log_in_again(
    alice: Person, mortal_redis: Redis
) -> None:
    with admin(mortal_redis) as client:
        client.flushall()
    response = alice.get("/posts/new?title=Kept")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/login?next=%2Fposts%2Fnew%3Ftitle%3DKept"
    assert alice.log_in().status_code == 303
    assert alice.get("/posts/new").status_code == 200


# Redis is not there when the blog starts.


def test_a_blog_starts_without_its_redis_and_finds_it_later(
    mortal_redis: Redis, tmp_path: Path
) -> None:
    mortal_redis.stop()
    with serving(mortal_redis.url, tmp_path) as blog:
        visitor = blog.visitor()
        visitor.username = ALICE
        assert visitor.get("/healthz").status_code == 200
        assert visitor.get("/readyz").status_code == 503
        assert visitor.get("/").status_code == 200
        assert_unavailable(visitor.register())
        mortal_redis.start()
        deadline = time.monotonic() + 2
        while visitor.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert visitor.register().status_code == 303
        assert is_greeted(visitor.get("/"))


# Redis is there and says nothing.


def test_a_paused_redis_delays_nobody_for_long(alice: Person, mortal_redis: Redis) -> None:
    slug = alice.write()
    with admin(mortal_redis) as client:
        client.client_pause(1500)
    started_at = time.monotonic()
    for path in ("/", f"/posts/{slug}", "/", "/"):
        response = alice.get(path)
        assert response.status_code == 200
        assert NOTICE in response.text
    assert_unavailable(alice.get("/drafts"))
    assert time.monotonic() - started_at < 1.5
    assert wait_until_greeted(alice) < 4


def test_a_mute_redis_delays_nobody_for_long(
    alice: Person, mortal_redis: Redis, tmp_path: Path
) -> None:
    cookie = alice.client.cookies[COOKIE]
    with mute() as url, serving(url, tmp_path) as blog:
        somebody = blog.visitor()
        started_at = time.monotonic()
        for _ in range(10):
            response = somebody.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})
            assert response.status_code == 200
            assert NOTICE in response.text
        assert time.monotonic() - started_at < 3
        started_at = time.monotonic()
        assert_unavailable(Person(blog, ALICE).log_in())
        assert time.monotonic() - started_at < 1.5


# Redis answers, and refuses to write.


@contextmanager
def full(server: Redis) -> Iterator[None]:
    with admin(server) as client:
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)


@contextmanager
def read_only(server: Redis) -> Iterator[None]:
    with admin(server) as client:
        client.replicaof("127.0.0.1", 1)
        try:
            yield
        finally:
            client.replicaof("NO", "ONE")


Fault = Callable[[Redis], AbstractContextManager[None]]


@pytest.mark.parametrize("fault", [full, read_only])
def test_a_login_that_cannot_be_stored_asks_for_patience(
    alice: Person, mortal_redis: Redis, blog: Blog, fault: Fault
) -> None:
    visitor = blog.visitor()
    visitor.username = ALICE
    with fault(mortal_redis):
        assert_unavailable(visitor.log_in())
        response = alice.get("/")  # who was logged in before still is
        assert response.status_code == 200
        assert is_greeted(response)
        assert alice.get("/drafts").status_code == 200
    assert visitor.log_in().status_code == 303


def test_one_can_log_out_of_a_full_redis(alice: Person, mortal_redis: Redis) -> None:
    with full(mortal_redis):
        assert alice.log_out().status_code == 303
    assert not is_greeted(alice.get("/"))


def test_one_can_write_while_redis_is_full(alice: Person, mortal_redis: Redis) -> None:
    with full(mortal_redis):
        assert alice.write("Stored in the database") == "stored-in-the-database"
