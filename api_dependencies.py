"""Who is asking, for the API and for WebSockets: by session cookie or by token."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Security
from fastapi.security import APIKeyCookie, HTTPBearer, OAuth2PasswordBearer, SecurityScopes
from starlette.requests import HTTPConnection

import auth_service
from auth_dependencies import CurrentSession, FreshLoginRequired, LoginRequired, for_everybody
from auth_providers import JWT, SESSION, Principal, authenticate
from backends import Unavailable
from database import Database
from errors import Forbidden

# For the OpenAPI document. The name of the cookie is a setting, so it is put there later.
BY_COOKIE = APIKeyCookie(name="session", scheme_name="sessionCookie", auto_error=False)
BY_TOKEN = HTTPBearer(scheme_name="bearerToken", auto_error=False)
BY_JWT = OAuth2PasswordBearer("/api/v1/token", scheme_name="oauth2", auto_error=False)


def principal_of(connection: HTTPConnection) -> Principal | None:
    """Who is asking, as the database knows them now; None for a stranger.

    Nothing of the database is held afterwards, so a WebSocket may depend on it too.

    Raises:
        BadCredentials: a token or key was shown, and it is not good.
    """
    database: Database = connection.app.state.database
    with database.reading() as db:
        return authenticate(connection, db)


OptionalPrincipal = Annotated[Principal | None, Depends(principal_of)]


def api_login_required(
    wanted: SecurityScopes, session: CurrentSession, principal: OptionalPrincipal
) -> Principal:
    """Whoever is known by any provider and has all scopes that the route wants.

    Raises:
        LoginRequired: a stranger; 401.
        Unavailable: logins cannot be looked up at the moment.
        Forbidden: the role or the token lacks a scope.
    """
    if principal is None:
        raise Unavailable if session.is_unavailable else LoginRequired
    if not principal.has_scopes(*wanted.scopes):
        raise Forbidden(f"This needs {' and '.join(wanted.scopes)}. Nothing was changed.")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(api_login_required)]


# What a router is guarded by. Each names its schemes, for the OpenAPI document.


def any_login(
    principal: CurrentPrincipal,
    _cookie: Annotated[Any, Depends(BY_COOKIE)],
    _token: Annotated[Any, Depends(BY_TOKEN)],
    _jwt: Annotated[Any, Depends(BY_JWT)],
) -> Principal:
    """Whoever is known in any way."""
    return principal


def session_required(
    principal: CurrentPrincipal, _cookie: Annotated[Any, Depends(BY_COOKIE)]
) -> Principal:
    """Whoever is logged in by a session: a token must not give itself more power or a longer life.

    Raises:
        Forbidden: they are known in another way.
    """
    if principal.by != SESSION:
        raise Forbidden("No token can do that: log in with a session. Nothing was changed.")
    return principal


def fresh_session_required(
    session: CurrentSession, principal: Annotated[Principal, Depends(session_required)]
) -> Principal:
    """The same, and they have shown who they are within the last 15 minutes.

    Raises:
        FreshLoginRequired: it has been longer; 401.
    """
    if not auth_service.is_fresh(session):
        raise FreshLoginRequired
    return principal


def jwt_required(principal: CurrentPrincipal, _jwt: Annotated[Any, Depends(BY_JWT)]) -> Principal:
    """Whoever shows an access token from /api/v1/token.

    Raises:
        Forbidden: they are known in another way.
    """
    if principal.by != JWT:
        raise Forbidden("This is for access tokens from /api/v1/token. Nothing was changed.")
    return principal


Guard = Callable[..., Principal]


def requires(*scopes: str, by: Guard = any_login) -> Any:
    """For a route or router: somebody is known, and role and token give all `scopes`."""
    return Security(by, scopes=scopes)


def api_public(prefix: str, noun: str) -> APIRouter:
    """A router of the API for everybody, known or not."""
    return api_router(prefix, noun, [Depends(for_everybody)])


def api_guarded(prefix: str, noun: str, *scopes: str, by: Guard = any_login) -> APIRouter:
    """A router of the API for whoever is known, in the way that `by` asks for, and has `scopes`."""
    return api_router(prefix, noun, [requires(*scopes, by=by)])


def api_router(prefix: str, noun: str, dependencies: list[Any]) -> APIRouter:
    return APIRouter(
        prefix=f"/api/v1{prefix}",
        tags=[noun],
        dependencies=dependencies,
        responses={"4XX": PROBLEM},
    )


PROBLEM: dict[str, Any] = {
    "description": "What is wrong, and what to do",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
