"""Telling a WebSub hub which feeds have changed (W3C WebSub, section 6): it fetches them, and tells
all who have subscribed.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, col, select

from backends.hub import NotTold, Refused, tell
from database import Database
from models import Announcement, now
from services import announcements
from services.feeds import NAMES

log = logging.getLogger("inkstand")
AT_ONCE = 20
# Longer than a hub may take for so many; afterwards the claim of a process that died is void.
CLAIMED_FOR = timedelta(minutes=10)
PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 120)]
GIVEN_UP_AFTER = timedelta(days=1)


def announce(
    database: Database, hub: str, link_base: str, is_over: Callable[[], bool] = lambda: False
) -> datetime | None:
    """Tell the hub what is due; when the next is, None if nothing waits.

    Any number of processes may do this at once. No transaction is open while the hub answers.
    """
    while (due_at := next_due(database)) and due_at <= now() and not is_over():
        with database.writing() as db:
            claimed = claim(db)
        if not claimed or not hand_over(database, claimed, hub, link_base):
            break
    return due_at


def next_due(database: Database) -> datetime | None:
    with database.reading() as db:
        return db.exec(select(func.min(Announcement.next_try_at))).one()


def claim(db: Session) -> Sequence[Announcement]:
    """Those that are due longest: nobody else gets them until the claim ends."""
    due_at, moment = col(Announcement.next_try_at), now()
    free = select(Announcement).where(due_at <= moment).order_by(due_at, col(Announcement.id))
    found = db.exec(free.limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    for each in found:
        each.next_try_at, each.tries = moment + CLAIMED_FOR, each.tries + 1
    return found


def hand_over(
    database: Database, claimed: Sequence[Announcement], hub: str, link_base: str
) -> bool:
    """Tell of each feed once, and note what came of it; False if the hub does not listen."""
    prefixes = dict.fromkeys(each.prefix for each in claimed)
    with database.reading() as db:
        there = announcements.are_there(db, prefixes)
    done, listens = tell_of([each for each in prefixes if each in there], hub, link_base)
    done |= prefixes.keys() - there
    with database.writing() as db:
        for each in claimed:
            if each.prefix in done or is_given_up(each):
                db.execute(delete(Announcement).where(*is_ours(each)))
            else:
                later = now() + PAUSES[min(each.tries, len(PAUSES)) - 1]
                db.execute(update(Announcement).where(*is_ours(each)).values(next_try_at=later))
    return listens


def tell_of(prefixes: list[str], hub: str, link_base: str) -> tuple[set[str], bool]:
    """Which feeds it took, and whether it listens: one that it refuses keeps no other from it."""
    told: set[str] = set()
    for prefix in prefixes:
        try:
            for name in NAMES:
                tell(hub, f"{link_base}{prefix}/{name}")
            told.add(prefix)
        except Refused as problem:
            log.warning("the WebSub hub refused %s: %s", prefix or "/", problem)
        except NotTold as problem:
            log.warning("the WebSub hub was not told: %s", problem)
            return told, False
    return told, True


def is_ours(each: Announcement) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Unless the claim has ended meanwhile and another process has it now."""
    return col(Announcement.id) == each.id, col(Announcement.tries) == each.tries


def is_given_up(each: Announcement) -> bool:
    return each.since < now() - GIVEN_UP_AFTER
