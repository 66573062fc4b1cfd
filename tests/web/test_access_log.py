"""What the log says of each request, and what it never says."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from websockets.exceptions import InvalidStatus

from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD
from tests.processes import Answer, Serving, json_lines, serving
from tests.sockets import DASHBOARD, dashboard, told

KEY = "tQ0v7-wYk3mZ_8rJx2nB5hLd9sFgPcAe1uTi"
PRODUCTION: dict[str, Any] = {"ENVIRONMENT": "production", "SECRET_KEY": KEY, "BCRYPT_COST": 10}
# The real application with a route that breaks, as a mistake of ours would.
BROKEN = """
import cli
import main
from sqlalchemy import text

@main.app.post("/broken")
def broken(password: str):
    raise RuntimeError("canary-in-the-error")

@main.app.post("/broken-query")
def broken_query(password: str):
    with main.app.state.database.reading() as db:
        db.execute(text("SELECT * FROM users WHERE email = :email"), {"email": {"canary-in-the-query"}})

cli.app(["serve"])
"""
CANARIES = {
    "password": "canary-password-of-nobody",
    "content": "canary-content-of-a-post",
    "title": "Canary title of a draft",
    "email": "canary@mail.example",
    "token": "canary-token-in-a-path",
    "query": "canary-in-a-query",
    "agent": "canary-agent",
    "cookie": "canary-in-a-cookie",
}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("production")
    with serving(folder, command=("-c", BROKEN), **PRODUCTION) as server:
        yield server


def lines_of(server: Serving, path: str) -> list[dict[str, Any]]:
    return [line for line in json_lines(server.log) if line.get("path") == path]


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(100):
        if is_so():
            return
        time.sleep(0.02)


def access(server: Serving, answer: Answer) -> dict[str, Any]:
    """The one line about a request, which is written once its answer is out."""
    request_id = answer.headers["X-Request-ID"]
    for _ in range(100):
        lines = [line for line in json_lines(server.log) if line.get("request_id") == request_id]
        if found := [line for line in lines if line["logger"] == "inkstand.access"]:
            assert len(found) == 1
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"no line for {request_id}")


def test_a_request_is_one_json_object(production: Serving) -> None:
    answer = production.get("/posts?before=x", **{"X-Request-ID": "chosen by the client"})
    line = access(production, answer)
    assert re.fullmatch(r"[0-9a-f]{16}", line["request_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (line["level"], line["method"], line["path"]) == ("info", "GET", "/posts")
    assert (line["status"], line["client"], line["user"]) == (answer.status, "127.0.0.1", None)
    assert line["bytes"] == len(answer.text.encode())
    assert 0 < line["ms"] < 5_000


def test_every_request_has_its_line_whatever_comes_of_it(production: Serving) -> None:
    expected = {
        "/": 200,
        "/nothing/here": 404,
        "/static/css/site.css": 200,
        "/drafts": 303,
        "/healthz": 200,
    }
    for path, status in expected.items():
        answer = production.get(path)
        line = access(production, answer)
        assert (line["path"], line["status"]) == (path, status)


def test_a_page_from_memory_has_its_line_too(production: Serving) -> None:
    answers = [production.get("/") for _ in range(3)]
    assert "ETag" in answers[-1].headers, "it does not come from memory"
    for answer in answers:
        line = access(production, answer)
        assert (line["path"], line["status"], line["client"]) == ("/", 200, "127.0.0.1")
        assert line["bytes"] == len(answer.text.encode())


def test_a_socket_has_its_line_when_it_opens_or_is_refused(production: Serving) -> None:
    cookies = production.register("listener")
    with pytest.raises(InvalidStatus), dashboard(production):
        pass
    with dashboard(production, cookies) as socket:
        assert told(socket) == {"type": "ready"}
        wait_until(lambda: len(lines_of(production, DASHBOARD)) == 2)
    lines = lines_of(production, DASHBOARD)
    assert [(line["method"], line["status"]) for line in lines] == [("GET", 403), ("GET", 101)]
    assert [bool(line["user"]) for line in lines] == [False, True]


def test_who_hangs_up_in_mid_sentence_is_a_499_and_no_alarm(production: Serving) -> None:
    request = b"POST /auth/login?hung-up HTTP/1.1\r\nHost: blog\r\nContent-Length: 9\r\n\r\nuser"
    production.connect(request).close()
    time.sleep(0.3)
    line = json_lines(production.log)[-1]
    assert (line["path"], line["status"]) == ("/auth/login", 499)
    assert "Traceback" not in production.log.rpartition("/auth/login")[2]


def test_nothing_that_a_person_sends_in_confidence_is_logged(production: Serving) -> None:
    form = {"username": ALICE, "password": PASSWORD, "email": CANARIES["email"]}
    cookies = production.post("/users/register", form).cookies
    wrong = {"username": CANARIES["email"], "password": CANARIES["password"]}
    with_agent = {"User-Agent": CANARIES["agent"], "Referer": f"http://x/{CANARIES['query']}"}
    assert production.post("/auth/login", wrong, **with_agent).status == 401
    post = {"title": CANARIES["title"], "content": CANARIES["content"], "action": "draft"}
    assert production.post("/posts", post, cookies).status == 303
    assert production.post("/posts", {**post, "title": ""}, cookies).status == 422
    for path in ("/auth/reset/", "/auth/verify/", "/preview/"):
        production.get(path + CANARIES["token"])
        production.post(path + CANARIES["token"], {"password": CANARIES["password"]})
    production.get(f"/auth/login?next=/{CANARIES['query']}")
    production.get("/", f"__Host-inkstand_session={CANARIES['cookie']}")
    query = f"?password={CANARIES['query']}"
    assert production.post("/broken" + query, wrong, cookies).status == 500
    last = production.post("/broken-query" + query, wrong, cookies)
    assert last.status in (500, 503)
    assert access(production, last)

    log = production.log
    secrets = [PASSWORD, KEY, *CANARIES.values(), "canary-in-the-query"]
    for value in cookies.split("; "):
        signed = value.partition("=")[2]
        secrets += [signed, signed.partition(".")[0]]
    for secret in secrets:
        assert secret not in log
        assert secret not in unquote(log)
    assert json_lines(log)
    assert '"path": "/auth/reset/\\u2026"' in log


def test_a_mistake_of_ours_shows_an_id_and_keeps_the_rest_to_the_log(production: Serving) -> None:
    answer = production.post("/broken?password=x", {})
    assert answer.status == 500
    request_id = answer.headers["X-Request-ID"]
    assert f"<code>{request_id}</code>" in answer.text
    assert "That was our mistake" in answer.text
    for leak in ("Traceback", "RuntimeError", "canary-in-the-error", ".py", "uvicorn", "FastAPI"):
        assert leak not in answer.text
        assert leak not in str(answer.headers)
    assert access(production, answer)["status"] == 500
    [told] = [line for line in json_lines(production.log) if "canary-in-the-error" in str(line)][
        -1:
    ]
    assert told["request_id"] == request_id
    assert told["level"] == "error"
    assert "RuntimeError: canary-in-the-error" in told["exception"]


FORGERY = '"}\r\n{"level": "info", "message": "forged", "path": "'


@pytest.mark.parametrize("escaped", [True, False])
def test_no_line_of_the_log_can_be_forged(production: Serving, escaped: bool) -> None:
    before = len(production.log.splitlines())
    paths = ["/%1b[31mred", "/%0d%0aforged", "/%e2%80%a8%c2%85", "/%00", "/" + quoted(FORGERY)]
    if not escaped:
        paths = ["/\x1b[31mred", "/\u2028", "/\x85", '/"forged']
    for path in paths:
        head = f"GET {path} HTTP/1.1\r\nHost: blog\r\nUser-Agent: \x1b[2J{path}\r\n"
        head += "Referer: \x9b31m\r\nConnection: close\r\n\r\n"
        with production.connect(head.encode("latin-1", "replace")) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 4")
    wait_until(lambda: len(production.log.split("\n")[before:-1]) >= len(paths))
    lines = production.log.split("\n")[before:-1]
    assert len(lines) == len(paths)
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["message"] != "forged"


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def test_those_who_want_to_hear_of_each_request_do_and_cannot_spoil_it(
    blog: Blog, stranger: Person
) -> None:
    heard: list[tuple[str, str, int]] = []

    def fail(*_: Any) -> None:
        raise RuntimeError

    def hear(scope: Any, status: int) -> None:
        heard.append((scope["method"], scope["path"], status))

    blog.app.state.seen += [fail, hear]
    try:
        stranger.get("/?before=")
        stranger.client.head("/no/such")
        wait_until(lambda: len(heard) == 2)
    finally:
        for each in (fail, hear):
            blog.app.state.seen.remove(each)
    assert heard == [("GET", "/", 200), ("HEAD", "/no/such", 404)]


def test_in_development_a_line_is_short_and_readable(tmp_path: Path) -> None:
    with serving(tmp_path, ready="") as server:
        server.wait_for("/healthz")
        server.get("/")
        server.get("/%1b[31mred%0a12:00:00%20%20200%20%20GET%20%20/forged")
        server.get("/auth/reset/" + CANARIES["token"])
        server.stop()
        log = server.log
    banner, *lines = log.splitlines()
    assert banner == f"Inkstand is at {server.url} (stop it with Ctrl-C)"
    assert len(lines) == 4
    for line in lines:
        assert re.fullmatch(r"\d\d:\d\d:\d\d  \d{3}  GET  /\S*(  \S+)*  \d+ ms", line), line
        assert line.isprintable()
    assert "/\\x1b[31mred\\x0a12:00:00" in lines[2]
    assert CANARIES["token"] not in log
