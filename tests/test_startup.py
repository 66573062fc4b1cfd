"""Starting: it works by every command, or says in a sentence what to do; never half."""

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

import migrations
from tests.conftest import fresh_database
from tests.people import ALICE
from tests.processes import SERVE, free_port, rows, run, serving
from tests.sockets import dashboard, told

UVICORN = ("-m", "uvicorn", "main:app", "--port")
GOOD_KEY = "tQ0v7-wYk3mZ_8rJx2nB5hLd9sFgPcAe1uTi"
NOWHERE = "postgresql://127.0.0.1:9/blog?connect_timeout=1"

# Kills itself before the statement of that number, once for every few of them, and looks what is
# left each time; prints how often, and the revision after one that was let through.
MIGRATE_AND_DIE = """
import os, signal
from itertools import count
from sqlalchemy import event, inspect
import migrations
from database import Database
from settings import load_settings

def migrate(url, last):
    database, numbers = Database(url), count()
    @event.listens_for(database.engine, "before_cursor_execute")
    def die(*_):
        if next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)
    migrations.upgrade(database)

def tables(url):
    database = Database(url)
    with database.engine.connect() as connection:
        return inspect(connection).get_table_names()

url, deaths = load_settings().database_url, 0
for last in count(step=9):
    child = os.fork()
    if child == 0:
        migrate(url, last)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    deaths += 1
    assert tables(url) == [], (last, tables(url))
print(deaths, migrations.current(Database(url)))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, worker: int) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inkstand.db'}"
    return fresh_database(f"inkstand_started_{worker}")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "x" * 64,
        "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME",
        "your-secret-key-goes-here-please-do-it-now",
        "replace-me-with-a-long-random-string-please",
        "<a long random text of 32 characters>",
        f"{GOOD_KEY},short",
    ],
)
def test_production_without_a_real_key_says_what_to_do(key: str) -> None:
    done = run(*SERVE, ENVIRONMENT="production", BCRYPT_COST=12, SECRET_KEY=key)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Inkstand cannot start. SECRET_KEY is ")
    assert "secrets.token_urlsafe(48)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_so_it_does_when_uvicorn_starts_it() -> None:
    done = run(*UVICORN, "0", ENVIRONMENT="production", BCRYPT_COST=12, SECRET_KEY="")
    assert done.returncode == 1
    assert done.stderr.startswith("Inkstand cannot start. SECRET_KEY is missing.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"DATABASE_URL": "mysql://host/blog"}, "must start with postgresql://"),
        ({"DATABASE_URL": "postgres://"}, "is no URL like"),
        ({"DATABASE_URL": "postgres://user:pass/word@host/blog"}, "written as %XX"),
        ({"REDIS_URL": "127.0.0.1:6379"}, "must start with redis://"),
        ({"REDIS_URL": "redis://host:port/0"}, "is no URL like"),
        ({"PORT": "eighty"}, "valid integer"),
        ({"PORT": "70000"}, "less than or equal to 65535"),
        ({"WEB_CONCURRENCY": "0"}, "greater than or equal to 1"),
        ({"BASE_URL": "blog.example"}, "must start with https://"),
        ({"BASE_URL": "https://blog.example/blog"}, "without a path"),
        ({"BASE_URL": "https://blog.example?x"}, "without a path"),
        ({"BASE_URL": "https://user@blog.example"}, "without a path"),
        ({"BASE_URL": "https://"}, "must start with https://"),
        ({"ALLOWED_HOSTS": "blog.example,https://blog.example"}, "without https://"),
        ({"ALLOWED_HOSTS": "blog.example:443"}, "without https://"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_makes_no_sense_is_named(setting: dict[str, Any], sentence: str) -> None:
    done = run(*SERVE, **setting)
    assert done.returncode == 1
    assert done.stderr.startswith("Inkstand cannot start. ")
    assert next(iter(setting)) in done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "pass/word" not in done.stderr


def test_every_mistake_has_its_line() -> None:
    done = run(*SERVE, PORT="x", BCRYPT_COST="y")
    assert done.stderr.count("\n") == 2
    assert "PORT: " in done.stderr
    assert "BCRYPT_COST: " in done.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path, workers: int) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        done = run(*SERVE, PORT=port, WEB_CONCURRENCY=workers)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Inkstand cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another address by HOST and PORT, or stop what is using this one.\n"
    )


def test_the_address_that_heroku_gives_will_do(worker: int, tmp_path: Path) -> None:
    url = fresh_database(f"inkstand_started_{worker}").replace("postgresql://", "postgres://")
    with serving(tmp_path, DATABASE_URL=url) as server:
        assert server.register(ALICE)


def test_in_production_it_starts_with_a_real_key(tmp_path: Path) -> None:
    with serving(tmp_path, ENVIRONMENT="production", SECRET_KEY=GOOD_KEY, BCRYPT_COST=10) as server:
        assert "; Secure" in str(server.post("/auth/logout", {}).headers)
        assert server.stop() == 0


def test_uvicorn_alone_migrates_and_serves(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, command=(*UVICORN, str(port)), PORT=port) as server:
        cookies = server.register(ALICE)
        assert server.status("/") == 200
        with dashboard(server, cookies) as socket:
            assert told(socket) == {"type": "ready"}
        assert "Traceback" not in server.log


def test_migrating_is_a_command_too_and_does_nothing_twice(empty_database: str) -> None:
    for said in ("The database is migrated.\n", "The database is up to date.\n"):
        done = run("-m", "cli", "migrate", DATABASE_URL=empty_database)
        assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    found = rows(empty_database, "SELECT version_num FROM alembic_version")
    assert found == [(migrations.head(),)]


def test_a_command_that_needs_the_database_says_that_it_does_not_answer() -> None:
    done = run("-m", "cli", "migrate", DATABASE_URL=NOWHERE)
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ")
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_migration_that_is_killed_leaves_nothing_half(empty_database: str) -> None:
    done = run("-c", MIGRATE_AND_DIE, DATABASE_URL=empty_database)
    assert done.returncode == 0, done.stderr
    deaths, revision = done.stdout.split()
    assert int(deaths) >= 3
    assert revision == migrations.head()


def test_an_option_goes_before_its_variable(tmp_path: Path) -> None:
    command = (*SERVE, "--workers", "1")
    with serving(tmp_path, command=command, WEB_CONCURRENCY=4) as server:
        assert psutil.Process(server.pid).children() == []


def test_what_a_blog_on_sqlite_does_not_use_is_not_loaded(tmp_path: Path) -> None:
    heavy = ("redis", "psycopg2", "sqlalchemy.dialects.postgresql", "alembic", "pygments", "rich")
    script = f"import sys, main; print([name for name in {heavy} if name in sys.modules])"
    done = run("-c", script, DATABASE_URL=f"sqlite:///{tmp_path / 'inkstand.db'}")
    assert (done.stdout, done.stderr) == ("[]\n", "")
