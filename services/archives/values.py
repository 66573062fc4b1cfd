"""Single values in the files of an archive: what each must be, exactly as it will be stored."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from services import media_names, slugs, tag_uris, tags, usernames

FORMAT = 1
LONGEST_SLUG = 120
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def known_format(value: int) -> int:
    if value != FORMAT:
        raise ValueError(f"This is format {value}; this version of Inkstand knows {FORMAT}.")
    return value


def feed_ids(value: str) -> str:
    """What the ids of entries in feeds begin with."""
    if value and not tag_uris.ENTITY.fullmatch(value):
        raise ValueError("It must be a domain and a day, as in blog.example,2026-03-01.")
    return value


def moment(value: datetime) -> datetime:
    """In UTC, and one that all lists can be sorted by."""
    if not 1970 < value.year < 9000:
        raise ValueError("Years between 1971 and 8999 are taken.")
    return value.astimezone(UTC)


def slug(value: str) -> str:
    """Exactly as it is in an address."""
    if not SLUG.fullmatch(value) or len(value) > LONGEST_SLUG:
        raise ValueError(f"“{value[:60]}” cannot be in an address.")
    return value


def free_slug(value: str) -> str:
    if value in slugs.RESERVED or slugs.UUID_SHAPE.fullmatch(value):
        raise ValueError(f"“{value}” cannot be the address of a post.")
    return slug(value)


def path_of(slug: str, is_page: bool) -> str:
    return f"/{slug}" if is_page else f"/posts/{slug}"


def slug_in(path: str) -> str:
    return path.rpartition("/")[2]


def alias(value: str) -> str:
    if value not in (path_of(slug_in(value), True), path_of(slug_in(value), False)):
        raise ValueError(f"“{value[:60]}” is no address like /posts/before.")
    free_slug(slug_in(value))
    return value


def username(value: str) -> str:
    """As it was when the account was made, whatever names have been reserved since."""
    if not usernames.SHAPE.fullmatch(value) or len(value) > usernames.LONGEST:
        raise ValueError(f"“{value[:60]}” cannot be the name of an account.")
    return value


def tag_name(value: str) -> str:
    if tags.check(value) != value or "," in value:
        raise ValueError(f"“{value[:60]}” cannot be a tag.")
    return value


def picture_name(value: str) -> str:
    is_one = media_names.picture_of(f"/media/{UUID(int=0)}/{value}") is not None
    if not is_one or len(value) > LONGEST_SLUG:
        raise ValueError("The name of an image ends in its size, as in sunset-1600x900.webp.")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(moment)]
Slug = Annotated[str, AfterValidator(slug)]
PostSlug = Annotated[str, AfterValidator(free_slug)]
Username = Annotated[str, AfterValidator(username)]
# An address that it had before, as Hugo has them: with the whole path.
Alias = Annotated[str, AfterValidator(alias)]
TagName = Annotated[str, AfterValidator(tag_name)]
TagNames = Annotated[list[TagName], Field(max_length=tags.MOST)]
PictureName = Annotated[str, AfterValidator(picture_name)]
Format = Annotated[int, AfterValidator(known_format)]
