"""A blog of any size, put straight into the tables: too many posts to write them one by one.

Bodies have about 2 KB of words with a natural frequency. Every second post has the tag "common",
one in a thousand "rare", and each two more of a thousand tags, some of which are far more usual
than others. One post in ten is part of a series of ten.
"""

import io
import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2 import extensions
from sqlalchemy.engine import make_url

import migrations
from database import Database
from models import now
from services.search import documents, index

AUTHORS, TAGS, PARAGRAPHS, WORDS = 50, 1000, 4000, 20_000
MOST_USUAL_WORDS = 12
WORDS_INDEX = "ix_search_entries_words"
BATCH = 20_000
APART = timedelta(minutes=5)
NOW = now().replace(microsecond=0)


def fill(url: str, posts: int, *, paragraphs: int = 4) -> None:
    """Make the tables, and put so many public posts into them, and into the index of words."""
    with closing(Database(url)) as database:
        migrations.upgrade(database)
    dice = random.Random(7)
    content = Content(dice, posts, paragraphs)
    put = Sqlite(url) if url.startswith("sqlite") else Postgres(url)
    with closing(put):
        put.rows("users", content.users())
        put.rows("tags", content.tags())
        put.rows("series", content.series())
        # The oldest first: that is how a blog grows, and FTS5 is slow in any other order.
        for numbers in batched(range(posts - 1, -1, -1), BATCH):
            rows, tags = list(map(content.post, numbers)), list(content.post_tags(numbers))
            put.rows("posts", rows)
            put.rows("slugs", map(content.slug, numbers))
            put.rows("post_tags", tags)
            put.rows("search_entries", content.search_entries(rows, tags, put.written_as))
            put.rows("search_titles", content.search_titles(rows))
        put.done()


def published_at(number: int) -> datetime:
    return NOW - APART * (number + 1)


def word(rank: int) -> str:
    """The most frequent one is 0; the same in every blog, and no two are alike."""
    return WORDS_BY_RANK[rank]


def slug_of(number: int) -> str:
    """Of a post; the newest has the number 0."""
    return f"post-{number}"


def made_up_words() -> list[str]:
    dice = random.Random(11)
    words: dict[str, None] = {}
    while len(words) < WORDS:
        words["".join(dice.choices("aeiouklmnrst", k=dice.randint(4, 9)))] = None
    return list(words)


WORDS_BY_RANK = made_up_words()


