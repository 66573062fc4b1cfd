"""What the editor proposes while somebody writes: names that are in use."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from models import Series, User
from services import tag_index

MOST_SERIES = 100


@dataclass(frozen=True)
class Suggestions:
    tags: list[str]
    series: list[str]


def of(db: Session, writer: User) -> Suggestions:
    """For somebody's editor: nothing that they could not know."""
    own = select(Series.title).where(Series.author_id == writer.id)
    series = db.exec(own.order_by(col(Series.created_at).desc()).limit(MOST_SERIES)).all()
    return Suggestions(tag_index.suggested(db, writer), list(series))
