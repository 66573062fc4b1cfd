"""Leaving: an account and all that belongs to it goes, its posts too or not, as its person says."""

from typing import Literal

from pydantic import BaseModel
from sqlalchemy import ColumnElement, delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from database import after_commit
from errors import Conflict
from models import NOBODY, Post, PostTag, Slug, User, now
from services import (
    accounts,
    audit,
    logins,
    media_uses,
    names,
    notices,
    pages,
    series_order,
    streams,
)
from services.logins import Client
from settings import Role, Settings


class Departure(BaseModel):
    """`posts` says what becomes of what they have published."""

    posts: Literal["delete", "keep"]


def leave(db: Session, user: User, choice: Departure, settings: Settings, client: Client) -> None:
    """Delete an account; logins, tokens, passkeys and the like go with its row.

    Drafts, scheduled posts and what is in the trash go in any case, and so do images that no text
    shows any more. Published posts stay under "Deleted user", or go too: then their addresses say
    that there was something. The name is kept from others.

    Raises:
        Conflict: they own the blog, and must hand it over first.
        NotFound: the account is gone already.
    """
    # Nobody makes them the owner meanwhile, and nothing new of theirs comes.
    leaver = accounts.locked(db, user.id)
    if leaver.is_owner:
        raise Conflict({"password": OWNS})
    nobody = find_or_make_nobody(db)
    theirs = col(Post.author_id) == user.id
    if choice.posts == "keep":
        hand_on(db, theirs & streams.is_public(), nobody)
    erase(db, theirs, nobody)
    media_uses.part_with(db, leaver, nobody)
    series_order.hand_on(db, leaver, nobody)
    after_commit(db, pages.CHANGED)
    audit.record(db, audit.DELETED, leaver, client=client, posts=choice.posts)
    notices.tell(db, settings, leaver, "goodbye", posts=choice.posts)
    names.retire(db, leaver.username)
    logins.end_all(
        db, leaver.id
    )  # the row would take them along, but pages that are open must hear
    db.delete(leaver)


OWNS = (
    "You own this blog, so it would be left to nobody. Hand it over first, under “Your blog”. "
    "Nothing was deleted."
)


def find_or_make_nobody(db: Session) -> User:
    """The account that the texts of those who have left belong to; nobody can log in to it."""
    wanted = select(User).where(User.username == NOBODY)
    found = db.exec(wanted).first()
    if found is None:
        try:
            with db.begin_nested():
                found = User(
                    username=NOBODY,
                    display_name="Deleted user",
                    password_hash="",
                    role=Role.reader,
                    disabled_at=now(),
                )
                db.add(found)
        except IntegrityError:  # two leave at once
            found = db.exec(wanted).one()
    return found


def hand_on(db: Session, which: ColumnElement[bool], nobody: User) -> None:
    """Posts as readers know them, without the edits that were never made public."""
    media_uses.forget(db, which, media_uses.STAGED)
    change_posts(db, which, author_id=nobody.id, staged=None)


def erase(db: Session, which: ColumnElement[bool], nobody: User) -> None:
    """Texts are deleted. Of what was public once the row stays, empty: nobody gets its address."""
    unseen = select(Post.id).where(which, ~streams.was_public())
    media_uses.forget(db, which, media_uses.TEXT, media_uses.STAGED)
    db.execute(delete(PostTag).where(col(PostTag.post_id).in_(select(Post.id).where(which))))
    db.execute(delete(Slug).where(col(Slug.post_id).in_(unseen)))
    db.execute(delete(Post).where(col(Post.id).in_(unseen)))
    empty = dict.fromkeys(("title", "content", "html", "excerpt"), "")
    trashed_at = func.coalesce(col(Post.trashed_at), now())
    apart = dict.fromkeys(("series_id", "series_position", "pinned_at"))
    change_posts(
        db,
        which,
        **empty,
        **apart,
        word_count=0,
        staged=None,
        trashed_at=trashed_at,
        author_id=nobody.id,
    )


def change_posts(db: Session, which: ColumnElement[bool], **values: object) -> None:
    """Also under a new version, so that an edit begun before finds its post changed."""
    db.execute(
        update(Post)
        .where(which)
        .values(
            idempotency_key=None,
            preview_token=None,
            version=col(Post.version) + 1,
            updated_at=now(),
            **values,
        )
        .execution_options(synchronize_session=False)
    )
