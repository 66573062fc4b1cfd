"""What counts as text: the characters that both databases, feeds and browsers can carry."""

import re
import unicodedata

from pydantic import AfterValidator

from languages import _

# C0 controls but tab and newline, lone surrogates, and the non-characters XML cannot carry.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# One line more strictly: no control or separator that would break or reorder a heading.
NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def one_line(longest: int) -> AfterValidator:
    """For `Annotated[str, one_line(200)]`: trimmed, NFC, not empty, up to `longest` characters."""
    return AfterValidator(lambda value: checked_line(value, longest))


def checked_line(value: str, longest: int) -> str:
    """The same for a single value. Raises ValueError with a sentence."""
    value = value.strip()
    if len(value) > 4 * longest:  # normalising takes quadratic time: not before it is short
        raise ValueError(
            _(
                "At most %(most)s characters, please; these are %(size)s.",
                most=longest,
                size=len(value),
            )
        )
    value = unicodedata.normalize("NFC", value)
    check_characters(value)
    if found := NOT_IN_A_LINE.search(value):
        raise ValueError(
            _("This has a character that cannot be in a line (%(found)s).", found=name(found))
        )
    if not value:
        raise ValueError(_("Please fill this in."))
    if len(value) > longest:
        raise ValueError(
            _(
                "At most %(most)s characters, please; these are %(size)s.",
                most=longest,
                size=len(value),
            )
        )
    return value


def optional_line(longest: int) -> AfterValidator:
    """As `one_line`, but it may be empty."""
    return AfterValidator(lambda value: checked_line(value, longest) if value.strip() else "")


def many_lines(most_bytes: int) -> AfterValidator:
    """For a longer text: newlines become \\n, otherwise it is kept to the letter; not empty."""

    def check(value: str) -> str:
        value = value.replace("\r\n", "\n").replace(
            "\r", "\n"
        )  # forms send CRLF whatever was typed
        check_characters(value)
        if not value.strip():
            raise ValueError(_("Please write something."))
        size = -(-len(value.encode()) // 1024)
        if size > most_bytes // 1024:
            raise ValueError(
                _(
                    "At most %(most)s KB of text, please; this is %(size)s KB.",
                    most=most_bytes // 1024,
                    size=size,
                )
            )
        return value

    return AfterValidator(check)


def check_characters(value: str) -> None:
    if found := UNSTORABLE.search(value):
        raise ValueError(
            _("This has a character that cannot be stored (%(found)s).", found=name(found))
        )


def name(found: re.Match[str]) -> str:
    return f"U+{ord(found.group()):04X}"


def printable(value: str) -> str:
    """The same text without what cannot be stored, for showing a form again."""
    return UNSTORABLE.sub("\ufffd", value)


def grouped(count: int) -> str:
    """“12 345”, with narrow spaces (ISO 31-0), which mean the same in every language."""
    return f"{count:,}".replace(",", "\u202f")
