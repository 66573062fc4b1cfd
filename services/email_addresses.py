"""Whose an e-mail address is: anybody may give one, a link in a mail confirms it.

An address is confirmed for one account at most, whatever its spelling; the database sees to that.
"""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict
from languages import _
from models import User, now
from services import usernames


def find(db: Session, key: str) -> User | None:
    """The account that an address (in its canonical form) stands for.

    That is the one which has confirmed it; else the only one which has given it.
    """
    if "@" not in key:
        return None
    unconfirmed = col(User.email_verified_at).is_(None)
    query = select(User).where(User.email_key == key).order_by(unconfirmed).limit(2)
    found = db.exec(query).all()
    return found[0] if found and (len(found) == 1 or found[0].email_is_verified) else None


def confirmed_by(db: Session, address: str) -> User | None:
    """The account that has confirmed an address."""
    is_confirmed = col(User.email_verified_at).is_not(None)
    theirs = User.email_key == usernames.canonical(address)
    return db.exec(select(User).where(theirs, is_confirmed)).first()


def claim(user: User, address: str | None) -> None:
    """Give an account an address that nobody has confirmed yet, or none."""
    user.email = address or None
    user.email_key = usernames.canonical(address) if address else None
    user.email_verified_at = None


def confirm(db: Session, user: User, address: str) -> None:
    """Give an account an address that was proven to be theirs.

    Raises:
        Conflict: another account was first; of two at once one is.
    """
    try:
        with db.begin_nested():
            claim(user, address)
            user.email_verified_at = now()
            db.add(user)
    except IntegrityError:
        raise taken() from None


def taken() -> Conflict:
    return Conflict(
        {"email": _("Another account has confirmed this address meanwhile. Nothing was changed.")}
    )
