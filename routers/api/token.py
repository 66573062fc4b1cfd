"""Short access tokens (JWT) and the refresh tokens that bring the next one (RFC 6749)."""

from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api_dependencies import CurrentPrincipal, api_guarded, api_public, jwt_required
from auth_dependencies import CurrentClient, CurrentSession
from database import Db
from errors import Invalid
from routers.api import entering
from services import api_logins, audit, jwts, refresh_tokens
from web.errors import error_page
from web.forms import FORM
from web.json_bodies import JSON, checked, read_fields

router = api_public("/token", "Tokens")
own = api_guarded("/token", "Tokens", by=jwt_required)

LONGEST_SCOPE = 200


class Grant(BaseModel):
    """For a password: `username`, `password`, and `code` if the account asks for one; `scope` asks
    for less than all you may do. To go on: `refresh_token`."""

    grant_type: Literal["password", "refresh_token"] = "password"
    username: str = ""
    password: str = ""
    code: str = ""
    scope: str = ""
    refresh_token: str = ""


class PasswordGrant(entering.Credentials):
    scope: Annotated[str, Field(max_length=LONGEST_SCOPE)] = ""


class Issued(BaseModel):
    """RFC 6749, section 5.1. `refresh_token` is good for one use."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    refresh_token: str
    scope: str


async def grant_in(request: Request) -> dict[str, Any]:
    """The fields, from a form as OAuth has it or from JSON."""
    return await read_fields(request)


# For the OpenAPI document.
grant_in.body_model, grant_in.media_types = Grant, (FORM, JSON)  # type: ignore[attr-defined]
grant_in.example = {"username": "alice", "password": "..."}  # type: ignore[attr-defined]


@router.post("", name="api.token.create", summary="Get an access token", response_model=Issued)
def create(
    request: Request,
    session: CurrentSession,
    client: CurrentClient,
    sent: Annotated[dict[str, Any], Depends(grant_in)],
    db: Db,
) -> Issued | Response:
    """The access token is good for 15 minutes, the refresh token for one use within 7 days, and
    a login for 30 days. Showing a used refresh token ends that login."""
    settings = request.app.state.settings
    grant = checked(Grant, sent)
    if grant.grant_type == "password":
        given = checked(PasswordGrant, sent)
        known = entering.known_person(request, db, session, client, given)
        wanted = given.scope.split()
        return answer(api_logins.begin(db, known.user, client, wanted, settings, by=known.by))
    if not grant.refresh_token:
        raise Invalid({"refresh_token": "Please fill this in."})
    found = api_logins.go_on(db, grant.refresh_token, client, settings)
    if found is None:  # not raised: what was found out about a thief must stay
        return error_page(request, 401, NO_GOOD, kind="invalid_grant", error="invalid_grant")
    return answer(found)


NO_GOOD = "That refresh token is not good, or not any more. Log in again."


def answer(issued: api_logins.Issued) -> Issued:
    return Issued(
        access_token=issued.access,
        token_type="bearer",  # noqa: S106 - that is what it is called
        expires_in=int(jwts.LASTS.total_seconds()),
        refresh_token=issued.refresh,
        scope=" ".join(issued.scopes),
    )


@own.delete("", name="api.token.destroy", summary="End this login", status_code=204)
def destroy(principal: CurrentPrincipal, client: CurrentClient, db: Db) -> None:
    """The access token that you show and its refresh token are good for nothing from now on."""
    assert principal.id
    refresh_tokens.end(db, principal.user.id, principal.id)
    audit.record(db, audit.API_LOGOUT, principal.user, client=client)
