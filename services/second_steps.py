"""The time between a right password and the second step: nobody is logged in yet.

What is under way is kept in an anonymous session, which gives access to nothing. It is bound to
the password, so that whoever changes that ends what others have begun.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from backends.limits import Limit, Limits
from database import Database
from errors import TooOften
from models import User
from services import audit, logins, notices, proofs
from services.browser_session import BrowserSession
from services.logins import Client
from settings import Settings

FIFTEEN_MINUTES = timedelta(minutes=15)
WARNINGS = Limit("mails about second steps", 1, timedelta(days=1))


@dataclass(frozen=True)
class Pending:
    """A login that waits for its second step."""

    user: User
    by: str
    remember_days: int | None
    back: str


def begin(
    session: BrowserSession, user: User, *, by: str, remember_days: int | None, back: str
) -> None:
    """Keep what is known of a login until its second step is done, for 15 minutes at most."""
    session.begin_flow(
        FIFTEEN_MINUTES,
        pending_user=str(user.id),
        pending_proof=proof_of(user),
        pending_by=by,
        remember_days=remember_days,
        next=back,
    )


def find(db: Session, session: BrowserSession) -> Pending | None:
    """The login that waits in this session; None if there is none, or it has become void."""
    try:
        user = db.get(User, UUID(session.get("pending_user") or ""))
    except ValueError:
        return None
    if user is None or not user.is_active or session.get("pending_proof") != proof_of(user):
        return None
    return Pending(
        user=user,
        by=session.get("pending_by"),
        remember_days=session.get("remember_days"),
        back=session.get("next"),
    )


def note_refusal(
    database: Database,
    limits: Limits,
    settings: Settings,
    error: Exception,
    user: User,
    client: Client,
) -> None:
    """Log that a second step failed. Too many of them are mailed to the owner of the account,
    once a day: whoever failed knew the password."""
    proofs.note_refusal(database, limits, error, client, user, audit.SECOND_STEP_FAILED)
    if not isinstance(error, TooOften) or not user.email:
        return
    if limits.take(WARNINGS, str(user.id)):
        return
    with database.writing() as db:
        device = logins.device_name(client.user_agent)
        context = {"device": device, "address": client.address}
        notices.tell(db, settings, user, "second_step_failed", **context)


def proof_of(user: User) -> str:
    return hashlib.sha256(f"second step {user.password_hash}".encode()).hexdigest()
