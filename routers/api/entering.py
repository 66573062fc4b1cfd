"""The one way into the API by a password: all that the account asks for, or not at all."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request

import auth_service
from auth_dependencies import CurrentClient, CurrentSession
from database import Db
from errors import SecondFactorRequired, TooOften, WrongPassword
from models import User
from services import credentials, two_factor


class Credentials(credentials.Credentials):
    """`code` is that of an authenticator app or a recovery code, if the account asks for one."""

    code: Annotated[str, Field(max_length=40)] = ""


def known_person(
    request: Request, db: Db, session: CurrentSession, client: CurrentClient, given: Credentials
) -> User:
    """The person who has shown all that their account asks for.

    Raises:
        WrongPassword, SecondFactorRequired, TooOften, Busy: they have not.
    """
    state = request.app.state
    try:
        user = auth_service.validate_user(db, given, state.settings, state.limits, client, session)
    except (WrongPassword, TooOften) as error:
        auth_service.note_refusal(state.database, state.limits, error, client, given.username)
        raise
    if two_factor.is_on(db, user):
        raise SecondFactorRequired
    return user
