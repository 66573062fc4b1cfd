"""Passkeys as the browser speaks of them: what it is asked, and whether its answer is good.

WebAuthn calls the two of them ceremonies: registration makes a passkey, authentication shows it
(https://www.w3.org/TR/webauthn-3/, sections 7.1 and 7.2). Each begins with a challenge that is
good for one answer, within five minutes, in the session that it was given to, for one purpose.
"""

import base64
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator

from backends.limits import Limit, Limits
from errors import WrongPasskey
from models import Passkey, User, now
from settings import Settings

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

LASTS = timedelta(minutes=5)
LONGEST_SENT = 16 * 1024
CHALLENGES_OF_NETWORK = Limit("challenges of network", 200, LASTS)
ANSWERS = Limit("answers to a challenge", 1, LASTS * 2)
LONGEST_ID = 1023  # bytes (WebAuthn, section 4)
HIGHEST_COUNT = 2**31 - 1  # that the database stores; a finger would take 68 years
REGISTRATION, LOGIN, SECOND_STEP, CONFIRMATION = "new", "login", "second step", "confirmation"
TOO_LATE = "That took too long, or was sent twice. Nothing is lost; try again."


def bounded(sent: str) -> str:
    if len(sent) > LONGEST_SENT:
        raise ValueError("This is too long to be a passkey. Nothing was changed; try again.")
    return sent


SentPasskey = Annotated[str, AfterValidator(bounded)]


@dataclass(frozen=True)
class RelyingParty:
    """Whom passkeys are made for. Browsers give them to nobody but `origin`."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True)
class NewPasskey:
    """What a registration leaves."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: str


@dataclass(frozen=True)
class Shown:
    """A passkey that was really shown; `verified` if the person unlocked it as well."""

    sign_count: int
    verified: bool


class ChallengeSession(Protocol):
    """What a ceremony needs of the session."""

    def get(self, name: str) -> Any: ...
    def set(self, name: str, value: Any) -> None: ...
    def note(self, lifetime: timedelta, **data: Any) -> None: ...


def relying_party(settings: Settings, origin: str) -> RelyingParty | None:
    """This blog, or None where it can have no passkeys: they are bound to a name and to HTTPS.

    That is the name in BASE_URL. Only in development, where there is none, it is the one by which
    this request came (`origin`): a forged Host header must not choose it.
    """
    base = settings.base_url or ("" if settings.in_production else origin)
    try:
        parts = urlsplit(base)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:  # a Host header may say anything
        return None
    is_safe = scheme == "https" or host == "localhost" or host.endswith(".localhost")
    if not host or not is_safe or is_address(host):
        return None
    shown_port = "" if port in (None, 443 if scheme == "https" else 80) else f":{port}"
    return RelyingParty(host, settings.site_name, f"{scheme}://{host}{shown_port}")


def ask_for_new(
    session: ChallengeSession, here: RelyingParty, user: User, known: Sequence[Passkey]
) -> str:
    """The options of a registration, as JSON for the browser.

    A key that cannot be unlocked by its owner will do as a second factor.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=here.id,
        rp_name=here.name,
        user_id=user.id.bytes,
        user_name=user.username,
        user_display_name=user.display_name,
        challenge=challenge(session, REGISTRATION),
        timeout=milliseconds(LASTS),
        exclude_credentials=descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return options_to_json(options)


def ask_for_one(
    session: ChallengeSession, here: RelyingParty, purpose: str, known: Sequence[Passkey] = ()
) -> str:
    """The options of an authentication, as JSON: by one of `known`, or by any that they find."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    is_all = purpose == LOGIN
    options = generate_authentication_options(
        rp_id=here.id,
        challenge=challenge(session, purpose),
        timeout=milliseconds(LASTS),
        allow_credentials=descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED
        if is_all
        else UserVerificationRequirement.PREFERRED,
    )
    return options_to_json(options)


def registered(
    session: ChallengeSession, limits: Limits, here: RelyingParty, sent: str
) -> NewPasskey:
    """The passkey that a browser has made. Raises WrongPasskey."""
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_registration_credential_json

    expected = take_challenge(session, limits, REGISTRATION)
    try:
        credential = parse_registration_credential_json(sent)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=here.id,
            expected_origin=here.origin,
        )
    except Exception:  # for garbage the package raises many kinds; none of it is a passkey
        raise WrongPasskey(NOT_MADE) from None
    if len(verified.credential_id) > LONGEST_ID or verified.sign_count > HIGHEST_COUNT:
        raise WrongPasskey(NOT_MADE)
    transports = " ".join(sorted({each.value for each in credential.response.transports or ()}))
    return NewPasskey(
        verified.credential_id, verified.credential_public_key, verified.sign_count, transports
    )


NOT_MADE = "The browser did not make a passkey that we can use. Nothing was changed; try again."


def credential_of(sent: str) -> tuple[bytes, bytes | None]:
    """Which passkey a browser shows, and whose it says that is. Raises WrongPasskey."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(sent)
    except Exception:  # as above
        raise WrongPasskey from None
    return credential.raw_id, credential.response.user_handle


def shown(
    session: ChallengeSession,
    limits: Limits,
    here: RelyingParty,
    purpose: str,
    passkey: Passkey,
    sent: str,
) -> Shown:
    """Check what proves that somebody has this passkey. Raises WrongPasskey.

    Whether its counter went on is left to passkeys.py, which has to store it.
    """
    from webauthn import verify_authentication_response

    expected = take_challenge(session, limits, purpose)
    try:
        verified = verify_authentication_response(
            credential=sent,
            expected_challenge=expected,
            expected_rp_id=here.id,
            expected_origin=here.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=purpose == LOGIN,
        )
    except Exception:  # as above
        raise WrongPasskey from None
    if verified.new_sign_count > HIGHEST_COUNT:
        raise WrongPasskey
    return Shown(verified.new_sign_count, verified.user_verified)


def challenge(session: ChallengeSession, purpose: str) -> bytes:
    """A new challenge; the one before is void."""
    made = secrets.token_bytes(32)
    until = (now() + LASTS).timestamp()
    kept = {"value": base64.b64encode(made).decode(), "for": purpose, "until": until}
    session.note(LASTS, challenge=kept)
    return made


def take_challenge(session: ChallengeSession, limits: Limits, purpose: str) -> bytes:
    """The challenge that is to be answered, for this one time. Raises WrongPasskey."""
    kept = session.get("challenge") or {}
    session.set("challenge", None)
    if kept.get("for") != purpose or kept["until"] < now().timestamp():
        raise WrongPasskey(TOO_LATE)
    if limits.take(ANSWERS, kept["value"]):  # two requests at once see the same session
        raise WrongPasskey(TOO_LATE)
    return base64.b64decode(kept["value"])


def descriptors(known: Sequence[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=each.credential_id,
            transports=[AuthenticatorTransport(name) for name in each.transports.split()],
        )
        for each in known
    ]


def milliseconds(lasts: timedelta) -> int:
    return int(lasts.total_seconds() * 1000)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
