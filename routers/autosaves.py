"""What an open editor sends by itself while somebody types."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth_dependencies import CurrentUser, guarded
from backends.limits import take_one
from database import Db, release
from errors import Forbidden
from languages import N_, _
from models import User
from routers.loading import OwnPost, OwnTrashedPost
from services import autosaves, posts, writing
from services.permissions import WRITE
from services.typed import Typed, TypedNew
from web.json_bodies import body_of
from web.templating import redirect

router = guarded("/posts", WRITE)

Sent = Annotated[Typed, Depends(body_of(Typed))]
SentNew = Annotated[TypedNew, Depends(body_of(TypedNew))]


@router.put("/new/autosave", name="autosaves.create")
def create(request: Request, user: CurrentUser, typed: SentNew, db: Db) -> Response:
    """The first one makes a draft; 201 then. The key of the form leads to it ever after."""
    check(request, user, typed, db)
    post, is_new = writing.begin(db, user, typed.idempotency_key, typed.title)
    db.flush()
    return keep(db, post.id, user, typed, status=201 if is_new else 200)


@router.put("/{slug}/autosave", name="autosaves.update")
def update(
    request: Request, post: OwnTrashedPost, user: CurrentUser, typed: Sent, db: Db
) -> Response:
    """From the trash too: whoever threw it away may still have it open."""
    check(request, user, typed, db)
    return keep(db, post.id, user, typed)


@router.post("/{slug}/autosave/delete", name="autosaves.destroy")
def destroy(request: Request, post: OwnPost, user: CurrentUser, db: Db) -> Response:
    autosaves.discard(db, post.id, user)
    return redirect(request, "posts.edit", slug=post.slug, say=DISCARDED)


DISCARDED = N_("This is the saved text again. What you had not saved is among the revisions.")


def check(request: Request, user: User, typed: Typed, db: Db) -> None:
    """Raises Forbidden if the editor was opened by somebody else, and TooOften."""
    if typed.account and typed.account != str(user.id):
        raise Forbidden(_("Somebody else is logged in here now. Nothing was changed."))
    release(db)  # the counters may live in this database
    take_one(request.app.state.limits, autosaves.AUTOSAVES_OF_PERSON, str(user.id))


def keep(db: Db, post_id: UUID, user: User, typed: Typed, status: int = 200) -> Response:
    kept = autosaves.keep(db, post_id, user, typed)
    post = posts.get(db, post_id)
    answer = {
        "id": str(post.id),
        "slug": post.slug,
        "version": post.version,
        "base_version": kept.base_version,
        "saved_at": kept.saved_at.isoformat(),
        "elsewhere": bool(kept.notice),
        "notice": kept.notice,
    }
    return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})
