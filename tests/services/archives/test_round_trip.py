"""Out, into an empty blog, and out again: the same bytes, whichever the two databases are."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlmodel import Session, col, select

import auth_service
from database import Database
from models import Autosave, Media, MediaUse, Post, Revision, Site, Slug, Tag, TagAlias, User
from services import media, media_uses, slugs, tags, texts
from services.archives import packing
from settings import Role, Settings
from tests.archives import AGES_AGO, World, copied, files_in, opened, pack, unpack
from tests.blog import Blog
from tests.conftest import BACKENDS, fresh_database

WAYS = [(here, there) for here in BACKENDS for there in BACKENDS]


@contextmanager
def empty(kind: str, name: str, worker: int, folder: Path) -> Iterator[Database]:
    url = f"sqlite:///{folder}/{name}.db"
    if kind == "postgres":
        url = Settings(database_url=fresh_database(f"inkstand_{name}_{worker}")).database_url
    with opened(url) as database:
        yield database


@pytest.mark.parametrize(("here", "there"), WAYS)
def test_out_in_and_out_again_gives_the_same_bytes(
    here: str, there: str, worker: int, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        old = stack.enter_context(empty(here, "old", worker, tmp_path))
        new = stack.enter_context(empty(there, "new", worker, tmp_path))
        World(old)
        first = pack(old, tmp_path / "1.zip", with_emails=True)
        unpack(new, tmp_path / "1.zip")
        second = pack(new, tmp_path / "2.zip", with_emails=True)
    assert files_in(tmp_path / "1.zip") == files_in(tmp_path / "2.zip")
    assert first == second


def test_a_folder_of_the_same_files_is_the_same(
    old: Database, new: Database, tmp_path: Path
) -> None:
    World(old)
    first = pack(old, tmp_path / "1.zip")
    shutil.unpack_archive(tmp_path / "1.zip", tmp_path / "site")
    unpack(new, tmp_path / "site")
    assert pack(new, tmp_path / "2.zip") == first


def test_rows_are_what_they_were(old: Database, new: Database, tmp_path: Path) -> None:
    World(old)
    pack(old, tmp_path / "1.zip", with_emails=True)
    unpack(new, tmp_path / "1.zip")
    assert contents(old) == contents(new)
    with new.reading() as db:
        owner = db.exec(select(User).join(Site, col(Site.owner_id) == User.id)).one()
        assert owner.username == "maren"
        assert {user.password_hash for user in db.exec(select(User))} == {""}
        assert {post.preview_token for post in db.exec(select(Post))} == {None}
        kinds = select(Revision.kind, Post.slug).join(Post, col(Post.id) == Revision.post_id)
        found = sorted(db.exec(kinds.where(col(Post.slug).startswith("tides"))))
        assert [kind for kind, _ in found] == ["imported", "saved"]


def contents(database: Database) -> dict[str, Any]:
    """What there is, by names instead of the ids that a blog gives itself."""
    kept = {"author_id", "preview_token", "version", "series_id", "idempotency_key", "indexer"}
    with database.reading() as db:
        names = dict(db.exec(select(User.id, User.username)).all())
        posts = [
            post.model_dump(exclude=kept) for post in db.exec(select(Post).order_by(Post.slug))
        ]
        uses = select(MediaUse.post_id, MediaUse.media_id, MediaUse.place)
        return {
            "posts": posts,
            "authors": {
                slug: names[who] for slug, who in db.exec(select(Post.slug, Post.author_id))
            },
            "slugs": set(db.exec(select(Slug.slug, Slug.post_id))),
            "tags": set(db.exec(select(Tag.slug, Tag.name))),
            "feed ids": db.exec(select(Site.tagging_entity)).one(),
            "aliases": set(db.exec(select(TagAlias.slug, Tag.slug).join(Tag))),
            "unsaved": sorted(
                (names[each.user_id], each.text, each.saved_at, each.base_version < version)
                for each, version in db.exec(select(Autosave, Post.version).join(Post))
            ),
            "staged or own": {use for use in db.exec(uses) if use[2] == media_uses.STAGED},
            "accounts": [
                user.model_dump(exclude={"id", "password_hash"})
                for user in db.exec(select(User).order_by(User.username))
            ],
        }


def test_what_is_gone_stays_gone_and_what_moved_still_leads_there(
    blog: Blog, world_archive: Path
) -> None:
    unpack(blog.database, world_archive)
    stranger = blog.visitor()
    assert stranger.get("/posts/erased").status_code == 410
    assert stranger.get("/posts/thrown-away").status_code == 410
    assert stranger.get("/posts/ebb-and-flow").headers["location"] == "/posts/tides-others-yes"
    assert stranger.get("/posts/to-come").status_code == 404
    assert stranger.get("/posts/draft-of-tove").status_code == 404
    assert stranger.get("/about").status_code == 200
    assert stranger.get("/tags/cpp").headers["location"] == "/tags/c-plus-plus"
    assert "Later words" not in stranger.get("/posts/tides-others-yes").text


def test_an_image_is_seen_by_those_who_saw_it_before(blog: Blog, world_archive: Path) -> None:
    unpack(blog.database, world_archive)
    stranger = blog.visitor()
    paths = {image.name: media.url_of(image) for image in blog.rows(Media)}
    statuses = {name: stranger.get(path).status_code for name, path in paths.items()}
    assert statuses == {"heron-600x400.webp": 200, "secret-600x400.webp": 404}
    assert stranger.get(f"{paths['heron-600x400.webp']}?w=480").status_code == 200


def test_addresses_of_people_leave_only_when_asked_for_and_passwords_never(
    old: Database, tmp_path: Path
) -> None:
    World(old)
    assert b"ida@example.org" not in pack(old, tmp_path / "1.zip")
    with_emails = pack(old, tmp_path / "2.zip", with_emails=True)
    assert b"ida@example.org" in with_emails
    assert b"a-hash" not in with_emails
    with old.reading() as db:
        tokens = [token for token in db.exec(select(Post.preview_token)) if token]
    assert tokens
    assert not [token for token in tokens if token.encode() in with_emails]


def test_an_archive_is_of_one_moment(running_blog: Blog, blog: Blog, tmp_path: Path) -> None:
    with blog.database.writing() as db:
        author = add_owner(db)
        for number in range(25):
            add_post(db, author, f"Post {number}", "Before.")
    with blog.database.snapshot() as db:
        entries = packing.entries(db, blog.app.state.storage)
        seen = [next(entries), next(entries), next(entries)]
        with blog.database.writing() as other:
            for post in other.exec(select(Post)):
                post.content = "After."
            other.flush()
            add_post(other, author, "Too late", "After.")
        seen += entries
    texts = [text for name, text in seen if name.startswith("posts/")]
    assert len(texts) == 25
    assert not [text for text in texts if "After." in str(text)]


def test_a_few_posts_at_a_time_are_in_memory(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "POSTS_AT_ONCE", 2)
    with old.writing() as db:
        author = add_owner(db)
        for number in range(9):
            add_post(db, author, f"Post {number}", "Words.")
    with old.snapshot() as db:
        for _ in packing.posts(db, {author.id: author.username}):
            assert sum(isinstance(each, Post) for each in db.identity_map.values()) <= 2


def add_owner(db: Session) -> User:
    user = User(username="maren", display_name="Maren", password_hash="", role=Role.owner)
    user.created_at = AGES_AGO
    db.add(user)
    auth_service.claim_ownership(db, user)
    return user


def add_post(db: Session, author: User, title: str, content: str, **columns: Any) -> Post:
    names = columns.pop("tags", "")
    text = texts.Text(title=title, content=content, tags=names)
    post = Post(author_id=author.id, slug="", **texts.rendered(text), **columns)
    slugs.claim_similar(db, post, slugs.slug_of(text.title))
    db.add(post)
    tags.put_on(db, post.id, tags.parse(text.tags))
    return post


moments = st.integers(60_000_000_000, 200_000_000_000_000).map(
    lambda each: datetime.fromtimestamp(each / 1_000, UTC)
)
maybe = st.none() | moments
posts = st.fixed_dictionaries(
    {
        "title": st.text(min_size=1, max_size=200),
        "content": st.text(min_size=1, max_size=300)
        | st.sampled_from(
            ["---\na: b\n---\n", "\n\n+++\n", "\ufeffx", "a\r\nb\rc", "\u2028\x85\u00a0"]
        ),
        "tags": st.lists(st.text(min_size=1, max_size=12), max_size=4).map(",".join),
        "staged": st.none()
        | st.fixed_dictionaries(
            {
                "title": st.text(min_size=1, max_size=50),
                "content": st.text(min_size=1, max_size=50),
            },
            optional={
                "tags": st.text(max_size=20),
                "slug": st.text(max_size=20),
                "series": st.text(max_size=20),
                "kind": st.sampled_from(["post", "page"]),
            },
        ),
        "times": st.fixed_dictionaries(
            {
                "created_at": moments,
                "updated_at": moments,
                "published_at": maybe,
                "first_published_at": maybe,
                "revised_at": maybe,
                "trashed_at": maybe,
                "pinned_at": maybe,
            }
        ),
    }
)


@given(st.lists(posts, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_was_written_comes_back_as_it_was(
    blank: Path, written: list[dict[str, Any]]
) -> None:
    with copied(blank) as new:
        round_trip(blank, new, written)


@given(st.lists(posts, min_size=2, max_size=4))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_so_it_does_on_either_database(
    blog: Blog, blank: Path, written: list[dict[str, Any]]
) -> None:
    blog.empty()
    round_trip(blank, blog.database, written)


def round_trip(blank: Path, new: Database, written: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder, copied(blank) as old:
        with old.writing() as db:
            author = add_owner(db)
            for each in written:
                add_written(db, author, each)
        first = pack(old, Path(folder, "1.zip"))
        unpack(new, Path(folder, "1.zip"))
        assert pack(new, Path(folder, "2.zip")) == first
        assert stored(old) == stored(new)


def add_written(db: Session, author: User, each: dict[str, Any]) -> None:
    try:
        staged = each["staged"] and texts.Text(**each["staged"]).model_dump(exclude_none=True)
        fields = {name: each[name] for name in ("title", "content", "tags")}
        add_post(db, author, **fields, staged=staged, **each["times"])
    except ValidationError:  # no form would take it
        return


def stored(database: Database) -> list[Any]:
    columns = (Post.slug, Post.title, Post.content, Post.html, Post.staged, Post.excerpt)
    with database.reading() as db:
        return sorted(db.execute(select(*columns)).all(), key=str)  # type: ignore[call-overload]
