"""The tags of the blog: an index, the posts with one, and their names."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, OptionalUser, get_user_from_session, guarded, public
from database import Db, release
from errors import NotFound
from languages import _
from services import heads, streams, tag_index, tag_names, tags
from services.permissions import EDIT_ANY, has_scopes
from web.forms import Form, form_of
from web.templating import page, public_page, redirect

readable = public("/tags", Depends(get_user_from_session))
router = guarded("/tags", EDIT_ANY)

Cursor = Annotated[str, Query(max_length=140)]
NewName = Annotated[Form[tag_names.NewName], Depends(form_of(tag_names.NewName))]


@readable.get("", name="tags.index")
def index(
    request: Request,
    db: Db,
    by: tag_index.Order = "name",
    after: Cursor = "",
    before: Cursor = "",
) -> Response:
    listing = tag_index.page(db, by, after, before)
    order = {"by": by} if by != "name" else {}
    head = heads.of_listing(request.app.state.site.now(), "/tags", listing, before, after, **order)
    return public_page(
        request, "tags/index.html", differs_for=(), listing=listing, by=by, head=head
    )


@readable.get("/{tag}", name="tags.show")
def show(
    request: Request,
    tag: str,
    user: OptionalUser,
    db: Db,
    before: Cursor = "",
    after: Cursor = "",
) -> Response:
    found = tags.find(db, tag.lower())
    stream = streams.by_tag(db, found, before, after, request.app.state.site.now().per_page)
    if not stream.entries:
        raise NotFound  # a tag that only drafts carry would give them away
    if tag != found.slug:
        return redirect(request, "tags.show", tag=found.slug, permanent=True)
    return public_page(
        request,
        "tags/show.html",
        differs_for=(),
        differs_for_scopes=[EDIT_ANY],
        tag=found,
        stream=stream,
        head=heads.of_tag(request.app.state.site.now(), found, stream, before, after),
        posts=tag_index.posts_with(db, found),
        can_edit=user is not None and has_scopes(user, EDIT_ANY),
    )


@router.get("/{tag}/edit", name="tags.edit")
def edit(request: Request, tag: str, db: Db) -> Response:
    found = tags.find(db, tag.lower())
    if tag != found.slug:
        return redirect(request, "tags.edit", tag=found.slug, permanent=True)
    form: Form[tag_names.NewName] = Form({"name": found.name})
    posts = tag_index.posts_with(db, found, drafts=True)
    return page(request, "tags/edit.html", tag=found, posts=posts, form=form)


@router.post("/{tag}", name="tags.update")
def update(request: Request, tag: str, user: CurrentUser, form: NewName, db: Db) -> Response:
    """A new name; if another tag has it, a question first: are the two to be one?"""
    found = tags.find(db, tag.lower())
    before, posts = found.name, tag_index.posts_with(db, found, drafts=True)
    try:
        with form.or_show("tags/edit.html", tag=found, posts=posts):
            changed = tag_names.change(db, found.slug, form.data, user)
    except tag_names.WouldMerge as question:
        release(db)
        return page(request, "tags/merge.html", status_code=409, question=question, form=form)
    name = "tags.show" if tag_index.posts_with(db, changed) else "tags.edit"
    say = _("“%(before)s” is “%(name)s” now.", before=before, name=changed.name)
    return redirect(request, name, tag=changed.slug, say=say)
