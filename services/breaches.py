"""New passwords against a public list of breached ones, where the owner has chosen to ask it."""

from errors import Invalid
from languages import N_
from services import passwords
from settings import Settings


def refuse(password: str, settings: Settings) -> None:
    """Hold no transaction: it may take a second. Who cannot be asked stops nobody.

    Raises:
        Invalid: the password is in the list.
    """
    if not settings.breached_passwords_url:
        return
    from backends import breaches  # TLS and all, for those who ask

    if breaches.lists(settings.breached_passwords_url, passwords.normal(password)):
        raise Invalid({"password": FOUND})


FOUND = N_(
    "This password was stolen from some site, and is in a list that those who guess begin with. "
    "Please choose another."
)
