"""The time between a right password and the second step: nobody is logged in yet.

What is under way is kept in an anonymous session, which gives access to nothing. It is bound to
the password, so that whoever changes that ends what others have begun.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlmodel import Session

from models import User

FIFTEEN_MINUTES = timedelta(minutes=15)


class FlowSession(Protocol):
    """What a second step needs of the session."""

    def get(self, name: str) -> Any: ...
    def begin_flow(self, lifetime: timedelta, **data: Any) -> None: ...


@dataclass(frozen=True)
class Pending:
    """A login that waits for its second step."""

    user: User
    by: str
    remember_days: int | None
    back: str


def begin(
    session: FlowSession, user: User, *, by: str, remember_days: int | None, back: str
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


def find(db: Session, session: FlowSession) -> Pending | None:
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


def proof_of(user: User) -> str:
    return hashlib.sha256(f"second step {user.password_hash}".encode()).hexdigest()
