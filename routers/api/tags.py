"""The tags that readers meet."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api_dependencies import api_public
from database import Db
from services import tag_index

router = api_public("/tags", "Tags")

Cursor = Annotated[str, Query(max_length=140)]


class CountedTag(BaseModel):
    """`posts` is how many published posts carry it."""

    slug: str
    name: str
    posts: int


class CountedTags(BaseModel):
    """Up to 500; `next` and `prev` are the pages beside this one."""

    items: list[CountedTag]
    next: str | None = None
    prev: str | None = None


@router.get("", name="api.tags.index", summary="List tags")
def index(
    response: Response,
    db: Db,
    by: tag_index.Order = "name",
    after: Cursor = "",
    before: Cursor = "",
) -> CountedTags:
    """The tags of published posts, by name or those on most posts first (`by=use`)."""
    found = tag_index.page(db, by, after, before)
    asked: dict[str, Any] = {"by": by} if by != "name" else {}
    places = {"next": ("after", found.after), "prev": ("before", found.before)}
    links = {
        rel: f"/api/v1/tags?{urlencode(asked | {name: cursor})}"
        for rel, (name, cursor) in places.items()
        if cursor
    }
    if links:
        response.headers["Link"] = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items())
    items = [CountedTag.model_validate(row._asdict()) for row in found.items]
    return CountedTags(items=items, **links)
