"""Tags get other names, or become one with another. What they were called leads to them for good."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel
from sqlalchemy import ColumnElement, delete, insert, text, update
from sqlmodel import Session, col, select

from errors import DomainError
from languages import _
from models import Post, PostTag, Tag, TagAlias, User
from services import audit, search, tag_index, tags


def one_name(typed: str) -> str:
    if "," in typed:
        raise ValueError(_("A tag cannot have a comma in it."))
    return tags.check(typed)


class NewName(BaseModel):
    """`into` is the slug of the tag that this one is to become, once somebody has said so."""

    name: Annotated[str, AfterValidator(one_name)]
    into: str = ""


class WouldMerge(DomainError):
    """There is a tag of that name, and nobody has said that the two are to be one."""

    def __init__(self, tag: Tag, into: Tag, posts: int) -> None:
        super().__init__(f"There is a tag “{into.name}” already.")
        self.tag, self.into, self.posts = tag, into, posts


def change(db: Session, slug: str, new: NewName, editor: User) -> Tag:
    """Rename a tag, or merge it into the one that has or had that name; what became of it.

    Raises:
        NotFound: there is no such tag.
        WouldMerge: it needs a word first.
    """
    search.outdate(db, carry(tags.find(db, slug)))  # posts before tags, as those who write do
    alone(db)
    tag = tags.find(db, slug)
    db.refresh(tag)  # whoever went before may have renamed it
    other = holder(db, tags.slug_of(new.name))
    if other and other.id != tag.id and new.into != other.slug:
        raise WouldMerge(tag, other, tag_index.posts_with(db, tag, drafts=True))
    # What is locked now is being written, and waits for us: it is indexed by whoever writes it.
    search.outdate(db, carry(tag), waits=False)
    if other is None or other.id == tag.id:
        rename(db, tag, new.name, editor)
    else:
        merge(db, tag, other, editor)
        tag = other
    search.freshen(db)
    return tag


def carry(tag: Tag) -> ColumnElement[bool]:
    return col(Post.id).in_(select(PostTag.post_id).where(PostTag.tag_id == tag.id))


def alone(db: Session) -> None:
    """Wait until nobody puts tags on posts, and let nobody begin before this transaction ends.

    On SQLite who writes is alone anyway. Elsewhere `tags.known_by` takes the lock that this waits
    for: so no post keeps a tag that goes, and no two merges cross.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("LOCK TABLE tags IN EXCLUSIVE MODE"))


def holder(db: Session, slug: str) -> Tag | None:
    """The tag that has or had this slug."""
    return tags.known_by(db, [slug]).get(slug)


def rename(db: Session, tag: Tag, name: str, editor: User) -> None:
    before, slug = tag.name, tags.slug_of(name)
    if slug != tag.slug:
        db.execute(delete(TagAlias).where(col(TagAlias.slug) == slug))  # back to a name it had
        db.execute(insert(TagAlias).values(slug=tag.slug, tag_id=tag.id))
        tag.slug = slug
    if name != before:
        tag.name = name
        who = editor.username
        audit.record(db, audit.TAG_RENAMED, actor=editor, username=who, before=before, after=name)


def merge(db: Session, tag: Tag, into: Tag, editor: User) -> None:
    """Its posts and all its names, old ones too, are the other's from now on."""
    carry_both = select(PostTag.post_id).where(PostTag.tag_id == into.id)
    its = col(PostTag.tag_id) == tag.id
    apart = {"synchronize_session": False}
    db.execute(
        delete(PostTag).where(its, col(PostTag.post_id).in_(carry_both)), execution_options=apart
    )
    db.execute(update(PostTag).where(its).values(tag_id=into.id), execution_options=apart)
    names = update(TagAlias).where(col(TagAlias.tag_id) == tag.id)
    db.execute(names.values(tag_id=into.id), execution_options=apart)
    db.delete(tag)
    db.flush()  # one address leads to one tag: it is free once the tag is gone
    db.execute(insert(TagAlias).values(slug=tag.slug, tag_id=into.id))
    who = editor.username
    audit.record(db, audit.TAG_MERGED, actor=editor, username=who, name=tag.name, into=into.name)
