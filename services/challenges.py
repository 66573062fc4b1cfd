"""What a passkey has to sign: new each time, and good for one answer, within five minutes, in the
session that it was given to, for one purpose."""

import base64
import secrets
from datetime import timedelta

from backends.limits import Limit, Limits
from errors import WrongPasskey
from languages import N_
from models import now
from services.browser_session import BrowserSession

LASTS = timedelta(minutes=5)
QUESTIONS_OF_NETWORK = Limit("challenges of network", 200, LASTS)
ANSWERS = Limit("answers to a challenge", 1, LASTS * 2)
REGISTRATION, LOGIN, SECOND_STEP, CONFIRMATION = "new", "login", "second step", "confirmation"
TOO_LATE = N_("That took too long, or was sent twice. Nothing is lost; try again.")


def make(session: BrowserSession, purpose: str) -> bytes:
    """A new challenge; the one before is void."""
    made = secrets.token_bytes(32)
    until = (now() + LASTS).timestamp()
    kept = {"value": base64.b64encode(made).decode(), "for": purpose, "until": until}
    session.note(LASTS, challenge=kept)
    return made


def take(session: BrowserSession, limits: Limits, purpose: str) -> bytes:
    """The challenge that is to be answered, for this one time. Raises WrongPasskey."""
    kept = session.get("challenge") or {}
    session.set("challenge", None)
    if kept.get("for") != purpose or kept["until"] < now().timestamp():
        raise WrongPasskey(TOO_LATE)
    if limits.take(ANSWERS, kept["value"]):  # two requests at once see the same session
        raise WrongPasskey(TOO_LATE)
    return base64.b64decode(kept["value"])
