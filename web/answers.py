"""Answers that are made once and sent often. Our own: uvicorn checks, joins and writes the headers of
each answer anew, and its body after them; for a page from memory that takes longer than all the rest.

Where the server has the ASGI extension `WHOLE` (https://asgi.readthedocs.io/en/latest/extensions.html),
an answer goes to it in one message and from there in one piece: `{"type": WHOLE, "status": int,
"head": bytes, "body": bytes}`, with the headers in `head`, a line each, as they go out. Elsewhere
it goes out in the usual messages.

Such a server may also ask first: an application that has an attribute `ready` says by
`ready(scope)` what the answer is if nothing has to be waited for, and sees to all that belongs to
the request. Then no task is started for it, which takes half as long as the rest.
"""

from collections.abc import Callable

from starlette.types import Message, Scope, Send

Headers = list[tuple[bytes, bytes]]
Ready = Callable[[Scope], Message | None]
WHOLE = "inkstand.response.whole"


def nothing_ready(_: Scope) -> Message | None:
    return None


class Answer:
    """Nothing may change what is in it: many replies share it."""

    __slots__ = ("bodiless", "body", "start", "whole")

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        head = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        self.whole: Message = {"type": WHOLE, "status": status, "head": head, "body": body}
        self.bodiless: Message = self.whole | {"body": b""}
        self.start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": headers,
        }
        self.body: Message = {"type": "http.response.body", "body": body}

    async def send(self, scope: Scope, send: Send) -> None:
        """To a GET or HEAD request."""
        is_asked_for = scope["method"] != "HEAD"
        if WHOLE in scope.get("extensions", ()):
            return await send(self.whole if is_asked_for else self.bodiless)
        await send(self.start)
        return await send(self.body if is_asked_for else EMPTY)


EMPTY: Message = {"type": "http.response.body", "body": b""}
