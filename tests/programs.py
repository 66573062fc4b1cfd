"""Programs that use the API: no browsers, and known by a token in a header."""

from typing import Any

import httpx2

from tests.blog import Blog, Person
from tests.people import PASSWORD

ALL_SCOPES = ["posts:read", "posts:write"]


def program(blog: Blog, token: str = "") -> Person:
    """Somebody without cookies; known by `token` if there is one."""
    found = blog.visitor()
    if token:
        found.client.headers["Authorization"] = f"Bearer {token}"
    return found


def new_token(person: Person, *scopes: str, **fields: Any) -> str:
    """A personal access token, made by somebody who is logged in in a browser."""
    wanted = {"name": "A program", "scopes": scopes or ALL_SCOPES, **fields}
    response = person.client.post("/api/v1/tokens", json=wanted)
    assert response.status_code == 201, response.text
    token: str = response.json()["token"]
    return token


def log_in(blog: Blog, username: str, **fields: str) -> dict[str, Any]:
    """What a program gets for a name and a password."""
    response = program(blog).post(
        "/api/v1/token", {"username": username, "password": PASSWORD, **fields}
    )
    assert response.status_code == 200, response.text
    issued: dict[str, Any] = response.json()
    return issued


def refresh(blog: Blog, token: str) -> httpx2.Response:
    grant = {"grant_type": "refresh_token", "refresh_token": token}
    return program(blog).post("/api/v1/token", grant)


def is_problem(response: httpx2.Response, status: int, kind: str = "about:blank") -> bool:
    """Whether an answer is that error as RFC 9457 has it, with a challenge if it is a 401."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code == status, response.text
    assert problem["type"] == kind
    assert {"title", "detail"} <= set(problem)
    return status != 401 or response.headers["www-authenticate"].startswith("Bearer")
