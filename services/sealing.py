"""Secrets that must be read again, unreadable in a leaked database: sealed with the secret key.

Fernet (AES-128-CBC and HMAC-SHA-256), with a key per purpose derived by HKDF (RFC 5869) from each
secret. The first one seals, all of them open, so that keys can be replaced.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def seal(secrets: Sequence[str], purpose: str, text: str) -> str:
    return box(tuple(secrets), purpose).encrypt(text.encode()).decode()


def unseal(
    secrets: Sequence[str], purpose: str, sealed: str, within: timedelta | None = None
) -> str | None:
    """The text again; None if it was not sealed by one of these secrets for this purpose, or
    longer ago than `within`."""
    from cryptography.fernet import InvalidToken

    ttl = None if within is None else int(within.total_seconds())
    try:
        return box(tuple(secrets), purpose).decrypt(sealed.encode(), ttl).decode()
    except InvalidToken:
        return None


@lru_cache(maxsize=16)
def box(secrets: tuple[str, ...], purpose: str) -> "MultiFernet":
    import base64

    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def key(secret: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"inkstand {purpose}".encode())
        return base64.urlsafe_b64encode(kdf.derive(secret.encode()))

    return MultiFernet([Fernet(key(secret)) for secret in secrets])
