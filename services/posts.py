"""Posts: write, edit, publish, take back, throw away. Readers' lists are in `streams.py`."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Gone, Moved, NotFound, StaleVersion
from models import Post, Tag, User, now
from services import slugs, tags
from services.permissions import can_see
from services.texts import NewPost, PostEdit, Text, rendered


@dataclass(frozen=True)
class Page:
    """Everything that a post's page shows."""

    post: Post
    author: User
    tags: list[Tag]


def create(db: Session, author: User, new: NewPost) -> Post:
    """Write a post, as a draft or published at once.

    The same idempotency key from the same author gives the same post again, so that a repeated
    form makes no second one.
    """
    if twin := find_by_key(db, author, new.idempotency_key):
        return twin
    post = Post(
        author_id=author.id,
        slug="",
        idempotency_key=new.idempotency_key or None,
        **rendered(new),
    )
    if new.action == "publish":
        post.published_at = post.first_published_at = post.created_at
    try:
        with db.begin_nested():
            slugs.claim(db, post, new.slug or slugs.slug_of(new.title))
            db.add(post)
    except IntegrityError:  # the same form, a moment earlier, on another connection
        if twin := find_by_key(db, author, new.idempotency_key):
            return twin
        raise
    tags.put_on(db, post.id, tags.parse(new.tags))
    return post


def edit(db: Session, post: Post, change: PostEdit) -> Post:
    """Save, publish or take back. Saving a published post changes nothing public: it is staged.

    Raises:
        StaleVersion: the post was changed since `change.version` was read.
    """
    next_version(db, post, change.version)
    if change.action == "save" and post.is_published:
        post.staged = change.model_dump(include=set(Text.model_fields))
    else:
        apply(db, post, change)
        post.staged = None
    if change.action == "publish":
        publish(post)
    elif change.action == "unpublish":
        post.published_at = None
    return post


def trash(db: Session, post: Post) -> None:
    """Out of everybody's sight; the author can still take it back."""
    next_version(db, post, post.version)
    post.trashed_at = now()


def restore(db: Session, post: Post) -> None:
    next_version(db, post, post.version)
    post.trashed_at = None


def find(db: Session, slug: str) -> Post:
    """The post with this address, whatever its state.

    Raises:
        Moved: it is another address of a post, or the post's id.
        NotFound: no post ever had it.
    """
    lower = slug.lower()
    post = db.exec(select(Post).where(Post.slug == lower)).first()
    if post is None:
        post_id = slugs.find_post_id(db, lower) or as_uuid(slug)
        post = db.get(Post, post_id) if post_id else None
    if post is None:
        raise NotFound
    if post.slug != slug:
        raise MovedPost(post)
    return post


class MovedPost(Moved):
    """As Moved, with the post, since only those who may see it may learn where it went."""

    def __init__(self, post: Post) -> None:
        super().__init__(post.slug)
        self.post = post


def show(db: Session, slug: str, reader: User | None) -> Page:
    """What a reader gets for an address.

    Raises:
        NotFound: there is nothing, or nothing for this reader.
        Gone: it was public once and was thrown away.
        Moved: it is to be found at another address.
    """
    try:
        post = find(db, slug)
    except MovedPost as moved:
        if must_hide(moved.post, reader):
            raise NotFound from None
        raise
    if post.is_trashed and post.was_published:
        raise Gone
    if must_hide(post, reader):
        raise NotFound
    author = db.get_one(User, post.author_id)
    return Page(post, author, tags.of_post(db, post.id))


def must_hide(post: Post, reader: User | None) -> bool:
    if post.is_trashed:
        return not post.was_published
    return not can_see(reader, post)


def text_of(db: Session, post: Post) -> dict[str, str]:
    """The author's working copy as form fields: what is staged, else what is there."""
    if post.staged:
        return dict(post.staged)
    names = ", ".join(tag.name for tag in tags.of_post(db, post.id))
    return {"title": post.title, "content": post.content, "tags": names, "slug": post.slug}


def apply(db: Session, post: Post, text: Text) -> None:
    wanted = text.slug or post.slug
    if wanted == post.slug and not post.was_published and follows_title(post):
        wanted = slugs.slug_of(text.title)  # nobody has seen the address yet: let it follow
    slugs.claim(db, post, wanted)
    for name, value in rendered(text).items():
        setattr(post, name, value)
    tags.put_on(db, post.id, tags.parse(text.tags))


def publish(post: Post) -> None:
    if not post.is_published:
        post.first_published_at = post.first_published_at or now()
        post.published_at = post.first_published_at


def next_version(db: Session, post: Post, seen: int) -> None:
    """Let one of several simultaneous edits win, on any database: the row counts its versions."""
    result = db.execute(
        update_rows(Post)
        .where(col(Post.id) == post.id, col(Post.version) == seen)
        .values(version=seen + 1, updated_at=now())
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleVersion(post.id)


def follows_title(post: Post) -> bool:
    return post.slug.startswith(slugs.slug_of(post.title))


def find_by_key(db: Session, author: User, key: str) -> Post | None:
    if not key:
        return None
    mine = select(Post).where(Post.author_id == author.id, Post.idempotency_key == key)
    return db.exec(mine).first()


def as_uuid(slug: str) -> UUID | None:
    try:
        return UUID(slug)
    except ValueError:
        return None
