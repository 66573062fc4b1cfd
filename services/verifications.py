"""Confirming an e-mail address: a link goes there, and whoever opens it has proven that it is theirs."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from backends.limits import Limit, Limits, take_one
from database import release
from errors import Invalid
from languages import _
from models import User
from services import accounts, audit, email_addresses, email_changes, mail_tokens, mails, notices
from services.logins import Client
from services.mail_tokens import EMAIL, VERIFY, Link
from settings import Settings

LINKS_OF_PERSON = Limit("verification links of person", 3, timedelta(hours=6))


def is_needed(user: User, settings: Settings) -> bool:
    """Whether somebody is not let in yet. Whoever owns the blog can always see to its mails."""
    return settings.require_verified_email and not user.email_is_verified and not user.is_owner


def must_have_address(settings: Settings, address: str | None) -> None:
    """Raises Invalid for whoever registers without one, where nobody is let in without it."""
    if settings.require_verified_email and not address:
        raise Invalid({"email": _("Please fill this in: we send a link there.")})


def send(db: Session, settings: Settings, user: User) -> None:
    """Mail a link that confirms the address of an account.

    If another account has confirmed it before, its owner is told instead: the answer to whoever
    gave the address is the same.
    """
    if not user.email or user.email_is_verified:
        return
    if owner := email_addresses.confirmed_by(db, user.email):
        email_changes.tell_owner(db, settings, owner)
    elif notices.has_room(db, user.email):
        token = mail_tokens.issue(db, user, VERIFY, user.email)
        mails.queue(db, settings, user.email, "verify", user=user, token=token)


def send_again(
    db: Session,
    user: User,
    settings: Settings,
    limits: Limits,
    client: Client,
    email: str | None = None,
) -> None:
    """The same when they ask for it; with `email`, to the address that they correct theirs to.

    Raises TooOften: three times in six hours.
    """
    release(db)
    take_one(limits, LINKS_OF_PERSON, str(user.id))
    user = accounts.unchanged(db, user)
    if email and email != user.email and not user.email_is_verified:
        email_addresses.claim(user, email)
        audit.record(db, audit.EMAIL_CHANGED, user, client=client)
    send(db, settings, user)


def find_waiting(db: Session, user_id: str | None) -> User | None:
    """Whoever has shown their password, but is not let in before their address is confirmed."""
    user = db.get(User, UUID(user_id)) if user_id else None
    return user if user and user.is_active and not user.email_is_verified else None


def find(db: Session, token: str) -> Link:
    """What a link would confirm. Raises BadLink, or Conflict if another account was first."""
    link = mail_tokens.find(db, token, VERIFY, EMAIL)
    owner = email_addresses.confirmed_by(db, link.email)
    if owner and owner.id != link.user.id:
        raise email_addresses.taken()
    return link


def confirm(db: Session, token: str, settings: Settings, client: Client) -> Link:
    """Carry out what a link is for; nobody is logged in by that. Raises BadLink or Conflict."""
    link = mail_tokens.redeem(db, token, VERIFY, EMAIL)
    if link.purpose == EMAIL:
        email_changes.carry_out(db, link.user, link.email, settings, client)
    else:
        email_addresses.confirm(db, link.user, link.email)
        audit.record(db, audit.EMAIL_VERIFIED, link.user, client=client)
    return link
