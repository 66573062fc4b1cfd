"""WebSockets of people who are logged in: what their routes declare."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from auth_providers import SESSION, Principal, authenticate
from backends import Unavailable
from errors import BadCredentials
from live_watch import Watch
from services import jwts
from web.live import LONGEST, Holder, LiveSocket, Refused
from web.sessions import SessionView


@dataclass(frozen=True)
class Here:
    """Who opens a WebSocket, and how they are known; `session` is for reading only."""

    principal: Principal
    session: SessionView
    heard: int  # by the watch, before any of this was looked up


async def websocket_user(websocket: WebSocket) -> Here | None:
    """Who is at the other end, by any provider of the chain; None for a stranger.

    Raises:
        Refused: a token that is not good, or logins cannot be looked up at the moment.
    """
    watch: Watch = websocket.app.state.watch
    heard = watch.heard
    session = SessionView.of(websocket.state.session)
    try:
        principal = await run_in_threadpool(watch.read, lambda db: authenticate(websocket, db))
    except BadCredentials as error:
        raise Refused(403, str(error)) from None
    except (SQLAlchemyError, Unavailable):
        raise Refused(503) from None
    if principal is None and session.is_unavailable:
        raise Refused(503)
    return Here(principal, session, heard) if principal else None


async def ws_login_required(here: Annotated[Here | None, Depends(websocket_user)]) -> Here:
    """Who is at the other end. Raises Refused, which answers the handshake with 403."""
    if here is None:
        raise Refused(403, "Please log in first.")
    return here


def ws_requires(*scopes: str) -> Callable[..., AsyncIterator[LiveSocket]]:
    """A dependency: the WebSocket, not accepted yet, of somebody who has all of these scopes.

    While it is open it is watched: it is closed with 4401 when the login or token ends, and with
    4403 when the person loses a scope. Raises Refused.
    """

    async def watched(
        websocket: WebSocket, here: Annotated[Here, Depends(ws_login_required)]
    ) -> AsyncIterator[LiveSocket]:
        if not here.principal.has_scopes(*scopes):
            raise Refused(403, "Your account may not do that here.")
        watch: Watch = websocket.app.state.watch
        holder, held = holder_of(here.principal), here.principal.scopes
        socket = LiveSocket(websocket, holder, held, needs=frozenset(scopes))
        with watch.sockets.holding(socket):
            watch.catch_up(socket, here.heard)
            yield socket

    return watched


def holder_of(principal: Principal) -> Holder:
    """Whose socket it is. One by a token lasts as long as the shortest of them, and its scopes
    never grow."""
    by_session = principal.by == SESSION
    return Holder(
        user=str(principal.user.id),
        key=(principal.by, str(principal.id or principal.user.id)),
        limit=None if by_session else principal.scopes,
        lasts=LONGEST if by_session else jwts.LASTS,
    )
