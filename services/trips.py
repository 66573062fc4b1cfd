"""Trips to a provider, as the session keeps them: begun in this browser, good once, for ten minutes."""

import hmac
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from backends.limits import Limit, Limits
from backends.openid import Trip
from errors import NotProven
from models import User, now

TEN_MINUTES = timedelta(minutes=10)
ONCE = Limit("return from a provider", 1, TEN_MINUTES)
Purpose = Literal["log in", "link", "confirm"]


class TripSession(Protocol):
    """What a trip needs of the session."""

    def get(self, name: str) -> Any: ...
    def set(self, name: str, value: Any) -> None: ...
    def begin_flow(self, lifetime: timedelta, **data: Any) -> None: ...


@dataclass(frozen=True)
class Return:
    """Somebody came back from the trip that they began; `back` is where they wanted to go."""

    trip: Trip
    purpose: Purpose
    back: str


def begin(
    session: TripSession, provider: str, trip: Trip, purpose: Purpose, back: str, user: User | None
) -> None:
    """Keep a trip in this session; a stranger gets an anonymous one for it."""
    kept = {
        **asdict(trip),
        "provider": provider,
        "purpose": purpose,
        "back": back,
        "user": str(user.id) if user else "",
        "until": (now() + TEN_MINUTES).timestamp(),
    }
    if user:
        session.set("trip", kept)
    else:
        session.begin_flow(TEN_MINUTES, trip=kept)


def end(
    session: TripSession, limits: Limits, provider: str, state: str, user: User | None
) -> Return:
    """The trip that ends here. The counter sees to it that of two tabs only one comes through.

    Raises:
        NotProven: this browser, this person, began no such trip, or it is over.
    """
    kept = session.get("trip") or {}
    if not kept or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise NotProven
    session.set("trip", None)
    is_theirs = kept["user"] == (str(user.id) if user else "")
    is_good = is_theirs and kept["provider"] == provider and kept["until"] > now().timestamp()
    if not is_good or limits.take(ONCE, state):
        raise NotProven
    return Return(
        Trip(kept["state"], kept["nonce"], kept["verifier"]), kept["purpose"], kept["back"]
    )
