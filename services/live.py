"""What people are told while they look on: everybody of their own account, the owner of the blog."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from models import AuditEvent, Login, User, now
from services import audit
from services.logins import device_name
from services.permissions import MANAGE_SITE, SCOPES

OF_THE_BLOG = {audit.REGISTERED, audit.POST_PUBLISHED}
SENT = {"id", "at", "action", "user_id", "username", "address", "user_agent", "details"}
MOST_AT_ONCE = 500
Event = dict[str, Any]  # an AuditEvent as JSON
Key = tuple[int, str]


def as_event(row: AuditEvent) -> Event:
    """What other processes hear of it."""
    return row.model_dump(mode="json", include=SENT)


def key_of(event: Event) -> Key:
    """What tells it from all others; SQLite gives the number of a deleted row again."""
    return event["id"], event["at"]


def line_for(event: Event, user_id: str, scopes: frozenset[str]) -> dict[str, Any] | None:
    """What a person is told of an event; None if it is none of their business."""
    told = {"action": event["action"], "at": event["at"]}
    if event["user_id"] == user_id:
        device = device_name(event["user_agent"])
        return {"type": "account", **told, "device": device, "address": event["address"]}
    if event["action"] in OF_THE_BLOG and MANAGE_SITE in scopes:
        return {"type": "blog", **told, "username": event["username"], **event["details"]}
    return None


def standing(db: Session, login_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Which of these logins are still good, and the scopes of their people now."""
    wanted = [UUID(each) for each in login_ids]
    good = col(User.disabled_at).is_(None), col(Login.expires_at) > now()
    query = select(Login.id, User.role).join(User, col(User.id) == Login.user_id)
    found = db.exec(query.where(col(Login.id).in_(wanted), *good))
    return {str(login_id): SCOPES.get(role, frozenset()) for login_id, role in found}


def recorded_since(db: Session, moment: datetime) -> list[Event]:
    """What the audit log got from this moment on, in its order."""
    later = select(AuditEvent).where(col(AuditEvent.at) >= moment)
    rows = db.exec(later.order_by(col(AuditEvent.id).desc()).limit(MOST_AT_ONCE))
    return [as_event(row) for row in reversed(list(rows))]
