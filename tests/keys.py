"""A provider as a deployer writes one: it is the example of docs/api.md, and must stay so."""

import hmac

from sqlmodel import Session, select
from starlette.requests import HTTPConnection

from auth_providers import Principal
from errors import BadCredentials
from models import User
from services.permissions import READ
from settings import Settings

KEYS = {"a key for the harbour's clock": "bob"}


class ApiKeys:
    """A key in the header X-Api-Key, for reading."""

    def authenticate(self, connection: HTTPConnection, db: Session) -> Principal | None:
        key = connection.headers.get("x-api-key")
        if key is None:
            return None
        for known, username in KEYS.items():
            if hmac.compare_digest(key.encode(), known.encode()):
                user = db.exec(select(User).where(User.username == username)).first()
                return Principal(user, frozenset({READ}), by="key") if user else None
        raise BadCredentials


def api_keys(settings: Settings) -> ApiKeys:
    return ApiKeys()


def nothing(settings: Settings) -> object:
    """Makes nothing that could be used."""
    return object()
