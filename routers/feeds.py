"""Feeds of the blog, of a tag and of an author, each in three formats."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import public
from database import Db, release
from errors import NotFound
from routers import feed_documents
from routers.loading import AtAnotherAddress, author_named
from services import feeds, streams, tags

router = public("")

Cursor = Annotated[str, Query(max_length=64)]


@router.get("/feed.xml", name="feeds.atom")
@router.get("/rss.xml", name="feeds.rss")
@router.get("/feed.json", name="feeds.json")
def of_blog(request: Request, db: Db, before: Cursor = "", after: Cursor = "") -> Response:
    feed = feeds.of_blog(db, request.app.state.settings, before, after)
    return answer(request, db, feed)


@router.get("/tags/{tag}/feed.xml", name="tags.atom")
@router.get("/tags/{tag}/rss.xml", name="tags.rss")
@router.get("/tags/{tag}/feed.json", name="tags.json")
def of_tag(request: Request, tag: str, db: Db, before: Cursor = "", after: Cursor = "") -> Response:
    found = tags.find(db, tag.lower())
    stream = streams.by_tag(db, found, before, after)
    if not stream.entries:
        raise NotFound  # a tag that only drafts carry would give them away
    if tag != found.slug:
        raise AtAnotherAddress(f"/tags/{found.slug}/{format_of(request)}")
    return answer(request, db, feeds.of_tag(db, request.app.state.settings, found, stream))


@router.get("/users/{username}/feed.xml", name="users.atom")
@router.get("/users/{username}/rss.xml", name="users.rss")
@router.get("/users/{username}/feed.json", name="users.json")
def of_author(
    request: Request, username: str, db: Db, before: Cursor = "", after: Cursor = ""
) -> Response:
    found = author_named(db, username)
    if username != found.username:
        raise AtAnotherAddress(f"/users/{found.username}/{format_of(request)}")
    feed = feeds.of_author(db, request.app.state.settings, found, before, after)
    return answer(request, db, feed)


def answer(request: Request, db: Db, feed: feeds.Feed) -> Response:
    release(db)
    return feed_documents.answer(request, feed, format_of(request))


def format_of(request: Request) -> str:
    """The last part of the path."""
    return str(request.scope["path"]).rpartition("/")[2]
