"""What is stored of a secret that only its holder needs: enough to know it again."""

import hashlib


def digest(secret: str) -> str:
    """Its SHA-256 in hexadecimal, whatever its characters are. For random secrets only: what people
    think up themselves is hashed in `passwords.py`."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