class Content:
    def __init__(self, dice: random.Random, posts: int, paragraphs: int) -> None:
        from services import markdown

        self.dice, self.posts = dice, posts
        self.renderer = markdown.RENDERER
        self.per_post = paragraphs
        words = WORDS_BY_RANK
        usual = list(accumulate(1 / (rank + MOST_USUAL_WORDS) for rank in range(WORDS)))
        self.paragraphs = [
            " ".join(dice.choices(words, cum_weights=usual, k=80)).capitalize() + "."
            for _ in range(PARAGRAPHS)
        ]
        self.titles = [
            " ".join(dice.choices(words, cum_weights=usual, k=4)).capitalize()
            for _ in range(PARAGRAPHS)
        ]
        self.names = {tag["id"]: (tag["slug"], tag["name"]) for tag in self.tags()}
        self.usual_tags = list(accumulate(1 / (rank + 3) for rank in range(TAGS)))

    def users(self) -> Iterator[dict[str, Any]]:
        for number in range(AUTHORS):
            yield {
                "id": user_id(number),
                "username": f"author-{number}",
                "display_name": f"Author {number}",
                "password_hash": "",
                "totp_step": 0,
                "role": "author",
                "bio": "Writes about the sea.",
                "website": "",
                "created_at": NOW,
            }

    def tags(self) -> Iterator[dict[str, Any]]:
        yield {"id": 1, "slug": "common", "name": "Common"}
        yield {"id": 2, "slug": "rare", "name": "Rare"}
        for number in range(TAGS):
            yield {"id": number + 3, "slug": f"tag-{number}", "name": f"Tag {number}"}

    def series(self) -> Iterator[dict[str, Any]]:
        for number in range(self.posts // 100 + 1):
            yield {
                "id": UUID(int=(3 << 64) + number),
                "author_id": user_id(0),
                "slug": f"series-{number}",
                "title": f"Series {number}",
                "description": "",
                "created_at": NOW,
            }

    def post(self, number: int) -> dict[str, Any]:
        parts = self.dice.choices(self.paragraphs, k=self.per_post)
        moment = published_at(number)
        is_part = number % 10 == 0
        return {
            "id": post_id(number),
            "author_id": user_id(self.dice.randrange(AUTHORS)),
            "slug": slug_of(number),
            "is_page": False,
            "title": self.dice.choice(self.titles),
            "content": "\n\n".join(parts),
            "html": "\n".join(f"<p>{part}</p>" for part in parts),
            "renderer": self.renderer,
            "excerpt": parts[0][:280],
            "word_count": 80 * self.per_post,
            "version": 1,
            "indexer": index.INDEXER,
            "series_id": UUID(int=(3 << 64) + number // 100) if is_part else None,
            "series_position": number // 10 % 10 if is_part else None,
            "created_at": moment,
            "updated_at": moment,
            "published_at": moment,
            "first_published_at": moment,
        }

    def search_entries(
        self, posts: list[dict[str, Any]], post_tags: list[dict[str, Any]], written_as: Any
    ) -> Iterator[dict[str, Any]]:
        """As services/search/index.py would make them, one by one."""
        carried: dict[UUID, list[tuple[str, str]]] = {post["id"]: [] for post in posts}
        for row in post_tags:
            carried[row["post_id"]].append(self.names[row["tag_id"]])
        for post in posts:
            document = documents.document_of(post["title"], carried[post["id"]], post["html"])
            yield {
                "place": index.place_of(post["published_at"]),
                "post_id": post["id"],
                "words": written_as(document),
            }

    def search_titles(self, posts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for post in posts:
            for key in index.beginnings(post["title"]):
                yield {"key": key, "post_id": post["id"]}

    def slug(self, number: int) -> dict[str, Any]:
        return {"slug": slug_of(number), "post_id": post_id(number)}

    def post_tags(self, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
        for number in numbers:
            found = [1] if number % 2 == 0 else []
            found += [2] if number % 1000 == 5 else []
            found += [
                3 + n for n in self.dice.choices(range(TAGS), cum_weights=self.usual_tags, k=2)
            ]
            for position, tag in enumerate(dict.fromkeys(found)):
                yield {
                    "post_id": post_id(number),
                    "tag_id": tag,
                    "position": position,
                    "listed_at": published_at(number),
                }


def batched(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def post_id(number: int) -> UUID:
    """Spread like random ones: neighbours in time are none in the index."""
    return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) % 2**128)


def user_id(number: int) -> UUID:
    return UUID(int=(2 << 64) + number)


class Sqlite:
    """Rows as SQLAlchemy would store them."""

    written_as = staticmethod(documents.for_sqlite)

    def __init__(self, url: str) -> None:
        self.file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-400000"):
            self.file.execute(f"PRAGMA {pragma}")
        self.file.execute("BEGIN")

    def rows(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        for some in batched(rows, BATCH):
            names = ", ".join(some[0])
            marks = ", ".join("?" * len(some[0]))
            self.file.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",
                [tuple(map(self.stored, row.values())) for row in some],
            )

    def stored(self, value: Any) -> Any:
        if isinstance(value, UUID):
            return value.hex
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        return value

    def done(self) -> None:
        self.file.execute("COMMIT")
        self.file.execute("ANALYZE")

    def close(self) -> None:
        self.file.close()


class Postgres:
    """The index of words is made at the end: it takes a small part of the time then."""

    written_as = staticmethod(documents.for_postgres)

    def __init__(self, url: str) -> None:
        self.callback = extensions.get_wait_callback()
        extensions.set_wait_callback(None)  # the blog's own cannot wait for a COPY
        plain = make_url(url).set(drivername="postgresql")
        self.connection = psycopg2.connect(plain.render_as_string(hide_password=False))
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET synchronous_commit = off")
        # No triggers, no look at what is referred to: the rows are as both would have them.
        self.cursor.execute("SET session_replication_role = replica")
        self.cursor.execute("SET maintenance_work_mem = '1GB'")
        self.cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [WORDS_INDEX])
        self.words_index: str = (self.cursor.fetchone() or [""])[0]
        self.cursor.execute(f"DROP INDEX {WORDS_INDEX}")

    def rows(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        for some in batched(rows, BATCH):
            text = "\n".join("\t".join(map(self.stored, row.values())) for row in some)
            names = ", ".join(some[0])
            self.cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO(text))

    def stored(self, value: Any) -> str:
        if value is None:
            return r"\N"
        if isinstance(value, bytes):
            return r"\\x" + value.hex()
        return str(value).replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n")

    def done(self) -> None:
        self.cursor.execute(self.words_index)
        self.connection.commit()
        self.connection.autocommit = True
        self.cursor.execute("SELECT setval('tags_id_seq', (SELECT max(id) FROM tags))")
        self.cursor.execute("VACUUM ANALYZE")

    def close(self) -> None:
        self.connection.close()
        extensions.set_wait_callback(self.callback)
