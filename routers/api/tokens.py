"""Personal access tokens. None of them can make another."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field

from api_dependencies import (
    CurrentPrincipal,
    api_guarded,
    fresh_session_required,
    session_required,
)
from auth_dependencies import CurrentClient
from database import Db
from errors import NotFound
from models import ApiToken
from services import api_tokens, audit
from services.text import one_line
from web.json_bodies import body_of

router = api_guarded("/tokens", "Tokens", by=session_required)
fresh = api_guarded("/tokens", "Tokens", by=fresh_session_required)


class NewToken(BaseModel):
    """Without `expires_in_days` it lasts 90 days; with null, until it is revoked."""

    name: Annotated[str, one_line(api_tokens.LONGEST_NAME)]
    scopes: Annotated[list[str], Field(max_length=20)]
    expires_in_days: Annotated[int, Field(ge=1, le=365)] | None = api_tokens.USUALLY_DAYS


Wanted = Annotated[
    NewToken,
    Depends(body_of(NewToken, name="Backup", scopes=["posts:read"], expires_in_days=30)),
]


class Token(BaseModel):
    """`hint` is how it begins. The rest is known to nobody but its owner."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


class Tokens(BaseModel):
    items: list[Token]


class CreatedToken(Token):
    """`token` is shown this once."""

    token: str


def fields(token: ApiToken) -> dict[str, object]:
    return {**token.model_dump(), "scopes": token.scopes.split()}


@router.get("", name="api.tokens.index", summary="List your access tokens")
def index(principal: CurrentPrincipal, db: Db) -> Tokens:
    """Needs a login by session."""
    found = api_tokens.of_user(db, principal.user)
    return Tokens(items=[Token.model_validate(fields(token)) for token in found])


@fresh.post("", name="api.tokens.create", summary="Make an access token", status_code=201)
def create(
    principal: CurrentPrincipal,
    client: CurrentClient,
    new: Wanted,
    db: Db,
) -> CreatedToken:
    """Needs a login by session that is at most 15 minutes old: otherwise the answer is 401, of the
    type `reauth_required`."""
    user = principal.user
    token, secret = api_tokens.create(db, user, new.name, new.scopes, new.expires_in_days)
    audit.record(db, audit.ACCESS_GIVEN, user, client=client, name=token.name, scopes=token.scopes)
    return CreatedToken.model_validate({**fields(token), "token": secret})


@router.delete(
    "/{token_id}", name="api.tokens.destroy", summary="Revoke an access token", status_code=204
)
def destroy(principal: CurrentPrincipal, client: CurrentClient, token_id: UUID, db: Db) -> None:
    """It is good for nothing from now on. Needs a login by session."""
    name = api_tokens.revoke(db, principal.user, token_id)
    if name is None:
        raise NotFound
    audit.record(db, audit.ACCESS_TAKEN, principal.user, client=client, name=name)
