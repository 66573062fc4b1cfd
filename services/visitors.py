"""Telling readers from programs, and one reader of a day from another, without knowing either."""

import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from hashlib import blake2b, sha256
from hmac import digest
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select

from database import Database, upsert_of
from models import VisitorDigest, VisitorSalt

LONGEST_HOST = 100
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
# What a process has noted at the end of a day is stored a little later: the salt waits for it.
ORIGIN = re.compile(rb"(?:[^/?#]*//)?[^/?#]*")  # of an address: the rest is read by nobody
MOST_AGENTS = 2048
GRACE = timedelta(minutes=10)
AT_ONCE = 2000


def day_of(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


class Programs:
    """Which User-Agents are those of crawlers, scripts and monitors, by the list that many keep. What
    was looked up is remembered by a digest: a name says much of who has it."""

    def __init__(self) -> None:
        self.found: OrderedDict[bytes, bool] = OrderedDict()

    def known(self, agent: bytes) -> bool | None:
        """None if it was not looked up yet."""
        key = digest_of(agent)
        if key in self.found:
            self.found.move_to_end(key)
        return self.found.get(key)

    def look_up(self, agent: bytes) -> bool:
        from crawleruseragents import is_crawler  # 60 ms and 4 MiB, for a blog that is read

        key = digest_of(agent)
        self.found[key] = bool(is_crawler(agent.decode("latin-1")))
        if len(self.found) > MOST_AGENTS:
            self.found.popitem(last=False)
        return self.found[key]


def digest_of(agent: bytes) -> bytes:
    return blake2b(agent, digest_size=8).digest()


def host_of(referrer: bytes, own: bytes) -> str:
    """The host that a link was on; empty for one of our own pages, and for what is no address."""
    host = plain_host(ORIGIN.match(referrer)[0])  # type: ignore[index]  # it matches anything
    return "" if host == plain_host(b"//" + own) else host


@lru_cache(maxsize=2048)
def plain_host(address: bytes) -> str:
    """Lower-case ASCII, also of names in other scripts; without “www.” and port."""
    try:
        parts = urlsplit(address.decode("ascii"))
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""
    if parts.scheme not in ("", "http", "https") or len(host) > LONGEST_HOST:
        return ""
    return host if HOST.fullmatch(host) else ""


Tell = Callable[[UUID, str, bytes], int]


def teller(salt: bytes, secret: str) -> Tell:
    """What makes a digest of a post, a network and a browser: the same for the same ones on one day.

    Neither the database nor the secret key alone can repeat it, and nobody can once the salt is
    gone. The digests of one reader for two posts have nothing in common.
    """
    key = digest(secret.encode(), b"visitors " + salt, sha256)

    def tell(post_id: UUID, network: str, agent: bytes) -> int:
        what = post_id.bytes + network.encode() + b"\0" + agent
        return int.from_bytes(blake2b(what, key=key, digest_size=8).digest(), signed=True)

    return tell


def salts(db: Session) -> dict[date, bytes]:
    """Those that are not deleted yet: of today, and for some minutes of yesterday."""
    return {row.day: row.salt for row in db.execute(all_salts())}


def salt_for(database: Database, day: date) -> bytes:
    """The one that all processes use on a day that has begun; whoever needs it first makes it."""
    with database.writing() as db:
        fresh = upsert_of(is_sqlite=database.is_sqlite)(VisitorSalt).values(
            day=day, salt=token_bytes(32)
        )
        db.execute(fresh.on_conflict_do_nothing())
        return salts(db)[day]


def all_salts() -> Any:
    return select(col(VisitorSalt.day), col(VisitorSalt.salt))


def first_kept(moment: datetime, zone: tzinfo) -> date:
    """The oldest day whose salt and digests may still be there."""
    return day_of(moment - GRACE, zone)


def forget(database: Database, before: date) -> None:
    """Delete what told visitors of these days apart: first the salt, which ends its meaning."""
    is_over = col(VisitorSalt.day) < before
    with database.reading() as db:
        if not db.execute(all_salts().where(is_over)).first() and not some_digests(db, before):
            return
    with database.writing() as db:
        db.execute(delete(VisitorSalt).where(is_over))
    is_more = True
    while is_more:
        with database.writing() as db:
            some = some_digests(db, before)
            db.execute(delete(VisitorDigest).where(col(VisitorDigest.digest).in_(some)))
        is_more = len(some) == AT_ONCE


def some_digests(db: Session, before: date) -> list[int]:
    over = select(VisitorDigest.digest).where(col(VisitorDigest.day) < before)
    return list(db.exec(over.limit(AT_ONCE)))
