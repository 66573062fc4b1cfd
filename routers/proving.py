"""A password that a form wants beside something else."""

from starlette.requests import Request

import auth_service
from auth_dependencies import CurrentClient
from database import Db
from errors import Invalid, WrongPassword
from languages import _
from models import User
from services import audit


def check_password(
    request: Request, db: Db, user: User, client: CurrentClient, typed: str, field: str
) -> None:
    """Check the password of somebody who is logged in; a wrong one goes into the audit log.

    Raises:
        Invalid: it is wrong or missing; the sentence belongs to `field`.
        TooOften: ten failures within five minutes.
        Busy: too many passwords are being checked.
    """
    if not typed:
        raise Invalid({field: _("Please fill this in.")})
    state = request.app.state
    try:
        auth_service.confirm_password(db, user, typed, state.settings, state.limits)
    except WrongPassword as error:
        audit.record_apart(state.database, audit.CONFIRMATION_FAILED, user, client=client)
        raise Invalid({field: str(error)}) from None
