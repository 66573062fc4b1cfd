"""After a change of the renderer: stored HTML is made anew, a few posts at a time.

Until then pages and the API render such posts afresh whenever they show them; see reading.py.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlmodel import col, select

from database import Database
from models import Post
from services import markdown, texts

BATCH = 10


def rerender(database: Database, is_over: Callable[[], bool] = lambda: False) -> int:
    """Render what an older renderer has rendered; how many posts that were.

    Nothing of it counts as a change: `version` and `updated_at` stay. A post that somebody saves
    meanwhile is skipped. Several processes may do it at once. It ends early when `is_over()`.
    """
    done, last = 0, UUID(int=0)
    while batch := outdated(database, after=last):
        made = [(post, texts.columns_of(post.content)) for post in batch if not is_over()]
        if is_over():
            break
        with database.writing() as db:
            for post, columns in made:
                done += db.execute(storing(post, columns)).rowcount  # type: ignore[attr-defined]
        last = batch[-1].id
    return done


def outdated(database: Database, after: UUID) -> Sequence[Row[Any]]:
    with database.reading() as db:
        return db.execute(
            select(Post.id, Post.version, Post.content)
            .where(col(Post.renderer) < markdown.RENDERER, col(Post.id) > after)
            .order_by(col(Post.id))
            .limit(BATCH)
        ).all()


def storing(post: Row[Any], columns: dict[str, Any]) -> Any:
    is_as_read = (col(Post.id) == post.id) & (col(Post.version) == post.version)
    is_still_outdated = col(Post.renderer) < markdown.RENDERER
    return (
        update(Post)
        .where(is_as_read, is_still_outdated)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
