"""What people are told while they look on: everybody of their own account, the owner of the blog."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from models import ApiToken, AuditEvent, Login, RefreshToken, User, now
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


def standing(db: Session, held: set[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
    """Which of these logins and tokens, by kind and id, are still good; and what the roles of their
    people allow now. A kind that we do not know stands for an account."""
    found = {}
    for kind in {kind for kind, _ in held}:
        ids = [UUID(each) for of_kind, each in held if of_kind == kind]
        for each, role in db.execute(good_ones(KINDS.get(kind), ids)):
            found[kind, str(each)] = SCOPES.get(role, frozenset())
    return found


def good_ones(table: type[Login | ApiToken | RefreshToken] | None, ids: list[UUID]) -> Any:
    active = col(User.disabled_at).is_(None)
    if table is None:
        return select(User.id, User.role).where(active, col(User.id).in_(ids))
    ends = col(table.expires_at)
    alive = ends.is_(None) | (ends > now())
    query = select(table.id, User.role).join(User, col(User.id) == table.user_id)
    return query.where(active, alive, col(table.id).in_(ids))


KINDS: dict[str, type[Login | ApiToken | RefreshToken]] = {
    "session": Login,
    "token": ApiToken,
    "jwt": RefreshToken,
}


def recorded_since(db: Session, moment: datetime) -> list[Event]:
    """What the audit log got from this moment on, in its order."""
    later = select(AuditEvent).where(col(AuditEvent.at) >= moment)
    rows = db.exec(later.order_by(col(AuditEvent.id).desc()).limit(MOST_AT_ONCE))
    return [as_event(row) for row in reversed(list(rows))]
