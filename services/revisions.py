"""Revisions: every text that was ever saved, with who saved it and when."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from models import Post, Revision, User
from services.texts import Text

# What was done: kinds of revisions.
SAVED, PUBLISHED, RESTORED, AUTOSAVED, IMPORTED = (
    "saved",
    "published",
    "restored",
    "autosaved",
    "imported",
)


def add(db: Session, post: Post, text: dict[str, str], editor: User | None, kind: str) -> None:
    """Keep this text as the newest revision of the post. The caller holds the post's row, so
    numbers are given one after the other."""
    newest = db.exec(
        select(func.max(col(Revision.number))).where(Revision.post_id == post.id)
    ).one()
    db.add(
        Revision(
            post_id=post.id,
            number=(newest or 0) + 1,
            kind=kind,
            editor_id=editor.id if editor else None,
            text=text,
        )
    )


def as_revision(text: Text, slug: str) -> dict[str, str]:
    """The fields of a text as they are kept; `slug` is the address it really got."""
    kept: dict[str, str] = text.model_dump(include=set(Text.model_fields), exclude_none=True)
    return kept | {"slug": slug}
