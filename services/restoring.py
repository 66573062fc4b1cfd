"""Back to an older text, or to the one that readers see. What is there now stays a revision."""

from typing import Any

from sqlmodel import Session

from models import Post, User
from services import autosaves, posts, revisions, writing
from services.texts import PostEdit, Text


def restore(
    db: Session,
    post: Post,
    text: Text,
    editor: User,
    columns: dict[str, Any] | None = None,
    *,
    scopes: frozenset[str] | None = None,
) -> Post:
    """Make the text of a revision the working copy again: staged, if the post is published.

    It overwrites whatever is there, under any version: that is a revision too, and so is what the
    editor has typed and not saved. Raises Conflict.
    """
    post = posts.locked(db, post.id)
    autosaves.discard(db, post.id, editor)
    again = PostEdit.model_construct(**text.model_dump(), action="save", version=post.version)
    kind = revisions.RESTORED
    return writing.edit(db, post, again, editor, columns, scopes=scopes, kind=kind)


def unstage(db: Session, post: Post, editor: User) -> Post:
    """Go back to what readers see; what was staged stays among the revisions. Twice is once."""
    post = posts.locked(db, post.id)
    if post.staged:
        autosaves.discard(db, post.id, editor)
        writing.next_version(db, post, post.version)
        post.staged = None
        writing.keep(db, post, editor, revisions.RESTORED)
    return post
