"""A blog that knows the provider on this machine, and what people do to log in by it."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from pydantic import SecretStr

from backends.openid import Client
from backends.openid.github import GitHub
from models import Identity, Login, User
from tests.blog import Blog, Person
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, LocalProvider
from tests.people import ALICE


@contextmanager
def knowing(blog: Blog, provider: LocalProvider, **changes: Any) -> Iterator[Blog]:
    """The same blog with the provider, as "oidc" and as "github"."""
    secret = SecretStr(CLIENT_SECRET)
    known = {
        "oidc_name": "Harbour office",
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": secret,
        "github_client_id": CLIENT_ID,
        "github_client_secret": secret,
    }
    with blog.beside(**known, **changes) as found:
        github = GitHub(Client(CLIENT_ID, CLIENT_SECRET), provider.url, provider.url)
        found.app.state.providers["github"] = github
        yield found


def depart(
    person: Person, name: str = "oidc", path: str = "", **fields: str
) -> tuple[httpx2.Response, str]:
    """Press the button; the answer, and the address that the page leads to."""
    answer = person.post(path or f"/auth/openid/{name}", fields)
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    return answer, html.unescape(found.group(1)) if found else ""


def there_and_back(
    person: Person, provider: LocalProvider, name: str = "oidc", path: str = "", **fields: str
) -> httpx2.Response:
    """Press the button, say yes to the provider, and come back."""
    answer, address = depart(person, name, path, **fields)
    assert address, answer.text
    return person.get(provider.approved(address))


def register_by(
    person: Person, provider: LocalProvider, username: str = "maren", name: str = "oidc"
) -> None:
    answer = there_and_back(person, provider, name)
    assert answer.headers.get("location") == "/users/register/openid", answer.text
    answer = person.post("/users/register/openid", {"username": username})
    assert answer.status_code == 303, answer.text
    person.username = username


def parameters(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def user(blog: Blog, username: str) -> User:
    found: User = next(each for each in blog.rows(User) if each.username == username)
    return found


def owners(blog: Blog) -> dict[str, str]:
    """Each identity's subject, and the name of whom it lets in."""
    names = {each.id: each.username for each in blog.rows(User)}
    return {each.subject: names[each.user_id] for each in blog.rows(Identity)}


def nobody_came_in(person: Person) -> bool:
    """Not this person, and nobody else but Alice, who was here before."""
    logins = {each.user_id for each in person.blog.rows(Login)}
    alice = user(person.blog, ALICE).id
    return not person.is_logged_in() and logins <= {alice} and not person.blog.rows(Identity)


def forget(blog: Blog) -> None:
    """What the provider said earlier."""
    for kept in ("document", "keys"):
        getattr(blog.app.state.providers["oidc"], kept).value = None
