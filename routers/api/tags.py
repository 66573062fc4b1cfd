"""The tags that readers meet."""

from pydantic import BaseModel

from api_dependencies import api_public
from database import Db
from services import streams

router = api_public("/tags", "Tags")


class CountedTag(BaseModel):
    """`posts` is how many published posts carry it."""

    slug: str
    name: str
    posts: int


class CountedTags(BaseModel):
    items: list[CountedTag]


@router.get("", name="api.tags.index", summary="List tags")
def index(db: Db) -> CountedTags:
    """The tags of published posts, by name; those on most posts if there are very many."""
    found = streams.tags_in_use(db)
    return CountedTags(
        items=[CountedTag(slug=tag.slug, name=tag.name, posts=count) for tag, count in found]
    )
