"""Leaving: an account and all that belongs to it goes, its posts too or not, as its person says."""

from typing import Literal

from pydantic import BaseModel
from sqlalchemy import ColumnElement, delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict
from languages import N_
from models import NAME_OF_NOBODY, NOBODY, Post, Revision, User, now
from services import (
    accounts,
    audit,
    logins,
    media_uses,
    names,
    notices,
    revisions,
    series_order,
    streams,
    trash,
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
    trash.erase(db, theirs, author_id=nobody.id)
    media_uses.part_with(db, leaver, nobody)
    series_order.hand_on(db, leaver, nobody)
    audit.record(db, audit.DELETED, leaver, client=client, posts=choice.posts)
    notices.tell(db, settings, leaver, "goodbye", posts=choice.posts)
    names.retire(db, leaver.username)
    logins.end_all(
        db, leaver.id
    )  # the row would take them along, but pages that are open must hear
    db.delete(leaver)


OWNS = N_(
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
                    display_name=NAME_OF_NOBODY,
                    password_hash="",
                    role=Role.reader,
                    disabled_at=now(),
                )
                db.add(found)
        except IntegrityError:  # two leave at once
            found = db.exec(wanted).one()
    return found


def hand_on(db: Session, which: ColumnElement[bool], nobody: User) -> None:
    """Posts as readers know them, without the texts that were never made public."""
    theirs = select(Post.id).where(which)
    unseen = col(Revision.kind).not_in((revisions.PUBLISHED, revisions.IMPORTED))
    db.execute(delete(Revision).where(col(Revision.post_id).in_(theirs), unseen))
    media_uses.forget(db, which, media_uses.STAGED)
    forgotten = dict.fromkeys(("staged", "idempotency_key", "preview_token"))
    trash.change_posts(db, which, author_id=nobody.id, **forgotten)
