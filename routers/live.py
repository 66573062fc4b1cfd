"""What happens, told while it happens: over WebSockets, which the script of a page may open."""

from typing import Annotated

from fastapi import APIRouter, Depends

from live_dependencies import ws_login_required, ws_requires
from web.live import LiveSocket

router = APIRouter(prefix="/live", dependencies=[Depends(ws_login_required)])

Dashboard = Annotated[LiveSocket, Depends(ws_requires())]


@router.websocket("/dashboard", name="live.dashboard")
async def dashboard(socket: Dashboard) -> None:
    """One's own security events, and for the owner what happens on the blog; see docs/api.md."""
    socket.send({"type": "ready"})
    await socket.tell()
