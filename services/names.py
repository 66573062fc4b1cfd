"""Changing one's name, and names that were given up: for a while nobody else may take them."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict, Gone, NotFound, TooOften
from languages import _
from models import RetiredName, User, now
from services import accounts, credentials, usernames

KEPT_FOR = timedelta(days=90)
CHANGED_EVERY = timedelta(days=7)


class NewName(BaseModel):
    username: Annotated[str, AfterValidator(credentials.username)]


def change(db: Session, user: User, typed: str) -> str:
    """Give somebody another name; the one they had.

    Links to the old one lead to them while it is kept, and they alone may take it back.

    Raises:
        Conflict: the name is somebody's, or was until lately.
        TooOften: it was changed within the last seven days.
    """
    user = accounts.locked(db, user.id)  # two changes at once come one after the other
    old, new = user.username, usernames.canonical(typed)
    if new == old:
        return old
    if wait := seconds_to_wait(db, user):
        raise TooOften(wait)
    if is_retired(db, new, but_of=user):
        raise taken()
    values = {"username": new}
    if usernames.canonical(user.display_name) == old:  # they never chose another to be shown
        values["display_name"] = typed.strip()
    try:
        with db.begin_nested():
            db.execute(update(User).where(col(User.id) == user.id).values(values))
    except IntegrityError:
        raise taken() from None
    db.refresh(user)
    db.execute(delete(RetiredName).where(col(RetiredName.username) == new))
    retire(db, old, user.id)
    return old


def is_retired(db: Session, name: str, but_of: User | None = None) -> bool:
    """Whether a name is kept for somebody; for `but_of` their own is not."""
    kept = db.get(RetiredName, name)
    if kept is None or kept.until <= now():
        return False
    return but_of is None or kept.user_id != but_of.id


def retire(db: Session, name: str, user_id: UUID | None = None) -> None:
    """Keep a name for 90 days, for `user_id` or for nobody."""
    db.merge(RetiredName(username=name, user_id=user_id, until=now() + KEPT_FOR))


def successor(db: Session, name: str) -> User:
    """Who had this name until lately.

    Raises:
        NotFound: nobody.
        Gone: somebody who has left.
    """
    if not is_retired(db, name):
        raise NotFound
    found = db.exec(select(User).join(RetiredName).where(RetiredName.username == name)).first()
    if found is None:
        raise Gone
    return found


def seconds_to_wait(db: Session, user: User) -> float:
    """Until they may change their name; 0 if they may."""
    recent = now() + KEPT_FOR - CHANGED_EVERY
    theirs = select(RetiredName.until).where(
        RetiredName.user_id == user.id, RetiredName.until > recent
    )
    until = db.exec(theirs.order_by(col(RetiredName.until).desc())).first()
    return (until - recent).total_seconds() if until else 0


def taken() -> Conflict:
    return Conflict({"username": _("That name is taken. Please choose another.")})
