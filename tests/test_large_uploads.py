"""Files that are too large, too slow or too many: refused early, and nobody else waits for them."""

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from models import Media
from tests import pictures
from tests.blog import Blog, Person
from tests.processes import Serving, at_once, rows, serving
from web import uploads
from web.body_guard import MOST_UPLOAD_BYTES

MEGABYTE = 1024 * 1024
BOUNDARY = "b"
FIRST = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n'
).encode()
LAST = f"\r\n--{BOUNDARY}--\r\n".encode()
HTML = {"Accept": "text/html"}


def form_of(data: bytes) -> bytes:
    return FIRST + data + LAST


def head(person: Person, length: int) -> bytes:
    cookies, size = cookies_of(person), f"Content-Length: {length}"
    return (
        f"POST /media HTTP/1.1\r\nHost: blog\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{size}\r\n\r\n"
    ).encode()


def cookies_of(person: Person) -> str:
    return "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())


def connect(blog: Blog, first: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", blog.port), timeout=20)
    connection.sendall(first)
    return connection


def status_of(connection: socket.socket) -> int:
    with closing(connection):
        return int(connection.recv(12).split()[1])


def test_twenty_megabytes_are_taken_and_one_byte_more_is_not(bob: Person, blog: Blog) -> None:
    most = MOST_UPLOAD_BYTES - len(form_of(b""))
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    image = pictures.drawing()
    whole = form_of(image + bytes(most - len(image)))
    assert bob.client.post("/media", content=whole, headers=kind).status_code == 201
    for headers in (kind, kind | HTML):
        response = bob.client.post("/media", content=whole + b"x", headers=headers)
        assert response.status_code == 413
        assert "an image 20 MB" in response.text
    with connect(blog, head(bob, MOST_UPLOAD_BYTES + 1)) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"  # before a byte of it was sent


def test_a_body_of_unknown_length_has_the_same_limit(bob: Person) -> None:
    def pieces() -> Iterator[bytes]:
        yield FIRST
        for _ in range(21):
            yield bytes(MEGABYTE)

    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert bob.client.post("/media", content=pieces(), headers=kind).status_code == 413


@pytest.mark.parametrize("path", ["/posts", "/media/x", "/media/", "/api/v1/posts"])
def test_other_addresses_take_no_more_than_before(bob: Person, path: str) -> None:
    response = bob.client.post(path, content=bytes(3 * MEGABYTE))
    assert response.status_code == 413


def test_whoever_may_not_upload_is_told_before_they_send(
    stranger: Person, carol: Person, blog: Blog
) -> None:
    for person, status in ((stranger, 303), (carol, 403)):
        connection = connect(blog, head(person, 10 * MEGABYTE))
        assert status_of(connection) == status


def test_an_answer_that_comes_early_arrives(stranger: Person, carol: Person) -> None:
    """However much is sent before anybody listens."""
    data = bytes(10 * MEGABYTE)
    assert stranger.upload(data).status_code == 303
    assert carol.upload(data).status_code == 403


def test_nobody_waits_for_a_file_that_arrives_slowly(
    bob: Person, alice: Person, blog: Blog
) -> None:
    image = form_of(pictures.photo())
    slow = [connect(blog, head(bob, len(image)) + image[:2000]) for _ in range(3)]
    started_at = time.monotonic()
    assert alice.write() == "a-post"
    assert bob.write("Another") == "another"
    assert alice.upload(pictures.photo()).status_code == 201
    assert time.monotonic() - started_at < 8
    for connection in slow:
        connection.sendall(image[2000:])
    assert [status_of(connection) for connection in slow] == [201] * 3


def test_one_person_sends_a_few_at_once_and_others_are_not_kept_out(
    bob: Person, alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PLACE_SECONDS", 0.5)
    image = form_of(pictures.photo())
    slow = [connect(blog, head(bob, len(image)) + image[:2000]) for _ in range(4)]
    time.sleep(0.3)  # until they have their places
    response = bob.upload(pictures.drawing())
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert alice.upload(pictures.drawing()).status_code == 201
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n" + b"\r\n".join(b"X-%d: y" % number for number in range(100_000)),
        (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 100_000),
        b'--b\r\nContent-Disposition: form-data; name="' + b"x" * MEGABYTE,
        b"y" * MEGABYTE + b"\r\n--b--",
        FIRST.replace(b'; filename="x.jpg"', b"") + bytes(MEGABYTE),
    ],
    ids=["headers", "parts", "a long name", "a preamble", "a field of a megabyte"],
)
def test_forms_made_to_cost_time_are_refused(bob: Person, blog: Blog, body: bytes) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    started_at = time.monotonic()
    assert bob.client.post("/media", content=body, headers=kind).status_code in (400, 422)
    assert time.monotonic() - started_at < 2
    assert not blog.rows(Media)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "image/jpeg", ""])
