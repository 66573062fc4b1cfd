"""Writing an archive: everything of the blog, as it is at one moment, in always the same bytes."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, TypeVar
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from sqlmodel import Session, col, func, select

from backends.storage import Storage
from models import Autosave, Media, MediaUse, Post, Series, Site, Slug, Tag, TagAlias, User
from services import tags
from services.archives import front_matter, pictures, shapes, values
from settings import Role

Entry = tuple[str, str | bytes]
Names = dict[UUID, str]
Row = TypeVar("Row", User, Tag, Series, Media, Post)

ROWS_AT_ONCE = 200
POSTS_AT_ONCE = 10  # of up to half a megabyte each, thrice
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
READABLE_FILE = 0o100644 << 16


def write(path: Path, entries: Iterable[Entry], advance: Callable[[], None]) -> None:
    """A zip in the place of what was there, once it is whole; `advance` is called after each entry.
    Raises OSError.

    Nothing is compressed, so that the bytes do not depend on anybody's version of zlib.
    """
    with replacing(path) as file, ZipFile(file, "w", ZIP_STORED) as archive:
        for name, data in entries:
            info = ZipInfo(name, LONG_AGO)
            info.create_system = 3  # wherever it is made
            info.external_attr = READABLE_FILE
            archive.writestr(info, data)
            advance()


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner's eyes, in the place of another as soon as it is whole and on disk."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise


def entries(db: Session, storage: Storage, *, with_emails: bool = False) -> Iterator[Entry]:
    """All files, in order. `db` must see one moment: see `Database.snapshot`."""
    feed_ids = db.exec(select(Site.tagging_entity)).first() or ""
    yield "inkstand.yaml", head_of(shapes.Manifest(format=values.FORMAT, feed_ids=feed_ids))
    names = dict(db.exec(select(User.id, User.username)).all())
    hidden = {} if with_emails else {"email": None, "email_confirmed": None}
    for user in rows(db, User, User.username):
        author = shapes.Author.of(user, role=Role(user.role), **hidden)
        yield f"authors/{user.username}.yaml", head_of(author)
    before = lists(db.execute(select(TagAlias.tag_id, TagAlias.slug)))
    for tag in rows(db, Tag, Tag.slug):
        yield f"tags/{tag.slug}.yaml", head_of(shapes.Tag.of(tag, aliases=before[tag.id]))
    for series in rows(db, Series, Series.slug):
        shape = shapes.Series.of(series, author=names[series.author_id])
        yield f"series/{series.slug}.yaml", head_of(shape)
    for image in rows(db, Media, Media.id):
        picture = shapes.Picture.of(image, owner=names[image.user_id])
        yield f"media/{image.id}.yaml", head_of(picture)
        if data := pictures.read(storage, image):
            yield f"media/{image.id}/{image.name}", data
    yield from posts(db, names)


def head_of(shape: shapes.Shape) -> str:
    return front_matter.write_yaml(shape.about())


def posts(db: Session, names: Names) -> Iterator[Entry]:
    of_series = dict(db.exec(select(Series.id, Series.slug)).all())
    for some in portions(db, Post, Post.slug, POSTS_AT_ONCE):
        ids = [post.id for post in some]
        tagged, before = tags.of_posts(db, ids), old_slugs(db, ids)
        granted, typed = images_of_others(db, ids), autosaves(db, ids)
        for post in some:
            known: dict[str, Any] = {
                "author": names[post.author_id],
                "aliases": [values.path_of(slug, post.is_page) for slug in before[post.id]],
            }
            if post.is_erased:
                yield f"gone/{post.slug}.yaml", head_of(shapes.Gone.of(post, **known))
                continue
            known["tags"] = [tag.name for tag in tagged[post.id]]
            known["series"] = of_series.get(post.series_id) if post.series_id else None
            known["images"] = granted[post.id]
            known["draft"] = post.is_trashed or not post.is_published
            path = f"{'pages' if post.is_page else 'posts'}/{post.slug}"
            about = shapes.Post.of(post, **known).about()
            yield f"{path}.md", front_matter.write(about, post.content)
            if post.staged:
                yield f"{path}.staged.md", staged(post.staged)
            for autosave in sorted(typed[post.id], key=lambda each: names[each.user_id]):
                name = f"{path}.unsaved.{names[autosave.user_id]}.md"
                yield name, unsaved(autosave, autosave.base_version < post.version)


def staged(form: dict[str, str]) -> str:
    about: dict[str, Any] = {**form, "tags": tags.parse(form.get("tags", ""))}
    content = about.pop("content", "")
    return front_matter.write(shapes.Staged.model_construct(**about).about(), content)


def autosaves(db: Session, ids: Sequence[UUID]) -> dict[UUID, list[Autosave]]:
    found: dict[UUID, list[Autosave]] = defaultdict(list)
    for each in db.exec(select(Autosave).where(col(Autosave.post_id).in_(ids))):
        found[each.post_id].append(each)
    return found


def unsaved(autosave: Autosave, stale: bool) -> str:
    typed: dict[str, Any] = dict(autosave.text)
    content = typed.pop("content", "")
    shape = shapes.Unsaved.model_construct(**typed, stale=stale, typed=autosave.saved_at)
    return front_matter.write(shape.about(), content)


def old_slugs(db: Session, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    had = select(Slug.post_id, Slug.slug).join(Post, col(Post.id) == Slug.post_id)
    return lists(db.execute(had.where(col(Slug.post_id).in_(ids), Slug.slug != Post.slug)))


def images_of_others(db: Session, ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Those that are seen in a post only because an editor has put them there."""
    uses = select(MediaUse.post_id, MediaUse.media_id).distinct()
    of_posts = uses.join(Post, col(Post.id) == MediaUse.post_id).where(col(Post.id).in_(ids))
    foreign = of_posts.join(Media, col(Media.id) == MediaUse.media_id)
    return lists(db.exec(foreign.where(Media.user_id != Post.author_id)))


def lists(pairs: Iterable[Any]) -> dict[Any, list[Any]]:
    """The second ones of each first one, in order."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in sorted(pairs, key=itemgetter(1)):
        found[key].append(value)
    return found


def rows(db: Session, model: type[Row], key: Any) -> Iterator[Row]:
    for some in portions(db, model, key, ROWS_AT_ONCE):
        yield from some


def portions(db: Session, model: type[Row], key: Any, size: int) -> Iterator[list[Row]]:
    """All rows by a key, a few at a time. Sorted here: databases have their own opinions."""
    pairs = db.execute(select(model.id, key)).all()
    ids = [row_id for row_id, _ in sorted(pairs, key=itemgetter(1))]
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        found = {row.id: row for row in db.exec(select(model).where(col(model.id).in_(some)))}
        yield [found[row_id] for row_id in some]
        db.expunge_all()


def count(db: Session) -> int:
    """How many entries there will be, but for a few."""
    counts = (func.count(col(model.id)) for model in (User, Tag, Series, Media, Media, Post))
    return sum(db.exec(select(each)).one() for each in counts)
