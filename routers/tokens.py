"""Access tokens and logins of programs: what acts in one's name, and how to end it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentUser, guarded
from database import Db
from errors import NotFound
from languages import _
from models import User
from services import api_tokens, audit, refresh_tokens
from services.permissions import MEANING, scopes_of
from services.text import one_line
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/tokens", fresh=True)

NEVER = "never"


class NewToken(BaseModel):
    name: Annotated[str, one_line(api_tokens.LONGEST_NAME)]
    scopes: Annotated[list[str], Field(max_length=len(MEANING))] = []
    days: Literal["7", "30", "90", "365", "never"] = "90"

    @property
    def lasts(self) -> int | None:
        return None if self.days == NEVER else int(self.days)


NewTokenForm = Annotated[Form[NewToken], Depends(form_of(NewToken))]


@router.get("", name="tokens.index")
def index(request: Request, user: CurrentUser, db: Db) -> Response:
    """Tokens and programs; the form is below them."""
    form: Form[NewToken] = Form({"days": str(api_tokens.USUALLY_DAYS)})
    return page(request, "tokens/index.html", form=form, **everything(db, user))


@router.post("", name="tokens.create")
def create(
    request: Request, user: CurrentUser, client: CurrentClient, form: NewTokenForm, db: Db
) -> Response:
    """The page that shows the token, this once: no redirect could carry it."""
    with form.or_show("tokens/index.html", **everything(db, user)):
        new = form.data
        token, secret = api_tokens.create(db, user, new.name, new.scopes, new.lasts)
    audit.record(db, audit.ACCESS_GIVEN, user, client=client, name=token.name, scopes=token.scopes)
    return page(request, "tokens/created.html", status_code=201, token=token, secret=secret)


@router.post("/{token_id}/delete", name="tokens.destroy")
def destroy(
    request: Request, user: CurrentUser, client: CurrentClient, token_id: UUID, db: Db
) -> Response:
    name = api_tokens.revoke(db, user, token_id)
    if name is None:
        raise NotFound
    audit.record(db, audit.ACCESS_TAKEN, user, client=client, name=name)
    return redirect(request, "tokens.index", say=_("“%(name)s” is revoked.", name=name))


@router.post("/programs/{family_id}/delete", name="tokens.destroy_program")
def destroy_program(
    request: Request, user: CurrentUser, client: CurrentClient, family_id: UUID, db: Db
) -> Response:
    if not refresh_tokens.end(db, user.id, family_id):
        raise NotFound
    audit.record(db, audit.API_LOGOUT, user, client=client)
    return redirect(request, "tokens.index", say=_("That program is logged out."))


def everything(db: Db, user: User) -> dict[str, Any]:
    held = scopes_of(user)
    return {
        "tokens": api_tokens.of_user(db, user),
        "programs": refresh_tokens.of_user(db, user),
        "scopes": [(scope, _(words), scope) for scope, words in MEANING.items() if scope in held],
    }
