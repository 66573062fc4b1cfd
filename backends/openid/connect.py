"""OpenID Connect: discovery, and ID tokens that are believed only for good reasons (Core 1.0, 3.1.3.7).

joserfc checks the signature, authlib the claims; both are imported when somebody comes back.
"""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from backends.openid import Claims, Client, NoAnswer, Trip, Untrusted
from backends.openid.code_flow import authorization_address, bearer, exchange, text
from backends.openid.http import ask

T = TypeVar("T")

SCOPE = "openid profile email"
KEPT_SECONDS = 60 * 60
LEEWAY_SECONDS = 60  # clocks differ
SHOWN_WITHIN_SECONDS = 10 * 60
LONGEST_SUBJECT = 255
# Asymmetric ones only: with HS256 whoever knows the client's secret, or a public key where a
# library confuses the two, could write tokens; "none" is nobody's signature.
ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split()
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Kept(Generic[T]):
    """What was read from an address, for an hour. Two threads may both fetch it: no harm."""

    def __init__(self, read: Callable[[dict[str, Any]], T]) -> None:
        self.read = read
        self.value: T | None = None
        self.until = 0.0

    def get(self, url: str, *, anew: bool = False) -> T:
        """Raises NoAnswer, as `read` does if it can make nothing of the answer; then none is kept."""
        if anew or self.value is None or time.monotonic() > self.until:
            answer = ask(url)
            if answer.status != 200:
                raise NoAnswer(f"{urlsplit(url).path}: status {answer.status}")
            self.value, self.until = self.read(answer.fields), time.monotonic() + KEPT_SECONDS
        return self.value


class OpenIDProvider:
    def __init__(self, name: str, label: str, issuer: str, client: Client) -> None:
        self.name = name
        self.label = label
        self.issuer = issuer.rstrip("/")
        self.client = client
        self.document = Kept(self.checked)
        self.keys = Kept(key_set)

    def address(self, trip: Trip, back: str, *, again: bool = False) -> str:
        extra = {"max_age": "0"} if again else {}
        return authorization_address(
            self.metadata()["authorization_endpoint"],
            self.client,
            trip,
            back,
            SCOPE,
            nonce=trip.nonce,
            **extra,
        )

    def claims(self, trip: Trip, code: str, back: str, *, again: bool = False) -> Claims:
        about = self.metadata()
        offered = str(about.get("token_endpoint_auth_methods_supported"))
        # The basic one leaves open how special characters in a secret are written.
        method = f"client_secret_{'post' if 'client_secret_post' in offered else 'basic'}"
        token = exchange(about["token_endpoint"], self.client, method, trip, code, back)
        found = self.believed(token, trip, again)
        if "email" not in found and "userinfo_endpoint" in about:
            found = self.more(about["userinfo_endpoint"], token, found["sub"]) | found
        return Claims(
            issuer=found["iss"],
            subject=found["sub"],
            username=text(found, "preferred_username") or text(found, "nickname"),
            name=text(found, "name"),
            email=text(found, "email"),
            email_is_verified=found.get("email_verified") in (True, "true"),  # Cognito writes text
        )

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself. Raises NoAnswer unless all of it can be used."""
        return self.document.get(f"{self.issuer}/.well-known/openid-configuration")

    def checked(self, document: dict[str, Any]) -> dict[str, Any]:
        if text(document, "issuer").rstrip("/") != self.issuer:
            raise NoAnswer("the discovery document names another issuer")
        for name in ENDPOINTS:
            self.must_be_safe(text(document, name))
        if "userinfo_endpoint" in document:
            self.must_be_safe(text(document, "userinfo_endpoint"))
        return document

    def must_be_safe(self, url: str) -> None:
        """Only HTTPS, where a certificate proves the host; or the very server that was configured.

        So whoever writes the document cannot send us to other doors of this machine or network.
        """
        is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>\\@")
        origin = origin_of(url)
        is_safe = origin[0] == "https" or origin == origin_of(self.issuer)
        if not is_plain or not is_safe or not origin[1]:
            raise NoAnswer(f"the discovery document leads to {url!r:.80}")

    def believed(self, token: dict[str, Any], trip: Trip, again: bool) -> dict[str, Any]:
        """The claims of the ID token. Raises Untrusted unless every check of it succeeds."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        about = self.metadata()
        options = {
            "iss": {"essential": True, "value": about["issuer"]},
            "aud": {"essential": True, "value": self.client.id},
        }
        expected = {
            "nonce": trip.nonce,
            "client_id": self.client.id,
            "access_token": token["access_token"],
        }
        try:
            decoded = self.decoded(text(token, "id_token"))
            claims = CodeIDToken(decoded.claims, decoded.header, options, expected)
            claims.validate(leeway=LEEWAY_SECONDS)
            if again:
                must_be_recent(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Untrusted(f"ID token: {error!r:.100}") from error
        subject: str = claims["sub"]
        if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isascii() or "\0" in subject:
            raise Untrusted("ID token: a subject that could not be stored")
        return dict(claims)

    def decoded(self, id_token: str) -> Any:
        """Header and claims, of which only the signature is checked. Raises JoseError, ValueError."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError
        from joserfc.jws import JWSRegistry

        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        url = self.metadata()["jwks_uri"]
        try:
            return jwt.decode(id_token, self.keys.get(url), registry=registry)
        except InvalidKeyIdError:  # providers change their keys
            return jwt.decode(id_token, self.keys.get(url, anew=True), registry=registry)

    def more(self, url: str, token: dict[str, Any], subject: str) -> dict[str, Any]:
        """What the provider keeps out of its tokens. Raises Untrusted if it is about another."""
        answer = ask(url, headers=bearer(token))
        if answer.status != 200:
            raise NoAnswer(f"userinfo: status {answer.status}")
        if answer.fields.get("sub") != subject:
            raise Untrusted("userinfo: another subject")
        return answer.fields


def key_set(document: dict[str, Any]) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        return KeySet.import_key_set({"keys": document["keys"]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NoAnswer(f"no keys: {error!r:.100}") from error


def must_be_recent(claims: dict[str, Any]) -> None:
    """Raises ValueError if the provider says that it asked them longer ago; not all do say."""
    shown_at = claims.get("auth_time")
    if shown_at is not None and shown_at < time.time() - SHOWN_WITHIN_SECONDS - LEEWAY_SECONDS:
        raise ValueError("nobody was asked again")


def origin_of(url: str) -> tuple[str, str]:
    """Scheme and host with port; empty ones for what is no URL."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) if parts.port != 0 else ("", "")
    except ValueError:
        return "", ""


def host_of(url: str) -> str:
    """The host, without a port."""
    return urlsplit(url).hostname or ""
