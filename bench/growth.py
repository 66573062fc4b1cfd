"""What a page takes on a blog of a thousand posts, and of a hundred thousand and a million.

  python bench/growth.py [--sizes 1000,100000,1000000] [--rounds 15] [--only sqlite] [--keep folder]

Each page goes through the whole application in one process, without the page cache, on SQLite and
on PostgreSQL. In every round each size is asked for each page, one after the other; the ratio is
that to the smallest blog in the same round. Of searches it is what 95 of 100 take at most, and they
are for other words each time. `--keep` leaves the filled SQLite files in a folder
and finds them there the next time; filling takes some minutes for each hundred thousand posts.
"""

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from fastapi import FastAPI  # noqa: E402

from bench import _content, _servers  # noqa: E402
from bench._rounds import number  # noqa: E402
from main import create_app  # noqa: E402
from services import cursors  # noqa: E402
from tests.blog import blog_settings  # noqa: E402
from web.access_log import output  # noqa: E402

AIM = "1.3"
ASKS = 5  # of each page in each round; the quickest counts
SEARCHES = 40  # at least
WARM_UP = 3


# From the most frequent words to the rarest, as many of each magnitude.
RANKS = sorted({int(_content.WORDS ** (step / 59)) - 1 for step in range(60)})


def pages(posts: int) -> dict[str, tuple[str, str]]:
    """Name, address and what is to be reached. The post in the middle has everything around it."""
    middle = posts // 2 // 10 * 10
    deep = cursors.cursor_of(_content.published_at(middle), _content.post_id(middle))
    return {
        "home": ("/", AIM),
        "home, half-way down": (f"/?before={deep}", AIM),
        "post": (f"/posts/{_content.slug_of(middle)}", AIM),
        "feed": ("/feed.xml", AIM),
        "tag on every second post": ("/tags/common", AIM),
        "the same, half-way down": (f"/tags/common?before={deep}", AIM),
        "tag on one post in a thousand": ("/tags/rare", AIM),
        "feed of a tag": ("/tags/common/feed.xml", AIM),
        "author": ("/users/author-7", AIM),
        "archive": ("/archive", AIM),
        "archive of a year": (f"/archive/{_content.NOW.year}", ""),
        "sitemap": ("/sitemap.xml", ""),
        "tags with their counts": ("/tags", ""),
    }


def searches() -> dict[str, tuple[list[str], str]]:
    """Name, questions, and what is to be reached by 95 of 100."""
    word = _content.word
    return {
        "search, two words": ([f"{word(n)}+{word(n * 3)}" for n in range(100, 400, 7)], "15 ms"),
        "search, any word": ([word(rank) for rank in RANKS], "100 ms"),
        "search, the most frequent word": ([word(0)], "100 ms"),
        # Nearly every post has both words, and hardly any has them side by side in this order.
        "search, a phrase that is rare": (
            [f"%22{'+'.join(map(word, (0, 1, 0, 1, 0, 1, 0, 1)))}%22"],
            "100 ms",
        ),
    }


def main(sizes: list[int], rounds: int, only: str, keep: str) -> None:
    logging.disable(logging.INFO)
    output.lines = None  # the access log goes its own way
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, milliseconds\n")
    heads = " | ".join(f"{size:,} posts" for size in sizes)
    print(f"| | {heads} | ratio | range of rounds | to reach |")
    print("|---" * (len(sizes) + 4) + "|")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = Path(keep or folder)
        place.mkdir(parents=True, exist_ok=True)
        for name, urls in (("SQLite", sqlite(place, sizes)), ("PostgreSQL", postgres(sizes))):
            if only.lower() in name.lower():
                found = running.enter_context(urls)
                asyncio.run(measure(name, dict(zip(sizes, found, strict=True)), rounds))


@contextmanager
def sqlite(folder: Path, sizes: list[int]) -> Iterator[list[str]]:
    urls = []
    for size in sizes:
        path = folder / f"{size}.db"
        urls.append(f"sqlite:///{path}")
        if not path.exists():
            timed_fill(urls[-1], size)
    yield urls


