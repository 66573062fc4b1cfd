"""What readers and people who log in notice of fifty wrong passwords a second, for half a minute.

  python bench/login_flood.py [seconds] [networks]

The real start command with one process, on SQLite alone and on PostgreSQL with Redis. The flood
comes from several networks and tries a new name each time, so that no limit stops it soon and hashing
is what everybody waits for. Meanwhile somebody reads the front page twenty times a second, Alice logs in
with the browser she always uses, and Bob with one that is new here, from a network of his own.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
FLOOD_PER_SECOND, READS_PER_SECOND, SECONDS_BETWEEN_LOGINS = 50, 20, 2
COST = 12  # of bcrypt, as it is by default
ALONE_SECONDS = 10
NAMES = ("SQLite", "PostgreSQL and Redis")


class Reply(NamedTuple):
    status: int
    seconds: float
    cookies: str


def main(seconds: int, networks: int) -> None:
    print(f"Python {sys.version.split()[0]}, {multiprocessing.cpu_count()} cores, ", end="")
    print(f"{seconds} s of {FLOOD_PER_SECOND} wrong passwords a second from {networks} networks\n")
    print("| | alone | during the flood | ratio | aim |\n|---|---|---|---|---|")
    for name in NAMES:
        with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), running, seconds, networks)


def measure(name: str, folder: Path, running: ExitStack, seconds: int, networks: int) -> None:
    from tests import servers
    from tests.processes import serving

    settings: dict[str, Any] = {"TRUSTED_PROXIES": 1, "BCRYPT_COST": COST}
    if name != "SQLite":
        settings["DATABASE_URL"] = running.enter_context(servers.postgres(durable=True)).url
        settings["REDIS_URL"] = running.enter_context(servers.redis()).url
    server = running.enter_context(serving(folder, **settings))
    devices = server.register("alice")
    server.register("bob")
    server.get("/", devices)
    pool = running.enter_context(multiprocessing.get_context("spawn").Pool(3))
    alone = pool.apply(run, (read, server.port, ALONE_SECONDS))
    calm = pool.apply(run, (log_in_alone, server.port, devices))
    flood = pool.apply_async(run, (attack, server.port, seconds, networks))
    logins = pool.apply_async(run, (log_in, server.port, seconds, devices))
    during = run(read, server.port, seconds)
    report(name, alone, during, calm, logins.get(), flood.get())


def report(
    name: str,
    alone: list[Reply],
    during: list[Reply],
    calm: list[Reply],
    logins: dict[str, list[Reply]],
    flood: list[Reply],
) -> None:
    for percent, aim in ((50, ""), (99, "under 100 ms")):
        before, after = (percentile(replies, percent) for replies in (alone, during))
        label = f"{name}: a reader, {percent} of 100"
        print(f"| {label} | {before:.1f} ms | {after:.1f} ms | {after / before:.1f} | {aim} |")
    usual = statistics.median(reply.seconds for reply in calm)
    for person, replies in logins.items():
        good = [reply.seconds for reply in replies if reply.status == 303]
        slowest = max(good, default=0.0)
        label = f"{name}: a login {person}, the slowest ({len(good)} of {len(replies)} let in)"
        print(
            f"| {label} | {usual:.2f} s | {slowest:.2f} s | {slowest / usual:.1f} | 2 s at most |"
        )
    answers = ", ".join(f"{n} x {status}" for status, n in sorted(count(flood).items()))
    print(f"| {name}: answers to readers and to the flood | {count(alone)} | {count(during)} | | |")
    print(f"| {name}: the flood, {percentile(flood, 99) / 1000:.1f} s at most | | {answers} | | |")


async def read(port: int, seconds: int) -> list[Reply]:
    return await paced(READS_PER_SECOND, seconds, lambda _: ask(port, "GET", "/"))


async def attack(port: int, seconds: int, networks: int) -> list[Reply]:
    def guess(number: int) -> Awaitable[Reply]:
        address = f"10.{number % networks // 250}.{number % networks % 250}.1"
        return ask(port, "POST", "/auth/login", form(f"somebody-{number}", "wrong"), address)

    return await paced(FLOOD_PER_SECOND, seconds, guess)


async def log_in(port: int, seconds: int, devices: str) -> dict[str, list[Reply]]:
    known, new = [], []
    await asyncio.sleep(SECONDS_BETWEEN_LOGINS)
    for number in range(seconds // SECONDS_BETWEEN_LOGINS - 1):
        started_at = time.perf_counter()
        known.append(await enter(port, "alice", "192.0.2.1", device_of(devices)))
        new.append(await enter(port, "bob", f"198.51.100.{number}", ""))
        spent = time.perf_counter() - started_at
        await asyncio.sleep(max(SECONDS_BETWEEN_LOGINS - spent, 0))
    return {"from a known browser": known, "from a new one": new}


async def log_in_alone(port: int, devices: str) -> list[Reply]:
    return [await enter(port, "alice", "192.0.2.1", device_of(devices)) for _ in range(10)]


async def enter(port: int, name: str, address: str, cookies: str) -> Reply:
    from tests.people import PASSWORD

    return await ask(port, "POST", "/auth/login", form(name, PASSWORD), address, cookies)


def device_of(cookies: str) -> str:
    """The cookie by which a browser is known, without that of the login."""
    return next(each for each in cookies.split("; ") if "devices" in each)


def form(username: str, password: str) -> str:
    return urlencode({"username": username, "password": password})


async def paced(
    per_second: int, seconds: int, work: Callable[[int], Awaitable[Reply]]
) -> list[Reply]:
    """So many a second, whether they are answered or not."""
    started_at = time.perf_counter()
    asked: list[asyncio.Task[Reply]] = []
    for number in range(per_second * seconds):
        await asyncio.sleep(max(started_at + number / per_second - time.perf_counter(), 0))
        asked.append(asyncio.ensure_future(work(number)))
    return list(await asyncio.gather(*asked))


async def ask(
    port: int,
    method: str,
    path: str,
    body: str = "",
    address: str = "203.0.113.1",
    cookies: str = "",
) -> Reply:
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: blog",
        "Connection: close",
        f"X-Forwarded-For: {address}",
        *([f"Cookie: {cookies}"] if cookies else []),
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    started_at = time.perf_counter()
    try:
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
            answer = (await reader.read()).decode()
            writer.close()
    except (OSError, TimeoutError):
        return Reply(0, time.perf_counter() - started_at, "")
    return Reply(int(answer[9:12] or 0), time.perf_counter() - started_at, "")


def run(work: Callable[..., Any], *values: Any) -> Any:
    return asyncio.run(work(*values))


def percentile(replies: list[Reply], percent: int) -> float:
    """In milliseconds."""
    ordered = sorted(reply.seconds for reply in replies)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1000


def count(replies: list[Reply]) -> dict[int, int]:
    return dict(Counter(reply.status for reply in replies))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [30, 25][len(given) :]))
