"""Taking one's data along: everything that belongs to an account, as an archive without secrets."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from sqlmodel import Session, col, select

from backends.storage import Storage
from database import release
from models import (
    ApiToken,
    AuditEvent,
    Autosave,
    Identity,
    Login,
    Media,
    Passkey,
    Post,
    PostViews,
    RefreshToken,
    Revision,
    User,
    now,
)
from services import media, site, tags
from services.archives import front_matter
from settings import Settings

IN_MEMORY = 1024 * 1024  # what is larger goes to the disk
ROWS_AT_ONCE = 200
POSTS_AT_ONCE = 10  # of up to half a megabyte each, twice

PROFILE = (
    "username",
    "display_name",
    "bio",
    "website",
    "email",
    "email_verified_at",
    "role",
    "created_at",
    "logged_in_at",
)
# Which columns of which tables; what proves who somebody is stays here.
TABLES: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
    "logins.json": (
        Login,
        Login.user_id,
        ("user_agent", "address", "created_at", "seen_at", "expires_at", "remember_days"),
    ),
    "events.json": (
        AuditEvent,
        AuditEvent.user_id,
        ("at", "action", "address", "user_agent", "details"),
    ),
    "identities.json": (
        Identity,
        Identity.user_id,
        ("provider", "issuer", "subject", "name", "created_at", "used_at"),
    ),
    "tokens.json": (
        ApiToken,
        ApiToken.user_id,
        ("name", "hint", "scopes", "created_at", "used_at", "expires_at"),
    ),
    "api-logins.json": (
        RefreshToken,
        RefreshToken.user_id,
        ("scopes", "user_agent", "address", "created_at", "used_at", "expires_at"),
    ),
    "images.json": (Media, Media.user_id, ("id", "name", "alt", "caption", "created_at")),
    "passkeys.json": (Passkey, Passkey.user_id, ("name", "created_at", "used_at")),
}
README = """\
What {site_name} ({link_base}) knows of {username}, as of {now}.

profile.json      who you are here
posts/            what you wrote, drafts and the trash too: Markdown, with the rest in YAML above it;
                  a name that ends in .staged.md has changes that readers do not see yet, one that
                  ends in .unsaved.md what you typed and did not save; beside each a folder of the
                  same name, with the texts that it had before
images/           your images, in the folders of their addresses; images.json: what you said of them
logins.json       the devices on which you are logged in
events.json       logins, and what changed in your account
identities.json   the accounts elsewhere by which you log in
tokens.json       your access tokens; api-logins.json: programs that are logged in for you
passkeys.json     your passkeys
views.json        how often your posts were read, by day

