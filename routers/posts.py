"""Reading a post, and everything its author does with it."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, OptionalUser, guarded, public
from database import Db, release
from errors import StaleVersion
from languages import N_, _
from models import Post
from routers.conflicts import conflict, with_unsaved
from routers.loading import OwnPost, OwnTrashedPost
from routers.showing import show_to
from services import autosaves, comparing, desk, posts, suggestions, texts, trash, writing
from services.diffs import Line
from services.permissions import EDIT_ANY, WRITE, has_scopes
from web.forms import Form, form_of
from web.templating import page, redirect, redirect_to

readable = public()
router = guarded("", WRITE)

NewPost = Annotated[Form[texts.NewPost], Depends(form_of(texts.NewPost))]
Cursor = Annotated[str, Query(max_length=64)]
PostEdit = Annotated[Form[texts.PostEdit], Depends(form_of(texts.PostEdit))]


@router.get("/posts/new", name="posts.new")
def new(request: Request, user: CurrentUser, db: Db) -> Response:
    form: Form[texts.NewPost] = Form({"idempotency_key": texts.new_key(), "kind": "post"})
    return page(request, "posts/new.html", form=form, known=suggestions.of(db, user))


@router.post("/posts", name="posts.create")
def create(request: Request, user: CurrentUser, form: NewPost, db: Db) -> Response:
    try:
        with form.or_show("posts/new.html"):
            release(db)  # rendering may take a second: hold nothing meanwhile
            columns = texts.rendered(form.data)
            post = writing.create(db, user, form.data, columns, zone=zone_of(request))
    except StaleVersion as stale:  # this form has made a post before, and was changed since
        return conflict(request, stale.post_id, form, user, db)
    return after_writing(request, post, SAID_OF_NEW[post.state])


@readable.get("/posts/{slug}", name="posts.show")
def show(request: Request, slug: str, user: OptionalUser, db: Db) -> Response:
    can_pin = user is not None and has_scopes(user, EDIT_ANY)
    return show_to(request, slug, user, db, as_page=False, can_pin=can_pin)


@router.get("/posts/{slug}/edit", name="posts.edit")
def edit(request: Request, user: CurrentUser, post: OwnPost, db: Db) -> Response:
    form: Form[texts.PostEdit] = Form(posts.text_of(db, post) | {"version": str(post.version)})
    difference, known = staged_difference(post, db), suggestions.of(db, user)
    unsaved = with_unsaved(form, post, user, db)
    return page(
        request,
        "posts/edit.html",
        post=post,
        form=form,
        known=known,
        unsaved=unsaved,
        staged_difference=difference,
    )


@router.post("/posts/{slug}", name="posts.update")
def update(
    request: Request, user: CurrentUser, post: OwnTrashedPost, form: PostEdit, db: Db
) -> Response:
    was = post.state
    try:
        with form.or_show("posts/edit.html", post=post):
            release(db)
            change = form.data
            columns = texts.rendered(change) if writing.is_rendered_by(change, post) else None
            post = writing.edit(
                db, posts.get(db, post.id), change, user, columns, zone=zone_of(request)
            )
    except StaleVersion as stale:
        return conflict(request, stale.post_id, form, user, db)
    return after_writing(request, post, said(change.action, was, post))


@router.get("/posts/{slug}/delete", name="posts.delete")
def delete(request: Request, post: OwnPost) -> Response:
    return page(request, "posts/delete.html", post=post)


@router.post("/posts/{slug}/delete", name="posts.destroy")
def destroy(request: Request, post: OwnTrashedPost, db: Db) -> Response:
    trash.throw_away(db, post)
    return redirect(request, "trash.index", say=_("“%(title)s” is in the trash.", title=post.title))


@router.get("/drafts", name="drafts")
def drafts(
    request: Request, user: CurrentUser, db: Db, before: Cursor = "", after: Cursor = ""
) -> Response:
    shelf = desk.unfinished(db, user, before, after)
    unsaved = autosaves.titles(db, user, [post.id for post in shelf.posts])
    return page(request, "posts/drafts.html", shelf=shelf, unsaved=unsaved)


SAVED, PUBLISHED = N_("Draft saved."), N_("Published.")
SCHEDULED = N_("Scheduled. Readers cannot see it before.")
SAID_OF_NEW = {"draft": SAVED, "published": PUBLISHED, "scheduled": SCHEDULED}
# What was done, and what state the post was in before.
SAID = {
    ("save", "published"): N_("Saved. Readers see it once you update the post."),
    ("save", "scheduled"): N_("Saved for later. What you scheduled stays as it is."),
    ("publish", "published"): N_("Updated."),
    ("unpublish", "published"): N_("Unpublished. It is a draft again; readers cannot see it."),
    ("unpublish", "scheduled"): N_("It is a draft again, and not scheduled any more."),
}


def said(action: str, was: str, post: Post) -> str:
    if action == "save" and post.is_published and not post.staged:
        return _("Saved. It is what readers see already.")
    return SAID.get((action, was)) or SAID_OF_NEW[post.state]


def staged_difference(post: Post, db: Db) -> list[Line]:
    """What readers do not see yet."""
    if not post.staged:
        return []
    public, working = posts.public_text(db, post), posts.text_of(db, post)
    release(db)
    return comparing.difference(public, working)


def zone_of(request: Request) -> ZoneInfo:
    zone: ZoneInfo = request.app.state.settings.zone
    return zone


def after_writing(request: Request, post: Post, say: str) -> Response:
    """To the post if readers see what was written, else back to the desk."""
    if post.is_public and not post.staged:
        return redirect_to(request, post.path, say=say)
    return redirect(request, "posts.edit", slug=post.slug, say=say)
