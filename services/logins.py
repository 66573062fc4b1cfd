"""Logins: the devices on which somebody is logged in, and what brings a login back ("remember me").

Remember cookies follow the selector/validator scheme with rotation: a validator is good for one
use, and whoever shows a used one holds a stolen cookie.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from database import after_commit
from errors import NotFound
from languages import _
from models import Login, RefreshToken, User, now
from services.digests import digest

# A browser that restores ten tabs at once sends ten times the same cookie; the first one is
# answered with the next. Only browsers do that, so only they are given this time.
TABS_OPEN_WITHIN = timedelta(seconds=10)
SEEN_EVERY = timedelta(minutes=5)
ENDED = "login ended"  # after the commit; listeners get the id of the person
LONGEST_USER_AGENT = 300
MOST_SHOWN = 100


@dataclass(frozen=True)
class Client:
    """Who is at the other end of a request, as far as one can tell."""

    address: str = ""
    network: str = ""  # to count tries by
    user_agent: str = ""
    fingerprint: str = ""  # of browser and wider network, keyed
    older_fingerprints: tuple[str, ...] = ()  # the same by keys that are being replaced
    is_browser: bool = False

    def is_known_as(self, fingerprint: object) -> bool:
        """Whether that was noted of this client, with whichever key."""
        return fingerprint in (self.fingerprint, *self.older_fingerprints)


@dataclass(frozen=True)
class Restored:
    """A login that a remember cookie brought back; `cookie` is its next value, if it has one."""

    user: User
    login: Login
    cookie: str | None


@dataclass(frozen=True)
class Stolen:
    """A used remember cookie was shown again: all logins of that person were ended."""

    user: User


def begin(
    db: Session, user: User, client: Client, lasts: timedelta, remember_days: int | None = None
) -> tuple[Login, str | None]:
    """A new login, and the value of its remember cookie if it is to be remembered."""
    login = Login(
        user_id=user.id,
        user_agent=client.user_agent[:LONGEST_USER_AGENT],
        address=client.address,
        expires_at=now() + lasts,
    )
    cookie = None
    if remember_days:
        login.selector = secrets.token_urlsafe(16)
        login.remember_days = remember_days
        cookie = rotate(login)
    db.add(login)
    return login, cookie


def is_known(db: Session, cookie: str) -> bool:
    """Whether a remember cookie may stand for a login. Asked before it is used up, since that
    takes a lock, and anybody may send anything."""
    selector = cookie.partition(".")[0]
    return db.exec(select(Login.id).where(Login.selector == selector)).first() is not None


def restore(db: Session, cookie: str, client: Client) -> Restored | Stolen | None:
    """The login that a remember cookie stands for; None if it stands for none.

    If the cookie has been used before, all logins of that person are ended.
    """
    selector, _dot, validator = cookie.partition(".")
    login = db.exec(select(Login).where(Login.selector == selector).with_for_update()).first()
    if login is None or login.expires_at <= now():
        return None
    user = db.get(User, login.user_id)
    if user is None or not user.is_active:
        return None
    if is_same(validator, login.validator_hash):
        login.user_agent, login.address = client.user_agent, client.address
        return Restored(user, login, rotate(login))
    if is_same(validator, login.previous_hash) and opens_tabs(login, client):
        return Restored(user, login, None)
    end_all(db, user.id)
    return Stolen(user)


def rotate(login: Login) -> str:
    """Give a login its next validator; the cookie that carries it."""
    assert login.remember_days
    validator = secrets.token_urlsafe(32)
    login.previous_hash, login.validator_hash = login.validator_hash, digest(validator)
    login.rotated_at = login.seen_at = now()
    login.expires_at = now() + timedelta(days=login.remember_days)
    return f"{login.selector}.{validator}"


def of_user(db: Session, here: Login, idle: timedelta) -> list[Login]:
    """Where the person who is `here` is logged in, the latest first; a hundred at most."""
    alive = col(Login.expires_at) > now()
    used = (col(Login.seen_at) > now() - idle) | (col(Login.id) == here.id)
    theirs = select(Login).where(Login.user_id == here.user_id, alive)
    theirs = theirs.where(used | col(Login.selector).is_not(None))
    return list(db.exec(theirs.order_by(col(Login.seen_at).desc()).limit(MOST_SHOWN)))


def find(db: Session, user_id: str | None, login_id: Any) -> tuple[User, Login] | None:
    """Who is logged in by this login, if it and their account are still good."""
    try:
        wanted = UUID(str(user_id)), UUID(str(login_id))
    except ValueError:
        return None  # whatever stands in the store, it is nobody's id
    query = select(User, Login).join(Login, col(Login.user_id) == User.id)
    found = db.exec(query.where(User.id == wanted[0], Login.id == wanted[1])).first()
    return (found[0], found[1]) if found and is_good(*found) else None


def is_good(user: User, login: Login) -> bool:
    return user.is_active and login.expires_at > now()


def of_handle(db: Session, user_id: UUID, login_id: UUID) -> Login:
    """One of somebody's own logins. Raises NotFound for all others."""
    login = db.get(Login, login_id)
    if login is None or login.user_id != user_id:
        raise NotFound
    return login


def see(db: Session, login: Login, client: Client) -> None:
    """Note that this device was here."""
    here = {"seen_at": now(), "address": client.address}
    db.execute(update(Login).where(col(Login.id) == login.id).values(here))


def is_worth_noting(login: Login) -> bool:
    """Not at each request: it costs a write."""
    return now() - login.seen_at > SEEN_EVERY


def end(db: Session, user_id: UUID, login_id: UUID) -> bool:
    """Log somebody out on one device; False if they are not logged in there."""
    theirs = delete(Login).where(col(Login.user_id) == user_id, col(Login.id) == login_id)
    after_commit(db, ENDED, user_id)
    return bool(db.execute(theirs).rowcount)  # type: ignore[attr-defined]


def end_all(db: Session, user_id: UUID, but: UUID | None = None) -> None:
    """Log somebody out everywhere, or everywhere else; programs that use the API too."""
    db.execute(delete(RefreshToken).where(col(RefreshToken.user_id) == user_id))
    theirs = delete(Login).where(col(Login.user_id) == user_id)
    after_commit(db, ENDED, user_id)
    db.execute(theirs if but is None else theirs.where(col(Login.id) != but))


def device_name(user_agent: str) -> str:
    """“Firefox on Linux”, as people would say it."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or user_agent[:40] or _("An unknown device")


# In this order: later ones call themselves by the names of earlier ones too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def is_same(validator: str, known: str | None) -> bool:
    return known is not None and hmac.compare_digest(digest(validator), known)


def opens_tabs(login: Login, client: Client) -> bool:
    is_recent = login.rotated_at is not None and now() - login.rotated_at < TABS_OPEN_WITHIN
    return is_recent and client.is_browser and client.user_agent == login.user_agent
