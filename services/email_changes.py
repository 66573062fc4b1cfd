"""Another e-mail address: the old one stays until a link, sent to the new one, was opened."""

from datetime import timedelta

from sqlmodel import Session

from backends.limits import Limit, Limits, take_one
from database import release
from errors import Invalid
from languages import _
from models import User
from services import accounts, audit, email_addresses, mail_tokens, mails, notices
from services.logins import Client
from services.mail_tokens import EMAIL, RESET, VERIFY
from settings import Settings

CHANGES_OF_PERSON = Limit("e-mail changes of person", 5, timedelta(days=1))


def ask(
    db: Session, user: User, wanted: str, settings: Settings, limits: Limits, client: Client
) -> None:
    """Mail a link to the new address and a notice to the old one; nothing changes yet.

    Raises:
        TooOften: five times within a day.
        Conflict: the password was changed meanwhile.
    """
    release(db)
    take_one(limits, CHANGES_OF_PERSON, str(user.id))
    user = accounts.unchanged(db, user)
    owner = email_addresses.confirmed_by(db, wanted)
    if owner and owner.id != user.id:
        mail_tokens.revoke(db, user, EMAIL)
        tell_owner(db, settings, owner)
    elif notices.has_room(db, wanted):
        token = mail_tokens.issue(db, user, EMAIL, wanted)
        mails.queue(db, settings, wanted, "email_change", user=user, token=token)
    notices.tell(
        db, settings, user, "email_change_asked", wanted=wanted, address=client.address or "unknown"
    )
    audit.record(db, audit.EMAIL_CHANGE_ASKED, user, client=client)


def remove(db: Session, user: User, settings: Settings, client: Client) -> None:
    """Have no address any more. Raises Invalid if accounts need one, or Conflict as above."""
    if settings.require_verified_email and not user.is_owner:
        raise Invalid({"email": _("Accounts on this blog need an e-mail address.")})
    replace(db, accounts.unchanged(db, user), None, settings)
    audit.record(db, audit.EMAIL_REMOVED, user, client=client)


def carry_out(db: Session, user: User, wanted: str, settings: Settings, client: Client) -> None:
    """Make an address theirs that was proven to be. Raises Conflict if another account was first."""
    replace(db, user, wanted, settings)
    audit.record(db, audit.EMAIL_CHANGED, user, client=client)


def tell_owner(db: Session, settings: Settings, owner: User) -> None:
    """Somebody gave an address that another account has confirmed. Only its owner learns that."""
    assert owner.email
    notices.ask(db, settings, owner.email, "email_taken", user=owner)


def replace(db: Session, user: User, wanted: str | None, settings: Settings) -> None:
    notices.tell(db, settings, user, "email_changed", wanted=wanted)
    if wanted:
        email_addresses.confirm(db, user, wanted)
    else:
        email_addresses.claim(user, None)
        db.add(user)
    for purpose in (RESET, VERIFY, EMAIL):
        mail_tokens.revoke(db, user, purpose)
