"""A new password for an account, and what ends with the old one."""

from sqlmodel import Session

import auth_service
from auth_service import LoginSession
from database import release
from errors import Invalid
from models import Login, User
from services import accounts, audit, breaches, logins, notices, passwords, people
from services.logins import Client
from settings import Settings


def change(
    db: Session,
    session: LoginSession,
    user: User,
    login: Login,
    password: str,
    settings: Settings,
    client: Client,
) -> None:
    """Set the password of somebody who has shown who they are; all their other logins end.

    Personal access tokens stay: programs would stop without a word, and each can be ended apart.

    Raises:
        Invalid: the password will not do.
        Conflict: somebody else has changed it meanwhile.
        Busy: too many passwords are being hashed.
    """
    user = renew(db, user, password, settings)
    auth_service.log_out_elsewhere(db, session, user, login)
    audit.record(db, audit.PASSWORD_CHANGED, user, client=client)
    tell(db, user, settings, client)


def give(db: Session, username: str, password: str, settings: Settings) -> User:
    """Set somebody's password on the server, for whoever runs the blog. All that lets them in ends,
    but for access tokens, second steps and passkeys.

    Raises:
        Invalid: there is nobody of that name, or the password will not do.
        Busy: too many passwords are being hashed.
    """
    user = people.find_heir(db, username)
    user = renew(db, user, password, settings)
    people.end_access(db, user)
    audit.record(db, audit.PASSWORD_GIVEN, user)
    notices.tell(db, settings, user, "password_changed", device="a command", address="the server")
    return user


def renew(db: Session, user: User, password: str, settings: Settings) -> User:
    """Store it, with nothing held while it is hashed; the account as it is now. Raises as above."""
    check(user, password, settings)
    release(db)
    breaches.refuse(password, settings)
    hashed = passwords.hash_password(password, settings.bcrypt_cost)
    user = accounts.unchanged(db, user)
    user.password_hash = hashed
    return user


def check(user: User, password: str, settings: Settings) -> None:
    """Raises Invalid if a password will not do for this person."""
    known = passwords.context(user.username, user.email, settings.site_name, user.display_name)
    if wrong := passwords.problem(password, *known):
        raise Invalid({"password": wrong})


def tell(db: Session, user: User, settings: Settings, client: Client) -> None:
    device = logins.device_name(client.user_agent)
    notices.tell(
        db, settings, user, "password_changed", device=device, address=client.address or "unknown"
    )
