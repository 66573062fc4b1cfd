"""How many answers a second the blog gives, beside a bare application on the same server.

  python bench/pages.py [--seconds 2] [--rounds 5] [--only cached,uncached]

The real start command with one process on PostgreSQL and Redis, on one core; the load and the
databases are on the other. Every round measures the reference before and after each line, which
is where the ratio comes from. wrk asks where it is installed, else a small client of our own.
"""

import argparse
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import _content, _load, _rounds, _servers  # noqa: E402
from bench._rounds import Row  # noqa: E402
from tests.people import PASSWORD  # noqa: E402
from tests.processes import Serving  # noqa: E402

POSTS = 1000
PARAGRAPHS = 6  # so that the page of a post has about 12 KB
WRITERS, LOGINS = 8, 8
READERS = 8  # connections that read while others log in
BROTLI = {"Accept_Encoding": "br"}


@dataclass
class Stage:
    """All that is measured, running."""

    bare: Serving
    plain: Serving
    insert: Serving
    blog: Serving
    uncached: Serving
    owner: str  # her cookies
    reader: str  # the cookies of somebody who has written nothing
    seconds: float

    @property
    def post(self) -> str:
        return f"/posts/{_content.slug_of(3)}"

    def rate(self, server: Serving, path: str, **headers: str) -> float:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        load = _load.get(server.port, path, self.seconds, sent)
        if load.failed:
            raise RuntimeError(f"{path}: {load.failed} answers were not 200.")
        return load.per_second

    def rate_of_304(self, server: Serving, path: str) -> float:
        """With the ETag of this moment: something is published between the rounds."""
        known = {"If-None-Match": server.get(path).headers["ETag"]}
        load = _load.get(server.port, path, self.seconds, known, status=304)
        if load.failed or server.get(path, **known).status != 304:
            raise RuntimeError(f"{path}: not all answers were 304.")
        return load.per_second


def main(seconds: float, rounds: int, only: str) -> None:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        stage = set_up(folder, running, seconds)
        rows = [
            row for row in rows_of(stage) if not only or any(w in row.name for w in only.split(","))
        ]
        _rounds.run(rows, rounds)
    asks = "wrk" if _load.WRK else "a client of our own"
    print(f"\nPython {sys.version.split()[0]}, {rounds} rounds of {seconds:g} s, {asks}\n")
    print(_rounds.table(rows, reference="the reference"))
    if during:
        slowest = statistics.median(during) * 1000
        print(f"\n99 of 100 readers were answered within {slowest:.1f} ms while others logged in.")


def set_up(folder: Path, running: ExitStack, seconds: float) -> Stage:
    postgres, redis = running.enter_context(_servers.databases(durable=True))
    settings: dict[str, Any] = {
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "TRUSTED_PROXIES": 1,
    }
    _content.fill(
        postgres.url.replace("postgresql:", "postgresql+psycopg2:"), POSTS, paragraphs=PARAGRAPHS
    )
    start = running.enter_context

    blog = start(_servers.blog(folder / "blog", **settings))
    owner, reader = cookies_of(blog, "alice"), cookies_of(blog, "dora")
    return Stage(
        bare=start(_servers.bare(folder / "bare")),
        plain=start(_servers.bare(folder / "plain", "plain")),
        insert=start(_servers.bare(folder / "insert", "insert", **settings)),
        blog=blog,
        uncached=start(_servers.blog(folder / "uncached", **settings, PAGE_CACHE_MB=0)),
        owner=owner,
        reader=reader,
        seconds=seconds,
    )


def cookies_of(blog: Serving, username: str) -> str:
    """Of somebody new, but for the word of welcome: a browser shows it once, wrk on every page."""
    return "; ".join(each for each in blog.register(username).split("; ") if "flash" not in each)


