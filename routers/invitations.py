"""Inviting people, and registering by an invitation."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import (
    CurrentClient,
    CurrentSession,
    CurrentUser,
    OptionalUser,
    guarded,
    logins_available,
    public,
)
from database import Db
from languages import _
from models import Invitation
from routers.entering import welcome
from services import credentials, invitations
from services.permissions import MANAGE_USERS
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/admin/invitations", MANAGE_USERS, fresh=True)
readable = public("/auth/invite")

InvitationForm = Annotated[
    Form[invitations.NewInvitation], Depends(form_of(invitations.NewInvitation))
]
RegistrationForm = Annotated[
    Form[credentials.Registration], Depends(form_of(credentials.Registration))
]


@router.get("", name="invitations.index")
def index(
    request: Request,
    session: CurrentSession,
    db: Db,
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The list; a link that was just made is on it once."""
    found = invitations.latest(db, before)
    if path := session.get("invitation"):
        session.set("invitation", None)
    base = request.app.state.settings.base_url or str(request.base_url).rstrip("/")
    link = base + path if path else ""
    return page(request, "invitations/index.html", found=found, link=link)


@router.get("/new", name="invitations.new")
def new(request: Request) -> Response:
    form: Form[invitations.NewInvitation] = Form({"role": "author"})
    return page(request, "invitations/new.html", form=form)


@router.post("", name="invitations.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    form: InvitationForm,
    db: Db,
) -> Response:
    settings = request.app.state.settings
    with form.or_show("invitations/new.html"):
        wanted = form.data
        path = invitations.invite(db, user, wanted, settings, client)
    if path:
        session.set("invitation", path)
        return redirect(request, "invitations.index")
    say = (
        _("The invitation is on its way to %(email)s.", email=wanted.email)
        if settings.smtp_url
        else _(
            "The invitation is under “Mail”: no mail server is set, so pass it on to %(email)s.",
            email=wanted.email,
        )
    )
    return redirect(request, "invitations.index", say=say)


@router.post("/{handle}/delete", name="invitations.destroy")
def destroy(
    request: Request, handle: str, user: CurrentUser, client: CurrentClient, db: Db
) -> Response:
    invitations.revoke(db, user, handle, client)
    return redirect(
        request, "invitations.index", say=_("Taken back. The link is worth nothing now.")
    )


def invitation(request: Request, token: str, db: Db) -> Invitation:
    """Raises Forbidden if the invitation in the address is void, or the blog is closed."""
    return invitations.find(db, token, request.app.state.settings)


Invited = Annotated[Invitation, Depends(invitation)]


@readable.get("/{token}", name="invitations.show")
def show(request: Request, token: str, invited: Invited, _user: OptionalUser) -> Response:
    form: Form[credentials.Registration] = Form({"email": invited.email or ""})
    return page(request, "invitations/show.html", form=form, token=token)


@readable.post("/{token}", name="invitations.register", dependencies=[Depends(logins_available)])
def register(
    request: Request,
    token: str,
    invited: Invited,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    form: RegistrationForm,
    db: Db,
) -> Response:
    if user:
        return redirect(request, "invitations.show", token=token)
    settings = request.app.state.settings
    with form.or_show("invitations/show.html", token=token):
        made = invitations.register(db, invited, form.data, settings, client)
    return welcome(request, db, session, made, client)
