"""The database goes away, is locked, full or read-only: nobody loses a text, and it heals by itself."""

import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from sqlalchemy import event

import database
from models import Post
from tests import servers
from tests.blog import Blog, Person, blog_settings
from tests.people import ALICE
from tests.processes import Answer, Serving, at_once, serving

TEXT = "Words that took an hour & a half."
KEPT = "Words that took an hour &amp; a half."
STYLE = "/static/css/site.css"
own_postgres = pytest.mark.xdist_group("a PostgreSQL of its own")


@pytest.fixture
def blog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Blog]:
    """On SQLite, with less patience than usual."""
    monkeypatch.setattr(database, "SQLITE_BUSY_SECONDS", 0.3)
    with Blog(blog_settings(database_url=f"sqlite:///{tmp_path / 'inkstand.db'}")) as blog:
        yield blog


@pytest.fixture
def slug(blog: Blog, alice: Person) -> str:
    return alice.write("Before the fault")


def test_a_lock_of_another_process_costs_writers_a_503_and_readers_nothing(
    blog: Blog, alice: Person, slug: str, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "inkstand.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        check_that_it_reads_but_does_not_write(blog, alice, slug)
        other.execute("ROLLBACK")
    assert alice.write("After the fault")


@pytest.mark.parametrize("fault", ["query_only=ON", "max_page_count=1"])
def test_a_read_only_or_full_disk_costs_writers_a_503_and_readers_nothing(
    blog: Blog, alice: Person, slug: str, fault: str
) -> None:
    def break_it(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA {fault}")

    event.listen(blog.database.engine, "connect", break_it)
    blog.database.close()
    check_that_it_reads_but_does_not_write(blog, alice, slug, size=100_000)
    event.remove(blog.database.engine, "connect", break_it)
    blog.database.close()
    assert alice.write("After the fault")


def check_that_it_reads_but_does_not_write(
    blog: Blog, alice: Person, slug: str, size: int = 0
) -> None:
    answer = alice.post("/posts", {"title": "In vain", "content": TEXT + " " * size})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert KEPT in answer.text
    login = alice.post("/auth/login", {"username": "bob", "password": "not to be seen again"})
    assert login.status_code in (303, 503)
    assert "not to be seen again" not in login.text
    for reader in (alice, blog.visitor()):
        for path in ("/", f"/posts/{slug}", "/readyz", STYLE):
            assert reader.get(path).status_code == 200
    assert alice.is_logged_in()
    assert [post.title for post in blog.rows(Post)] == ["Before the fault"]


@pytest.fixture(scope="module")
def own() -> Iterator[servers.Postgres]:
    with servers.postgres() as postgres:
        yield postgres


@pytest.fixture
def postgres(own: servers.Postgres) -> servers.Postgres:
    """One that may be stopped; running."""
    own.start()
    return own


@pytest.fixture(scope="module")
def server(own: servers.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """On that PostgreSQL, which was not there yet when it started."""
    folder = tmp_path_factory.mktemp("faults")
    own.stop()
    with serving(folder, ready="/healthz", DATABASE_URL=own.url) as server:
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def cookies(server: Serving, own: servers.Postgres) -> str:
    """Alice's."""
    own.start()
    server.wait_for("/readyz")
    return server.register(ALICE)


@own_postgres
def test_without_a_database_it_starts_waits_and_recovers(
    server: Serving, own: servers.Postgres
) -> None:
    assert server.status("/healthz") == 200
    assert server.status(STYLE) == 200
    ready = server.get("/readyz")
    assert ready.status == 503
    assert json.loads(ready.text)["checks"]["database"] == "unavailable"
    check_503(server.get("/"))
    assert re.search("the database is not ready: .*[Rr]efused", server.log)
    own.start()
    server.wait_for("/readyz", seconds=6)
    assert server.status("/") == 200


@own_postgres
def test_a_crash_of_the_database_loses_no_text_and_no_login(
    server: Serving, postgres: servers.Postgres, cookies: str
) -> None:
    before = write(server, cookies, "Before the crash").location
    postgres.stop()
    with hurry(6):
        answer = write(server, cookies, "In vain", idempotency_key="the-same-form")
    check_503(answer)
    assert KEPT in answer.text
    assert 'name="idempotency_key" value="the-same-form"' in answer.text
    check_503(server.get("/"))
    check_503(server.get(before, cookies))
    check_503(server.post("/auth/login", {"username": ALICE, "password": "whatever it was"}))
    assert server.status("/healthz") == server.status(STYLE) == 200
    postgres.start()
    server.wait_for("/", seconds=5)
    again = write(server, cookies, "In vain", idempotency_key="the-same-form")
    assert (again.status, again.location) == (303, "/posts/in-vain")
    assert server.status(before) == 200


@own_postgres
def test_without_database_and_redis_every_field_comes_back_to_be_sent_again(
    postgres: servers.Postgres, mortal_redis: servers.Redis, tmp_path: Path
) -> None:
    fields = {
        "title": "Both away",
        "content": TEXT,
        "tags": "one, two",
        "slug": "an-address",
        "series": "A series",
        "kind": "post",
        "action": "draft",
        "idempotency_key": "both-away",
        "tab": "a-tab",
    }
    with serving(tmp_path, DATABASE_URL=postgres.url, REDIS_URL=mortal_redis.url) as server:
        cookies = server.register("erin")
        postgres.stop()
        mortal_redis.stop()
        answer = server.post("/posts", fields, cookies)
        check_503(answer)
        assert KEPT in answer.text
        for name in fields.keys() - {"content"}:
            assert f'name="{name}" value="{fields[name]}"' in answer.text
        script = server.post("/posts", fields, cookies, Accept="application/json")
        assert script.status == 503
        assert json.loads(script.text)["status"] == 503
        postgres.start()
        mortal_redis.start()
        server.wait_for("/readyz", seconds=10)
        assert server.post("/posts", fields, cookies).location == "/posts/an-address/edit"


@own_postgres
def test_cut_connections_are_replaced_before_anybody_notices(
    server: Serving, postgres: servers.Postgres, cookies: str
) -> None:
    at_once(8, lambda _: server.status("/"))
    with outside(postgres) as cursor:
        cut_connections(cursor)
    assert Counter(at_once(8, lambda _: server.status("/"))) == {200: 8}


@own_postgres
def test_a_locked_row_costs_its_writer_a_503(
    server: Serving, postgres: servers.Postgres, cookies: str
) -> None:
    page = write(server, cookies, "Locked").location
    with outside(postgres) as cursor:
        cursor.execute("SELECT FROM posts FOR UPDATE")
        with hurry(6):
            form = {"title": "Locked", "content": TEXT, "version": "1", "action": "publish"}
            answer = server.post(page, form, cookies)
        check_503(answer)
        assert KEPT in answer.text
        assert server.status(page) == 200
        assert write(server, cookies, "Another").status == 303


@own_postgres
def test_a_locked_table_and_a_full_pool_cost_503s_but_not_the_rest(
    server: Serving, postgres: servers.Postgres, cookies: str
) -> None:
    with outside(postgres) as cursor:
        cursor.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")

        def visit(number: int) -> int:
            if number % 6 == 0:
                time.sleep(0.5)  # until the others wait
                with hurry(1.5):
                    return server.status("/healthz" if number % 12 else STYLE)
            return server.status("/")

        with hurry(10):
            assert Counter(at_once(30, visit)) == {503: 25, 200: 5}
    assert server.status("/") == 200
    assert "ETag" in server.get("/").headers  # the fault is forgotten: it is kept as ever


@own_postgres
def test_a_read_only_database_costs_writers_a_503_and_readers_nothing(
    server: Serving, postgres: servers.Postgres, cookies: str
) -> None:
    page = write(server, cookies, "Read-only").location
    setting = "ALTER DATABASE postgres SET default_transaction_read_only = "
    with outside(postgres) as cursor:
        cursor.execute(setting + "on")
        cut_connections(cursor)
    answer = write(server, cookies, "In vain again")
    check_503(answer)
    assert KEPT in answer.text
    assert server.status("/") == server.status(page) == 200
    assert server.get("/drafts", cookies).status == 200
    with outside(postgres) as cursor:
        cursor.execute("SET TRANSACTION READ WRITE")
        cursor.execute(setting + "off")
        cut_connections(cursor)
    assert write(server, cookies, "Writable again").status == 303


def cut_connections(cursor: Any) -> None:
    """And return once they have ended."""
    cursor.execute(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    assert cursor.fetchone()[0] > 0


@own_postgres
def test_a_frozen_database_is_given_up_on(
    postgres: servers.Postgres, server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes what is sent, and never answers: neither it nor the network ends that."""
    monkeypatch.setattr(database, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(database, "SILENCE_SECONDS", 0.5)
    with Blog(blog_settings(database_url=with_driver(postgres))) as blog:
        reader = blog.visitor()
        assert reader.get("/").status_code == 200
        with frozen(postgres), hurry(6):
            answer = reader.get("/")
            assert answer.status_code == 503
            assert "Back in a moment" in answer.text
        assert reader.get("/").status_code == 200


def with_driver(postgres: servers.Postgres) -> str:
    return postgres.url.replace("postgresql://", "postgresql+psycopg2://")


@contextmanager
def frozen(postgres: servers.Postgres) -> Iterator[None]:
    with outside(postgres) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        parent = psutil.Process(cursor.fetchone()[0]).parent()
    assert parent
    parent.suspend()  # the first, so that the list stays true
    try:
        for child in parent.children():
            child.suspend()
        yield
    finally:
        for process in (*parent.children(), parent):
            process.resume()


def check_503(answer: Answer) -> None:
    """A styled page that says so and when to come back."""
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"].endswith("no-store")
    assert "Back in a moment" in answer.text
    assert "/static/css/" in answer.text
    assert "psycopg" not in answer.text


def write(server: Serving, cookies: str, title: str, **fields: str) -> Answer:
    return server.post("/posts", {"title": title, "content": TEXT, **fields}, cookies)


@contextmanager
def hurry(seconds: float) -> Iterator[None]:
    """The block must not take longer."""
    started_at = time.monotonic()
    yield
    assert time.monotonic() - started_at < seconds


@contextmanager
def outside(postgres: servers.Postgres) -> Iterator[Any]:
    """Somebody else's transaction; it ends with the block."""
    with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
        yield cursor
        connection.commit()
