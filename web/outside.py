"""FastAPI with layers around all of it. Our own: what it does itself for each request, before any
middleware, costs more than a page from memory."""

from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from web.answers import Ready, nothing_ready


class Application(FastAPI):
    """`outside` is what sees requests first; it ends in `inside`. For `ready` see answers.py."""

    outside: ASGIApp | None = None
    ready: Ready = staticmethod(nothing_ready)

    @property
    def inside(self) -> ASGIApp:
        return partial(FastAPI.__call__, self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.outside is None or scope["type"] == "lifespan":
            return await super().__call__(scope, receive, send)
        return await self.outside(scope, receive, send)
