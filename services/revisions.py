"""Revisions: every text that was ever saved, with who saved it and when."""

from sqlalchemy import case, delete, func
from sqlmodel import Session, col, select

from models import Post, Revision, User
from services import tags
from services.texts import Text

# What was done: kinds of revisions. Readers saw a published one, or were meant to.
SAVED, PUBLISHED, RESTORED, AUTOSAVED, IMPORTED = (
    "saved",
    "published",
    "restored",
    "autosaved",
    "imported",
)
MOST = 1000  # of a post
# When there are more, those of the lowest rank go first, and of these the oldest.
RANKS = {AUTOSAVED: 0, SAVED: 1, RESTORED: 1, IMPORTED: 1, PUBLISHED: 2}


def add(
    db: Session,
    post: Post,
    text: dict[str, str],
    editor: User | None,
    kind: str,
    *,
    is_new: bool = False,
) -> None:
    """Keep this text as the newest revision of the post; one that is new has none yet.

    No text is kept twice in a row: what is saved or published without a change only becomes that.
    Numbers count from 1 and are never used again, since the newest revision always stays.
    """
    newest = None
    if not is_new:
        hold(db, post)
        newest = newest_of(db, post)
    if newest and is_same(newest.text, text):
        newest.kind = max(newest.kind, kind, key=rank_of)
        return
    number = newest.number + 1 if newest else 1
    editor_id = editor.id if editor else None
    db.add(Revision(post_id=post.id, number=number, kind=kind, editor_id=editor_id, text=text))
    if number > MOST:
        thin_out(db, post)


def as_revision(text: Text, slug: str) -> dict[str, str]:
    """The fields of a text as they are kept; `slug` is the address it really got."""
    kept: dict[str, str] = text.model_dump(include=set(Text.model_fields), exclude_none=True)
    return kept | {"slug": slug}


def is_same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether nothing differs that both have. A tag is the same in any spelling."""
    names = (one.keys() & other.keys()) - {"tags"}
    return all(one[name] == other[name] for name in names) and tags_of(one) == tags_of(other)


def tags_of(text: dict[str, str]) -> list[str]:
    return [tags.slug_of(name) for name in text.get("tags", "").split(",")]


def newest_of(db: Session, post: Post) -> Revision | None:
    theirs = select(Revision).where(Revision.post_id == post.id)
    return db.exec(theirs.order_by(col(Revision.number).desc()).limit(1)).first()


def thin_out(db: Session, post: Post) -> None:
    """Down to a thousand: what nobody saved by hand goes first, then what was saved, and what was
    published last. The newest one never goes."""
    db.flush()
    theirs, number = col(Revision.post_id) == post.id, col(Revision.number)
    count, newest = db.execute(select(func.count(), func.max(number)).where(theirs)).one()
    rank = case(RANKS, value=col(Revision.kind), else_=rank_of(""))
    first = select(number).where(theirs, number < newest).order_by(rank, number)
    surplus = db.exec(first.limit(max(count - MOST, 0))).all()
    db.execute(delete(Revision).where(theirs, number.in_(surplus)))


def rank_of(kind: str) -> int:
    return RANKS.get(kind, RANKS[SAVED])


def hold(db: Session, post: Post) -> None:
    """Until the transaction ends nobody else gives this post a revision, or saves it."""
    db.exec(select(Post.id).where(Post.id == post.id).with_for_update())
