"""The front page, and the list of an author's posts. All public."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import get_user_from_session, public
from database import Db
from routers.loading import author_named
from services import heads, streams
from services.permissions import WRITE
from web.templating import public_page, redirect

router = public("", Depends(get_user_from_session))

Cursor = Annotated[str, Query(max_length=64)]


@router.get("/", name="home")
@router.get("/posts", name="posts.index")
def index(request: Request, db: Db, before: Cursor = "", after: Cursor = "") -> Response:
    site = request.app.state.site.now()
    stream = streams.front_page(db, before, after, site.per_page)
    head = heads.of_home(site, stream, before, after)
    # An empty blog invites those who write.
    writers = () if stream.entries or stream.pinned else (WRITE,)
    return public_page(
        request,
        "posts/index.html",
        differs_for=(),
        differs_for_scopes=writers,
        stream=stream,
        head=head,
    )


@router.get("/users/{username}", name="users.show")
def author(
    request: Request, username: str, db: Db, before: Cursor = "", after: Cursor = ""
) -> Response:
    found = author_named(db, username)
    if username != found.username:
        return redirect(request, "users.show", username=found.username, permanent=True)
    site = request.app.state.site.now()
    stream = streams.by_author(db, found, before, after, site.per_page)
    head = heads.of_author(site, found, stream, before, after)
    return public_page(
        request, "users/show.html", differs_for=[found.id], author=found, stream=stream, head=head
    )
