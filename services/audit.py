"""The audit log: what happened to accounts and to the blog, who did it, and from where."""

import logging
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from backends.limits import Limit, Limits
from database import Database, after_commit
from languages import N_
from models import AuditEvent, User
from services.logins import LONGEST_USER_AGENT, Client

log = logging.getLogger("inkstand.audit")
LONGEST_DETAIL = 200
NOBODY = Client()
REFUSALS_OF_NETWORK = Limit("refusals of network that are stored", 30, timedelta(hours=1))

REGISTERED = N_("registered")
LOGGED_IN = N_("logged in")
SECOND_STEP_ASKED = N_("second step asked")
SECOND_STEP_FAILED = N_("second step failed")
LOGIN_FAILED = N_("login failed")
LOGIN_RESTORED = N_("login restored")
LOGGED_OUT = N_("logged out")
CONFIRMED = N_("login confirmed")
CONFIRMATION_FAILED = N_("confirmation failed")
APP_ADDED = N_("authenticator app set up")
APP_REMOVED = N_("authenticator app removed")
RECOVERY_CODES_MADE = N_("recovery codes made")
RECOVERY_CODE_USED = N_("recovery code used")
PASSKEY_ADDED = N_("passkey added")
PASSKEY_RENAMED = N_("passkey renamed")
PASSKEY_REMOVED = N_("passkey removed")
PASSKEY_REFUSED = N_("passkey refused")
PASSKEY_COPIED = N_("passkey copied")
COOKIE_STOLEN = N_("stolen cookie used")
PROTECTION = N_("login moved")
DEVICE_ENDED = N_("device logged out")
DEVICES_ENDED = N_("other devices logged out")
IDENTITY_LINKED = N_("identity linked")
IDENTITY_UNLINKED = N_("identity unlinked")
ACCESS_GIVEN = N_("access token made")
ACCESS_TAKEN = N_("access token revoked")
API_LOGIN = N_("logged in to the API")
API_LOGOUT = N_("logged out of the API")
REFRESH_REUSED = N_("used refresh token used again")
PASSWORD_CHANGED = N_("password changed")
RESET_ASKED = N_("link for a new password asked for")
PASSWORD_GIVEN = N_("password set on the server")
PASSWORD_RESET = N_("password set by mail")
EMAIL_CHANGE_ASKED = N_("new e-mail address given")
EMAIL_CHANGED = N_("e-mail address changed")
EMAIL_REMOVED = N_("e-mail address removed")
EMAIL_VERIFIED = N_("e-mail address confirmed")
USERNAME_CHANGED = N_("username changed")
EXPORTED = N_("data exported")
DELETED = N_("account deleted")
ROLE_CHANGED = N_("role changed")
OWNER_CHANGED = N_("blog handed over")
SUSPENDED = N_("account suspended")
UNSUSPENDED = N_("suspension lifted")
LOGGED_OUT_EVERYWHERE = N_("logged out everywhere")
INVITED = N_("invitation made")
UNINVITED = N_("invitation taken back")
LIMITED = N_("limit reached")
FORBIDDEN = N_("refused")
POST_PUBLISHED = N_("post published")
TAG_RENAMED = N_("tag renamed")
TAG_MERGED = N_("tags merged")
POST_SCHEDULED = N_("post scheduled")
SITE_CHANGED = N_("site settings changed")

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
