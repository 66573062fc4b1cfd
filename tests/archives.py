"""Archives in tests: out of a blog, into another, and a blog that has one of everything."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import auth_service
import migrations
from backends.storage import open_storage
from database import Database
from models import Autosave, Media, MediaUse, Post, Series, Slug, Tag, TagAlias, User
from services import media, media_uses, slugs, tag_uris, tags, texts
from services.archives import containers, importing, packing, pictures, shapes
from services.archives.planning import Plan
from settings import Role
from tests.blog import blog_settings

AGES_AGO = datetime(2024, 2, 29, 23, 59, 59, 123_456, tzinfo=UTC)
FAR_AWAY = datetime(2031, 10, 26, 1, 30, tzinfo=UTC)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database that has its tables."""
    with closing(Database(url)) as database:
        migrations.upgrade(database)
        yield database


@contextmanager
def copied(blank: Path) -> Iterator[Database]:
    """The same, of a file that has them: making them takes longer than a round trip."""
    with TemporaryDirectory() as folder:
        shutil.copy(blank, f"{folder}/copy.db")
        with closing(Database(f"sqlite:///{folder}/copy.db")) as database:
            yield database


def pack(database: Database, path: Path, *, with_emails: bool = False) -> bytes:
    storage = open_storage(blog_settings(), database)
    with database.snapshot() as db:
        entries = packing.entries(db, storage, with_emails=with_emails)
        packing.write(path, entries, nothing)
    return path.read_bytes()


def unpack(
    database: Database, path: Path, author: str = "", *, dry_run: bool = False, **settings: Any
) -> Plan:
    storage = None if dry_run else open_storage(blog_settings(), database)
    with ExitStack() as stack:
        container = stack.enter_context(containers.opened(path))
        archive = importing.archive_in(container, blog_settings(**settings))
        plan = stack.enter_context(importing.planned(database, archive, author, nothing))
        sizes = stack.enter_context(importing.pictures_of(database, plan, storage, nothing))
        if not dry_run:
            importing.store(database, plan, sizes, nothing)
    return plan


def nothing() -> None: ...


def files_in(path: Path) -> dict[str, bytes]:
    with closing(ZipFile(path)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def picture(width: int = 40, height: int = 30, form: str = "WEBP", **options: Any) -> bytes:
    from PIL import Image

    file = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, form, **options)
    return file.getvalue()


