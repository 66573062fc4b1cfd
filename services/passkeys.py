"""The passkeys of an account: a list of what it can be opened with."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict, NotFound
from languages import _
from models import Identity, Passkey, User, now
from services.ceremonies import NewPasskey

MOST = 20
LONGEST_NAME = 80


def of_user(db: Session, user: User) -> list[Passkey]:
    theirs = select(Passkey).where(Passkey.user_id == user.id)
    return list(db.exec(theirs.order_by(col(Passkey.created_at))))


def find(db: Session, user: User, handle: str) -> Passkey:
    """One of somebody's own passkeys. Raises NotFound."""
    try:
        wanted = UUID(handle)
    except ValueError:
        raise NotFound from None
    theirs = select(Passkey).where(Passkey.id == wanted, Passkey.user_id == user.id)
    passkey = db.exec(theirs).first()
    if passkey is None:
        raise NotFound
    return passkey


def find_by_credential(db: Session, credential_id: bytes) -> tuple[Passkey, User] | None:
    query = select(Passkey, User).join(User, col(Passkey.user_id) == User.id)
    found = db.exec(query.where(Passkey.credential_id == credential_id)).first()
    return (found[0], found[1]) if found and found[1].is_active else None


def add(db: Session, user: User, new: NewPasskey, name: str) -> Passkey:
    """Raises Conflict if this passkey is known here already, to whomever it belongs."""
    if len(of_user(db, user)) >= MOST:
        raise Conflict(
            {"name": _("You have %(most)s passkeys; please remove one first.", most=MOST)}
        )
    passkey = Passkey(
        user_id=user.id,
        name=name,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        transports=new.transports,
    )
    try:
        with db.begin_nested():
            db.add(passkey)
    except IntegrityError:
        raise Conflict(
            {"passkey": _("This passkey is in use already. Nothing was changed.")}
        ) from None
    return passkey


def rename(db: Session, passkey: Passkey, name: str) -> None:
    passkey.name = name
    db.add(passkey)


def remove(db: Session, user: User, passkey: Passkey) -> None:
    """Raises Conflict if there would be no way left to log in."""
    db.refresh(user, with_for_update=True)  # another tab may be taking the other way away
    if not user.has_password and len(of_user(db, user)) == 1 and not has_identity(db, user):
        raise Conflict({"passkey": _("This is your only way to log in. Set a password first.")})
    db.delete(passkey)


def use(db: Session, passkey: Passkey, count: int) -> bool:
    """Note that a passkey was used, `count` times by now. False if that is no more than before.

    Passkeys that live on several devices do not count; theirs stays at 0.
    """
    known = col(Passkey.sign_count)
    statement = update(Passkey).where(
        col(Passkey.id) == passkey.id, known < count if count else known == 0
    )
    result = db.execute(statement.values(sign_count=count, used_at=now()))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def has_identity(db: Session, user: User) -> bool:
    return db.exec(select(Identity.id).where(Identity.user_id == user.id)).first() is not None
