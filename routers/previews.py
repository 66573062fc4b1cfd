"""What a text will look like: beside the editor, over a WebSocket or by a form."""

import asyncio
import logging
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from auth_dependencies import CurrentUser, guarded
from database import Db, release
from languages import _
from live_dependencies import ws_login_required, ws_requires
from models import User
from routers.loading import find_own
from services import previews
from services.permissions import WRITE, is_stranger, is_stranger_with
from settings import Settings
from web.forms import Form, form_of
from web.live import FAULT, MESSAGE_TOO_BIG, TRY_AGAIN_LATER, LiveSocket
from web.templating import page

router = guarded("/preview", WRITE)
live = APIRouter(prefix="/live", dependencies=[Depends(ws_login_required)])

log = logging.getLogger("inkstand.previews")
Desk = Annotated[LiveSocket, Depends(ws_requires(WRITE))]


def short_enough(text: str) -> str:
    if len(text.encode()) > previews.MOST_BYTES:
        raise ValueError(
            _("At most %(most)s KB of text, please.", most=previews.MOST_BYTES // 1024)
        )
    return text


class Draft(BaseModel):
    """May be empty, unlike what is stored."""

    content: Annotated[str, AfterValidator(short_enough)]


DraftForm = Annotated[Form[Draft], Depends(form_of(Draft))]


@router.post("", name="previews.create")
def create(
    request: Request, user: CurrentUser, form: DraftForm, db: Db, post: UUID | None = None
) -> Response:
    """The HTML of a text; for a browser that goes there, the editor again, with the page beside it.

    `post` is the id of the post that is being edited.
    """
    template, context = desk_of(user, db, post)
    release(db)
    with form.or_show(template, **context):
        request.app.state.previews.take_form(str(user.id))
        html = previews.render(form.data.content, is_stranger(user, request.app.state.settings))
    if is_navigation(request):
        return page(request, template, form=form, preview=html, **context)
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def desk_of(user: User, db: Db, post_id: UUID | None) -> tuple[str, dict[str, Any]]:
    """The page on which it is written, and what that needs beside the form."""
    if post_id is None:
        return "posts/new.html", {}
    return "posts/edit.html", {"post": find_own(db, str(post_id), user)}


def is_navigation(request: Request) -> bool:
    """Whether the answer becomes a page of its own; older browsers tell only by what they accept."""
    dest = request.headers.get("sec-fetch-dest")
    accepts = request.headers.get("accept", "")
    return dest == "document" if dest else accepts.startswith("text/html")


@live.websocket("/preview", name="live.preview")
async def follow(socket: Desk) -> None:
    """Texts come, and the HTML of the newest goes back."""
    room: previews.Previews = socket.websocket.app.state.previews
    newest, person = previews.Newest(), socket.holder.user

    def hear(text: str) -> None:
        if len(text.encode()) > previews.MOST_BYTES:
            socket.close(MESSAGE_TOO_BIG, "This is too much text.")
        elif not room.take_frame(person):
            socket.close(TRY_AGAIN_LATER, "That was too often.")
        else:
            newest.put(text)

    showing = asyncio.create_task(show_newest(socket, newest, room))
    try:
        await socket.tell(hear)
    finally:
        showing.cancel()


async def show_newest(socket: LiveSocket, newest: previews.Newest, room: previews.Previews) -> None:
    """Until cancelled. What nobody has read yet is not followed by more of it."""
    settings: Settings = socket.websocket.app.state.settings
    of_stranger = is_stranger_with(socket.scopes, settings)
    try:
        while True:
            await newest.is_new.wait()
            async with room.turn(socket.holder.user):
                socket.send(await room.rendered(newest.take(), of_stranger))
            await socket.unread.join()
    except Exception:
        log.exception("a preview failed")
        socket.close(FAULT, "Something went wrong here.")
