"""What a worker holds in memory after many requests over many pages, beside what it held before.

  python bench/memory.py [--requests 100000] [--pages 10000]

The real start command with one process on SQLite, and the page cache as large as it is by default.
Strangers ask for every post in a random order, some for compressed pages; in between come pages
that are not there. It is measured at the start, and after each tenth of the requests: what still
grows at the end would be a leak. With PAGE_CACHE_MB the cache is bounded.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import _content, _load, _servers  # noqa: E402
from tests.processes import Serving  # noqa: E402

MEBIBYTE = 1024 * 1024
CONNECTIONS = 16
STEPS = 10
LONGEST_STEP = 600  # seconds
WARM_UP = 200
MISSING = 50  # one request in so many
ENCODINGS = ("br", "gzip", "identity")


def main(requests: int, pages: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'inkstand.db'}"
        _content.fill(url, pages)
        with _servers.blog(folder, DATABASE_URL=url) as server:
            ask(server, pages, WARM_UP, random.Random(1))
            rss, uss = held(server)
            print(f"Python {sys.version.split()[0]}, {pages:,} pages\n")
            print(
                "| requests | RSS | USS | USS since the start | to reach |\n|---|---|---|---|---|"
            )
            print(f"| {WARM_UP} | {rss:.1f} MiB | {uss:.1f} MiB | | |")
            for step in range(1, STEPS + 1):
                ask(server, pages, requests // STEPS, random.Random(step))
                rss, now = held(server)
                aim = "at most +48 MiB" if step == STEPS else ""
                done = f"{requests // STEPS * step:,}"
                more = f"{now - uss:+.1f} MiB ({now / uss:.2f})"
                print(f"| {done} | {rss:.1f} MiB | {now:.1f} MiB | {more} | {aim} |", flush=True)


def ask(server: Serving, pages: int, count: int, dice: random.Random) -> None:
    requests = []
    for number in range(count):
        is_there = number % MISSING
        slug = _content.slug_of(dice.randrange(pages)) if is_there else f"none-{number}"
        headers = {"Accept-Encoding": dice.choice(ENCODINGS)}
        requests.append(_load.request_of("GET", f"/posts/{slug}", headers))
    load = _load.send(server.port, requests, LONGEST_STEP, CONNECTIONS, 200)
    if load.answered < count:
        raise RuntimeError(f"Only {load.answered} of {count} were answered in {LONGEST_STEP} s.")
    if load.failed > count // MISSING + 1:
        raise RuntimeError(f"{load.failed} of {count} answers were no pages:\n{server.log[-2000:]}")


def held(server: Serving) -> tuple[float, float]:
    """Resident, and its own alone, in MiB."""
    memory = psutil.Process(server.pid).memory_full_info()
    return memory.rss / MEBIBYTE, memory.uss / MEBIBYTE


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=10_000)
    given = parser.parse_args()
    main(given.requests, given.pages)
