"""Accounts: register, check a password, log in, log out."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Uuid, insert, literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from backends.limits import Limit, Limits, take_one
from database import Database, only_reading, release
from errors import Busy, Conflict, Forbidden, Invalid, NotFound, TooOften, Unverified, WrongPassword
from languages import N_
from models import Login, Site, User, now
from services import (
    accounts,
    audit,
    breaches,
    email_addresses,
    logins,
    names,
    notices,
    passwords,
    usernames,
    verifications,
)
from services.credentials import Credentials, Registration
from services.logins import Client
from settings import Role, Settings

FAILURES_OF_ACCOUNT = Limit("login of account", 10, timedelta(minutes=5))
# Its owner is not locked out by strangers who guess: devices that know the account count apart.
FAILURES_OF_DEVICE = Limit("login of account from its devices", 10, timedelta(minutes=5))
FAILURES_OF_ADDRESS = Limit("login from address", 10, timedelta(minutes=5))
FAILURES_OF_PERSON = Limit("password of person", 10, timedelta(minutes=5))
# An office shares an address; whoever expects a whole class sends invitations, which count apart.
REGISTRATIONS_OF_ADDRESS = Limit("registration from address", 20, timedelta(hours=1))
FRESH_FOR = timedelta(minutes=15)


class LoginSession(Protocol):
    """What a login needs of the session, wherever that is kept."""

    @property
    def user_id(self) -> str | None: ...
    def get(self, name: str) -> Any: ...
    def set(self, name: str, value: Any) -> None: ...
    def begin(self, user_id: str, *, lasting: bool = False, **data: Any) -> None: ...
    def renew(self) -> None: ...
    def end(self) -> None: ...
    def end_elsewhere(self, user_id: str) -> None: ...
    def remember(self, cookie: str, lasts: timedelta) -> None: ...
    def forget(self) -> None: ...
    def knows(self, user_id: str) -> bool: ...
    def know(self, user_id: str) -> None: ...


def register(db: Session, new: Registration, settings: Settings, client: Client) -> User:
    """Make an account; the very first one owns the blog.

    Raises:
        Forbidden: registration is not open.
        Invalid: the password will not do, or an address is needed.
        Conflict: the name is taken.
        Busy: too many passwords are being hashed.
    """
    if settings.registration != "open":
        raise Forbidden(CLOSED[settings.registration])
    verifications.must_have_address(settings, new.email)
    check_new(db, new, settings)
    release(db)  # hashing takes a quarter of a second: hold nothing meanwhile
    breaches.refuse(new.password, settings)
    hashed = passwords.hash_password(new.password, settings.bcrypt_cost, client.network)
    user = add_user(db, new, hashed, settings.new_user_role)
    audit.record(db, audit.REGISTERED, user, client=client)
    verifications.send(db, settings, user)
    return user


CLOSED = {
    "closed": N_("This blog does not take new accounts."),
    "invite": N_("New accounts on this blog are by invitation only."),
}


def check_new(db: Session, new: Registration, settings: Settings) -> None:
    """Raises Invalid or Conflict if there cannot be such an account."""
    name = usernames.canonical(new.username)
    known = passwords.context(name, new.email, settings.site_name)
    if wrong := passwords.problem(new.password, *known):
        raise Invalid({"password": wrong})
    if find_by_username(db, name) or names.is_retired(db, name):
        raise names.taken()


def add_user(db: Session, new: Registration, password_hash: str, role: str) -> User:
    """Store an account; the very first one becomes the owner. Raises Conflict."""
    name = usernames.canonical(new.username)
    if names.is_retired(db, name):
        raise names.taken()
    user = User(
        username=name,
        display_name=new.username.strip(),
        email=new.email or None,
        email_key=usernames.canonical(new.email) if new.email else None,
        password_hash=password_hash,
        role=role,
    )
    try:
        with db.begin_nested():
            db.add(user)
    except IntegrityError:
        raise names.taken() from None
    if claim_ownership(db, user):
        user.role = Role.owner
    return user


def validate_user(
    db: Session,
    given: Credentials,
    settings: Settings,
    limits: Limits,
    client: Client,
    session: LoginSession,
) -> User:
    """The person whose name and password these are.

    Every try is counted before the password is looked at, for the account and for the network;
    a success takes it back. Unknown names cost the same work and give the same answer. Who is sent
    away, because of a limit or because too many wait, has cost next to nothing.

    Raises:
        WrongPassword: whatever does not fit.
        TooOften: ten failures within five minutes.
        Busy: too many passwords are being checked.
    """
    name = usernames.canonical(given.username)
    address = FAILURES_OF_ADDRESS, client.network
    refuse_over(limits, address)  # first, since it costs least
    only_reading(db)
    user = find_account(db, given.username)
    release(db)  # nothing may be held by what follows; the counters may live in this database
    is_known = user is not None and session.knows(str(user.id))
    of_account = FAILURES_OF_DEVICE if is_known else FAILURES_OF_ACCOUNT
    refuse_over(limits, (of_account, name))
    stored = user.password_hash if user and user.is_active else None
    with passwords.ROOM.turn(client.network, is_known=is_known):
        for limit, who in (address, (of_account, name)):
            take_one(limits, limit, who)
        is_right = passwords.matches(given.password, stored, settings.bcrypt_cost)
    if user is None or not is_right:
        raise WrongPassword
    limits.clear(of_account, name)
    limits.give_back(FAILURES_OF_ADDRESS, client.network)
    rehashed = None
    if passwords.needs_rehash(user.password_hash, settings.bcrypt_cost):
        with suppress(Busy):  # the next login will do
            rehashed = passwords.hash_password(given.password, settings.bcrypt_cost)
    user = still_theirs(db, user)
    user.password_hash = rehashed or user.password_hash
    return user


def refuse_over(limits: Limits, tries: tuple[Limit, str]) -> None:
    """Raises TooOften if that limit is reached already."""
    if wait := limits.wait(*tries):
        raise TooOften(wait)


def still_theirs(db: Session, user: User) -> User:
    """The account whose password was checked, locked until the login is stored. While that took
    its time, a new password may have ended all logins: this must not be one more."""
    try:
        return accounts.unchanged(db, user)
    except (Conflict, NotFound):
        release(db)
        raise WrongPassword from None


def note_refusal(
    database: Database, limits: Limits, error: Exception, client: Client, typed: str
) -> None:
    """Write into the audit log that somebody was not let in, and to whose account.

    What was typed is kept only if it is somebody's name: people type passwords there too.
    """
    action = audit.LIMITED if isinstance(error, TooOften) else audit.LOGIN_FAILED
    if not audit.is_worth_a_row(limits, action, client):
        return
    with database.writing() as db:
        user = find_account(db, typed)
        audit.record(db, action, user, client=client)
    if isinstance(error, TooOften):
        error.is_noted = True


def find_account(db: Session, typed: str) -> User | None:
    """Whose name or address this is."""
    name = usernames.canonical(typed)
    return find_by_username(db, name) or email_addresses.find(db, name)


def confirm_password(
    db: Session, user: User, typed: str, settings: Settings, limits: Limits
) -> None:
    """Raise unless this is the password of somebody who is logged in already.

    Raises:
        WrongPassword: it is not, or the account has none.
        TooOften: ten failures within five minutes.
        Busy: too many passwords are being checked.
    """
    release(db)
    who = str(user.id)
    take_one(limits, FAILURES_OF_PERSON, who)
    try:
        is_right = passwords.verify(typed, user.password_hash, settings.bcrypt_cost)
    except Busy:
        limits.give_back(FAILURES_OF_PERSON, who)
        raise
    if not is_right:
        raise WrongPassword(NOT_YOURS)
    limits.clear(FAILURES_OF_PERSON, who)
    db.add(db.merge(user, load=False))


NOT_YOURS = N_("That is not your password. Nothing was changed; try again.")


def log_in(
    db: Session,
    session: LoginSession,
    user: User,
    client: Client,
    settings: Settings,
    *,
    remember_days: int | None = None,
    by: str = "password",
) -> None:
    """Let somebody in who has shown all that was asked of them.

    A new session begins under a new id, and is fresh. With `remember_days` a cookie brings the
    login back for so long. A device that this account has never used is told to its owner.

    Raises:
        Unverified: this blog wants to know the address first, and it is not confirmed.
    """
    if verifications.is_needed(user, settings):
        raise Unverified(user.id)
    leave(db, session)
    login, cookie = logins.begin(db, user, client, settings.session_max, remember_days)
    session.begin(
        str(user.id),
        lasting=cookie is not None,
        login=str(login.id),
        client=client.fingerprint,
        fresh_at=now().timestamp(),
    )
    if cookie and login.remember_days:
        session.remember(cookie, timedelta(days=login.remember_days))
    else:
        session.forget()
    is_new_device = user.logged_in_at is not None and not session.knows(str(user.id))
    session.know(str(user.id))
    user.logged_in_at = now()
    db.add(user)
    audit.record(db, audit.LOGGED_IN, user, client=client, by=by)
    if is_new_device:
        device = logins.device_name(client.user_agent)
        notices.tell(db, settings, user, "new_device", device=device, address=client.address)


def leave(db: Session, session: LoginSession) -> None:
    """End the login of this session, whosever it is: one browser, one login."""
    if found := logins.find(db, session.user_id, session.get("login")):
        user, login = found
        logins.end(db, user.id, login.id)


def log_out(db: Session, session: LoginSession, user: User | None, client: Client) -> None:
    """End the login where it is stored: copied cookies are worth nothing afterwards."""
    if user:
        leave(db, session)
        audit.record(db, audit.LOGGED_OUT, user, client=client)
    session.end()
    session.forget()


def log_out_elsewhere(db: Session, session: LoginSession, user: User, login: Login) -> None:
    """End all other logins of somebody, and go on here under a new id."""
    logins.end_all(db, user.id, but=login.id)
    session.end_elsewhere(str(user.id))
    session.renew()


def log_out_everywhere(db: Session, session: LoginSession, user: User) -> None:
    """End all logins of somebody; whoever else is logged in here stays so."""
    logins.end_all(db, user.id)
    session.end_elsewhere(str(user.id))
    if session.user_id == str(user.id):
        session.end()
        session.forget()


def forgive(limits: Limits, user: User, client: Client) -> None:
    """Forget the failures to log in as somebody who has just shown by mail who they are."""
    for name in filter(None, (user.username, user.email_key)):
        limits.clear(FAILURES_OF_ACCOUNT, name)
        limits.clear(FAILURES_OF_DEVICE, name)
    limits.clear(FAILURES_OF_PERSON, str(user.id))
    # Theirs most likely too. That this is no way to guess for ever is seen to by the limit of
    # links that one network may ask for.
    limits.clear(FAILURES_OF_ADDRESS, client.network)


def confirm(session: LoginSession, client: Client) -> None:
    """Make a login fresh: whoever is here has just shown that they are who they were.

    It goes on under a new id (ASVS 7.2.4): copies of the old one do not become fresh with it.
    """
    session.set("client", client.fingerprint)
    session.set("fresh_at", now().timestamp())
    session.renew()


def is_fresh(session: LoginSession) -> bool:
    fresh_at = session.get("fresh_at")
    return isinstance(fresh_at, float) and now().timestamp() - fresh_at < FRESH_FOR.total_seconds()


def end_moved(db: Session, user: User, login: Login, client: Client) -> None:
    """End a login that turned up with another browser or from another network."""
    logins.end(db, user.id, login.id)
    audit.record(db, audit.PROTECTION, user, client=client)


def restore(db: Session, settings: Settings, cookie: str, client: Client) -> logins.Restored | None:
    """The login that a remember cookie brings back, or None.

    A cookie that was used before has been copied: then all logins of that person end, and they
    are told.
    """
    found = logins.restore(db, cookie, client)
    if isinstance(found, logins.Stolen):
        audit.record(db, audit.COOKIE_STOLEN, found.user, client=client)
        notices.tell(db, settings, found.user, "stolen_cookie", address=client.address)
        return None
    if found and found.cookie:
        audit.record(db, audit.LOGIN_RESTORED, found.user, client=client)
    return found


def find_by_username(db: Session, name: str) -> User | None:
    return db.exec(select(User).where(User.username == name)).first()


def claim_ownership(db: Session, user: User) -> bool:
    """Become the owner if there is none: one row, one primary key, so one winner."""
    db.flush()
    unowned = ~select(Site.id).exists()
    row = select(literal(1), literal(user.id, type_=Uuid())).where(unowned)
    try:
        with db.begin_nested():
            result = db.execute(insert(Site).from_select(["id", "owner_id"], row))
            return bool(result.rowcount)  # type: ignore[attr-defined]
    except IntegrityError:
        return False
