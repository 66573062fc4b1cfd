"""What the author of a series does with it: name it, put its parts in order, take it apart."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, select

from errors import Conflict, NotFound
from languages import _
from models import Post, Series, User
from services import series
from services.permissions import EDIT_ANY, has_scopes
from services.streams import is_listed
from services.text import one_line, optional_line
from services.texts import LONGEST_SERIES

LONGEST_DESCRIPTION = 500


class About(BaseModel):
    title: Annotated[str, one_line(LONGEST_SERIES)]
    description: Annotated[str, optional_line(LONGEST_DESCRIPTION)] = ""


class Move(BaseModel):
    """A part to its new place, counted from 1, or out of the series."""

    part: UUID
    place: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    action: Literal["move", "remove"] = "move"


def parts(db: Session, shelf: Series, reader: User | None = None) -> Sequence[Post]:
    """In order: what is public, and what else its reader may see of it."""
    return db.exec(
        select(Post)
        .where(Post.series_id == shelf.id, is_seen_by(reader))
        .order_by(col(Post.series_position), col(Post.id))
    ).all()


def is_seen_by(reader: User | None) -> Any:
    if reader is None:
        return is_listed()
    if has_scopes(reader, EDIT_ANY):
        return col(Post.trashed_at).is_(None)
    own = (col(Post.author_id) == reader.id) & col(Post.trashed_at).is_(None)
    return is_listed() | own


def describe(db: Session, shelf: Series, about: About) -> None:
    """Its address stays. Changes to its parts that wait to be made public follow the new title.

    Raises:
        NotFound: it has just been deleted.
        Conflict: there is another series of that title.
        Invalid: no address could be made of it.
    """
    if series.locked(db, shelf.id) is None:
        raise NotFound
    before = shelf.title
    if about.title != before and is_taken(db, shelf, about.title):
        raise Conflict({"title": _("There is a series of that name. Please choose another.")})
    shelf.sqlmodel_update(about)
    waiting = select(Post).where(Post.series_id == shelf.id, col(Post.staged).is_not(None))
    latest = waiting.with_for_update().execution_options(populate_existing=True)
    for post in db.exec(latest):
        if post.staged and post.staged.get("series") == before:
            post.staged = post.staged | {"series": shelf.title}


def is_taken(db: Session, shelf: Series, title: str) -> bool:
    """By another series of the same author, or by one that readers find."""
    others = (each for each in series.named(db, title, "title") if each.id != shelf.id)
    return any(
        each.author_id == shelf.author_id or series.has_public_parts(db, each) for each in others
    )


def arrange(db: Session, shelf: Series, change: Move, editor: User) -> None:
    """Move a part, among those that the editor sees, or take it out. Raises NotFound."""
    if series.locked(db, shelf.id) is None:
        raise NotFound
    seen = [post.id for post in parts(db, shelf, editor)]
    if change.part not in seen:
        raise NotFound
    if change.action == "remove":
        take_out(db, col(Post.id) == change.part)
        return
    seen.remove(change.part)
    behind = seen[change.place - 1 :]
    all_parts = select(Post.id).where(Post.series_id == shelf.id).with_for_update()
    ids = list(db.exec(all_parts.order_by(col(Post.series_position), col(Post.id))))
    if change.part not in ids:
        raise NotFound
    ids.remove(change.part)
    next_one = next((each for each in behind if each in ids), None)
    ids.insert(ids.index(next_one) if next_one else len(ids), change.part)
    places = [{"id": each, "series_position": place} for place, each in enumerate(ids, 1)]
    db.execute(update(Post), places)


def delete_all(db: Session, shelf: Series) -> None:
    """The series goes, its parts stay."""
    series.locked(db, shelf.id)
    take_out(db, col(Post.series_id) == shelf.id)
    db.execute(delete(Series).where(col(Series.id) == shelf.id))


def take_out(db: Session, which: ColumnElement[bool]) -> None:
    """Their texts do not change, so neither do their versions."""
    nowhere = {"series_id": None, "series_position": None}
    apart = {"synchronize_session": False}
    db.execute(update(Post).where(which).values(**nowhere), execution_options=apart)


def hand_on(db: Session, leaver: User, nobody: User) -> None:
    """Somebody leaves: what still has parts stays, under nobody's name."""
    has_parts = select(Post.id).where(Post.series_id == Series.id).exists()
    theirs = col(Series.author_id) == leaver.id
    apart = {"synchronize_session": False}
    db.execute(delete(Series).where(theirs, ~has_parts), execution_options=apart)
    rest = update(Series).where(theirs).values(author_id=nobody.id)
    db.execute(rest, execution_options=apart)
