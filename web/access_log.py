"""One line for each request, and an id for it that the person can name to us."""

import json
import logging
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import getrandbits
from time import gmtime, localtime, perf_counter, strftime, time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answers import WHOLE, Ready, nothing_ready
from web.headers import RESPONSE_STARTS, state
from web.log_lines import Lines

log = logging.getLogger("inkstand.access")

# Addresses that are secrets in themselves are logged without what makes them so.
WITH_SECRETS = ("/auth/", "/preview/")
SECRET_PATHS = re.compile(r"^(/auth/(?:reset|verify|invite)|/preview)/[^/]+")


def shown_path(path: str) -> str:
    """The same path without what makes it a secret."""
    return SECRET_PATHS.sub(r"\1/…", path)


Seen = Callable[[Scope, int], None]
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class AccessLog:
    """The outermost layer: it sees every request, and the status that really went out.

    A WebSocket has its line as soon as it is open (101) or refused. Each of `seen` is called at the
    end of an HTTP request, with its scope and status; in the event loop, so it must not wait.
    """

    def __init__(
        self, app: ASGIApp, seen: Sequence[Seen] = (), ready: Ready = nothing_ready
    ) -> None:
        self.app = app
        self.seen = seen
        self.inside_ready = ready

    def ready(self, scope: Scope) -> Message | None:
        started_at = perf_counter()
        message = self.inside_ready(scope)
        if message is not None:
            message = with_id(message, new_id(scope))
            status = message["status"]
            self.write(scope, status, started_at, len(message["body"]))
            self.tell(scope, status)
        return message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        request_id = new_id(scope)
        started_at = perf_counter()
        status, size = 500, 0

        async def sending(message: Message) -> None:
            nonlocal status, size
            kind = message["type"]
            if kind == "http.response.body":
                size += len(message.get("body", b""))
            elif kind == WHOLE:
                status, size = message["status"], len(message["body"])
                message = with_id(message, request_id)
            elif kind in RESPONSE_STARTS:
                status = message["status"]
                # A new list: that of a page in memory belongs to many replies.
                said = (b"x-request-id", request_id.encode())
                message = {**message, "headers": [*message["headers"], said]}
            elif kind == "websocket.accept":
                status = 101
                self.write(scope, status, started_at, size)
            await send(message)

        try:
            return await self.app(scope, receive, sending)
        finally:
            if status != 101:
                self.write(scope, status, started_at, size)
            if scope["type"] == "http":
                self.tell(scope, status)

    def tell(self, scope: Scope, status: int) -> None:
        for each in self.seen:
            try:
                each(scope, status)
            except Exception:
                log.exception("nobody could be told of a request")

    def write(self, scope: Scope, status: int, started_at: float, size: int) -> None:
        if output.lines is not None:
            milliseconds = (perf_counter() - started_at) * 1000
            output.lines.write(output.line(scope, status, milliseconds, size))


def new_id(scope: Scope) -> str:
    found = state(scope)["request_id"] = f"{getrandbits(64):016x}"
    return found


def with_id(whole: Message, request_id: str) -> Message:
    """Another message: that of a page in memory belongs to many replies."""
    return {**whole, "head": b"%bx-request-id: %b\r\n" % (whole["head"], request_id.encode())}


Line = Callable[[Scope, int, float, int], str]


class Output:
    """Where the lines of this process go, and what they look like."""

    lines: Lines | None = None
    line: Line


output = Output()
quoted = json.encoder.encode_basestring_ascii


def path_of(scope: Scope) -> str:
    path: str = scope["path"]
    return shown_path(path) if path.startswith(WITH_SECRETS) else path


def json_line(scope: Scope, status: int, milliseconds: float, size: int) -> str:
    """As `JsonLines` would write it: it is the same JSON, made by hand."""
    moment, client, known = time(), scope.get("client"), scope["state"]
    user = known.get("user_id")
    return (
        f'{{"time": "{second(int(moment))}.{int(moment * 1000) % 1000:03}Z", "level": "info", '
        f'"logger": "inkstand.access", "message": "request", '
        f'"method": {quoted(scope.get("method", "GET"))}, "path": {quoted(path_of(scope))}, '
        f'"status": {status}, "ms": {milliseconds:.1f}, "bytes": {size}, '
        f'"client": {quoted(client[0]) if client else "null"}, '
        f'"user": {quoted(str(user)) if user else "null"}, '
        f'"request_id": "{known["request_id"]}"}}'
    )


def short_line(scope: Scope, status: int, milliseconds: float, _: int) -> str:
    """For people at a terminal."""
    method = scope.get("method", "GET")
    text = f"{status}  {method:<4} {path_of(scope)}  {milliseconds:.0f} ms"
    return f"{clock(int(time()))}  {printable(text)}"


@lru_cache(maxsize=1)
def second(number: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(number))


@lru_cache(maxsize=1)
def clock(number: int) -> str:
    return strftime("%H:%M:%S", localtime(number))


def printable(text: str) -> str:
    if text.isprintable():
        return text
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


class JsonLines(logging.Formatter):
    """One JSON object a line: control characters in it are escaped, so no line can be forged."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = gmtime

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class ShortLines(logging.Formatter):
    """For people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        moment = self.formatTime(record, "%H:%M:%S")
        text = printable(f"{record.levelname.lower()}: {record.getMessage()}")
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return f"{moment}  {text}"


def set_up_logging(in_production: bool) -> None:
    """Everything to standard output: JSON lines in production, short lines in development."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if in_production else ShortLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("inkstand").setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)
    output.lines = output.lines or Lines(sys.stdout)
    output.line = staticmethod(json_line if in_production else short_line)
    logging.getLogger("uvicorn.access").disabled = True  # ours says the same, and more
