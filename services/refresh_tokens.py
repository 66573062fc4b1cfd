"""Logins to the API: families of refresh tokens, of which only the newest is good.

Each use gives the next one. Whoever shows an older one has copied it, or was copied: then nobody
can tell the two apart, and the family ends (RFC 9700, section 4.14.2). Tokens are signed, so that
nothing but one of ours can end a family.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from itsdangerous import BadData, Signer
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from models import RefreshToken, User, now
from services.digests import digest
from services.logins import LONGEST_USER_AGENT, Client
from settings import Settings

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
LONGEST_TOKEN = 300


@dataclass(frozen=True)
class Rotated:
    """A good token was shown; `token` is the next one."""

    user: User
    family: RefreshToken
    token: str


@dataclass(frozen=True)
class Reused:
    """An older token was shown again: the family has ended."""

    user: User


def begin(
    db: Session, user: User, client: Client, scopes: Iterable[str], settings: Settings
) -> tuple[RefreshToken, str]:
    """A new family, and its first token."""
    family = RefreshToken(
        user_id=user.id,
        digest="",
        scopes=" ".join(scopes),
        user_agent=client.user_agent[:LONGEST_USER_AGENT],
        address=client.address,
        expires_at=now() + LONGEST,
    )
    token = make(family.id, settings)
    family.digest = digest(token)
    db.add(family)
    return family, token


def rotate(db: Session, token: str, client: Client, settings: Settings) -> Rotated | Reused | None:
    """Take a token and give the next one; None if it is none of ours, or too old.

    Of two at once, one wins and the other one is a reuse.
    """
    family_id = family_of(token, settings)
    if family_id is None:
        return None
    following, moment = make(family_id, settings), now()
    is_newest = (col(RefreshToken.id) == family_id) & (col(RefreshToken.digest) == digest(token))
    is_alive = (col(RefreshToken.expires_at) > moment) & (col(RefreshToken.used_at) > moment - IDLE)
    used = update(RefreshToken).where(is_newest, is_alive)
    here = {"digest": digest(following), "used_at": moment, "address": client.address}
    was_good = db.execute(used.values(here)).rowcount == 1  # type: ignore[attr-defined]
    family = db.get(RefreshToken, family_id)
    user = db.get(User, family.user_id) if family else None
    if family is None or user is None:
        return None
    if was_good and user.is_active:
        return Rotated(user, family, following)
    end(db, user.id, family_id)
    return None if was_good or family.digest == digest(token) else Reused(user)


def find(db: Session, user_id: UUID, family_id: UUID) -> tuple[User, RefreshToken] | None:
    """Who is logged in to the API by this family, if it and their account are still good."""
    query = select(User, RefreshToken).join(RefreshToken, col(RefreshToken.user_id) == User.id)
    found = db.exec(query.where(User.id == user_id, RefreshToken.id == family_id)).first()
    return (found[0], found[1]) if found and is_good(*found) else None


def is_good(user: User, family: RefreshToken) -> bool:
    return user.is_active and family.expires_at > now()


def of_user(db: Session, user: User) -> Sequence[RefreshToken]:
    """Where somebody is logged in to the API, the latest first."""
    moment = now()
    alive = (col(RefreshToken.expires_at) > moment) & (col(RefreshToken.used_at) > moment - IDLE)
    theirs = select(RefreshToken).where(RefreshToken.user_id == user.id, alive)
    return db.exec(theirs.order_by(col(RefreshToken.used_at).desc())).all()


def knows(db: Session, user: User, client: Client) -> bool:
    """Whether this program has logged in for them from this address before."""
    same = (
        RefreshToken.user_id == user.id,
        RefreshToken.user_agent == client.user_agent[:LONGEST_USER_AGENT],
        RefreshToken.address == client.address,
    )
    return db.exec(select(RefreshToken.id).where(*same).limit(1)).first() is not None


def end(db: Session, user_id: UUID, family_id: UUID) -> bool:
    """Log a program out; False if it is not logged in for this person."""
    theirs = delete(RefreshToken).where(
        col(RefreshToken.user_id) == user_id, col(RefreshToken.id) == family_id
    )
    return bool(db.execute(theirs).rowcount)  # type: ignore[attr-defined]


def make(family_id: UUID, settings: Settings) -> str:
    return signer(settings).sign(f"{family_id.hex}.{secrets.token_urlsafe(32)}").decode()


def family_of(token: str, settings: Settings) -> UUID | None:
    """The family of a token that we have signed, with any of our keys."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        return UUID(signer(settings).unsign(token).decode().partition(".")[0])
    except (BadData, ValueError):
        return None


def signer(settings: Settings) -> Signer:
    keys = list(reversed(settings.secrets))  # itsdangerous signs with the last
    return Signer(keys, salt="inkstand.refresh", digest_method=hashlib.sha256)
