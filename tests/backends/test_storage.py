"""Where files are kept: the same of the database and of an object store, which is a real one."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from backends import Unavailable
from backends.storage import Storage, open_storage
from backends.storage.object_store import ObjectStorage
from models import Blob, Media, now
from services import media
from tests import pictures
from tests.blog import Blog, Person
from tests.object_store import BUCKET, ObjectStore
from tests.people import BOB
from tests.processes import at_once

pytestmark = pytest.mark.xdist_group("storage")

SOON = timedelta(minutes=1)


@pytest.fixture(scope="module")
def running_store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture
def object_store(running_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    running_store.empty()
    for name, value in running_store.environment.items():
        monkeypatch.setenv(name, value)
    return running_store


@pytest.fixture
def storage(blog: Blog, kind: str, request: pytest.FixtureRequest) -> Storage:
    if kind == "s3":
        request.getfixturevalue("object_store")
    url = {"media_url": f"s3://{BUCKET}/some/folder" if kind == "s3" else ""}
    return open_storage(blog.settings.model_copy(update=url), blog.database)


# An object store does not care what database there is beside it.
EACH = pytest.mark.parametrize(
    ("backend", "kind"),
    [("sqlite", "database"), ("postgres", "database"), ("sqlite", "s3")],
    indirect=["backend"],
)


@pytest.fixture
def elsewhere(blog: Blog, alice: Person, object_store: ObjectStore) -> Iterator[Blog]:
    """The blog of Alice, with its images in the object store."""
    with blog.beside(media_url=f"s3://{BUCKET}") as found:
        yield found


@EACH
def test_what_is_put_is_got_until_it_is_deleted(storage: Storage) -> None:
    data = bytes(range(256)) * 1000
    assert storage.get("media/a/1.webp") is None
    storage.put("media/a/1.webp", data)
    assert storage.get("media/a/1.webp") == data
    storage.put("media/a/1.webp", b"another")
    assert storage.get("media/a/1.webp") == b"another"
    storage.delete(["media/a/1.webp", "media/never/was.webp"])
    storage.delete(["media/a/1.webp"])
    storage.delete([])
    assert storage.get("media/a/1.webp") is None


@EACH
def test_keys_are_those_in_a_folder_that_are_older(storage: Storage) -> None:
    for key in ("media/a/1.webp", "media/a/2.webp", "media/b/1.webp", "medial/c", "other/media/a"):
        storage.put(key, b"x")
    wanted = {"media/a/1.webp", "media/a/2.webp", "media/b/1.webp"}
    assert set(storage.keys("media", now() + SOON)) == wanted
    assert not list(storage.keys("media", now() - SOON))


@EACH
def test_many_keys_come_all_and_once(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.storage.database.AT_ONCE", 3)
    monkeypatch.setattr("backends.storage.object_store.AT_ONCE", 3)
    wanted = [f"media/{number}/1.webp" for number in range(10)]
    for key in wanted:
        storage.put(key, b"x")
    assert sorted(storage.keys("media", now() + SOON)) == sorted(wanted)
    storage.delete(wanted)
    assert not list(storage.keys("media", now() + SOON))


@EACH
def test_many_at_once_do_not_disturb_each_other(storage: Storage) -> None:
    def put_and_get(number: int) -> bool:
        storage.put(f"media/{number}/1.webp", b"%d" % number)
        return storage.get(f"media/{number}/1.webp") == b"%d" % number

    assert all(at_once(8, put_and_get))


# The object store.


def test_a_folder_keeps_to_itself(object_store: ObjectStore) -> None:
    one, other = ObjectStorage(f"s3://{BUCKET}/one"), ObjectStorage(f"s3://{BUCKET}/other")
    one.put("media/a/1.webp", b"one")
    assert other.get("media/a/1.webp") is None
    assert ObjectStorage(f"s3://{BUCKET}").get("one/media/a/1.webp") == b"one"
    assert not list(other.keys("media", now() + SOON))


def test_without_a_bucket_nothing_is_stored(object_store: ObjectStore) -> None:
    with pytest.raises(Unavailable):
        ObjectStorage("s3://no-such-bucket").put("media/a/1.webp", b"x")


def test_a_store_that_is_not_there_is_told_soon(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port.getsockname()[1]}")
    gone = ObjectStorage(f"s3://{BUCKET}")
    started_at = time.monotonic()
    for act in (
        lambda: gone.put("media/a/1.webp", b"x"),
        lambda: gone.get("media/a/1.webp"),
        lambda: gone.delete(["media/a/1.webp"]),
        lambda: list(gone.keys("media", now())),
    ):
        with pytest.raises(Unavailable):
            act()
    assert time.monotonic() - started_at < 10


def test_a_store_that_says_nothing_is_given_up(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.storage.object_store.ANSWER_SECONDS", 0.3)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unavailable):
            ObjectStorage(f"s3://{BUCKET}").get("media/a/1.webp")


def test_images_live_there_from_their_upload_to_their_end(elsewhere: Blog) -> None:
    bob = elsewhere.person(BOB)
    image = bob.image(pictures.photo(1200, 900))
    assert not elsewhere.rows(Blob)
    stored = set(elsewhere.app.state.storage.keys("media", now() + SOON))
    assert stored == {f"media/{image['id']}/{width}.webp" for width in (480, 960, 1200)}
    assert pictures.opened(bob.get(f"{image['url']}?w=480").content).size == (480, 360)
    assert image["name"] in str(bob.get("/settings/export").content)
    assert bob.post(f"/media/{image['id']}/delete").status_code == 303
    assert not set(elsewhere.app.state.storage.keys("media", now() + SOON))


def test_while_the_store_is_away_pages_say_so_and_nothing_is_half_done(
    elsewhere: Blog, monkeypatch: pytest.MonkeyPatch, blog: Blog
) -> None:
    bob = elsewhere.person(BOB)
    image = bob.image()
    with closing(socket.create_server(("127.0.0.1", 0))) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port.getsockname()[1]}")
    elsewhere.app.state.storage.store = ObjectStorage(f"s3://{BUCKET}").store
    assert bob.get(image["url"]).status_code == 503
    response = bob.upload(pictures.drawing())
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert len(elsewhere.rows(Media)) == 1
    assert bob.get("/media").status_code == 200
    assert bob.get("/").status_code == 200


# What a crash leaves behind.


class Failing:
    """A storage that breaks after so many files, and then refuses everything."""

    def __init__(self, storage: Storage, after: int) -> None:
        self.storage, self.left = storage, after

    def put(self, key: str, data: bytes) -> None:
        if not self.left:
            raise Unavailable
        self.left -= 1
        self.storage.put(key, data)

    def delete(self, keys: object) -> None:
        raise Unavailable


def test_a_storage_that_breaks_leaves_orphans_that_are_swept(
    blog: Blog, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = alice.image(pictures.photo(1200, 900))
    storage = blog.app.state.storage
    monkeypatch.setattr(blog.app.state, "storage", Failing(storage, after=2))
    assert alice.upload(pictures.photo(1200, 900, "PNG")).status_code == 503
    assert len(blog.rows(Media)) == 1
    assert len(blog.rows(Blob)) == 5
    assert media.sweep(blog.database, storage) == 0  # an upload may still be under way
    blog.put(Blob, stored_at=now() - media.ORPHANED_AFTER - SOON)
    assert media.sweep(blog.database, storage) == 2
    assert {blob.key.split("/")[1] for blob in blog.rows(Blob)} == {kept["id"]}


def test_a_storage_that_recovers_leaves_nothing(
    blog: Blog, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(blog.app.state.storage, after=2)
    monkeypatch.setattr(failing, "delete", failing.storage.delete)
    monkeypatch.setattr(blog.app.state, "storage", failing)
    assert alice.upload(pictures.photo(1200, 900)).status_code == 503
    assert not blog.rows(Media)
    assert not blog.rows(Blob)
