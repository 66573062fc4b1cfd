"""Autosaves: what somebody is typing into a post and has not saved. They change neither the post nor
its version, nobody else sees them, and none is overwritten by another tab without a trace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from backends.limits import Limit
from errors import Gone
from languages import N_
from models import Autosave, Post, User, now
from services import elsewhere, posts, revisions, tags
from services.typed import TEXT, Typed

# An editor asks every five seconds at most while somebody types, and when it is left.
AUTOSAVES_OF_PERSON = Limit("autosaves of person", 600, timedelta(minutes=10))


@dataclass(frozen=True)
class Kept:
    """What became of an autosave. `notice` says what happened elsewhere meanwhile, if anything."""

    saved_at: datetime
    base_version: int
    notice: str = ""


def keep(db: Session, post_id: UUID, user: User, typed: Typed) -> Kept:
    """Put what was typed in place of what this person typed before.

    Raises:
        NotFound: the post is gone. Gone: its text was taken away.
    """
    post = posts.locked(db, post_id)
    if post.is_erased:
        raise Gone
    mine = db.get(Autosave, (post.id, user.id))
    is_own = mine is not None and is_of(mine, typed)
    base = min(typed.base_version or (mine.base_version if mine else post.version), post.version)
    notice = elsewhere.notice_for(db, post, user, base)
    if mine and not is_own and not is_same(mine.text, typed.text):
        keep_as_revision(db, post, mine, user)
        notice = notice or OTHER_TAB
    if is_same(typed.text, posts.text_of(db, post)):  # there is nothing left that is not saved
        if mine:
            db.delete(mine)
        return Kept(now(), base, notice)
    kept = mine or Autosave(post_id=post.id, user_id=user.id, base_version=base, text={})
    kept.tab, kept.base_version, kept.text, kept.saved_at = typed.tab, base, typed.text, now()
    db.add(kept)
    return Kept(kept.saved_at, base, notice)


OTHER_TAB = N_(
    "You are writing in another tab or browser too. What stood there is among the revisions."
)


def find(db: Session, post: Post, user: User) -> Autosave | None:
    """What this person typed and has not saved; None if it is what is stored."""
    mine = db.get(Autosave, (post.id, user.id))
    if mine is None or is_same(mine.text, posts.text_of(db, post)):
        return None
    return mine


def forget(db: Session, post: Post, user: User, saved: Any) -> None:
    """A text was saved, so what this person was typing is not needed any more.

    What another of their tabs was typing becomes a revision first, unless it is what was saved.
    `saved` is that text; without the fields of FromEditor it comes from no editor.
    """
    mine = db.get(Autosave, (post.id, user.id))
    if mine is None:
        return
    if not is_of(mine, saved) and not is_same(
        mine.text, saved.model_dump(include=TEXT, exclude_none=True)
    ):
        keep_as_revision(db, post, mine, user)
    db.delete(mine)


def discard(db: Session, post_id: UUID, user: User) -> None:
    """Back to what is stored; what was typed stays among the revisions. Twice is once."""
    post = posts.locked(db, post_id)
    if mine := db.get(Autosave, (post.id, user.id)):
        keep_as_revision(db, post, mine, user)
        db.delete(mine)


def keep_as_revision(db: Session, post: Post, mine: Autosave, user: User) -> None:
    text = posts.text_of(db, post) | mine.text
    text["slug"] = text["slug"] or post.slug
    revisions.add(db, post, text, user, revisions.AUTOSAVED)


def stamp(autosave: Autosave) -> str:
    """Tells one autosave from the next of the same person and post."""
    return autosave.saved_at.isoformat()


def is_of(autosave: Autosave, editor: Any) -> bool:
    """Whether it came from this editor, or is what this editor showed when it was opened."""
    tab, seen = getattr(editor, "tab", ""), getattr(editor, "seen", "")
    return autosave.tab == tab or stamp(autosave) == seen


def is_same(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> bool:
    """Whether two texts would be saved as the same. An empty address is any: one is given."""
    both = one.keys() & other.keys()
    return all(
        plain(name, one[name]) == plain(name, other[name])
        for name in both
        if name != "slug" or (one[name] and other[name])
    )


def plain(name: str, value: str | None) -> Any:
    if name == "tags":
        return [tags.slug_of(each) for each in (value or "").split(",") if each.strip()]
    return value if name == "content" else (value or "").strip()


def titles(db: Session, user: User, post_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles that this person typed last and has not saved, by some of the posts."""
    title = col(Autosave.text)["title"].as_string()
    mine = select(Autosave.post_id, title).where(
        Autosave.user_id == user.id, col(Autosave.post_id).in_(post_ids)
    )
    return {post_id: typed or "" for post_id, typed in db.execute(mine)}
