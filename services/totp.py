"""Codes from an authenticator app: time-based one-time passwords (RFC 6238)."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from models import User
from services import sealing
from services.browser_session import BrowserSession
from settings import Settings

log = logging.getLogger("inkstand")
PURPOSE, ENROLMENT = "authenticator app", "authenticator app to be set up"
DIGITS = 6
ENROLMENT_LASTS = timedelta(hours=1)
# Clocks differ, and people type slowly: the code before and the code after are taken too.
STEPS_EITHER_SIDE = 1


@dataclass(frozen=True)
class Enrolment:
    """What an app has to be told; `qr_code` is an SVG, the same as `address`."""

    secret: str
    address: str
    qr_code: str

    @property
    def spaced(self) -> str:
        """The secret as people can type it."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def prepare(session: BrowserSession, settings: Settings) -> None:
    """Have a secret in this session that an app may be told; it counts once a code proves it.

    One that is there stays: it may be in the app already.
    """
    import pyotp

    if prepared(session, settings) is None:
        sealed = sealing.seal(settings.secrets, ENROLMENT, pyotp.random_base32())
        session.set("enrolment", sealed)


def prepared(session: BrowserSession, settings: Settings) -> str | None:
    """The secret that was prepared within the last hour."""
    sealed = session.get("enrolment") or ""
    return sealing.unseal(settings.secrets, ENROLMENT, sealed, ENROLMENT_LASTS)


def enrolment(site_name: str, user: User, secret: str) -> Enrolment:
    """The secret in the forms that apps take; they show it under this name."""
    import pyotp
    import segno

    app = pyotp.TOTP(secret)
    address = app.provisioning_uri(name=user.username, issuer_name=site_name)
    # Dark on light in dark mode too: that is what scanners expect.
    svg = segno.make(address, error="m", micro=False).svg_inline(
        border=4, omitsize=True, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Enrolment(secret, address, svg)


def step_of(secret: str, typed: str) -> int | None:
    """The time step whose code this is, if it is one of those that count now."""
    import pyotp

    code = "".join(typed.split())
    if len(code) != DIGITS or not code.isascii() or not code.isdigit():
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, valid_window=STEPS_EITHER_SIDE)
    except pyotp.OTPVerificationError:
        return None


def switch_on(
    session: BrowserSession, user: User, settings: Settings, secret: str, step: int
) -> None:
    """Ask for codes from now on; the one that proved that the app works is used up."""
    user.totp_secret = sealing.seal(settings.secrets, PURPOSE, secret)
    user.totp_step = step
    session.set("enrolment", None)


def switch_off(user: User) -> None:
    user.totp_secret = None


def unused_step(user: User, settings: Settings, typed: str) -> int | None:
    """The time step of somebody's code, if it is right and none so late was used before."""
    if user.totp_secret is None:
        return None
    secret = sealing.unseal(settings.secrets, PURPOSE, user.totp_secret)
    if secret is None:
        log.error("an authenticator app's secret was sealed by a SECRET_KEY that is gone")
        return None
    step = step_of(secret, typed)
    return step if step is not None and step > user.totp_step else None


def use(db: Session, user: User, step: int) -> bool:
    """Use up a code. False if another request was first: no code is taken twice."""
    unused = col(User.id) == user.id, col(User.totp_step) < step
    statement = update(User).where(*unused).values(totp_step=step)
    return bool(db.execute(statement).rowcount)  # type: ignore[attr-defined]
