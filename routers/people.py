"""The people of the blog, for whoever owns it: who there is, what they may do, who is kept out."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from languages import _
from models import User
from services import people
from services.permissions import MANAGE_USERS, role_name
from web.forms import Form, form_of
from web.templating import page, redirect

readable = guarded("/admin/users", MANAGE_USERS)
router = guarded("/admin/users", MANAGE_USERS, fresh=True)

RoleForm = Annotated[Form[people.NewRole], Depends(form_of(people.NewRole))]


def person(username: str, db: Db) -> User:
    """Whom the address names. Raises NotFound."""
    return people.find(db, username)


Person = Annotated[User, Depends(person)]


@readable.get("", name="people.index")
def index(
    request: Request,
    db: Db,
    q: Annotated[str, Query(max_length=320)] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    found = people.latest(db, q, before)
    return page(request, "people/index.html", found=found, q=q, before=before)


@readable.get("/{username}", name="people.show")
def show(request: Request, found: Person) -> Response:
    return page(request, "people/show.html", person=found, form=Form({"role": found.role}))


@router.post("/{username}/role", name="people.update")
def update(
    request: Request,
    owner: CurrentUser,
    found: Person,
    form: RoleForm,
    client: CurrentClient,
    db: Db,
) -> Response:
    with form.or_show("people/show.html", person=found):
        people.give_role(db, owner, found, form.data.role, client)
    return back(
        request,
        found,
        _("%(name)s is %(role)s now.", name=found.display_name, role=role_name(found.role)),
    )


@router.post("/{username}/suspend", name="people.suspend")
def suspend(
    request: Request,
    owner: CurrentUser,
    found: Person,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
) -> Response:
    people.suspend(db, owner, found, client)
    session.end_elsewhere(str(found.id))
    return back(
        request,
        found,
        _("%(name)s is logged out and cannot log in any more.", name=found.display_name),
    )


@router.post("/{username}/unsuspend", name="people.unsuspend")
def unsuspend(
    request: Request, owner: CurrentUser, found: Person, client: CurrentClient, db: Db
) -> Response:
    people.unsuspend(db, owner, found, client)
    return back(request, found, _("%(name)s may log in again.", name=found.display_name))


@router.post("/{username}/logins/delete", name="people.log_out")
def log_out(
    request: Request,
    owner: CurrentUser,
    found: Person,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
) -> Response:
    people.log_out_everywhere(db, owner, found, client)
    session.end_elsewhere(str(found.id))
    return back(request, found, _("%(name)s is logged out everywhere.", name=found.display_name))


def back(request: Request, found: User, say: str) -> Response:
    return redirect(request, "people.show", username=found.username, say=say)
