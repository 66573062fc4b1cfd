"""Accounts, made and mended by whoever runs the blog."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from commands.opening import open_migrated
from settings import Role, load_settings


def user(
    username: str,
    role: Annotated[Role, typer.Option(help="reader, author, editor or owner.")] = Role.author,
) -> None:
    """Make an account, also when registration is closed. Asks for the password."""
    import auth_service
    from services import passwords
    from services.credentials import Registration

    settings = load_settings()
    database = open_migrated(settings)
    typed = ask_for_password()
    with sentences():
        wanted = Registration(username=username, password=typed)
        with database.writing() as db:
            auth_service.check_new(db, wanted, settings)
            hashed = passwords.hash_password(typed, settings.bcrypt_cost)
            made = auth_service.add_user(db, wanted, hashed, role)
    print(f"{made.display_name} is here now, as {made.role}.")


def password(username: str) -> None:
    """Give an account a password, for instance after an import. Asks for it."""
    from services import password_changes

    settings = load_settings()
    database = open_migrated(settings)
    typed = ask_for_password()
    with sentences(), database.writing() as db:
        person = password_changes.give(db, username, typed, settings)
    print(f"{person.display_name} has a new password. All devices are logged out.")


def ask_for_password() -> str:
    given = os.environ.get("PASSWORD")
    return given or typer.prompt("Password", hide_input=True, confirmation_prompt=True)


@contextmanager
def sentences() -> Iterator[None]:
    """What is wrong ends the program with a sentence."""
    from pydantic import ValidationError

    from errors import DomainError

    try:
        yield
    except ValidationError as error:
        sys.exit(str(error.errors()[0]["ctx"]["error"]))
    except DomainError as error:
        sys.exit(str(error))
