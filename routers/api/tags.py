"""The tags that readers meet."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api_dependencies import api_public
from database import Db
from routers.api.links import linked
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
    asked: dict[str, str] = {"by": by} if by != "name" else {}
    links = linked(
        response, "/api/v1/tags", asked, found.after, found.before, names=("after", "before")
    )
    items = [CountedTag.model_validate(row._asdict()) for row in found.items]
    return CountedTags(items=items, **links)
