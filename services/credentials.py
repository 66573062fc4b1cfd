"""What people type to register and to log in, checked field by field."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from languages import _
from services import passwords, usernames
from services.text import check_characters, one_line

LONGEST_TYPED = 320


def username(typed: str) -> str:
    check_characters(typed)
    if len(typed) > LONGEST_TYPED:  # normalising takes quadratic time: not before it is short
        raise ValueError(_("At most %(most)s characters, please.", most=usernames.LONGEST))
    if wrong := usernames.problem(usernames.canonical(typed)):
        raise ValueError(wrong)
    return typed


def email_address(typed: str) -> str | None:
    """A well-formed address in its normal form, or None if nothing was typed."""
    if not typed.strip():
        return None
    if len(typed) > LONGEST_TYPED:
        raise ValueError(_("This does not look like an e-mail address."))
    from email_validator import validate_email  # heavy, and not every process needs it

    try:
        address = validate_email(typed.strip(), check_deliverability=False).normalized
    except ValueError:
        raise ValueError(_("This does not look like an e-mail address.")) from None
    if len(usernames.canonical(address)) > LONGEST_TYPED:  # one letter may stand for eighteen
        raise ValueError(_("This address is longer than we can keep."))
    return address


def needed_address(typed: str) -> str:
    """The same, where something must be typed."""
    address = email_address(typed)
    if address is None:
        raise ValueError(_("Please fill this in."))
    return address


def password(typed: str) -> str:
    if not typed:
        raise ValueError(_("Please fill this in."))
    return optional_password(typed)


def optional_password(typed: str) -> str:
    if passwords.size_of(typed) > passwords.LONGEST_BYTES:
        raise ValueError(_("At most %(most)s bytes, please.", most=passwords.LONGEST_BYTES))
    return typed


def password_or_nothing(typed: str) -> str:
    return password(typed) if typed else ""


class Registration(BaseModel):
    username: Annotated[str, AfterValidator(username)]
    password: Annotated[str, AfterValidator(password)]
    email: Annotated[str, AfterValidator(email_address)] = ""


class Credentials(BaseModel):
    """`username` may be an e-mail address too."""

    username: Annotated[str, one_line(320)]
    password: Annotated[str, AfterValidator(password)]
