"""What posts look like as JSON, going out and coming in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

import models
from errors import Invalid
from models import Tag, User
from services import posts, streams, tags
from services.series import Place

Kind = Literal["post", "page"]


class Author(BaseModel):
    username: str
    display_name: str


class Summary(BaseModel):
    """A post as lists show it; `url` is its page."""

    id: UUID
    slug: str
    url: str
    title: str
    excerpt: str
    word_count: int
    tags: list[str]
    author: Author
    published_at: datetime | None


class Posts(BaseModel):
    """Up to 20, the newest first; `next` and `prev` are the pages beside this one."""

    items: list[Summary]
    next: str | None = None
    prev: str | None = None


class Working(BaseModel):
    """What only those see who may change a post.

    `version` comes with every change. `staged` is what was saved and is not public yet.
    `preview_url` is the secret link to it, if there is one.
    """

    version: int
    created_at: datetime
    updated_at: datetime
    staged: dict[str, str] | None
    preview_url: str | None


class InSeries(BaseModel):
    """`part` is its number among the `parts` that readers see; a draft has none."""

    slug: str
    title: str
    part: int | None
    parts: int


class Post(Summary):
    """`content` is Markdown, `html` what readers see; `working` is null for mere readers.

    A `page`, such as About, stands in no list.
    """

    kind: Kind
    series: InSeries | None
    state: Literal["draft", "scheduled", "published", "trashed"]
    content: str
    html: str
    working: Working | None


class Sent(BaseModel):
    def fields(self) -> dict[str, Any]:
        """What was sent, as the form has it. Raises Invalid for a tag that would become two."""
        sent = self.model_dump(exclude_unset=True)
        if any("," in tag for tag in sent.get("tags", ())):
            raise Invalid({"tags": "A tag cannot have a comma in it."})
        return sent | ({"tags": ", ".join(sent["tags"])} if "tags" in sent else {})


# RFC 3339; without an offset it is a time where the blog is at home.
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
TagNames = Annotated[list[str], Field(max_length=tags.MOST)]


class NewPost(Sent):
    """With the same `idempotency_key` again, it is the same post again. `publish_at` is for
    "schedule"."""

    title: str
    content: str
    tags: TagNames = []
    slug: str = ""
    series: str | None = None
    kind: Kind | None = None
    action: Literal["publish", "draft", "schedule"] = "publish"
    publish_at: Time = ""
    idempotency_key: str = ""


class WholePost(Sent):
    """`version` is the one that you have read. Saving a published post changes nothing public.

    `series` is the title of one, "" is none; left out or null, it stays, as does `kind`.
    """

    version: int
    title: str
    content: str
    tags: TagNames = []
    slug: str = ""
    series: str | None = None
    kind: Kind | None = None
    action: Literal["save", "publish", "schedule", "unpublish"] = "save"
    publish_at: Time = ""


class Change(Sent):
    """The same; what is left out stays as it is."""

    version: int
    title: str = ""
    content: str = ""
    tags: TagNames = []
    slug: str = ""
    series: str | None = None
    kind: Kind | None = None
    action: Literal["save", "publish", "schedule", "unpublish"] = "save"
    publish_at: Time = ""


def of_entry(entry: streams.Entry, base: str) -> Summary:
    author = Author(username=entry.username, display_name=entry.author)
    return Summary(**shared(entry, base), author=author, tags=names(entry.tags))


def of_draft(post: models.Post, author: User, carried: list[Tag], base: str) -> Summary:
    return Summary(**shared(post, base), author=of_person(author), tags=names(carried))


def whole(page: posts.Page, html: str, base: str, *, can_edit: bool) -> Post:
    post = page.post
    return Post(
        **shared(post, base),
        author=of_person(page.author),
        tags=names(page.tags),
        kind="page" if post.is_page else "post",
        series=in_series(page.series),
        state=post.state,
        content=post.content,
        html=html,
        working=working(post, base) if can_edit else None,
    )


def working(post: models.Post, base: str) -> Working:
    token = post.preview_token
    url = f"{base}/preview/{token}" if token else None
    return Working(**post.model_dump(), preview_url=url)


def shared(post: models.Post | streams.Entry, base: str) -> dict[str, Any]:
    columns = ("id", "slug", "title", "excerpt", "word_count", "published_at")
    return {name: getattr(post, name) for name in columns} | {"url": f"{base}{post.path}"}


def in_series(place: Place | None) -> InSeries | None:
    if place is None:
        return None
    return InSeries(slug=place.slug, title=place.title, part=place.number, parts=place.total)


def of_person(user: User) -> Author:
    return Author(username=user.username, display_name=user.display_name)


def names(carried: Iterable[Tag | streams.Label]) -> list[str]:
    return [tag.name for tag in carried]