Passwords, keys and the tokens themselves are not in here. Times are in UTC.
"""


def write(db: Session, user: User, settings: Settings, storage: Storage) -> IO[bytes]:
    """The archive, as a file to be read from its start and closed.

    However much somebody has written, a few posts at a time are in memory, or one image. While
    those are fetched nothing of the database is held.
    """
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever reads it closes it
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        readme = README.format(
            site_name=site.of(db, settings).site_name,
            link_base=settings.link_base,
            username=user.username,
            now=f"{now():%Y-%m-%d %H:%M}",
        )
        archive.writestr("README.txt", readme)
        archive.writestr("profile.json", as_json({name: getattr(user, name) for name in PROFILE}))
        for name, (model, owner, columns) in TABLES.items():
            with archive.open(name, "w") as entry:
                write_rows(entry, rows_of(db, model, owner, columns, user))
        with archive.open("views.json", "w") as entry:
            write_rows(entry, views_of(db, user))
        for post, names in posts_of(db, user):
            archive.writestr(f"posts/{post.slug}.md", markdown_file(post, names))
            if post.staged:
                archive.writestr(f"posts/{post.slug}.staged.md", staged_file(post.staged))
            for revision in revisions_of(db, post):
                name = f"posts/{post.slug}/{revision.number:04}.md"
                archive.writestr(name, revision_file(revision))
        for slug, text in unsaved_of(db, user):
            archive.writestr(f"posts/{slug}.unsaved.md", staged_file(text))
        images = db.exec(select(Media).where(Media.user_id == user.id)).all()
        release(db)
        write_images(archive, storage, images)
    file.seek(0)
    return file


def write_images(archive: ZipFile, storage: Storage, images: Sequence[Media]) -> None:
    """As they are: they are compressed already."""
    for image in images:
        if data := storage.get(media.key(image.id, image.width)):
            archive.writestr(f"images/{image.id}/{image.name}", data, ZIP_STORED)


def rows_of(
    db: Session, model: Any, owner: Any, columns: Sequence[str], user: User
) -> Iterator[dict[str, Any]]:
    wanted = [getattr(model, name) for name in columns]
    ids = db.exec(select(model.id).where(owner == user.id).order_by(model.id)).all()
    for some in portions(ids, ROWS_AT_ONCE):
        query: Any = select(*wanted).where(col(model.id).in_(some)).order_by(model.id)
        yield from (dict(zip(columns, row, strict=True)) for row in db.execute(query))


def views_of(db: Session, user: User) -> Iterator[dict[str, Any]]:
    """Post by post, the days in order."""
    columns: tuple[Any, ...] = (Post.slug, PostViews.day, PostViews.views, PostViews.visitors)
    ids = db.exec(select(Post.id).where(Post.author_id == user.id)).all()
    for some in portions(ids, POSTS_AT_ONCE):
        query: Any = select(*columns).join(Post).where(col(PostViews.post_id).in_(some))
        for row in db.execute(query.order_by(col(PostViews.post_id), col(PostViews.day))):
            yield dict(zip(("slug", "day", "views", "visitors"), row, strict=True))


def posts_of(db: Session, user: User) -> Iterator[tuple[Post, list[str]]]:
    """Every post with the names of its tags."""
    theirs = select(Post.id).where(Post.author_id == user.id)
    ids = db.exec(theirs.order_by(col(Post.created_at))).all()
    for some in portions(ids, POSTS_AT_ONCE):
        named = tags.of_posts(db, some)
        for post in db.exec(select(Post).where(col(Post.id).in_(some))):
            yield post, [tag.name for tag in named[post.id]]
            db.expunge(post)


def unsaved_of(db: Session, user: User) -> Iterator[tuple[str, dict[str, str]]]:
    """What they are typing and have not saved, with the addresses of the posts."""
    ids = db.exec(select(Autosave.post_id).where(Autosave.user_id == user.id)).all()
    for some in portions(ids, POSTS_AT_ONCE):
        theirs = (Autosave.user_id == user.id, col(Autosave.post_id).in_(some))
        for slug, text in db.exec(select(Post.slug, Autosave.text).join(Autosave).where(*theirs)):
            yield slug, dict(text)


def revisions_of(db: Session, post: Post) -> Iterator[Revision]:
    theirs = select(Revision).where(Revision.post_id == post.id)
    numbers = db.exec(
        select(Revision.number).where(Revision.post_id == post.id).order_by(col(Revision.number))
    ).all()
    for some in portions(numbers, POSTS_AT_ONCE):
        for revision in db.exec(theirs.where(col(Revision.number).in_(some))):
            yield revision
            db.expunge(revision)


def portions(ids: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def markdown_file(post: Post, names: list[str]) -> str:
    about = {
        "title": post.title,
        "slug": post.slug,
        "state": post.state,
        "tags": names,
        "created_at": post.created_at,
        "updated_at": post.updated_at,
        "published_at": post.published_at,
        "revised_at": post.revised_at,
    }
    return front_matter.write(about, post.content)


def staged_file(staged: dict[str, str]) -> str:
    about = {name: value for name, value in staged.items() if name != "content"}
    return front_matter.write(about, staged.get("content", ""))


def revision_file(revision: Revision) -> str:
    """Not by whom: that is not theirs to take along."""
    about: dict[str, Any] = {"revision": revision.kind, "saved_at": revision.created_at}
    about |= {name: value for name, value in revision.text.items() if name != "content"}
    return front_matter.write(about, revision.text.get("content", ""))


def write_rows(entry: IO[bytes], rows: Iterator[dict[str, Any]]) -> None:
    """A JSON list, row by row."""
    before = "[\n"
    for row in rows:
        entry.write(f"{before}{as_json(row, indent=None)}".encode())
        before = ",\n"
    entry.write(b"[]\n" if before == "[\n" else b"\n]\n")


def as_json(value: Any, indent: int | None = 2) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=in_words)


def in_words(value: datetime | date | UUID) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
