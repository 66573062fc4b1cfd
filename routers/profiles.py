"""One's own name, words and address on the web."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from languages import _
from services import profiles
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings")

ProfileForm = Annotated[Form[profiles.Profile], Depends(form_of(profiles.Profile))]


@router.get("/profile", name="profiles.edit")
def edit(request: Request, user: CurrentUser) -> Response:
    form: Form[profiles.Profile] = Form(profiles.of(user))
    return page(request, "profiles/edit.html", form=form)


@router.post("/profile", name="profiles.update")
def update(request: Request, user: CurrentUser, form: ProfileForm, db: Db) -> Response:
    with form.or_show("profiles/edit.html"):
        profiles.update(db, user, form.data)
    return redirect(request, "users.show", username=user.username, say=_("Saved."))
