"""Passwords: what is good enough, how they are stored, and hashing that never starves readers."""

import base64
import hmac
import re
import unicodedata
from functools import cache
from pathlib import Path

import bcrypt

from languages import _
from services.waiting_room import WaitingRoom

SHORTEST, LONGEST_BYTES = 8, 4096  # the former in characters, as people count
COMMON = Path(__file__).parent / "common_passwords.txt"

# bcrypt cuts at 72 bytes and at NUL: it gets a fixed-length digest instead. The prefix names this
# recipe, so that a later one can live beside it; the key keeps the digest from matching any leak.
RECIPE = "v1:"
RECIPE_KEY = b"inkstand password v1"
STORED = re.compile(re.escape(RECIPE) + r"(\$2b\$\d\d\$[./A-Za-z0-9]{53})")

# bcrypt lets go of the GIL, so one thread hashes while the event loop and the readers go on. More
# would take the second core from them.
ROOM = WaitingRoom()


def hash_password(password: str, cost: int, *asking: str) -> str:
    """The text to store. `asking` are names to count tries by. Raises Busy."""
    with ROOM.turn(*asking):
        return RECIPE + bcrypt.hashpw(digest(password), bcrypt.gensalt(cost)).decode()


def verify(password: str, stored: str | None, cost: int) -> bool:
    """Whether it is the one, for somebody who is logged in. Raises Busy."""
    with ROOM.turn(is_known=True):
        return matches(password, stored, cost)


def matches(password: str, stored: str | None, cost: int) -> bool:
    """Whether it is the one, for whoever has their turn in the `ROOM`.

    Without a stored one the same work is done and the answer is no.
    """
    known = STORED.fullmatch(stored or "")
    against = known.group(1) if known else dummy(cost)
    fits = bcrypt.checkpw(digest(password), against.encode())
    return fits and known is not None


def needs_rehash(stored: str, cost: int) -> bool:
    return not stored.startswith(f"{RECIPE}$2b${cost:02}$")


def problem(password: str, *context: str) -> str | None:
    """What is wrong with a new password, as a sentence; None if it will do.

    `context` are words it must not consist of: the name, the address, the blog's name.
    """
    if size_of(password) > LONGEST_BYTES:
        return _("At most %(most)s bytes, please.", most=LONGEST_BYTES)
    if len(normal(password)) < SHORTEST:
        return _(
            "At least %(shortest)s characters, please. A short sentence is a good password.",
            shortest=SHORTEST,
        )
    plain = normal(password).casefold().strip()
    if plain in common() or len(set(plain)) < 3:
        return _("Many people use that password, so it is guessed first. Please choose another.")
    if any(word and plain in (word, word * 2, word[::-1]) for word in map(str.casefold, context)):
        return _("That is too easy to guess from your name. Please choose another.")
    return None


def context(username: str, email: str | None, *others: str) -> tuple[str, ...]:
    """What a password of somebody must not consist of."""
    address = email or ""
    return username, address, address.partition("@")[0], *others


def size_of(password: str) -> int:
    """Bytes in UTF-8. Raises ValueError (UnicodeEncodeError) for lone surrogates."""
    return len(password.encode())


def digest(password: str) -> bytes:
    return base64.b64encode(hmac.digest(RECIPE_KEY, normal(password).encode(), "sha256"))


def normal(password: str) -> str:
    """NFKC, so that every keyboard gives the same bytes (NIST SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def common() -> frozenset[str]:
    return frozenset(COMMON.read_text("utf-8").splitlines())


def dummy(cost: int) -> str:
    """The hash of nobody's password: as much work as any, and nothing fits it."""
    return f"$2b${cost:02}${'.' * 53}"
