"""Files are received after it is known who sends them, and that they may; not a byte before."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends
from pydantic import ValidationError
from starlette.requests import Request

from api_dependencies import CurrentPrincipal
from auth_dependencies import CurrentUser
from backends.limits import Limit, take_one
from database import Db, release
from errors import Invalid
from languages import _
from models import Media, User
from services import media, uploads
from web.forms import sentences
from web.uploads import Upload

# The addresses that take files; see web/body_guard.py.
UPLOADS = (("POST", "/media"), ("POST", "/api/v1/media"))
UPLOADS_OF_PERSON = Limit("upload of person", 300, timedelta(hours=1))


def uploader(request: Request, user: CurrentUser, db: Db) -> User:
    """Who sends something. Nothing of the database is held while it arrives.

    Raises:
        TooOften: they have sent too much of late.
    """
    release(db)
    return counted(request, user)


def api_uploader(request: Request, principal: CurrentPrincipal) -> User:
    return counted(request, principal.user)


def counted(request: Request, user: User) -> User:
    take_one(request.app.state.limits, UPLOADS_OF_PERSON, str(user.id))
    return user


def received_from(sender: Callable[..., User]) -> Any:
    """For `Depends(..., scope="function")`: what is sent by whom `sender` lets send."""

    async def receive(
        request: Request, user: Annotated[User, Depends(sender)]
    ) -> AsyncIterator[Upload]:
        async with request.app.state.uploads.receive(request, user.id) as upload:
            yield upload

    return receive


def add_one(request: Request, user: User, upload: Upload) -> Media:
    """The only file of a form, with what it says of it. Raises Invalid."""
    if not upload.files:
        raise Invalid({"file": _("Please choose an image.")})
    if len(upload.files) > 1:
        raise Invalid({"file": _("One image at a time, please.")})
    return add(request, user, *upload.files[0], about_in(upload))


def add(request: Request, user: User, name: str, file: Any, about: media.About) -> Media:
    state = request.app.state
    return uploads.add(state.database, state.storage, state.settings, user, file, name, about)


def about_in(upload: Upload) -> media.About:
    try:
        return media.About.model_validate(upload.fields)
    except ValidationError as error:
        raise Invalid(sentences(error)) from None