def rows_of(stage: Stage) -> list[Row]:
    """In the order of the table."""
    rate = stage.rate
    bare = partial(rate, stage.bare, "/")
    blog, post = stage.blog, stage.post
    rows = [
        Row("bare application, 12 KB", bare, bare, "1.00"),
        Row(
            "the same without our deadlines for slow clients", partial(rate, stage.plain, "/"), bare
        ),
    ]

    def page(name: str, server: Serving, path: str, aim: str, **headers: str) -> None:
        row = Row(name, partial(rate, server, path, **headers), bare, aim)
        answer = server.get(path, headers.get("Cookie", ""))
        if answer.status != 200:
            row.missing = f"missing ({answer.status})"
        rows.append(row)

    page("cached home", blog, "/", "0.70")
    page("cached home, brotli", blog, "/", "0.70", **BROTLI)
    page("cached post", blog, post, "0.70")
    page("cached post, brotli", blog, post, "0.70", **BROTLI)
    page("cached feed", blog, "/feed.xml", "0.70")
    rows.append(Row("cached post, 304", partial(stage.rate_of_304, blog, post), bare, "0.90"))
    page("uncached home, 20 posts", stage.uncached, "/", "0.04")
    page("uncached post", stage.uncached, post, "0.04")
    page("uncached tag on half of all posts", stage.uncached, "/tags/common", "")
    page("uncached feed", stage.uncached, "/feed.xml", "")
    page("logged-in home", blog, "/", "0.10, or 0.40", Cookie=stage.reader)
    page("logged-in post", blog, post, "0.10, or 0.40", Cookie=stage.reader)
    page("logged-in post, by the owner, who sees more", blog, post, "", Cookie=stage.owner)
    rows += [
        Row(
            f"publishing 5 KB, {WRITERS} clients, to a bare INSERT",
            partial(published, stage, blog, stage.owner),
            partial(published, stage, stage.insert, ""),
            "0.5",
        ),
        Row(
            f"readers while {LOGINS} log in at once, to readers alone",
            partial(read_during_logins, stage),
            partial(read_alone, stage),
            "0.45",
        ),
    ]
    return rows


numbers = count(1)


def published(stage: Stage, server: Serving, cookies: str) -> float:
    """Posts a second; each is another."""
    headers = {"Cookie": cookies} if cookies else {}
    requests = [
        _load.request_of("POST", "/posts", headers, form(next(numbers)).encode())
        for _ in range(int(stage.seconds * 3000))
    ]
    load = _load.send(server.port, requests, stage.seconds, WRITERS, 303)
    if load.failed:
        raise RuntimeError(f"{load.failed} posts were not stored:\n{server.log[-2000:]}")
    return load.per_second


def form(number: int) -> str:
    paragraph = f"Some *words* of a [post](https://example.org/{number}) about the sea. " * 8
    content = "\n\n".join([f"## Part {number}", *[paragraph] * 9])[: 5 * 1024]
    return urlencode(
        {
            "title": f"A post with the number {number}",
            "content": content,
            "tags": "tides, knots",
            "action": "publish",
        }
    )


def read_alone(stage: Stage) -> float:
    return _load.get(stage.blog.port, "/", stage.seconds, connections=READERS).per_second


during: list[float] = []  # p99 of readers, in seconds


def read_during_logins(stage: Stage) -> float:
    """What readers get while eight people, each from elsewhere, log in all the time."""
    with ThreadPoolExecutor(1) as other:
        logins = other.submit(log_in, stage, stage.seconds + 1)
        load = _load.get(stage.blog.port, "/", stage.seconds, connections=READERS)
        logins.result()
    during.append(load.p99)
    return load.per_second


def log_in(stage: Stage, seconds: float) -> None:
    requests = [
        _load.request_of(
            "POST",
            "/auth/login",
            {"X-Forwarded-For": f"10.{n // 250 % 250}.{n % 250}.1"},
            urlencode({"username": "alice", "password": PASSWORD}).encode(),
        )
        for n in range(int(seconds * 60))
    ]
    _load.send(stage.blog.port, requests, seconds, LOGINS, 303)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    main(given.seconds, given.rounds, given.only)
