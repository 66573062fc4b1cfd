"""Identities: the accounts elsewhere by which somebody logs in here."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backends.openid import Claims, Provider
from errors import Conflict, NotFound, WrongPassword
from languages import N_
from models import Identity, Passkey, User, now
from services import audit, credentials, notices, usernames
from services.logins import Client
from services.text import NOT_IN_A_LINE, UNSTORABLE
from settings import Settings

LONGEST_NAME = 80


def clean(claims: Claims) -> Claims:
    """The same with nothing in it that could not be stored or shown."""
    try:
        email = credentials.email_address(claims.email) or ""
    except ValueError:
        email = ""
    return replace(
        claims,
        username=one_line(claims.username),
        name=one_line(claims.name),
        email=email,
        email_is_verified=claims.email_is_verified and bool(email),
    )


def find(db: Session, claims: Claims) -> User | None:
    """Whose identity this is."""
    found = find_identity(db, claims)
    return db.get(User, found.user_id) if found else None


def whose(
    db: Session, settings: Settings, provider: Provider, claims: Claims, client: Client
) -> User | None:
    """The account of the person whom a provider has sent; None if they have none yet.

    An account with the same address is linked on the way if both sides have verified it.

    Raises:
        WrongPassword: the account is disabled.
        Conflict: an account has that address, but nobody knows that it is theirs.
    """
    found = find_identity(db, claims)
    user = db.get(User, found.user_id) if found else of_address(db, claims)
    if user is None:
        return None
    if not user.is_active:
        raise WrongPassword(NOT_LET_IN)
    if found:
        found.used_at = now()
        db.add(found)
    else:
        link(db, settings, user, provider, claims, client)
    return user


NOT_LET_IN = N_("You cannot log in that way. Nothing was changed.")


def link(
    db: Session, settings: Settings, user: User, provider: Provider, claims: Claims, client: Client
) -> None:
    """Let somebody in by this identity from now on, and tell them. Raises Conflict if it is another's."""
    found = find_identity(db, claims)
    if found is None or found.user_id != user.id:
        added = add(db, user, provider, claims, client)
        notices.tell(db, settings, user, "identity_linked", label=provider.label, name=added.name)


def add(db: Session, user: User, provider: Provider, claims: Claims, client: Client) -> Identity:
    """The same without a mail, and only for what is new here."""
    identity = Identity(
        user_id=user.id,
        provider=provider.name,
        issuer=claims.issuer,
        subject=claims.subject,
        name=claims.username or claims.email or claims.name,
        used_at=now(),
    )
    try:
        with db.begin_nested():
            db.add(identity)
    except IntegrityError:
        raise Conflict({"username": TAKEN}) from None
    audit.record(
        db, audit.IDENTITY_LINKED, user, client=client, by=provider.label, name=identity.name
    )
    return identity


TAKEN = N_("That account belongs to somebody else’s account here already. Nothing was changed.")


def of_user(db: Session, user: User) -> list[Identity]:
    """By which somebody can log in, the oldest first."""
    theirs = select(Identity).where(Identity.user_id == user.id)
    return list(db.exec(theirs.order_by(col(Identity.created_at))))


def linked(db: Session, user: User, offered: Mapping[str, Provider]) -> dict[str, str]:
    """Name and label of the providers by which somebody can log in today."""
    theirs = {each.provider for each in of_user(db, user)}
    return {name: provider.label for name, provider in offered.items() if name in theirs}


def unlink(
    db: Session,
    settings: Settings,
    user: User,
    identity_id: UUID,
    offered: Mapping[str, Provider],
    client: Client,
) -> None:
    """Take an identity away; `offered` are the providers by which one can log in today.

    Raises:
        NotFound: it is none of theirs.
        Conflict: it is their last way in.
    """
    db.refresh(user, with_for_update=True)  # two tabs take turns, or both would leave the other
    theirs = of_user(db, user)
    identity = next((each for each in theirs if each.id == identity_id), None)
    if identity is None:
        raise NotFound
    others = [each for each in theirs if each is not identity and each.provider in offered]
    if not others and not user.has_password and not has_passkey(db, user):
        raise Conflict({"identity": LAST_WAY_IN})
    db.delete(identity)
    label = label_of(identity, offered)
    audit.record(db, audit.IDENTITY_UNLINKED, user, client=client, by=label, name=identity.name)
    notices.tell(db, settings, user, "identity_unlinked", label=label, name=identity.name)


LAST_WAY_IN = N_(
    "This is the only way into your account, so it stays. Set a password first, or add a passkey."
)


def find_identity(db: Session, claims: Claims) -> Identity | None:
    known = select(Identity).where(
        Identity.issuer == claims.issuer, Identity.subject == claims.subject
    )
    return db.exec(known).first()


def of_address(db: Session, claims: Claims) -> User | None:
    """The account with the same address, if both sides know that it is theirs; None if nobody has it.

    Raises Conflict if somebody has it, but it takes a password to know that they are the same.
    """
    if not claims.email:
        return None
    key = usernames.canonical(claims.email)
    found = db.exec(select(User).where(User.email_key == key)).all()
    if not found:
        return None
    owner = next((user for user in found if user.email_is_verified and is_same(user, claims)), None)
    if not claims.email_is_verified or owner is None:
        raise Conflict({"username": NOT_KNOWN_TO_BE_SAME})
    return owner


NOT_KNOWN_TO_BE_SAME = N_(
    "There is an account with your e-mail address here already. Log in to it as you did before; "
    "then the two can be linked, on the page that follows."
)


def is_same(user: User, claims: Claims) -> bool:
    """The same address to the letter. Accounts are found by a form in which more letters are equal
    than a mail server would say: mike@ and mıke@ are two people."""
    ours, theirs = user.email or "", claims.email
    return ours == theirs or (
        ours.isascii() and theirs.isascii() and ours.lower() == theirs.lower()
    )


def has_passkey(db: Session, user: User) -> bool:
    theirs = select(Passkey.id).where(Passkey.user_id == user.id).limit(1)
    return db.exec(theirs).first() is not None


def label_of(identity: Identity, offered: Mapping[str, Provider]) -> str:
    provider = offered.get(identity.provider)
    return provider.label if provider else identity.provider


def one_line(value: str) -> str:
    kept = UNSTORABLE.sub("", NOT_IN_A_LINE.sub("", value[: 4 * LONGEST_NAME]))
    return kept.strip()[:LONGEST_NAME].strip()
