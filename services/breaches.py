"""New passwords against a public list of breached ones, where the owner has chosen to ask it."""

from backends import breaches
from errors import Invalid
from services import passwords
from settings import Settings


def refuse(password: str, settings: Settings) -> None:
    """Hold no transaction: it may take a second. Who cannot be asked stops nobody.

    Raises:
        Invalid: the password is in the list.
    """
    url = settings.breached_passwords_url
    if url and breaches.lists(url, passwords.normal(password)):
        raise Invalid({"password": FOUND})


FOUND = (
    "This password was stolen from some site, and is in a list that those who guess begin with. "
    "Please choose another."
)