class World:
    """A blog with one of everything that can be in an archive."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self.images: dict[str, Media] = {}
        sizes = {name: self.store(name) for name in ("heron", "secret")}
        with database.writing() as db:
            self.db = db
            self.add_people()
            self.add_images(sizes)
            self.add_labels()
            self.add_posts()

    def store(self, name: str) -> tuple[shapes.Picture, int]:
        about = shapes.Picture(
            id=uuid4(),
            name=f"{name}-600x400.webp",
            owner="maren" if name == "heron" else "tove",
            alt=f"A {name}: seen\u00a0once",
            caption="“On the quay”",
            source=f"{len(name):064x}",
            created=AGES_AGO,
        )
        storage = open_storage(blog_settings(), self.database)
        return about, pictures.take(storage, about, picture(600, 400)).bytes

    def add_people(self) -> None:
        about: dict[str, dict[str, Any]] = {
            "maren": {"role": Role.owner, "website": "https://maren.example/"},
            "ida": {"email": "ida@example.org", "email_key": "ida@example.org"},
            "tove": {"role": Role.editor, "display_name": 'Tove "Å": \\ 😀 - # {a}'},
            "reader": {"role": Role.reader, "disabled_at": AGES_AGO},
            "deleted": {"role": Role.reader, "display_name": "Deleted user"},
        }
        for name, columns in about.items():
            common = {"username": name, "display_name": name.title(), "password_hash": "a-hash"}
            user = User(**common | columns, bio="Writes: yes\u00a0- or “no”.", created_at=AGES_AGO)
            user.email_verified_at = AGES_AGO if user.email else None
            self.db.add(user)
            self.users[name] = user
        auth_service.claim_ownership(self.db, self.users["maren"])
        tag_uris.keep(self.db, "before.example,2001-02-03")

    def add_images(self, sizes: dict[str, tuple[shapes.Picture, int]]) -> None:
        for name, (about, size) in sizes.items():
            columns = about.columns("owner") | pictures.columns(about)
            owner = self.users[about.owner]
            self.images[name] = Media(**columns, user_id=owner.id, bytes=size)
            self.db.add(self.images[name])
        self.db.flush()

    def add_labels(self) -> None:
        tag = Tag(slug="c-plus-plus", name="C++")
        self.series = Series(
            author_id=self.users["ida"].id,
            slug="the-harbour",
            title="The harbour: “all” of it",
            description="Part after part",
            created_at=AGES_AGO,
        )
        self.db.add_all([tag, Tag(slug="unused", name="Unused"), self.series])
        self.db.flush()
        assert tag.id
        for old in ("cpp", "cxx"):
            self.db.add(TagAlias(slug=old, tag_id=tag.id))

    def add_posts(self) -> None:
        heron, secret = (f"![It]({media.url_of(each)})" for each in self.images.values())
        tides = self.write(
            "ida",
            "Tides & <others>: yes",
            f"\n\n---\ntitle: no\n---\r\n{heron}\n{secret}\n\n",
            tags="C++, Tides, null",
        )
        tides.series_id, tides.series_position = self.series.id, 2
        tides.pinned_at = AGES_AGO
        tides.revised_at = AGES_AGO + timedelta(hours=1)
        self.db.add(Slug(slug="ebb-and-flow", post_id=tides.id))
        tides.staged = texts.Text(
            title="Tides, again",
            content=f"Later words. {secret}",
            tags="tides, new one",
            slug="tides-again",
            series="",
        ).model_dump(exclude_none=True)
        # An editor has put the heron there; the other is named, and not shown.
        heron_id = self.images["heron"].id
        self.db.add(MediaUse(post_id=tides.id, media_id=heron_id, place=media_uses.TEXT))
        self.write("maren", "To come", published_at=FAR_AWAY, first_published_at=FAR_AWAY)
        draft = self.write("tove", "Draft of Tove", f"{heron} {secret}", published_at=None)
        draft.version = 7
        for name, base, typed in (("tove", 7, {"title": "  Half a"}), ("ida", 3, {"slug": ""})):
            text = {"title": "", "content": "\nHalf a sent", "tags": "a,, b", **typed}
            autosave = Autosave(
                post_id=draft.id,
                user_id=self.users[name].id,
                base_version=base,
                text=text,
                saved_at=AGES_AGO,
            )
            self.db.add(autosave)
        begun = self.write("tove", "Untitled", "-", published_at=None)
        begun.content = begun.html = begun.excerpt = ""
        self.write("ida", "Taken back", published_at=None, first_published_at=AGES_AGO)
        self.write("ida", "Thrown away", trashed_at=FAR_AWAY)
        self.write("ida", "Thrown away unseen", trashed_at=AGES_AGO, published_at=None)
        self.write("maren", "About", is_page=True, pinned_at=None)
        self.write("deleted", "Left behind")
        for title, is_page in (("Erased", False), ("Erased page", True)):
            gone = self.write("deleted", title, trashed_at=AGES_AGO, is_page=is_page)
            gone.title = gone.content = gone.html = gone.excerpt = ""
            gone.word_count = 0

    def write(self, author: str, title: str, content: str = "Words.", **columns: Any) -> Post:
        names = columns.pop("tags", "")
        text = texts.Text(title=title, content=content, tags=names)
        times = dict.fromkeys(("published_at", "first_published_at", "created_at"), AGES_AGO)
        post = Post(
            author_id=self.users[author].id,
            slug=slugs.slug_of(title),
            updated_at=AGES_AGO + timedelta(days=1),
            preview_token=secrets.token_urlsafe(16),
            **texts.rendered(text),
            **times | columns,
        )
        self.db.add_all([post, Slug(slug=post.slug, post_id=post.id)])
        tags.put_on(self.db, post.id, tags.parse(text.tags))
        self.posts[post.slug] = post
        return post
