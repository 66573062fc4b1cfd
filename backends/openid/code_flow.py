"""The authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636): its two requests.

authlib writes them. It is imported here and not above: most processes never need it.
"""

from typing import Any

from backends.openid import Client, NoAnswer, Trip, Untrusted
from backends.openid.http import ask

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LONGEST_CODE = 4096
# What a provider says of a code that it does not know, or not any more; the first is GitHub's.
BAD_CODE = {"bad_verification_code", "invalid_grant"}


def authorization_address(
    endpoint: str, client: Client, trip: Trip, back: str, scope: str, **extra: str
) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    return str(
        prepare_grant_uri(
            endpoint,
            client.id,
            "code",
            redirect_uri=back,
            scope=scope,
            state=trip.state,
            code_challenge=create_s256_code_challenge(trip.verifier),
            code_challenge_method="S256",
            **extra,
        )
    )


def exchange(
    endpoint: str, client: Client, method: str, trip: Trip, code: str, back: str
) -> dict[str, Any]:
    """The tokens for a code; `method` is how the client proves itself.

    Raises:
        Untrusted: the code is not good.
        NoAnswer: anything else went wrong.
    """
    from authlib.oauth2 import ClientAuth
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    if not code or len(code) > LONGEST_CODE:
        raise Untrusted("no code that could be one")
    body = prepare_token_request(
        "authorization_code", redirect_uri=back, code=code, code_verifier=trip.verifier
    )
    auth = ClientAuth(client.id, client.secret, method)
    url, headers, body = auth.prepare("POST", endpoint, dict(FORM), body)
    answer = ask(url, body, headers)
    error = answer.fields.get("error")
    if error in BAD_CODE:
        raise Untrusted(f"the code is not good: {error}")
    if error or answer.status != 200 or not isinstance(answer.fields.get("access_token"), str):
        raise NoAnswer(f"no token: status {answer.status}, {error!r:.60}")
    return answer.fields


def bearer(token: dict[str, Any]) -> dict[str, str]:
    """The header that shows an access token. Raises NoAnswer if it cannot be one."""
    value: str = token["access_token"]
    if not value.isascii() or not value.isprintable():
        raise NoAnswer("an access token with strange characters")
    return {"Authorization": f"Bearer {value}"}


def text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
