"""What images look like as JSON."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from models import Media
from services import media


class Image(BaseModel):
    """`url` is a path of this site; with `?w=` and one of `widths` it is narrower. `markdown` is what
    shows it in a text. `bytes` is what all its files take of your room."""

    id: UUID
    url: str
    name: str
    width: int
    height: int
    widths: list[int]
    bytes: int
    alt: str
    caption: str
    markdown: str
    created_at: datetime


class Images(BaseModel):
    """Up to 30, the newest first; `next` is the page with older ones."""

    items: list[Image]
    next: str | None = None


class NewImage(BaseModel):
    """`file` is a JPEG, PNG, WebP, GIF or AVIF of up to 20 MB and 40 megapixels."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
    alt: str = ""
    caption: str = ""


class Description(BaseModel):
    """What is left out stays as it is."""

    alt: str = ""
    caption: str = ""


def of_image(image: Media) -> Image:
    return Image(
        **image.model_dump(include=set(Image.model_fields)),
        url=media.url_of(image),
        widths=list(media.widths_of(image)),
        markdown=media.markdown_of(image),
    )
