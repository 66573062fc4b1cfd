"""An account as it is at this moment, and nobody else's to change until the transaction ends."""

from uuid import UUID

from sqlmodel import Session, select

from errors import Conflict, NotFound
from languages import _
from models import User


def locked(db: Session, user_id: UUID) -> User:
    """The account as it is now. Raises NotFound."""
    query = select(User).where(User.id == user_id).with_for_update()
    found = db.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return found


def unchanged(db: Session, user: User) -> User:
    """The account whose owner was asked for the password, or was logged in, a moment ago.

    Raises:
        NotFound: it is gone.
        Conflict: it has another password now, so all logins by the old one have ended.
    """
    found = locked(db, user.id)
    if not found.is_active or found.password_hash != user.password_hash:
        raise Conflict(
            {"password": _("The password was changed elsewhere meanwhile. Please log in again.")}
        )
    return found
