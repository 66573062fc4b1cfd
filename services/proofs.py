"""What people show beside a password, or instead of it: a code, a recovery code, a passkey.

Each is looked at first, and used up afterwards by one statement that only one request can win.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session

from backends.limits import Limit, Limits, take_one
from database import Database, release
from errors import CopiedPasskey, TooOften, WrongCode, WrongPasskey
from models import User
from services import audit, ceremonies, passkeys, recovery_codes, totp
from services.browser_session import BrowserSession
from services.logins import Client
from services.relying_parties import RelyingParty
from settings import Settings

FAILURES_OF_ACCOUNT = Limit("second factor of account", 5, timedelta(minutes=15))
# As with passwords: whoever guesses from elsewhere does not lock the owner's devices out.
FAILURES_OF_DEVICE = Limit("second factor of account, its devices", 5, timedelta(minutes=15))
FAILURES_OF_NETWORK = Limit("passkeys from network", 30, timedelta(minutes=5))


@dataclass(frozen=True)
class Proof:
    """Something right was shown: by whom, what, and how to use it up (False: too late)."""

    user: User
    by: str
    use: Callable[[Session], bool]


def prove(db: Session, limits: Limits, limit: Limit, who: str, look: Callable[[], Proof]) -> Proof:
    """Look at what is shown, and use it up. Every try is counted before it is looked at; one that
    is right clears the count. The account is locked until this transaction ends.

    Raises:
        WrongCode, WrongPasskey: it is not right, or somebody has used it.
        TooOften: too many were not right.
    """
    release(db)  # the counters may live in this database
    take_one(limits, limit, who)
    try:
        proof = look()
    finally:
        release(db)
    limits.clear(limit, who)
    user = db.get(User, proof.user.id, with_for_update=True)  # as it is by now
    if user is None or not user.is_active or not proof.use(db):
        release(db)
        raise WrongPasskey if proof.by == "passkey" else WrongCode
    return replace(proof, user=user)


def tries_of(session: BrowserSession, user: User) -> Limit:
    return FAILURES_OF_DEVICE if session.knows(str(user.id)) else FAILURES_OF_ACCOUNT


def by_code(user: User, settings: Settings, typed: str) -> Proof:
    """A code of somebody's authenticator app. Raises WrongCode."""
    step = totp.unused_step(user, settings, typed)
    if step is None:
        raise WrongCode
    return Proof(user, "code", lambda db: totp.use(db, user, step))


def by_any_code(db: Session, user: User, settings: Settings, typed: str) -> Proof:
    """That, or one of somebody's recovery codes. Raises WrongCode."""
    if code_id := recovery_codes.find(db, user, typed):
        return Proof(user, "recovery code", lambda db: recovery_codes.use(db, code_id))
    return by_code(user, settings, typed)


def by_passkey(
    db: Session,
    session: BrowserSession,
    limits: Limits,
    here: RelyingParty | None,
    purpose: str,
    sent: str,
    user: User | None = None,
) -> Proof:
    """A passkey: one of `user`, or anybody's if that is not known yet.

    Raises:
        CopiedPasskey: it has been used more often than it knows.
        WrongPasskey: it is no proof for any other reason, which is not told.
    """
    credential_id, handle = ceremonies.credential_of(sent)
    found = passkeys.find_by_credential(db, credential_id)
    release(db)
    if here is None or found is None:
        raise WrongPasskey
    passkey, owner = found
    if (user or owner).id != owner.id or handle not in (None, owner.id.bytes):
        raise WrongPasskey
    count = ceremonies.shown(session, limits, here, purpose, passkey, sent)
    if 0 < passkey.sign_count >= count:
        raise CopiedPasskey(owner.id)
    return Proof(owner, "passkey", lambda db: passkeys.use(db, passkey, count))


def note_refusal(
    database: Database,
    limits: Limits,
    error: Exception,
    client: Client,
    user: User | None,
    action: str,
) -> None:
    """Write into the audit log that something was not taken: `action`, unless `error` says more."""
    if isinstance(error, TooOften):
        action, error.is_noted = audit.LIMITED, True
    if isinstance(error, CopiedPasskey):
        action = audit.PASSKEY_COPIED
    if not audit.is_worth_a_row(limits, action, client):
        return
    with database.writing() as db:
        if isinstance(error, CopiedPasskey):
            user = db.get(User, error.user_id)
        audit.record(db, action, user, client=client)
