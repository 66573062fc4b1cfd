"""The blog under test: a real server on loopback, on SQLite alone and on PostgreSQL with Redis.

PostgreSQL and Redis are started once, by the process that starts the workers; every worker has a
database of its own. Nothing is skipped when one is missing: `servers.py` says what to install.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest
import redis
from sqlalchemy.engine import make_url

from tests import servers
from tests.blog import Blog, Person, blog_settings
from tests.mailbox import Mailbox
from tests.people import ALICE, BOB, CAROL, MALLORY

if TYPE_CHECKING:  # making its keys takes a while, and few tests need them
    from tests.openid_provider import LocalProvider

POSTGRES, REDIS = "INKSTAND_TEST_POSTGRES", "INKSTAND_TEST_REDIS"
BACKENDS = ("sqlite", "postgres")
running = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly or POSTGRES in os.environ:
        return
    with ThreadPoolExecutor() as pool:
        postgres, redis = servers.postgres(), servers.redis()
        starting = pool.submit(running.enter_context, postgres)
        os.environ[REDIS] = running.enter_context(redis).url
        os.environ[POSTGRES] = starting.result().url


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        running.close()


def pytest_report_header() -> str:
    if POSTGRES not in os.environ:
        return ""
    with psycopg2.connect(os.environ[POSTGRES]) as connection:
        return f"PostgreSQL {connection.server_version // 10000}, Redis at {os.environ[REDIS]}"


@pytest.fixture(scope="session")
def worker() -> int:
    """The number of this test process."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def postgres_url(worker: int) -> str:
    """An empty database for this process."""
    return fresh_database(f"inkstand_test_{worker}")


@pytest.fixture(scope="session")
def redis_url(worker: int) -> str:
    """A Redis database for this process, with patience: a busy machine is no fault of Redis."""
    address = f"{os.environ[REDIS].removesuffix('/0')}/{worker}"
    return f"{address}?socket_timeout=3&socket_connect_timeout=3"


@pytest.fixture(scope="session")
def own_redis() -> Iterator[servers.Redis]:
    """A Redis for this process alone: ours to stop, also where a variable names another."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv(servers.Redis.variable, raising=False)
        with servers.redis() as found:
            yield found


@pytest.fixture
def mortal_redis(own_redis: servers.Redis) -> servers.Redis:
    """The same, running and empty; a test may stop it."""
    own_redis.start()
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()
    return own_redis


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def running_blog(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Blog]:
    if backend == "sqlite":
        path: Path = tmp_path_factory.mktemp("blog") / "inkstand.db"
        settings = blog_settings(database_url=f"sqlite:///{path}")
    else:
        settings = blog_settings(
            database_url=request.getfixturevalue("postgres_url"),
            redis_url=request.getfixturevalue("redis_url"),
        )
    with Blog(settings) as blog:
        yield blog


@pytest.fixture
def blog(running_blog: Blog) -> Blog:
    """An empty blog, served on loopback."""
    running_blog.empty()
    return running_blog


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server. `with blog.beside(**mailbox.settings) as sender:` sends its mails there."""
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def stranger(blog: Blog) -> Person:
    """Somebody without an account."""
    return blog.visitor()


@pytest.fixture
def alice(blog: Blog) -> Person:
    """Owns the blog; logged in."""
    return blog.person(ALICE)


@pytest.fixture
def bob(alice: Person, blog: Blog) -> Person:
    """Writes; logged in."""
    return blog.person(BOB)


@pytest.fixture
def carol(alice: Person, blog: Blog) -> Person:
    """Reads, may not write; logged in."""
    return blog.person(CAROL, role="reader")


@pytest.fixture
def mallory(alice: Person, blog: Blog) -> Person:
    """An author who attacks; logged in."""
    return blog.person(MALLORY)


@pytest.fixture(scope="session")
def running_provider() -> Iterator["LocalProvider"]:
    from tests.openid_provider import LocalProvider

    with LocalProvider() as found:
        yield found


@pytest.fixture(scope="session")
def running_office(running_blog: Blog, running_provider: "LocalProvider") -> Iterator[Blog]:
    from tests.openid_world import knowing

    with knowing(running_blog, running_provider) as found:
        yield found


@pytest.fixture
def provider(running_provider: "LocalProvider") -> "LocalProvider":
    """A provider of logins, on this machine and honest until told otherwise."""
    running_provider.reset()
    return running_provider


@pytest.fixture
def office(alice: Person, running_office: Blog, provider: "LocalProvider") -> Blog:
    """The blog of Alice, where one can log in by way of that provider."""
    from tests.openid_world import forget

    forget(running_office)
    return running_office


@pytest.fixture
def maren(office: Blog) -> Person:
    """Known to the provider; nobody here yet."""
    return office.visitor()


def fresh_database(name: str) -> str:
    """Create an empty PostgreSQL database; its URL."""
    url = make_url(os.environ[POSTGRES])
    connection = psycopg2.connect(os.environ[POSTGRES])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    return url.set(database=name).render_as_string(hide_password=False)
