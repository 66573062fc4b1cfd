"""One line for each request, and an id for it that the person can name to us."""

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.headers import RESPONSE_STARTS, state

log = logging.getLogger("inkstand.access")

# Addresses that are secrets in themselves are logged without what makes them so.
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

    def __init__(self, app: ASGIApp, seen: Sequence[Seen] = ()) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        request_id = state(scope)["request_id"] = secrets.token_hex(8)
        started_at = time.perf_counter()
        status, size = 500, 0

        async def sending(message: Message) -> None:
            nonlocal status, size
            if message["type"] in RESPONSE_STARTS:
                status = message["status"]
                MutableHeaders(raw=message["headers"])["X-Request-ID"] = request_id
            elif message["type"] == "websocket.accept":
                status = 101
                self.write(scope, status, started_at, size)
            else:
                size += len(message.get("body", b""))
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
        if not log.isEnabledFor(logging.INFO):
            return
        client = scope.get("client")
        fields = {
            "method": scope.get("method", "GET"),
            "path": shown_path(scope["path"]),
            "status": status,
            "ms": round((time.perf_counter() - started_at) * 1000, 1),
            "bytes": size,
            "client": client[0] if client else None,
            "user": state(scope).get("user_id"),
            "request_id": state(scope)["request_id"],
        }
        log.info("request", extra={"fields": fields})


class JsonLines(logging.Formatter):
    """One JSON object a line: control characters in it are escaped, so no line can be forged."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

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
        fields = getattr(record, "fields", {})
        if "status" in fields:
            text = "{status}  {method:<4} {path}  {ms:.0f} ms".format(**fields)
        else:
            text = f"{record.levelname.lower()}: {record.getMessage()}"
        text = CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
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
    logging.getLogger("uvicorn.access").disabled = True  # ours says the same, and more
