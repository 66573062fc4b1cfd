"""What revisions look like as JSON."""

from datetime import datetime

from pydantic import BaseModel

from routers.api.post_shapes import Author, of_person
from services import histories


class Revision(BaseModel):
    """A text that was saved once; `author` is who saved it, null for somebody who has left."""

    number: int
    kind: str
    title: str
    author: Author | None
    created_at: datetime


class Revisions(BaseModel):
    """Up to 20, the newest first; `next` and `prev` are the pages beside this one."""

    items: list[Revision]
    next: str | None = None
    prev: str | None = None


class WholeRevision(Revision):
    """`text` has the fields of the form; `content` is Markdown."""

    text: dict[str, str]


def of_entry(entry: histories.Entry) -> Revision:
    return Revision(**shared(entry))


def whole(entry: histories.Entry) -> WholeRevision:
    return WholeRevision(**shared(entry), text=entry.revision.text)


def shared(entry: histories.Entry) -> dict[str, object]:
    revision = entry.revision
    return {
        "number": revision.number,
        "kind": revision.kind,
        "title": revision.text.get("title", ""),
        "author": of_person(entry.editor) if entry.editor else None,
        "created_at": revision.created_at,
    }
