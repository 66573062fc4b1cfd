"""One's passkeys: add, rename, remove."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db, release
from errors import NotFound, WrongPasskey
from languages import _
from models import Passkey
from routers.relying_parties import ThisBlog, as_json
from services import audit, ceremonies, logins, passkeys, recovery_codes, two_factor
from services.ceremonies import SentPasskey
from services.text import one_line
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/passkeys", fresh=True)


def own_passkey(handle: str, user: CurrentUser, db: Db) -> Passkey:
    """Raises NotFound for somebody else's, as for none."""
    return passkeys.find(db, user, handle)


OwnPasskey = Annotated[Passkey, Depends(own_passkey)]


class Named(BaseModel):
    name: Annotated[str, one_line(passkeys.LONGEST_NAME)]


class New(Named):
    passkey: SentPasskey


NamedForm = Annotated[Form[Named], Depends(form_of(Named))]
NewForm = Annotated[Form[New], Depends(form_of(New))]


@router.get("", name="passkeys.index")
def index(request: Request, user: CurrentUser, db: Db) -> Response:
    return page(request, "passkeys/index.html", passkeys=passkeys.of_user(db, user))


@router.get("/new", name="passkeys.new")
def new(request: Request, client: CurrentClient) -> Response:
    form: Form[New] = Form({"name": logins.device_name(client.user_agent)})
    return page(request, "passkeys/new.html", form=form)


@router.post("/options", name="passkeys.options")
def options(user: CurrentUser, session: CurrentSession, here: ThisBlog, db: Db) -> Response:
    """What the browser is to make; JSON for navigator.credentials.create()."""
    if here is None:
        raise NotFound
    return as_json(ceremonies.ask_for_new(session, here, user, passkeys.of_user(db, user)))


@router.post("", name="passkeys.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    here: ThisBlog,
    form: NewForm,
    db: Db,
) -> Response:
    settings, limits = request.app.state.settings, request.app.state.limits
    with form.or_show("passkeys/new.html"):
        given = form.data
        if here is None:
            raise WrongPasskey(ceremonies.NOT_MADE)
        release(db)  # the counters may live in this database
        made = ceremonies.registered(session, limits, here, given.passkey)
        passkeys.add(db, user, made, given.name)
    sentence = _("The passkey “%(name)s” was added. It opens your account.", name=given.name)
    two_factor.tell(db, settings, user, client, audit.PASSKEY_ADDED, sentence)
    if codes := two_factor.provide_recovery_codes(db, user):
        recovery_codes.show(session, settings, codes)
        say = _("Your passkey works. One more thing: keep these codes.")
        return redirect(request, "recovery_codes.show", say=say)
    return redirect(request, "passkeys.index", say=_("Your passkey works."))


@router.get("/{handle}/edit", name="passkeys.edit")
def edit(request: Request, passkey: OwnPasskey) -> Response:
    form: Form[Named] = Form({"name": passkey.name})
    return page(request, "passkeys/edit.html", form=form, passkey=passkey)


@router.post("/{handle}", name="passkeys.update")
def update(
    request: Request,
    passkey: OwnPasskey,
    user: CurrentUser,
    client: CurrentClient,
    form: NamedForm,
    db: Db,
) -> Response:
    with form.or_show("passkeys/edit.html", passkey=passkey):
        passkeys.rename(db, passkey, form.data.name)
    audit.record(db, audit.PASSKEY_RENAMED, user, client=client, name=passkey.name)
    return redirect(request, "passkeys.index", say=_("Renamed."))


@router.get("/{handle}/delete", name="passkeys.delete")
def delete(request: Request, passkey: OwnPasskey) -> Response:
    form: Form[Named] = Form()
    return page(request, "passkeys/delete.html", form=form, passkey=passkey)


@router.post("/{handle}/delete", name="passkeys.destroy")
def destroy(
    request: Request, passkey: OwnPasskey, user: CurrentUser, client: CurrentClient, db: Db
) -> Response:
    form: Form[Named] = Form()
    with form.or_show("passkeys/delete.html", passkey=passkey):
        passkeys.remove(db, user, passkey)
    two_factor.tidy_up(db, user)
    sentence = _(
        "The passkey “%(name)s” was removed. It does not open your account any more.",
        name=passkey.name,
    )
    settings = request.app.state.settings
    two_factor.tell(db, settings, user, client, audit.PASSKEY_REMOVED, sentence)
    return redirect(request, "passkeys.index", say=_("“%(name)s” is removed.", name=passkey.name))
