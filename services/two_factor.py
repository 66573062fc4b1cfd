"""Whether an account asks for more than its password, and by what that can be shown."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from models import Passkey, RecoveryCode, User
from services import audit, logins, notices, recovery_codes
from services.logins import Client
from settings import Settings


@dataclass(frozen=True)
class Factors:
    """What somebody has beside a password."""

    app: bool
    passkeys: int
    recovery_codes: int  # that are left

    @property
    def any(self) -> bool:
        """Recovery codes stand in for something else: alone they are no second factor."""
        return self.app or self.passkeys > 0


def is_on(db: Session, user: User) -> bool:
    """Whether a right password is only the first of two steps."""
    if user.totp_secret is not None:
        return True
    return (
        db.exec(select(Passkey.id).where(Passkey.user_id == user.id).limit(1)).first() is not None
    )


def of_user(db: Session, user: User) -> Factors:
    passkeys = select(func.count(col(Passkey.id))).where(Passkey.user_id == user.id)
    unused = col(RecoveryCode.used_at).is_(None)
    codes = select(func.count(col(RecoveryCode.id))).where(RecoveryCode.user_id == user.id, unused)
    left = db.exec(select(passkeys.scalar_subquery(), codes.scalar_subquery())).one()
    return Factors(user.totp_secret is not None, *left)


def provide_recovery_codes(db: Session, user: User) -> list[str]:
    """The codes that come with a first second factor; none if there are some already."""
    return recovery_codes.make(db, user) if of_user(db, user).recovery_codes == 0 else []


def tidy_up(db: Session, user: User) -> None:
    """Without a second factor there is nothing to recover."""
    db.flush()
    if not is_on(db, user):
        recovery_codes.remove(db, user)


def tell(
    db: Session, settings: Settings, user: User, client: Client, action: str, sentence: str
) -> None:
    """Log a change of how somebody logs in, and mail it to them: it may not have been they."""
    audit.record(db, action, user, client=client)
    device = logins.device_name(client.user_agent)
    context = {"sentence": sentence, "device": device, "address": client.address}
    notices.tell(db, settings, user, "factor_changed", **context)
