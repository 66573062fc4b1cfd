"""Where else people can log in: GitHub, Google, and any provider that speaks OpenID Connect."""

import secrets
from dataclasses import dataclass
from typing import Protocol

from backends import Unavailable
from settings import Settings

GOOGLE = "https://accounts.google.com"


class NoAnswer(Unavailable):
    """The provider is down, too slow, or says something that cannot be understood."""


class Untrusted(Exception):
    """What came back does not prove anything; the text is for the log."""


@dataclass(frozen=True)
class Client:
    """Who the blog is to a provider."""

    id: str
    secret: str


@dataclass(frozen=True)
class Trip:
    """The secrets of one way there and back.

    `state` comes back with the browser, `nonce` inside the ID token; `verifier` (PKCE, RFC 7636)
    redeems the code, so a stolen code is worth nothing.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Trip":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


@dataclass(frozen=True)
class Claims:
    """What a provider says of a person. Issuer and subject are who they are; the rest may change."""

    issuer: str
    subject: str
    username: str = ""
    name: str = ""
    email: str = ""
    email_is_verified: bool = False


class Provider(Protocol):
    """Every call may raise NoAnswer or Busy, and takes up to five seconds a request."""

    name: str  # in our addresses
    label: str  # for people

    def address(self, trip: Trip, back: str, *, again: bool = False) -> str:
        """Where to send the browser; it comes to our address `back` from there.

        With `again` the provider is asked to make the person show once more who they are.
        """

    def claims(self, trip: Trip, code: str, back: str, *, again: bool = False) -> Claims:
        """Who the person is that came back with `code`. Raises Untrusted."""


def open_providers(settings: Settings) -> dict[str, Provider]:
    """Those that are configured, by name. Nothing is asked of them, or imported, before its time."""
    found: list[Provider] = []
    if settings.github_client_id:
        from backends.openid.github import GitHub

        secret = settings.github_client_secret.get_secret_value()
        found.append(GitHub(Client(settings.github_client_id, secret)))
    if settings.google_client_id:
        from backends.openid.connect import OpenIDProvider

        secret = settings.google_client_secret.get_secret_value()
        client = Client(settings.google_client_id, secret)
        found.append(OpenIDProvider("google", "Google", GOOGLE, client))
    if settings.oidc_client_id:
        from backends.openid.connect import OpenIDProvider, host_of

        secret = settings.oidc_client_secret.get_secret_value()
        client = Client(settings.oidc_client_id, secret)
        label = settings.oidc_name or host_of(settings.oidc_issuer)
        found.append(OpenIDProvider("oidc", label, settings.oidc_issuer, client))
    return {provider.name: provider for provider in found}
