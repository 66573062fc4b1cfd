"""The chain that says who asks, with a provider of a deployer's own in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect
from websockets.typing import Origin

from api_dependencies import principal_of
from auth_providers import AuthProvider, providers_of
from models import User, now
from tests.blog import Blog, Person, blog_settings
from tests.keys import KEYS, ApiKeys
from tests.people import BOB
from tests.programs import is_problem, new_token, program

ROOT = Path(__file__).parent.parent
[KEY] = KEYS


@pytest.fixture
def keyed(blog: Blog) -> Iterator[Blog]:
    with blog.beside(auth_providers=["tests.keys:api_keys"]) as found:
        yield found


def keeper(blog: Blog, key: str = KEY) -> Person:
    found = program(blog)
    found.client.headers["X-Api-Key"] = key
    return found


def test_a_provider_of_ones_own_is_asked(bob: Person, blog: Blog, keyed: Blog) -> None:
    slug = bob.draft()
    caller = keeper(keyed)
    me = caller.get("/api/v1/me").json()
    assert (me["username"], me["by"], me["scopes"]) == (BOB, "key", ["posts:read"])
    assert caller.get(f"/api/v1/posts/{slug}").status_code == 200
    assert is_problem(caller.client.post("/api/v1/posts", json={}), 403)
    assert is_problem(caller.get("/api/v1/tokens"), 403)
    assert caller.get("/settings").status_code == 303  # pages know sessions only
    assert is_problem(keeper(blog).get("/api/v1/me"), 401)  # who does not set it has none


def test_no_provider_gives_more_than_the_role_or_opens_what_is_shut(
    bob: Person, keyed: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = keeper(keyed)
    monkeypatch.setattr("tests.keys.READ", "site:manage")
    assert caller.get("/api/v1/me").json()["scopes"] == []
    keyed.put(User, disabled_at=now())
    assert is_problem(caller.get("/api/v1/me"), 401)


def test_a_bad_key_is_refused_and_not_passed_on(bob: Person, keyed: Blog) -> None:
    for path in ("/api/v1/me", "/api/v1/posts"):
        assert is_problem(keeper(keyed, "nonsense").get(path), 401)
    headers = {"X-Api-Key": "nonsense", "Authorization": f"Bearer {new_token(bob)}"}
    assert is_problem(program(keyed).get("/api/v1/me", headers=headers), 401)


def test_the_others_go_on_beside_it(bob: Person, keyed: Blog) -> None:
    assert program(keyed, new_token(bob)).get("/api/v1/me").json()["by"] == "token"
    here = Person(keyed, BOB)
    here.log_in()
    assert here.get("/api/v1/me").json()["by"] == "session"
    headers = {"X-Api-Key": KEY}
    assert here.get("/api/v1/me", headers=headers).json()["by"] == "key"  # sent on purpose


def test_a_key_in_the_address_is_no_key(bob: Person, keyed: Blog) -> None:
    assert is_problem(program(keyed).get(f"/api/v1/me?x-api-key={KEY}"), 401)


def test_the_chain_is_in_order() -> None:
    names = [type(each).__name__ for each in providers_of(blog_settings())]
    assert names == ["TokenProvider", "JwtProvider", "SessionProvider"]
    mine: AuthProvider = ApiKeys()
    with_mine = providers_of(blog_settings(auth_providers="tests.keys:api_keys"))
    assert type(with_mine[0]) is type(mine)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tests.nowhere:api_keys", "No module named"),
        ("tests.keys:nobody", "has no attribute"),
        ("tests.keys:KEY_OF_NOTHING", "has no attribute"),
        ("tests.keys:nothing", "authenticate"),
        ("tests.keys:KEYS", "not callable"),
    ],
)
def test_a_provider_that_cannot_be_used_stops_the_start(path: str, said: str) -> None:
    with pytest.raises(SystemExit, match=f"AUTH_PROVIDERS: {path}.*{said}"):
        providers_of(blog_settings(auth_providers=path))


@pytest.mark.parametrize("path", ["tests.keys", "tests/keys.py:x", "tests.keys:x()", ":x", "x:"])
def test_a_path_that_is_none_stops_the_start(path: str) -> None:
    with pytest.raises(ValueError, match="auth_providers"):
        blog_settings(auth_providers=path)


def test_the_example_of_the_documentation_is_this_one() -> None:
    code = (ROOT / "tests" / "keys.py").read_text()
    example = code[code.index("class ApiKeys") : code.index("def nothing")].strip()
    assert example in (ROOT / "docs" / "api.md").read_text()


def test_a_websocket_is_known_in_the_same_ways(bob: Person, blog: Blog) -> None:
    async def who(socket: WebSocket) -> None:
        principal = await run_in_threadpool(principal_of, socket)
        await socket.accept()
        await socket.send_text(f"{principal.by} {principal.user.username}" if principal else "")
        await socket.close()

    with blog.beside() as other:
        other.app.router.routes.append(WebSocketRoute("/try", who))
        address = other.url.replace("http", "ws", 1) + "/try"
        origin = Origin(other.url)
        cookies = "; ".join(f"{each.name}={each.value}" for each in bob.client.cookies.jar)
        token = {"Authorization": f"Bearer {new_token(bob)}"}
        for headers, said in ((token, "token bob"), ({"Cookie": cookies}, "session bob"), ({}, "")):
            with connect(address, origin=origin, additional_headers=headers, proxy=None) as socket:
                assert socket.recv() == said
