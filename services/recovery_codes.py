"""Ten ways in for whoever lost the second factor, each good for one use."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from models import RecoveryCode, User, now
from services import sealing
from services.browser_session import BrowserSession
from settings import Settings

PURPOSE = "recovery codes"
HOW_MANY = 10
# Crockford's base 32: no two of them look alike. 16 are 80 bits, too many to be guessed from a
# stolen digest, however fast.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 16
SHOWN_FOR = timedelta(minutes=15)
MISREAD = str.maketrans("oil", "011")


def make(db: Session, user: User) -> list[str]:
    """Ten new codes, which nobody can read again; the old ones are worth nothing any more."""
    db.exec(select(User.id).where(User.id == user.id).with_for_update())  # one set, not two at once
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(HOW_MANY)]
    remove(db, user)
    db.add_all(RecoveryCode(user_id=user.id, digest=digest(user, code)) for code in codes)
    return [spaced(code) for code in codes]


def remove(db: Session, user: User) -> None:
    db.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))


def find(db: Session, user: User, typed: str) -> UUID | None:
    """The id of the unused code that was typed, with or without its hyphens."""
    code = "".join(each for each in typed.lower() if each.isalnum()).translate(MISREAD)
    if len(code) != LENGTH:
        return None
    theirs = select(RecoveryCode.id).where(RecoveryCode.user_id == user.id)
    fits = theirs.where(RecoveryCode.digest == digest(user, code))
    return db.exec(fits.where(col(RecoveryCode.used_at).is_(None))).first()


def use(db: Session, code_id: UUID) -> bool:
    """Use up a code. False if another request was first."""
    unused = col(RecoveryCode.id) == code_id, col(RecoveryCode.used_at).is_(None)
    statement = update(RecoveryCode).where(*unused).values(used_at=now())
    return bool(db.execute(statement).rowcount)  # type: ignore[attr-defined]


def show(session: BrowserSession, settings: Settings, codes: list[str]) -> None:
    """Keep new codes readable in this session, until they are noted down or 15 minutes are over."""
    session.set("recovery_codes", sealing.seal(settings.secrets, PURPOSE, " ".join(codes)))


def shown(session: BrowserSession, settings: Settings) -> list[str]:
    sealed = session.get("recovery_codes") or ""
    return (sealing.unseal(settings.secrets, PURPOSE, sealed, SHOWN_FOR) or "").split()


def hide(session: BrowserSession) -> None:
    session.set("recovery_codes", None)


def spaced(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, LENGTH, 4))


def digest(user: User, code: str) -> str:
    return hashlib.sha256(f"recovery {user.id} {code}".encode()).hexdigest()
