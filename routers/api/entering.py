"""The one way into the API by a password: with all that the account asks for, or not at all."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.requests import Request

import auth_service
from auth_dependencies import CurrentClient, CurrentSession
from database import Db, release
from errors import SecondFactorRequired, TooOften, WrongCode, WrongPassword
from models import User
from routers.second_steps import used_up
from services import accounts, audit, credentials, passwords, proofs, second_steps, two_factor


class Credentials(credentials.Credentials):
    """`code` is that of an authenticator app or a recovery code, if the account asks for one."""

    code: Annotated[str, Field(max_length=100)] = ""


@dataclass(frozen=True)
class Known:
    """Somebody who has shown all that their account asks for, and `by` what."""

    user: User
    by: str


def known_person(
    request: Request, db: Db, session: CurrentSession, client: CurrentClient, given: Credentials
) -> Known:
    """Who this is. The account is locked until this transaction ends.

    Raises:
        WrongPassword, WrongCode: something is not right.
        SecondFactorRequired: the password is, but it is not enough.
        TooOften, Busy: try again later.
    """
    state = request.app.state
    try:
        user = auth_service.validate_user(db, given, state.settings, state.limits, client, session)
    except (WrongPassword, TooOften) as error:
        auth_service.note_refusal(state.database, state.limits, error, client, given.username)
        raise
    if not two_factor.is_on(db, user):
        return Known(user, "password")
    release(db)
    if not given.code:
        audit.record_apart(
            state.database, audit.SECOND_STEP_ASKED, user, client=client, by="password"
        )
        raise SecondFactorRequired
    return with_code(request, db, session, client, user, given.code)


def with_code(
    request: Request,
    db: Db,
    session: CurrentSession,
    client: CurrentClient,
    user: User,
    code: str,
) -> Known:
    state = request.app.state
    settings, limits = state.settings, state.limits
    try:
        proof = proofs.prove(
            db,
            limits,
            proofs.tries_of(session, user),
            str(user.id),
            lambda: proofs.by_any_code(db, user, settings, code),
        )
    except (WrongCode, TooOften) as error:
        second_steps.note_refusal(state.database, limits, settings, error, user, client)
        raise
    known = as_it_was(db, user, settings.bcrypt_cost)
    if proof.by == "recovery code":
        used_up(request, db, known, client)
    return Known(known, f"password and {proof.by}")


def as_it_was(db: Db, user: User, cost: int) -> User:
    """The account now, with the password that was shown: meanwhile a new one may have ended all
    logins. That the old one was to be hashed again is no new password, and done now."""
    known = accounts.locked(db, user.id)
    if known.password_hash != user.password_hash:
        if not passwords.needs_rehash(known.password_hash, cost):
            raise WrongPassword
        known.password_hash = user.password_hash
    return known
