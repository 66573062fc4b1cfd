"""An account as it is at this moment."""

from uuid import UUID

from sqlmodel import Session, select

from errors import NotFound
from models import User


def locked(db: Session, user_id: UUID) -> User:
    """The account, and nobody else's to change until this transaction ends. Raises NotFound."""
    query = select(User).where(User.id == user_id).with_for_update()
    found = db.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return found
