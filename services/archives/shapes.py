"""What stands in the files of an archive: the same shapes are written and read.

Names of keys are those of Hugo and Jekyll where they have one, so that other programs understand
the posts. What has its default is left out.
"""

from typing import Annotated, Any, Literal, Self, TypeVar, cast
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from sqlmodel import SQLModel

from errors import Invalid
from services import profiles
from services.archives.values import (
    Alias,
    Format,
    Moment,
    PictureName,
    PostSlug,
    Slug,
    TagName,
    TagNames,
    Username,
    feed_ids,
)
from services.credentials import email_address
from services.text import one_line, optional_line
from services.texts import LONGEST_SERIES, LONGEST_TITLE
from settings import Role

# Keys whose columns have other names.
COLUMNS = {
    "created": "created_at",
    "date": "published_at",
    "email_confirmed": "email_verified_at",
    "first_published": "first_published_at",
    "joined": "created_at",
    "lastmod": "updated_at",
    "page": "is_page",
    "part": "series_position",
    "pinned": "pinned_at",
    "revised": "revised_at",
    "source": "source_digest",
    "suspended": "disabled_at",
    "trashed": "trashed_at",
    "typed": "saved_at",
}


class Shape(BaseModel):
    @classmethod
    def of(cls, row: SQLModel, **others: Any) -> Self:
        """That of a row; `others` are what is no column of it."""
        names = cls.model_fields.keys() - others
        columns = {name: getattr(row, COLUMNS.get(name, name)) for name in names}
        # What is stored was checked before.
        return cast(Self, cls.model_construct(**columns, **others))

    def columns(self, *others: str) -> dict[str, Any]:
        """For a row, but for `others`."""
        names = [name for name in type(self).model_fields if name not in others]
        return {COLUMNS.get(name, name): getattr(self, name) for name in names}

    def about(self) -> dict[str, Any]:
        """For the file: keys with plain values."""
        return self.model_dump(mode="json", exclude_defaults=True)


FeedIds = Annotated[str, AfterValidator(feed_ids)]


class Manifest(Shape):
    """inkstand.yaml"""

    format: Format
    feed_ids: FeedIds = ""


class Author(Shape):
    """authors/<username>.yaml"""

    username: Username
    display_name: Annotated[str, one_line(profiles.LONGEST_NAME)]
    role: Role = Role.author
    bio: Annotated[str, optional_line(profiles.LONGEST_BIO)] = ""
    website: Annotated[
        str, optional_line(profiles.LONGEST_ADDRESS), AfterValidator(profiles.web_address)
    ] = ""
    email: Annotated[str, AfterValidator(email_address)] | None = None
    email_confirmed: Moment | None = None
    joined: Moment
    suspended: Moment | None = None


class Tag(Shape):
    """tags/<slug>.yaml"""

    name: TagName
    slug: Slug
    aliases: list[Slug] = []


class Series(Shape):
    """series/<slug>.yaml"""

    title: Annotated[str, one_line(LONGEST_SERIES)]
    slug: Slug
    author: Username
    description: Annotated[str, optional_line(500)] = ""
    created: Moment


class Picture(Shape):
    """media/<id>.yaml, beside media/<id>/<name>"""

    id: UUID
    name: PictureName
    owner: Username
    alt: Annotated[str, optional_line(500)] = ""
    caption: Annotated[str, optional_line(500)] = ""
    source: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created: Moment


class Gone(Shape):
    """gone/<slug>.yaml: what is left of a text that was deleted after it was public."""

    id: UUID
    slug: PostSlug
    author: Username
    page: bool = False
    aliases: list[Alias] = []
    date: Moment | None = None
    first_published: Moment | None = None
    created: Moment
    lastmod: Moment
    trashed: Moment


class Post(Shape):
    """What stands above posts/<slug>.md and pages/<slug>.md."""

    title: Annotated[str, one_line(LONGEST_TITLE)]
    id: UUID
    slug: PostSlug
    author: Username
    tags: TagNames = []
    series: Slug | None = None
    part: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    aliases: list[Alias] = []
    images: list[UUID] = []  # of other people, that an editor has put there
    draft: bool = False
    date: Moment | None = None
    first_published: Moment | None = None
    created: Moment
    lastmod: Moment
    revised: Moment | None = None
    pinned: Moment | None = None
    trashed: Moment | None = None


class Staged(Shape):
    """posts/<slug>.staged.md: what its author has changed and not yet made public. What is left
    out stays as it is."""

    title: Annotated[str, one_line(LONGEST_TITLE)]
    tags: TagNames = []
    slug: str = ""
    series: str | None = None
    kind: Literal["post", "page"] | None = None


class Unsaved(Shape):
    """posts/<slug>.unsaved.<username>.md: what somebody was typing. It is as they left it, half a
    line perhaps, and became nobody's text yet."""

    title: str = ""
    tags: str = ""
    slug: str | None = None
    series: str | None = None
    kind: str | None = None
    stale: bool = False  # somebody has saved the post since they began
    typed: Moment


ModelT = TypeVar("ModelT", bound=BaseModel)
ShapeT = TypeVar("ShapeT", bound=Shape)


def parsed(shape: type[ModelT], about: dict[str, Any]) -> ModelT:
    """Raises Invalid with a sentence for each key that is not as it should be."""
    try:
        return shape.model_validate(about)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid({key_of(each): sentence(each) for each in problems}) from None


def key_of(problem: Any) -> str:
    return str(problem["loc"][0])


def sentence(problem: Any) -> str:
    if problem["type"] == "missing":
        return "This is missing."
    return str(problem["msg"]).removeprefix("Value error, ")
