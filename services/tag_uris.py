"""Ids for feeds that survive a new address and a new domain: tag URIs (RFC 4151).

A tag URI begins with a domain and a day on which the blog had it. Both are noted once, and stay
when the blog moves: only the id of a post tells it from others.
"""

import re
from datetime import UTC, date
from urllib.parse import urlsplit

from sqlmodel import Session, col, select, update

from database import Database
from models import Site, User, now

DOMAIN = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
ENTITY = re.compile(rf"{DOMAIN},\d{{4}}-\d\d-\d\d")
NOWHERE = "localhost"  # for a blog whose address is none of a domain


def entity(db: Session, link_base: str) -> str:
    """What the tag URIs of this blog begin with, as “blog.example,2026-03-01”."""
    query = select(Site.tagging_entity, User.created_at).join(User)
    found = db.execute(query).first()
    if found is None:
        return entity_of(link_base, now().date())
    return found.tagging_entity or entity_of(link_base, found.created_at.astimezone(UTC).date())


def entity_of(link_base: str, day: date) -> str:
    host = (urlsplit(link_base).hostname or "").lower()
    is_domain = re.fullmatch(DOMAIN, host) and not host[-1].isdigit()  # as those of numbers do
    return f"{host if is_domain else NOWHERE},{day.isoformat()}"


def uri(entity: str, specific: str) -> str:
    return f"tag:{entity}:{specific}"


def settle(database: Database, link_base: str) -> bool:
    """Note it for good, unless that was done; whether it is. A blog without an owner has none."""
    with database.reading() as db:
        site = db.exec(select(Site)).first()
    if site and site.tagging_entity is None:
        with database.writing() as db:
            keep(db, entity(db, link_base))
    return site is not None


def keep(db: Session, value: str) -> None:
    """Note this one, unless there is one already."""
    is_free = col(Site.tagging_entity).is_(None)
    db.execute(update(Site).where(is_free).values(tagging_entity=value))
