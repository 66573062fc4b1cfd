"""Accounts: register, check a password, log in, log out."""

from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel
from sqlalchemy import Uuid, insert, literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from backends.limits import Limit, Limits
from database import release
from errors import Busy, Conflict, Forbidden, Invalid, TooOften, WrongPassword
from models import Site, User
from services import passwords, usernames
from services.text import check_characters, one_line
from settings import Role, Settings

FAILURES_OF_ACCOUNT = Limit("login of account", 10, timedelta(minutes=5))
FAILURES_OF_ADDRESS = Limit("login from address", 10, timedelta(minutes=5))
LONGEST_TYPED = 320
REGISTRATIONS_OF_ADDRESS = Limit("registration from address", 500, timedelta(hours=1))


class LoginSession(Protocol):
    """What a login needs of the session, wherever that is kept."""

    def begin(self, user_id: str) -> None: ...
    def end(self) -> None: ...


def username(typed: str) -> str:
    check_characters(typed)
    if len(typed) > LONGEST_TYPED:  # normalising takes quadratic time: not before it is short
        raise ValueError(f"At most {usernames.LONGEST} characters, please.")
    if wrong := usernames.problem(usernames.canonical(typed)):
        raise ValueError(wrong)
    return typed


def email_address(typed: str) -> str | None:
    """A well-formed address in its normal form, or None if nothing was typed."""
    if not typed.strip():
        return None
    if len(typed) > LONGEST_TYPED:
        raise ValueError("This does not look like an e-mail address.")
    from email_validator import validate_email  # heavy, and not every process needs it

    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except ValueError:
        raise ValueError("This does not look like an e-mail address.") from None


def password(typed: str) -> str:
    if not typed:
        raise ValueError("Please fill this in.")
    if passwords.size_of(typed) > passwords.LONGEST_BYTES:
        raise ValueError(f"At most {passwords.LONGEST_BYTES} bytes, please.")
    return typed


class Registration(BaseModel):
    username: Annotated[str, AfterValidator(username)]
    password: Annotated[str, AfterValidator(password)]
    email: Annotated[str, AfterValidator(email_address)] = ""


class Credentials(BaseModel):
    """`username` may be an e-mail address too."""

    username: Annotated[str, one_line(320)]
    password: Annotated[str, AfterValidator(password)]


def register(db: Session, new: Registration, settings: Settings) -> User:
    """Make an account; the very first one owns the blog.

    Raises:
        Forbidden: registration is not open.
        Invalid: the password will not do.
        Conflict: the name is taken.
        Busy: too many passwords are being hashed.
    """
    if settings.registration != "open":
        raise Forbidden(CLOSED[settings.registration])
    check_new(db, new, settings)
    release(db)  # hashing takes a quarter of a second: hold nothing meanwhile
    hashed = passwords.hash_password(new.password, settings.bcrypt_cost)
    return add_user(db, new, hashed, settings.new_user_role)


CLOSED = {
    "closed": "This blog does not take new accounts.",
    "invite": "New accounts on this blog are by invitation only.",
}


def check_new(db: Session, new: Registration, settings: Settings) -> None:
    """Raises Invalid or Conflict if there cannot be such an account."""
    name = usernames.canonical(new.username)
    if wrong := passwords.problem(new.password, name, new.email or "", settings.site_name):
        raise Invalid({"password": wrong})
    if find_by_username(db, name):
        raise name_taken()


def add_user(db: Session, new: Registration, password_hash: str, role: str) -> User:
    """Store an account; the very first one becomes the owner. Raises Conflict."""
    user = User(
        username=usernames.canonical(new.username),
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
        raise name_taken() from None
    if claim_ownership(db, user):
        user.role = Role.owner
    return user


def validate_user(
    db: Session, given: Credentials, settings: Settings, limits: Limits, address: str
) -> User:
    """The person whose name and password these are.

    Every try is counted before the password is looked at, for the account and for the network
    address; a success takes it back. Unknown names cost the same work and give the same answer.

    Raises:
        WrongPassword: whatever does not fit.
        TooOften: ten failures within five minutes.
        Busy: too many passwords are being checked.
    """
    release(db)  # the counters may live in the same database, and must not wait for us
    name = usernames.canonical(given.username)
    for limit, who in ((FAILURES_OF_ADDRESS, address), (FAILURES_OF_ACCOUNT, name)):
        if wait := limits.take(limit, who):
            raise TooOften(wait)
    user = find_by_username(db, name) or find_by_email(db, name)
    stored = user.password_hash if user and user.is_active else None
    release(db)
    try:
        is_right = passwords.verify(given.password, stored, settings.bcrypt_cost)
    except Busy:  # that was no guess
        limits.give_back(FAILURES_OF_ACCOUNT, name)
        limits.give_back(FAILURES_OF_ADDRESS, address)
        raise
    if user is None or not is_right:
        raise WrongPassword
    limits.clear(FAILURES_OF_ACCOUNT, name)
    limits.give_back(FAILURES_OF_ADDRESS, address)
    user = db.merge(user, load=False)
    if passwords.needs_rehash(user.password_hash, settings.bcrypt_cost):
        user.password_hash = passwords.hash_password(given.password, settings.bcrypt_cost)
    return user


def log_in(session: LoginSession, user: User) -> None:
    """Begin a new session under a new id; what an older one held is gone."""
    session.begin(str(user.id))


def log_out(session: LoginSession) -> None:
    """End the session where it is stored: a copied cookie is worth nothing afterwards."""
    session.end()


def find_by_username(db: Session, name: str) -> User | None:
    return db.exec(select(User).where(User.username == name)).first()


def find_by_email(db: Session, address: str) -> User | None:
    """The one account with this address; addresses are not proven yet, so two mean none."""
    if "@" not in address:
        return None
    found = db.exec(select(User).where(User.email_key == address).limit(2)).all()
    return found[0] if len(found) == 1 else None


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


def name_taken() -> Conflict:
    return Conflict({"username": "That name is taken. Please choose another."})
