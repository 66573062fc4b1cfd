"""A forgotten password: a link goes to the address of the account, and a new one is chosen there."""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

import auth_service
from auth_service import LoginSession
from backends.limits import Limit, Limits, take_one
from database import release
from errors import BadLink, Conflict
from models import ApiToken, Identity, Passkey, User
from services import (
    audit,
    breaches,
    email_addresses,
    mail_tokens,
    mails,
    password_changes,
    passwords,
    usernames,
)
from services.logins import Client
from services.mail_tokens import RESET, Link
from settings import Settings

LINKS_OF_ADDRESS = Limit("recovery links of address", 5, timedelta(days=1))
LINKS_OF_NETWORK = Limit("recovery links from network", 20, timedelta(hours=1))


def ask(db: Session, address: str, settings: Settings, limits: Limits, client: Client) -> None:
    """Mail a link to whoever has this address, if anybody has. Nothing tells which it was.

    Raises:
        TooOften: twenty times within an hour from one network.
    """
    release(db)
    take_one(limits, LINKS_OF_NETWORK, client.network)
    key = usernames.canonical(address)
    is_flood = limits.take(LINKS_OF_ADDRESS, key) > 0
    user = find_account(db, key)
    if stand_in := db.exec(select(User).limit(1)).first():
        # Whoever watches the clock sees the same work for an address that nobody has.
        with db.begin_nested() as attempt:
            send(db, settings, user or stand_in, address)
            if user is None or is_flood:
                attempt.rollback()
    audit.record(db, audit.RESET_ASKED, user, client=client)


def send(db: Session, settings: Settings, user: User, address: str) -> None:
    """To the address as it is stored; what was typed may be another mailbox that looks like it."""
    recipient = user.email or address  # the latter only for a stand-in without one
    token = mail_tokens.issue(db, user, RESET, recipient)
    mails.queue(db, settings, recipient, "reset", user=user, token=token)
    db.flush()


def find_account(db: Session, key: str) -> User | None:
    """The account that an address may recover.

    One that is not confirmed may be somebody else's by a slip, or given to catch them: it recovers
    an account that has nothing but a password, where nobody loses another way in or keeps one.
    """
    user = email_addresses.find(db, key)
    if user is None or not user.is_active:
        return None
    return user if user.email_is_verified or not has_other_ways_in(db, user) else None


def has_other_ways_in(db: Session, user: User) -> bool:
    passkeys = select(Passkey.id).where(Passkey.user_id == user.id)
    identities = select(Identity.id).where(Identity.user_id == user.id)
    return bool(db.exec(passkeys).first() or db.exec(identities).first())


def find(db: Session, token: str) -> Link:
    """What a link is for. Raises BadLink."""
    link = mail_tokens.find(db, token, RESET)
    owner = email_addresses.confirmed_by(db, link.email)
    if owner and owner.id != link.user.id:
        raise BadLink
    return link


def reset(
    db: Session,
    session: LoginSession,
    token: str,
    password: str,
    settings: Settings,
    limits: Limits,
    client: Client,
) -> User:
    """Set a new password by a link. All logins end, nobody is logged in, failures are forgiven.

    Raises:
        BadLink: used, too old, or not for this.
        Invalid: the password will not do.
        Busy: too many passwords are being hashed.
    """
    user = find(db, token).user
    password_changes.check(user, password, settings)
    release(db)
    breaches.refuse(password, settings)
    hashed = passwords.hash_password(password, settings.bcrypt_cost)
    auth_service.forgive(limits, user, client)
    user = mail_tokens.redeem(db, token, RESET).user
    prove_address(db, user)
    user.password_hash = hashed
    auth_service.log_out_everywhere(db, session, user)
    audit.record(db, audit.PASSWORD_RESET, user, client=client)
    password_changes.tell(db, user, settings, client)
    return user


def prove_address(db: Session, user: User) -> None:
    """Whoever opened the link reads the mails of this address.

    If nobody had proven that before, whoever made the account may have been somebody else: what
    they gave to programs ends.
    """
    assert user.email
    if user.email_is_verified:
        return
    try:
        email_addresses.confirm(db, user, user.email)
    except Conflict:
        raise BadLink from None
    db.execute(delete(ApiToken).where(col(ApiToken.user_id) == user.id))
