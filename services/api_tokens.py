"""Personal access tokens: keys to the API that people make for programs of theirs.

A token is 256 random bits, so its plain SHA-256 is enough to keep: there is nothing to guess.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from errors import Conflict, Invalid
from languages import _
from models import ApiToken, User, now
from services.digests import digest
from services.permissions import in_order, scopes_of

PREFIX = "ink_"
HINT = len(PREFIX) + 4
LONGEST_NAME = 80
USUALLY_DAYS = 90
MOST = 50
SEEN_EVERY = timedelta(minutes=5)


def create(
    db: Session, user: User, name: str, scopes: Iterable[str], days: int | None
) -> tuple[ApiToken, str]:
    """A new token, and the secret that is shown this once. Without `days` it lasts for ever.

    Raises:
        Invalid: a scope that this person's role does not have, or none at all.
        Conflict: they have fifty tokens already.
    """
    wanted = checked_scopes(user, scopes)
    theirs = select(func.count(col(ApiToken.id))).where(ApiToken.user_id == user.id)
    if db.exec(theirs).one() >= MOST:
        raise Conflict(
            {"name": _("You have %(most)s tokens. Revoke one that you do not need.", most=MOST)}
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        name=name,
        hint=secret[:HINT],
        digest=digest(secret),
        scopes=" ".join(wanted),
        expires_at=now() + timedelta(days=days) if days else None,
    )
    db.add(token)
    return token, secret


def checked_scopes(user: User, scopes: Iterable[str]) -> list[str]:
    """The same in the order of their power. Raises Invalid."""
    wanted = set(scopes)
    if not wanted:
        raise Invalid({"scopes": _("Please choose at least one thing that it may do.")})
    if not wanted <= scopes_of(user):
        raise Invalid({"scopes": _("Your account cannot give all of these.")})
    return in_order(wanted)


def find(db: Session, secret: str) -> tuple[User, ApiToken] | None:
    """Whose token this is, if it and their account are still good."""
    query = select(User, ApiToken).join(ApiToken, col(ApiToken.user_id) == User.id)
    found = db.exec(query.where(ApiToken.digest == digest(secret))).first()
    return (found[0], found[1]) if found and is_good(*found) else None


def is_good(user: User, token: ApiToken) -> bool:
    return user.is_active and (token.expires_at is None or token.expires_at > now())


def is_worth_noting(token: ApiToken) -> bool:
    """Not at each request: it costs a write."""
    return token.used_at is None or now() - token.used_at > SEEN_EVERY


def see(db: Session, token: ApiToken) -> None:
    """Note that this token was used."""
    db.execute(update(ApiToken).where(col(ApiToken.id) == token.id).values(used_at=now()))


def of_user(db: Session, user: User) -> Sequence[ApiToken]:
    """Somebody's tokens, the newest first, those that have expired too."""
    theirs = select(ApiToken).where(ApiToken.user_id == user.id)
    return db.exec(theirs.order_by(col(ApiToken.created_at).desc())).all()


def revoke(db: Session, user: User, token_id: UUID) -> str | None:
    """End one token; its name, or None if this person has no such token."""
    theirs = delete(ApiToken).where(col(ApiToken.user_id) == user.id, col(ApiToken.id) == token_id)
    name: str | None = db.execute(theirs.returning(col(ApiToken.name))).scalar()
    return name
