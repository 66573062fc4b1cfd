"""The audit log: what happened to accounts and to the blog, who did it, and from where."""

import logging
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from backends.limits import Limit, Limits
from database import Database, after_commit
from models import AuditEvent, User
from services.logins import LONGEST_USER_AGENT, Client

log = logging.getLogger("inkstand.audit")
LONGEST_DETAIL = 200
NOBODY = Client()
REFUSALS_OF_NETWORK = Limit("refusals of network that are stored", 30, timedelta(hours=1))

REGISTERED = "registered"
LOGGED_IN = "logged in"
SECOND_STEP_ASKED = "second step asked"
SECOND_STEP_FAILED = "second step failed"
LOGIN_FAILED = "login failed"
LOGIN_RESTORED = "login restored"
LOGGED_OUT = "logged out"
CONFIRMED = "login confirmed"
CONFIRMATION_FAILED = "confirmation failed"
APP_ADDED = "authenticator app set up"
APP_REMOVED = "authenticator app removed"
RECOVERY_CODES_MADE = "recovery codes made"
RECOVERY_CODE_USED = "recovery code used"
PASSKEY_ADDED = "passkey added"
PASSKEY_RENAMED = "passkey renamed"
PASSKEY_REMOVED = "passkey removed"
PASSKEY_REFUSED = "passkey refused"
PASSKEY_COPIED = "passkey copied"
COOKIE_STOLEN = "stolen cookie used"
PROTECTION = "login moved"
DEVICE_ENDED = "device logged out"
DEVICES_ENDED = "other devices logged out"
IDENTITY_LINKED = "identity linked"
IDENTITY_UNLINKED = "identity unlinked"
ACCESS_GIVEN = "access token made"
ACCESS_TAKEN = "access token revoked"
API_LOGIN = "logged in to the API"
API_LOGOUT = "logged out of the API"
REFRESH_REUSED = "used refresh token used again"
PASSWORD_CHANGED = "password changed"  # noqa: S105
RESET_ASKED = "link for a new password asked for"
PASSWORD_GIVEN = "password set on the server"  # noqa: S105
PASSWORD_RESET = "password set by mail"  # noqa: S105
EMAIL_CHANGE_ASKED = "new e-mail address given"
EMAIL_CHANGED = "e-mail address changed"
EMAIL_REMOVED = "e-mail address removed"
EMAIL_VERIFIED = "e-mail address confirmed"
USERNAME_CHANGED = "username changed"
EXPORTED = "data exported"
DELETED = "account deleted"
ROLE_CHANGED = "role changed"
OWNER_CHANGED = "blog handed over"
SUSPENDED = "account suspended"
UNSUSPENDED = "suspension lifted"
LOGGED_OUT_EVERYWHERE = "logged out everywhere"
INVITED = "invitation made"
UNINVITED = "invitation taken back"
LIMITED = "limit reached"
FORBIDDEN = "refused"
POST_PUBLISHED = "post published"
TAG_RENAMED = "tag renamed"
TAG_MERGED = "tags merged"
POST_SCHEDULED = "post scheduled"
SITE_CHANGED = "site settings changed"

RECORDED = "audit event recorded"  # after the commit; listeners get the event

# Whoever did these, it was not proven to be the person whose account it is.
BY_STRANGERS = {
    LOGIN_FAILED,
    SECOND_STEP_ASKED,
    SECOND_STEP_FAILED,
    CONFIRMATION_FAILED,
    PASSKEY_REFUSED,
    PASSKEY_COPIED,
    COOKIE_STOLEN,
    REFRESH_REUSED,
    RESET_ASKED,
    LIMITED,
}


def record(
    db: Session,
    action: str,
    user: User | None = None,
    *,
    actor: User | None = None,
    client: Client = NOBODY,
    **details: str,
) -> None:
    """Add an event to this transaction: it is there if what it tells of is.

    `user` is whose account it concerns, `actor` who did it (the same unless given).
    """
    if actor and user and actor.id != user.id:
        details["actor"] = actor.username
    if action not in BY_STRANGERS:
        actor = actor or user
    event = AuditEvent(
        action=action,
        user_id=user.id if user else None,
        actor_id=actor.id if actor else None,
        username=user.username if user else "",
        address=client.address,
        user_agent=client.user_agent[:LONGEST_USER_AGENT],
        details={name: value[:LONGEST_DETAIL] for name, value in details.items()},
    )
    db.add(event)
    after_commit(db, RECORDED, event)
    shown = {"user_id", "actor_id", "address", "details"}
    log.info(action, extra={"fields": event.model_dump(mode="json", include=shown)})


def record_apart(
    database: Database,
    action: str,
    user: User | None = None,
    *,
    client: Client = NOBODY,
    **details: str,
) -> None:
    """The same in a transaction of its own, for what a refusal would roll back."""
    with database.writing() as db:
        record(db, action, user, actor=None, client=client, **details)


def is_worth_a_row(limits: Limits, action: str, client: Client) -> bool:
    """Whether a refusal is to be stored: a flood of them leaves a few rows, not all."""
    return limits.take(REFUSALS_OF_NETWORK, f"{action} {client.network}") == 0


def of_user(db: Session, user: User, before: int | None = None, most: int = 50) -> list[AuditEvent]:
    """What happened to an account, the latest first; `before` is the id of the last one seen."""
    theirs = select(AuditEvent).where(AuditEvent.user_id == user.id)
    return latest(db, theirs, before, most)


def everything(
    db: Session, before: int | None = None, most: int = 50, *, who: str = "", action: str = ""
) -> list[AuditEvent]:
    """What happened on this blog, the latest first; only by or to `who`, only such an `action`."""
    wanted = select(AuditEvent)
    if action:
        wanted = wanted.where(AuditEvent.action == action)
    if who:
        theirs = select(User.id).where(User.username == who).scalar_subquery()
        is_theirs = (col(AuditEvent.user_id) == theirs) | (col(AuditEvent.actor_id) == theirs)
        wanted = wanted.where(is_theirs | (col(AuditEvent.username) == who))
    return latest(db, wanted, before, most)


def latest(db: Session, query: Any, before: int | None, most: int) -> list[AuditEvent]:
    if before is not None:
        query = query.where(col(AuditEvent.id) < before)
    return list(db.exec(query.order_by(col(AuditEvent.id).desc()).limit(most)))
