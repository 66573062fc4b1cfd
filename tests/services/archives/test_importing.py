"""Importing into a blog with people and posts: what is new comes in, nothing is overwritten."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from backends.storage import Storage
from database import Database
from errors import Invalid
from models import Blob, Media, Post, Revision, User
from services import media
from services.archives import containers, importing, pictures
from services.archives.values import FORMAT
from tests.archives import nothing, picture, unpack
from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD


def dump(database: Database) -> dict[str, list[Any]]:
    with database.reading() as db:
        return {
            name: sorted(map(tuple, db.execute(table.select())), key=repr)
            for name, table in SQLModel.metadata.tables.items()
        }


def sentences(caught: pytest.ExceptionInfo[Invalid]) -> str:
    return "\n".join(caught.value.fields.values())


def test_a_dry_run_tells_and_changes_nothing(blog: Blog, site: Path) -> None:
    before = dump(blog.database)
    plan = unpack(blog.database, site, dry_run=True)
    assert dump(blog.database) == before
    numbers = {name: number for name, number in plan.numbers().items() if number}
    assert numbers == {
        "accounts": 5,
        "posts and pages": 9,
        "images": 2,
        "addresses of deleted posts": 2,
    }


def test_the_same_archive_twice_is_the_same_as_once(blog: Blog, site: Path) -> None:
    unpack(blog.database, site)
    before = dump(blog.database)
    plan = unpack(blog.database, site)
    assert dump(blog.database) == before
    assert (plan.here, plan.texts, plan.conflicts) == (9, [], [])


def test_texts_of_people_without_an_account_need_a_stand_in(
    alice: Person, blog: Blog, site: Path
) -> None:
    before = dump(blog.database)
    with pytest.raises(Invalid) as caught:
        unpack(blog.database, site)
    assert "ida has no account here" in sentences(caught)
    with pytest.raises(Invalid, match="nobody called carla"):
        unpack(blog.database, site, "carla")
    assert dump(blog.database) == before
    blog.person("ida")
    unpack(blog.database, site, ALICE)
    authors = {user.id: user.username for user in blog.rows(User)}
    found = {post.slug: authors[post.author_id] for post in blog.rows(Post)}
    assert found["tides-others-yes"] == "ida"
    assert found["to-come"] == ALICE
    assert found["left-behind"] == "deleted"
    assert set(authors.values()) == {ALICE, "ida", "deleted"}


def test_what_was_changed_here_stays_and_is_told(blog: Blog, site: Path) -> None:
    unpack(blog.database, site)
    with blog.database.writing() as db:
        post = db.exec(select(Post).where(Post.slug == "left-behind")).one()
        post.content = "Changed here."
    plan = unpack(blog.database, site)
    assert [line.partition(":")[0] for line in plan.conflicts] == ["posts/left-behind.md"]
    assert "Changed here." in [post.content for post in blog.rows(Post)]


def test_an_address_that_is_taken_here_is_not_taken_away(
    alice: Person, blog: Blog, site: Path
) -> None:
    mine = [alice.write("Ebb and flow"), alice.write("About", "Mine.", slug="about")]
    plan = unpack(blog.database, site, ALICE)
    assert [line.partition(":")[0] for line in plan.conflicts] == ["pages/about.md"]
    assert [alice.get(f"/posts/{slug}").status_code for slug in mine] == [200, 200]
    assert "tides-others-yes" in {post.slug for post in blog.rows(Post)}


def test_accounts_are_made_without_passwords_and_get_one_by_hand(blog: Blog, site: Path) -> None:
    unpack(blog.database, site)
    maren = Person(blog, "maren")
    for guess in ("", "secret", PASSWORD):
        assert maren.log_in(guess or "x").status_code == 401
    from services import password_changes

    with blog.database.writing() as db:
        password_changes.give(db, "Maren", PASSWORD, blog.settings)
    assert maren.log_in().status_code == 303
    assert maren.get("/admin").status_code == 200
    assert Person(blog, "reader").log_in().status_code == 401


def test_imported_texts_have_a_first_revision(blog: Blog, site: Path) -> None:
    unpack(blog.database, site)
    kinds = sorted(revision.kind for revision in blog.rows(Revision))
    assert kinds == ["imported"] * 8 + ["saved"]


MISTAKES = {
    "a newer format": ("inkstand.yaml", f"format: {FORMAT}", "format: 2", "knows 1"),
    "a title too long": ("posts/to-come.md", '"To come"', f'"{"x" * 201}"', "At most 200"),
    "a text too long": ("posts/to-come.md", "Words.", "x" * 524_289, "At most 512 KB"),
    "no words": ("posts/to-come.md", "Words.", "", "Please write something"),
    "too much typed": ("posts/draft-of-tove.unsaved.ida.md", "Half", "x" * 524_289, "At most 512"),
    "no author": ("posts/to-come.md", '"maren"', '"nobody-known"', "has no account"),
    "no date": ("posts/to-come.md", "2031-10-26", "2031-13-26", "date"),
    "a date without a zone": ("posts/to-come.md", "2031-10-26T01:30:00Z", "2031-10-26", "date"),
    "a date before there were blogs": ("posts/to-come.md", "2031-10-26", "1969-10-26", "Years"),
    "an address of ours": ("posts/to-come.md", '"to-come"', '"new"', "cannot be the address"),
    "a page in our way": ("pages/about.md", '"about"', '"admin"', "belongs to the blog itself"),
    "an address twice": ("posts/to-come.md", '"to-come"', '"ebb-and-flow"', "of two texts"),
    "an alias elsewhere": ("posts/tides-others-yes.md", "/posts/ebb", "//evil/ebb", "no address"),
    "another series": ("posts/tides-others-yes.md", "the-harbour", "the-quay", "no series"),
    "two owners": ("authors/ida.yaml", 'username: "ida"', 'username: "ida"\nrole: owner', "owner"),
    "a role that is none": ("authors/tove.yaml", '"editor"', '"god"', "role"),
    "one name twice": ("authors/ida.yaml", '"ida"', '"tove"', "twice"),
    "a script for a website": ("authors/maren.yaml", "https://maren", "javascript:x//", "address"),
    "a tag with a comma": ("tags/unused.yaml", '"Unused"', '"Un,used"', "cannot be a tag"),
    "an alias of two tags": ("tags/unused.yaml", '"unused"', '"cpp"', "twice"),
    "not UTF-8": ("posts/to-come.md", "Words.", "\udce4", "not in UTF-8"),
    "a reference": ("posts/to-come.md", "title:", "a: &a 1\nb: *a\ntitle:", "References"),
    "a character that cannot be stored": ("posts/to-come.md", "Words.", "\x00", "U+0000"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_archive_with_a_mistake_is_refused_as_a_whole(
    mistake: str, new: Database, site: Path
) -> None:
    name, right, wrong, sentence = MISTAKES[mistake]
    text = (site / name).read_text("utf-8")
    assert right in text
    (site / name).write_bytes(text.replace(right, wrong).encode("utf-8", "surrogateescape"))
    before = dump(new)
    with pytest.raises(Invalid) as caught:
        unpack(new, site)
    assert sentence in sentences(caught)
    assert dump(new) == before


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no image", "not an image"),
        (picture(600, 401), "600x401"),
        (picture(600, 400)[:-50], "damaged"),
    ],
)
def test_an_image_that_is_none_keeps_everything_out(
    data: bytes, sentence: str, new: Database, site: Path
) -> None:
    next(site.glob("media/*/heron*.webp")).write_bytes(data)
    before = dump(new)
    with pytest.raises(Invalid) as caught:
        unpack(new, site)
    assert sentence in sentences(caught)
    assert dump(new) == before  # the files of the other image, too


def test_an_image_with_more_than_a_picture_is_made_anew(blog: Blog, site: Path) -> None:
    """What says where it was taken does not come in by this door either."""
    path = next(site.glob("media/*/heron*.webp"))
    path.write_bytes(picture(600, 400, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0CANARY"))
    assert b"CANARY" in path.read_bytes()
    unpack(blog.database, site)
    assert not [blob for blob in all_blobs(blog) if b"CANARY" in blob]


def test_frames_in_frames_are_no_picture() -> None:
    """However deep: an archive may hold what no program has written."""
    body = b""
    for _ in range(2_000):
        body = b"ANMF" + (16 + len(body)).to_bytes(4, "little") + bytes(16) + body
    whole = b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body
    assert not pictures.is_clean(whole)


def test_an_image_without_its_file_is_left_out_and_told(blog: Blog, site: Path) -> None:
    next(site.glob("media/*/heron*.webp")).unlink()
    plan = unpack(blog.database, site)
    assert [note for note in plan.archive.report.notes if "is missing" in note]
    assert [image.name for image in blog.rows(Media)] == ["secret-600x400.webp"]


def all_blobs(blog: Blog) -> list[bytes]:
    with blog.database.reading() as db:
        return list(db.exec(select(Blob.data)))


def test_a_failure_while_storing_leaves_nothing(
    blog: Blog, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(blog.database)
    done: list[int] = []

    def stop_in_the_middle() -> None:
        done.append(1)
        if len(done) > 13:  # nine to look at, then four stored
            raise RuntimeError

    monkeypatch.setattr("tests.archives.nothing", stop_in_the_middle)
    with pytest.raises(RuntimeError):
        unpack(blog.database, site)
    assert dump(blog.database) == before


def test_a_blog_without_accounts_takes_no_texts_of_nobody(blog: Blog, tmp_path: Path) -> None:
    (tmp_path / "2024-05-01-hello.md").write_text("---\ntitle: Hello\n---\nWords.")
    with pytest.raises(Invalid, match="Make yours first"):
        unpack(blog.database, tmp_path)


def test_who_imports_the_same_too_late_leaves_the_images_of_the_first(
    blog: Blog, site: Path
) -> None:
    storage = blog.app.state.storage
    with pytest.raises(IntegrityError):
        import_after_another(blog, site, storage)
    images = blog.rows(Media)
    assert images
    assert all(storage.get(key) for image in images for key in media.keys_of(image))


def import_after_another(blog: Blog, site: Path, storage: Storage) -> None:
    with ExitStack() as stack:
        container = stack.enter_context(containers.opened(site))
        archive = importing.archive_in(container, blog.settings)
        plan = stack.enter_context(importing.planned(blog.database, archive, "", nothing))
        found = importing.pictures_of(blog.database, plan, storage, nothing)
        sizes = stack.enter_context(found)
        unpack(blog.database, site)
        importing.store(blog.database, plan, sizes, nothing)