@contextmanager
def postgres(sizes: list[int]) -> Iterator[list[str]]:
    import psycopg2

    with _servers.databases() as (server, _):
        connection = psycopg2.connect(server.url)
        connection.autocommit = True
        for size in sizes:
            connection.cursor().execute(f"CREATE DATABASE growth_{size}")
        connection.close()
        base = server.url.replace("postgresql:", "postgresql+psycopg2:").rpartition("/")[0]
        urls = [f"{base}/growth_{size}" for size in sizes]
        for url, size in zip(urls, sizes, strict=True):
            timed_fill(url, size)
        yield urls


def timed_fill(url: str, size: int) -> None:
    began_at = time.perf_counter()
    _content.fill(url, size)
    spent = time.perf_counter() - began_at
    print(f"{size:,} posts are in {url.partition(':')[0]} after {spent:.0f} s", file=sys.stderr)


async def measure(database: str, urls: dict[int, str], rounds: int) -> None:
    async with AsyncExitStack() as running:
        apps = {}
        for size, url in urls.items():
            app = create_app(settings_of(url))
            await running.enter_async_context(app.router.lifespan_context(app))
            apps[size] = app
        names = list(pages(min(urls)))
        for name in names:
            times: dict[int, list[float]] = {size: [] for size in urls}
            aim, missing = "", 0
            for size, app in apps.items():
                path, aim = pages(size)[name]
                status = 0
                for _ in range(WARM_UP):
                    status = await ask(app, path)
                missing = missing or (status if status != 200 else 0)
            for _ in range(0 if missing else rounds):
                for size, app in apps.items():
                    times[size].append(await quickest(app, pages(size)[name][0]))
            print(line(f"{database}: {name}", times, aim, missing), flush=True)
        for name, (questions, aim) in searches().items():
            slowest = {size: await slowest_of_most(app, questions) for size, app in apps.items()}
            found = " | ".join(map(number, slowest.values()))
            print(f"| {database}: {name}, p95 | {found} | | | {aim} |", flush=True)


def settings_of(url: str) -> Any:
    return blog_settings(database_url=url, page_cache_mb=0)


async def quickest(app: FastAPI, path: str) -> float:
    return min([await timed(app, path) for _ in range(ASKS)])


async def timed(app: FastAPI, path: str) -> float:
    """In milliseconds."""
    began_at = time.perf_counter()
    status = await ask(app, path)
    spent = time.perf_counter() - began_at
    if status != 200:
        raise RuntimeError(f"{path}: {status}")
    return spent * 1000


async def slowest_of_most(app: FastAPI, questions: list[str]) -> float:
    """Milliseconds within which 95 of 100 searches are answered."""
    for question in questions[:WARM_UP]:
        await ask(app, f"/search?q={question}")
    times = [
        await timed(app, f"/search?q={question}")
        for question in islice(cycle(questions), max(SEARCHES, len(questions)))
    ]
    return statistics.quantiles(times, n=20)[-1]


clients = count(1)


async def ask(app: FastAPI, path: str) -> int:
    """The status of a page, through all layers but uvicorn's. Each time somebody else asks: one
    alone may search so often only."""
    path, _, query = path.partition("?")
    network = next(clients)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": (f"10.{network // 250 % 250}.{network % 250}.1", 1),
        "server": ("127.0.0.1", 80),
    }
    status = 0

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    return status


def line(name: str, times: dict[int, list[float]], aim: str, missing: int) -> str:
    if missing:
        return f"| {name} | missing ({missing}) |" + " |" * (len(times) + 1) + f" {aim} |"
    middles = " | ".join(number(statistics.median(found)) for found in times.values())
    small, large = times[min(times)], times[max(times)]
    ratios = [b / a for a, b in zip(small, large, strict=True)]
    extent = f"{number(min(ratios))} to {number(max(ratios))}"
    return f"| {name} | {middles} | {number(statistics.median(ratios))} | {extent} | {aim} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", default="")
    given = parser.parse_args()
    main(sorted(map(int, given.sizes.split(","))), given.rounds, given.only, given.keep)
