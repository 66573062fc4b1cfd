"""Passkeys as the browser speaks of them: what it is asked, and whether its answer is good.

WebAuthn calls the two of them ceremonies: registration makes a passkey, authentication shows it
(https://www.w3.org/TR/webauthn-3/, sections 7.1 and 7.2). Each begins with a challenge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from backends.limits import Limits
from errors import WrongPasskey
from languages import N_, _
from models import Passkey, User
from services import challenges
from services.browser_session import BrowserSession
from services.challenges import LASTS, LOGIN, REGISTRATION
from services.relying_parties import RelyingParty

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

LONGEST_SENT = 16 * 1024
LONGEST_ID = 1023  # bytes (WebAuthn, section 4)
HIGHEST_COUNT = 2**31 - 1  # that the database stores; a finger would take 68 years


def bounded(sent: str) -> str:
    if len(sent) > LONGEST_SENT:
        raise ValueError(_("This is too long to be a passkey. Nothing was changed; try again."))
    return sent


SentPasskey = Annotated[str, AfterValidator(bounded)]


@dataclass(frozen=True)
class NewPasskey:
    """What a registration leaves."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: str


def ask_for_new(
    session: BrowserSession, here: RelyingParty, user: User, known: Sequence[Passkey]
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
        challenge=challenges.make(session, REGISTRATION),
        timeout=milliseconds(LASTS),
        exclude_credentials=descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return options_to_json(options)


def ask_for_one(
    session: BrowserSession, here: RelyingParty, purpose: str, known: Sequence[Passkey] = ()
) -> str:
    """The options of an authentication, as JSON: by one of `known`, or by any that they find."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    is_all = purpose == LOGIN
    options = generate_authentication_options(
        rp_id=here.id,
        challenge=challenges.make(session, purpose),
        timeout=milliseconds(LASTS),
        allow_credentials=descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED
        if is_all
        else UserVerificationRequirement.PREFERRED,
    )
    return options_to_json(options)


def registered(
    session: BrowserSession, limits: Limits, here: RelyingParty, sent: str
) -> NewPasskey:
    """The passkey that a browser has made. Raises WrongPasskey."""
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_registration_credential_json

    expected = challenges.take(session, limits, REGISTRATION)
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


NOT_MADE = N_("The browser did not make a passkey that we can use. Nothing was changed; try again.")


def credential_of(sent: str) -> tuple[bytes, bytes | None]:
    """Which passkey a browser shows, and whose it says that is. Raises WrongPasskey."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(sent)
    except Exception:  # as above
        raise WrongPasskey from None
    return credential.raw_id, credential.response.user_handle


def shown(
    session: BrowserSession,
    limits: Limits,
    here: RelyingParty,
    purpose: str,
    passkey: Passkey,
    sent: str,
) -> int:
    """Check what proves that somebody has this passkey, and has unlocked it if it is to be the whole
    login; how often it says that it was used. Raises WrongPasskey.
    """
    from webauthn import verify_authentication_response

    expected = challenges.take(session, limits, purpose)
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
    return verified.new_sign_count


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
