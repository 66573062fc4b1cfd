"""GitHub, which speaks OAuth 2 only: who somebody is, its API tells."""

from typing import Any

from backends.openid import Claims, Client, NoAnswer, Trip, Untrusted
from backends.openid.code_flow import authorization_address, bearer, exchange, text
from backends.openid.http import ask

SCOPE = "user:email"
VERSION = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHub:
    name = "github"
    label = "GitHub"

    def __init__(
        self, client: Client, site: str = "https://github.com", api: str = "https://api.github.com"
    ) -> None:
        self.client = client
        self.site = site
        self.api = api

    def address(self, trip: Trip, back: str, *, again: bool = False) -> str:
        extra = {"prompt": "select_account"} if again else {}
        endpoint = f"{self.site}/login/oauth/authorize"
        return authorization_address(endpoint, self.client, trip, back, SCOPE, **extra)

    def claims(self, trip: Trip, code: str, back: str, *, again: bool = False) -> Claims:  # noqa: ARG002 - it cannot tell
        endpoint = f"{self.site}/login/oauth/access_token"
        token = exchange(endpoint, self.client, "client_secret_post", trip, code, back)
        headers = {**VERSION, **bearer(token)}
        user = ask(f"{self.api}/user", headers=headers)
        if user.status != 200:
            raise NoAnswer(f"/user: status {user.status}")
        number = user.fields.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Untrusted("an account without a number")
        email, is_verified = main_address(ask(f"{self.api}/user/emails", headers=headers).json)
        return Claims(
            issuer=self.site,
            subject=str(number),  # names change hands, numbers do not
            username=text(user.fields, "login"),
            name=text(user.fields, "name"),
            email=email,
            email_is_verified=is_verified,
        )


def main_address(found: Any) -> tuple[str, bool]:
    """The primary address and whether it is verified; ("", False) if we were not told."""
    for entry in found if isinstance(found, list) else ():
        if isinstance(entry, dict) and entry.get("primary") is True:
            return text(entry, "email"), entry.get("verified") is True
    return "", False
