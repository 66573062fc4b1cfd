"""Two texts of one post, side by side: what differs, and a choice between them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import writing
from database import Db, release
from models import Post, User
from services import autosaves, comparing, elsewhere, posts
from services.diffs import Line
from services.typed import Typed
from web.forms import Form
from web.templating import page


def conflict(request: Request, post_id: UUID, form: Form[Any], user: User, db: Db) -> Response:
    """Both texts and what differs: nothing was overwritten, and the person decides.

    Until then the refused text is an autosave, so that it outlives this page too.
    """
    release(db)
    with writing(request) as apart:
        autosaves.keep(apart, post_id, user, Typed.of(form.data))
        post = posts.get(apart, post_id)
        theirs = posts.text_of(apart, post)
        saved_by, saved_at = elsewhere.last_save(apart, post)
    form.values["version"] = str(post.version)
    if form.value("action") == "draft":  # what a new post calls it
        form.values["action"] = "save"
    return page(
        request,
        "posts/conflict.html",
        status_code=409,
        post=post,
        form=form,
        theirs=theirs,
        saved_by=saved_by,
        saved_at=saved_at or post.updated_at,
        is_own=saved_by is None or saved_by.id == user.id,
        difference=comparing.difference(theirs, about(form.values, theirs)),
    )


@dataclass(frozen=True)
class Unsaved:
    """What stands in the form though nobody has saved it: since when, and what is new in it."""

    typed_at: datetime
    was_saved: bool  # is there anything else to go back to
    is_behind: bool
    difference: list[Line]


def with_unsaved(form: Form[Any], post: Post, user: User, db: Db) -> Unsaved | None:
    """Put what this person typed last into the form, under the version that they began with."""
    found = autosaves.find(db, post, user)
    if found is None:
        return None
    was_saved = elsewhere.first_save(db, post) is not None
    stored = dict(form.values)
    release(db)
    changed = comparing.difference(stored, about(found.text, stored)) if was_saved else []
    form.values |= found.text
    form.values |= {"version": str(found.base_version), "seen": autosaves.stamp(found)}
    return Unsaved(found.saved_at, was_saved, found.base_version < post.version, changed)


def about(typed: dict[str, str], stored: dict[str, str]) -> dict[str, str]:
    """An address that was left empty is the one that the post has."""
    return {**typed, "slug": typed.get("slug") or stored["slug"]}
