"""Posts: the same services as for the pages, and the same rules of who may see and change what."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import auth_service
from api_dependencies import CurrentPrincipal, OptionalPrincipal, api_guarded, api_public
from auth_dependencies import LoginRequired
from auth_providers import Principal
from database import Db, release
from errors import Forbidden, Invalid, Moved, NotFound
from models import Post, User
from routers.api import post_shapes as shapes
from routers.api.links import linked
from routers.api.loading import OwnPost
from services import desk, posts, reading, streams, tags, texts, trash, writing
from services.permissions import READ, WRITE, can_edit
from web.json_bodies import body_of, checked

readable = api_public("/posts", "Posts")
router = api_guarded("/posts", "Posts", WRITE)

TEXT = {"title": "Ropes", "content": "Four *ropes* hold a boat."}
Written = Annotated[
    shapes.NewPost, Depends(body_of(shapes.NewPost, **TEXT, tags=["harbour"], action="draft"))
]
Replaced = Annotated[shapes.WholePost, Depends(body_of(shapes.WholePost, **TEXT, version=1))]
Changed = Annotated[shapes.Change, Depends(body_of(shapes.Change, version=1, action="publish"))]
Cursor = Annotated[str, Query(max_length=64)]
Name = Annotated[str, Query(max_length=120)]


@readable.get("", name="api.posts.index", summary="List posts")
def index(
    request: Request,
    response: Response,
    principal: OptionalPrincipal,
    db: Db,
    author: Name = "",
    tag: Name = "",
    state: Literal["published", "draft"] = "published",
    before: Cursor = "",
    after: Cursor = "",
) -> shapes.Posts:
    """Published posts, 20 at a time: all of them, or those of an `author`, or those with a `tag`.

    `author=me` is you. `author=me&state=draft` are your drafts, scheduled posts and staged changes,
    the one touched last first; that needs `posts:read`.
    """
    if author and tag:
        raise Invalid({"tag": "Either an author or a tag, please."})
    if state == "draft":
        return drafts(request, response, principal, db, author, before, after)
    if author:
        stream = streams.by_author(db, person(db, principal, author), before, after)
    elif tag:
        stream = streams.by_tag(db, tags.find(db, tag.lower()), before, after)
        if not stream.entries:
            raise NotFound  # a tag that only drafts carry would give them away
    else:
        stream = streams.latest(db, before, after)
    return listed(request, response, stream)


@readable.get("/{slug}", name="api.posts.show", summary="Read a post", response_model=shapes.Post)
def show(
    request: Request, slug: str, principal: OptionalPrincipal, db: Db
) -> shapes.Post | RedirectResponse:
    """A published post; or a draft, if you may see it. An old address leads to the newest."""
    reader = (principal.user, principal.scopes) if principal else (None, None)
    try:
        shown = posts.show(db, slug, *reader)
    except Moved as moved:
        return RedirectResponse(f"/api/v1/posts/{moved.slug}", 301)
    if reading.is_outdated(shown.post):
        release(db)
    return answer(request, shown, principal)


@router.post("", name="api.posts.create", summary="Write a post", status_code=201)
def create(
    request: Request,
    response: Response,
    principal: CurrentPrincipal,
    sent: Written,
    db: Db,
) -> shapes.Post:
    """Published at once or at a time of its own, or kept as a draft."""
    new = checked(texts.NewPost, sent.fields())
    release(db)  # rendering may take a second: hold nothing meanwhile
    columns = texts.rendered(new)
    zone = request.app.state.settings.zone
    post = writing.create(db, principal.user, new, columns, zone=zone, scopes=principal.scopes)
    response.headers["Location"] = f"/api/v1/posts/{post.slug}"
    return answer(request, posts.page_of(db, post), principal)


@router.put("/{slug}", name="api.posts.replace", summary="Replace the text of a post")
def replace(
    request: Request,
    principal: CurrentPrincipal,
    post: OwnPost,
    sent: Replaced,
    db: Db,
) -> shapes.Post:
    """409 if the post was changed since `version`; nothing is overwritten then."""
    return edit(request, principal, post, checked(texts.PostEdit, sent.fields()), db)


@router.patch("/{slug}", name="api.posts.update", summary="Change a post")
def update(
    request: Request,
    principal: CurrentPrincipal,
    post: OwnPost,
    sent: Changed,
    db: Db,
) -> shapes.Post:
    """Changes what you send. 409 if the post was changed since `version`."""
    fields = posts.text_of(db, post) | sent.fields()
    return edit(request, principal, post, checked(texts.PostEdit, fields), db)


@router.delete("/{slug}", name="api.posts.destroy", summary="Delete a post", status_code=204)
def destroy(post: OwnPost, db: Db) -> None:
    """Into the trash; it can be restored from there on the site."""
    trash.throw_away(db, post)


def edit(
    request: Request, principal: Principal, post: Post, change: texts.PostEdit, db: Db
) -> shapes.Post:
    release(db)
    columns = texts.rendered(change) if writing.is_rendered_by(change, post) else None
    zone = request.app.state.settings.zone
    stored, scopes = posts.get(db, post.id), principal.scopes
    post = writing.edit(db, stored, change, principal.user, columns, zone=zone, scopes=scopes)
    return answer(request, posts.page_of(db, post), principal)


def answer(request: Request, page: posts.Page, principal: Principal | None) -> shapes.Post:
    may = principal is not None and can_edit(principal.user, page.post, principal.scopes)
    settings = request.app.state.settings
    html = reading.html_of(page.post, page.author, settings)
    return shapes.whole(page, html, settings.link_base, can_edit=may)


def drafts(
    request: Request,
    response: Response,
    principal: Principal | None,
    db: Db,
    author: str,
    before: str,
    after: str,
) -> shapes.Posts:
    if author != "me":
        raise Invalid({"author": "Only your own drafts can be listed: author=me."})
    if principal is None:
        raise LoginRequired
    if not principal.has_scopes(READ):
        raise Forbidden(f"This needs {READ}.")
    shelf = desk.drafts(db, principal.user, before, after)
    carried = tags.of_posts(db, (post.id for post in shelf.posts))
    base = request.app.state.settings.link_base
    items = [shapes.of_draft(each, principal.user, carried[each.id], base) for each in shelf.posts]
    links = links_of(request, response, shelf.older, shelf.newer)
    return shapes.Posts(items=items, **links)


def person(db: Db, principal: Principal | None, name: str) -> User:
    """Whose posts are wanted."""
    if name == "me":
        if principal is None:
            raise LoginRequired
        return principal.user
    found = auth_service.find_by_username(db, name.lower())
    if found is None:
        raise NotFound
    return found


def listed(request: Request, response: Response, stream: streams.Stream) -> shapes.Posts:
    base = request.app.state.settings.link_base
    items = [shapes.of_entry(entry, base) for entry in stream.entries]
    links = links_of(request, response, stream.older, stream.newer)
    return shapes.Posts(items=items, **links)


def links_of(
    request: Request, response: Response, older: str | None, newer: str | None
) -> dict[str, str]:
    asked = {k: v for k, v in request.query_params.items() if k in ("author", "tag", "state")}
    return linked(response, "/api/v1/posts", asked, older, newer)
