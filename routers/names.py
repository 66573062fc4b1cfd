"""Changing one's username."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentUser, guarded
from database import Db
from languages import _
from services import audit, names
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/username", fresh=True)

NameForm = Annotated[Form[names.NewName], Depends(form_of(names.NewName))]


@router.get("", name="names.edit")
def edit(request: Request, user: CurrentUser) -> Response:
    return page(request, "names/edit.html", form=Form({"username": user.username}))


@router.post("", name="names.update")
def update(
    request: Request, user: CurrentUser, form: NameForm, client: CurrentClient, db: Db
) -> Response:
    with form.or_show("names/edit.html"):
        before = names.change(db, user, form.data.username)
    if before != user.username:
        after = user.username
        audit.record(db, audit.USERNAME_CHANGED, user, client=client, before=before, after=after)
    return redirect(
        request, "settings.index", say=_("You are %(username)s now.", username=user.username)
    )
