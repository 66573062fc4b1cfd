"""Handing the blog over to somebody else."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentUser, guarded
from database import Db
from languages import _
from routers.proving import check_password
from services import credentials, people
from services.permissions import MANAGE_SITE
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/admin/owner", MANAGE_SITE, fresh=True)


class Handover(people.Heir):
    password: Annotated[str, AfterValidator(credentials.optional_password)] = ""


HandoverForm = Annotated[Form[Handover], Depends(form_of(Handover))]


@router.get("", name="ownership.edit")
def edit(request: Request) -> Response:
    return page(request, "ownership/edit.html", form=Form())


@router.post("", name="ownership.update")
def update(
    request: Request, user: CurrentUser, form: HandoverForm, client: CurrentClient, db: Db
) -> Response:
    with form.or_show("ownership/edit.html"):
        wanted = form.data
        if user.has_password:
            check_password(request, db, user, client, wanted.password, "password")
        heir = people.find_heir(db, wanted.username)
        people.hand_over(db, user, heir, request.app.state.settings, client)
    return redirect(
        request,
        "home",
        say=_("The blog is %(display_name)s’s now. You edit here.", display_name=heir.display_name),
    )
