"""Access tokens for a quarter of an hour: JWTs (RFC 7519, and RFC 8725 on how to be strict).

They are never enough by themselves: at each request the family of refresh tokens that they belong
to must still be there, so that logging out ends them too.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from errors import BadCredentials
from models import now
from settings import Settings

ALGORITHM = "HS256"
LASTS = timedelta(minutes=15)
AUDIENCE = "inkstand-api"
LONGEST = 2000
CLAIMS = ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "scopes")


@dataclass(frozen=True)
class Claims:
    """What a good token says."""

    user_id: UUID
    family_id: UUID
    scopes: frozenset[str]


def sign(settings: Settings, user_id: UUID, family_id: UUID, scopes: Iterable[str]) -> str:
    import jwt  # not every process serves the API

    moment = now()
    claims = {
        "iss": settings.link_base,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(family_id),
        "jti": str(uuid4()),
        "iat": moment,
        "nbf": moment,
        "exp": moment + LASTS,
        "scopes": " ".join(scopes),
    }
    key = keys_of(settings)[0]
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key)})


def read(settings: Settings, token: str) -> Claims:
    """What a token says.

    Raises:
        BadCredentials: it is none of ours, it has expired, or it is for something else.
    """
    import jwt

    if len(token) > LONGEST:
        raise BadCredentials
    try:
        wanted = jwt.get_unverified_header(token).get("kid")
        key = next(key for key in keys_of(settings) if key_id(key) == wanted)
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=settings.link_base,
            audience=AUDIENCE,
            options={"require": list(CLAIMS), "strict_aud": True},
        )
        return in_types(claims)
    except (jwt.InvalidTokenError, *NONSENSE):
        raise BadCredentials from None


# What JSON of another shape, and JSON nested a thousand times, come to.
NONSENSE = (StopIteration, ValueError, TypeError, AttributeError, RecursionError)


def in_types(claims: dict[str, Any]) -> Claims:
    scopes = frozenset(claims["scopes"].split())
    return Claims(UUID(claims["sub"]), UUID(claims["sid"]), scopes)


def keys_of(settings: Settings) -> list[bytes]:
    """One key for each secret: the first signs, all of them verify."""
    return [
        hmac.digest(secret.encode(), b"inkstand jwt v1", "sha256") for secret in settings.secrets
    ]


def key_id(key: bytes) -> str:
    """A name for a key that gives nothing of it away."""
    return hashlib.sha256(b"name " + key).hexdigest()[:16]
