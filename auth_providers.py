"""By what one may be known to the API: a chain of providers, which a deployer can extend.

The first provider that knows somebody decides. Those of `AUTH_PROVIDERS` come first, then tokens,
and the session cookie last: what was sent on purpose counts more than what a browser adds.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.requests import HTTPConnection

from auth_dependencies import client_of, find_here, writing
from database import release
from errors import BadCredentials
from models import User
from services import api_tokens, jwts, logins, refresh_tokens
from services.permissions import scopes_of
from settings import Settings

SESSION, TOKEN, JWT = "session", "token", "jwt"


@dataclass(frozen=True)
class Principal:
    """Who is at the other end of a connection, what they may do by it, and how they are known.

    `scopes` are what the way that they are known allows; `authenticate` sees to it that they are
    never more than those of the person's role. `id` is that of the login or token.
    """

    user: User
    scopes: frozenset[str]
    by: str
    id: UUID | None = None

    def has_scopes(self, *scopes: str) -> bool:
        return self.scopes.issuperset(scopes)


class AuthProvider(Protocol):
    """One way to be known. HTTP requests and WebSockets are both connections."""

    def authenticate(self, connection: HTTPConnection, db: Session) -> Principal | None:
        """Who this is; None if the connection carries nothing of this provider's kind.

        It runs in a thread. `db` is for reading only: what it writes is lost.

        Raises:
            BadCredentials: it does carry something of this kind, but that is not good.
        """


class SessionProvider:
    """The session cookie: whoever is logged in in a browser."""

    def authenticate(self, connection: HTTPConnection, db: Session) -> Principal | None:
        session = connection.state.session
        client = client_of(connection.scope, connection.app.state.settings)
        found = find_here(connection, db, session, client)
        if found is None:
            return None
        user, login = found
        if logins.is_worth_noting(login):
            release(db)
            with suppress(SQLAlchemyError), writing(connection) as apart:
                logins.see(apart, login, client)
        return Principal(user, scopes_of(user), SESSION, login.id)


class TokenProvider:
    """A personal access token: `Authorization: Bearer ink_...`."""

    def authenticate(self, connection: HTTPConnection, db: Session) -> Principal | None:
        secret = bearer_of(connection)
        if secret is None or not secret.startswith(api_tokens.PREFIX):
            return None
        found = api_tokens.find(db, secret)
        if found is None:
            raise BadCredentials
        user, token = found
        if api_tokens.is_worth_noting(token):
            release(db)
            with suppress(SQLAlchemyError), writing(connection) as apart:
                api_tokens.see(apart, token)
        return Principal(user, frozenset(token.scopes.split()), TOKEN, token.id)


class JwtProvider:
    """A short access token from /api/v1/token: any other `Authorization: Bearer`."""

    def authenticate(self, connection: HTTPConnection, db: Session) -> Principal | None:
        token = bearer_of(connection)
        if token is None:
            return None
        claims = jwts.read(connection.app.state.settings, token)
        found = refresh_tokens.find(db, claims.user_id, claims.family_id)
        if found is None:
            raise BadCredentials
        user, family = found
        return Principal(user, claims.scopes & set(family.scopes.split()), JWT, family.id)


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token after `Authorization: Bearer`, as RFC 6750 has it; None if there is none.

    Raises:
        BadCredentials: there are several.
    """
    sent = connection.headers.getlist("authorization")
    if len(sent) > 1:
        raise BadCredentials
    scheme, _, token = (sent[0] if sent else "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def providers_of(settings: Settings) -> Sequence[AuthProvider]:
    """The chain for these settings. Raises SystemExit if one of `AUTH_PROVIDERS` cannot be used."""
    own = [load(path, settings) for path in settings.auth_providers]
    return (*own, TokenProvider(), JwtProvider(), SessionProvider())


def authenticate(connection: HTTPConnection, db: Session) -> Principal | None:
    """Who is at the other end; None for a stranger. Whatever a provider says, nobody may do more
    than their role allows, and an account that is disabled may do nothing.

    Raises:
        BadCredentials: a token or key was shown, and it is not good.
    """
    for provider in connection.app.state.auth_providers:
        found: Principal | None = provider.authenticate(connection, db)
        if found is not None:
            if not found.user.is_active:
                raise BadCredentials
            connection.scope["state"]["user_id"] = str(found.user.id)
            return replace(found, scopes=found.scopes & scopes_of(found.user))
    if "authorization" in connection.headers:
        raise BadCredentials
    return None


def load(path: str, settings: Settings) -> AuthProvider:
    """What `package.module:factory` makes of the settings."""
    module, _, name = path.partition(":")
    try:
        provider: AuthProvider = getattr(import_module(module), name)(settings)
        if callable(provider.authenticate):
            return provider
    except Exception as error:
        raise SystemExit(f"{CANNOT} AUTH_PROVIDERS: {path}: {error}") from error
    raise SystemExit(f"{CANNOT} AUTH_PROVIDERS: {path} makes nothing that can authenticate.")


CANNOT = "Inkstand cannot start."
