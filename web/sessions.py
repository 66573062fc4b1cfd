"""One visitor's session. Our own: the packages in use adopt ids that a client chose, and lose
fields when two requests write at once."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Self

from backends.session_store import Record

MOST_ACCOUNTS = 10  # that one browser is known to


@dataclass(frozen=True)
class Remembered:
    """A login that a remember cookie brought back, and the cookie's next value if it has one."""

    user_id: str
    data: dict[str, Any]
    cookie: str | None
    lasts: timedelta


class Session:
    """Read when a request begins, written when its reply starts."""

    def __init__(self, session_id: str | None = None, record: Record | None = None) -> None:
        self.id = session_id
        self.record = record
        self.is_unavailable = False
        self.changes: dict[str, Any] = {}
        self.begins = False
        self.begins_for: str | None = None
        self.lifetime: timedelta | None = None
        self.is_ended = False
        self.ends_elsewhere: list[str] = []
        self.remember_cookie: tuple[str, timedelta] | None = None
        self.has_remember_cookie = False
        self.devices_cookie: Callable[[], list[str]] = list
        self.devices: list[str] | None = None

    @property
    def user_id(self) -> str | None:
        if self.begins:
            return self.begins_for
        return self.record.user_id if self.record and not self.is_ended else None

    @property
    def key(self) -> str | None:
        return store_key(self.id) if self.id else None

    @property
    def data(self) -> dict[str, Any]:
        stored = self.record.data if self.record and not self.begins else {}
        return {name: value for name, value in (stored | self.changes).items() if value is not None}

    @property
    def is_lasting(self) -> bool:
        """Whether its cookie survives the end of the browser."""
        return bool(self.get("lasting"))

    def get(self, name: str) -> Any:
        return self.data.get(name)

    def set(self, name: str, value: Any) -> None:
        """Change one field of a session; None removes it. Values must fit into JSON."""
        self.changes[name] = value

    def begin(self, user_id: str, *, lasting: bool = False, **data: Any) -> None:
        """Log in: the reply carries a new id, and the old session ends where it is stored.

        `lasting` decides whether the cookie survives the end of the browser.
        """
        self.begins, self.begins_for, self.is_ended = True, user_id, False
        self.lifetime, self.changes = None, {**data, "lasting": lasting or None}

    def begin_flow(self, lifetime: timedelta, **data: Any) -> None:
        """Keep `data` for something that a stranger has begun, such as the second step of a login.

        Nobody is logged in by it: `user_id` stays None.
        """
        self.begins, self.begins_for, self.is_ended = True, None, False
        self.lifetime, self.changes = lifetime, data

    def note(self, lifetime: timedelta, **data: Any) -> None:
        """Keep `data` in this session; a stranger, who has none, gets one for so long."""
        if self.begins or (self.record and not self.is_ended):
            self.changes |= data
        else:
            self.begin_flow(lifetime, **data)

    def renew(self) -> None:
        """Go on under a new id, with all that there is."""
        self.changes, self.begins_for, self.begins = self.data, self.user_id, True

    def end(self) -> None:
        """Log out here."""
        self.begins, self.begins_for, self.is_ended = False, None, True

    def end_elsewhere(self, user_id: str) -> None:
        """Also end all stored sessions of a person; one that begins in this request stays."""
        self.ends_elsewhere.append(user_id)

    def remember(self, cookie: str, lasts: timedelta) -> None:
        """Send the cookie that brings this login back."""
        self.remember_cookie = cookie, lasts

    def forget(self) -> None:
        """Take the remember cookie away, if there is one."""
        self.remember_cookie = ("", timedelta(0)) if self.has_remember_cookie else None

    def knows(self, user_id: str) -> bool:
        """Whether this browser was used by that account before."""
        return mark(user_id) in self.devices_cookie()

    def know(self, user_id: str) -> None:
        known = self.devices_cookie()
        if mark(user_id) not in known:
            self.devices = [*known, mark(user_id)][-MOST_ACCOUNTS:]


@dataclass(frozen=True)
class SessionView:
    """A session as a WebSocket sees it: it has no reply by which anything could be written."""

    user_id: str | None
    data: Mapping[str, Any]
    is_unavailable: bool

    @classmethod
    def of(cls, session: Session) -> Self:
        return cls(session.user_id, MappingProxyType(session.data), session.is_unavailable)

    def get(self, name: str) -> Any:
        return self.data.get(name)


def store_key(session_id: str) -> str:
    """What the store knows a session by: a leaked store gives nobody a login."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def mark(user_id: str) -> str:
    """A person's mark in the cookie of a device; too short to tell anything."""
    return hashlib.sha256(b"device " + user_id.encode()).hexdigest()[:16]