def test_what_is_no_form_is_refused(bob: Person, kind: str) -> None:
    response = bob.client.post("/media", content=b"{}", headers={"Content-Type": kind})
    assert response.status_code == 415


# A server of its own.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as found:
        yield found


def send(server: Serving, cookies: str, data: bytes) -> int:
    body = form_of(data)
    headers = {"Cookie": cookies, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", "/media", body, headers)
        return connection.getresponse().status


def test_large_files_take_little_memory(server: Serving) -> None:
    cookies = server.register("maren")
    assert send(server, cookies, pictures.photo(64, 64)) == 201  # what is loaded once
    data = pictures.SVG + bytes(15 * MEGABYTE)
    before = psutil.Process(server.pid).memory_info().rss
    assert at_once(4, lambda _: send(server, cookies, data)) == [415] * 4
    assert psutil.Process(server.pid).memory_info().rss - before < 30 * MEGABYTE


def test_bombs_cost_the_server_nothing(server: Serving) -> None:
    cookies = server.register("maren")
    assert send(server, cookies, pictures.photo(64, 64)) == 201
    before = psutil.Process(server.pid).memory_info().rss
    for data in (*pictures.too_much().values(), pictures.png_with_bomb(b"zTXt")):
        assert send(server, cookies, data) in (201, 422)
    assert psutil.Process(server.pid).memory_info().rss - before < 30 * MEGABYTE


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="No disk can be filled like that.")
def test_a_full_disk_is_told_and_leaves_nothing(server: Serving, tmp_path: Path) -> None:
    cookies = server.register("maren")
    assert send(server, cookies, pictures.photo(64, 64)) == 201
    full = (3 * MEGABYTE, 3 * MEGABYTE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, full)
    assert send(server, cookies, bytes(5 * MEGABYTE)) == 503
    noise = pictures.noise(2000, 2000)
    assert len(noise) < 3 * MEGABYTE
    assert send(server, cookies, noise) == 503  # it arrives, but what becomes of it is larger
    assert rows(f"sqlite:///{tmp_path / 'inkstand.db'}", "SELECT count(*) FROM media") == [(1,)]
    assert server.get("/").status == 200


def test_a_kill_leaves_no_image_without_its_files(tmp_path: Path) -> None:
    """Whatever moment it comes at: what was acknowledged is there, what is there is whole."""
    url = f"sqlite:///{tmp_path / 'inkstand.db'}"
    images = [pictures.photo(1000 + number, 700) for number in range(12)]
    cookies, acknowledged = "", 0
    for kill in range(4):
        with serving(tmp_path) as server:
            cookies = cookies or server.register("maren")
            sent = images[kill * 3 : kill * 3 + 3]
            statuses: list[int] = []
            sending = threading.Thread(
                target=send_until_killed, args=(server, cookies, sent, statuses)
            )
            sending.start()
            time.sleep(0.3 + 0.25 * kill)
            server.kill()
            sending.join()
        acknowledged += statuses.count(201)
        stored = {key for (key,) in rows(url, "SELECT key FROM blobs")}
        known = rows(url, "SELECT id, width FROM media")
        assert len(known) >= acknowledged
        for image_id, width in known:
            for each in (480, 960, width):
                assert f"media/{UUID(image_id)}/{each}.webp" in stored


def send_until_killed(
    server: Serving, cookies: str, images: list[bytes], statuses: list[int]
) -> None:
    for data in images:
        try:
            statuses.append(send(server, cookies, data))
        except (OSError, HTTPException):
            return
