"""Clients that send too slowly, too much, or nonsense: a clear answer, a closed connection, and
nobody else notices."""

import re
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from models import User
from tests.blog import Blog, blog_settings
from tests.people import ALICE, PASSWORD
from tests.processes import at_once, serving
from web import body_guard, receive_deadline

GET = b"GET / HTTP/1.1\r\nHost: blog\r\n\r\n"
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: blog\r\nCookie: "
POST = b"POST /users/register HTTP/1.1\r\nHost: blog\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
MULTIPART = b"Content-Type: multipart/form-data; boundary=b\r\n"
KILOBYTE, MEGABYTE = 1024, 1024 * 1024
PATIENCE = 10  # seconds


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    folder = tmp_path_factory.mktemp("slow")
    with Blog(blog_settings(database_url=f"sqlite:///{folder / 'inkstand.db'}")) as blog:
        yield blog


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """The deadlines, in seconds, shortened for the test."""
    seconds = 0.4
    monkeypatch.setattr(receive_deadline, "DEADLINE_SECONDS", seconds)
    monkeypatch.setattr(body_guard, "DEADLINE_SECONDS", seconds)
    monkeypatch.setattr(body_guard, "LINGER_SECONDS", seconds)
    return seconds


@pytest.mark.parametrize("endless", [b"ab: cd\r\n", b"x"], ids=["many", "one"])
def test_trailers_without_end_end_the_connection(blog: Blog, endless: bytes) -> None:
    """They are no part of the body, so no other limit sees them."""
    connection = connect(blog, POST + FORM + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
    sent = 0
    with closing(connection), suppress(OSError):
        while sent < 4 * MEGABYTE:
            connection.sendall(endless * (16 * KILOBYTE // len(endless)))
            sent += 16 * KILOBYTE
            time.sleep(0.001)
    assert sent < MEGABYTE


def test_trailers_are_read_by_nobody(blog: Blog) -> None:
    body = (
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\nX-Late: 1\r\n\r\n"
    )
    assert b" 422 " in rest(connect(blog, POST + FORM + body)).split(b"\r\n")[0]


def connect(blog: Blog, first: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", blog.port), timeout=PATIENCE)
    connection.sendall(first)
    return connection


def rest(connection: socket.socket) -> bytes:
    """Everything until the other side closes. Raises TimeoutError if it does not."""
    received = b""
    # Whoever is cut off in mid-sentence may miss the answer.
    with closing(connection), suppress(ConnectionResetError):
        while chunk := connection.recv(64 * KILOBYTE):
            received += chunk
    return received


def ask(blog: Blog, request: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    return rest(connect(blog, request))


def statuses(received: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def test_half_a_head_is_hung_up_on(blog: Blog, impatient: float) -> None:
    started_at = time.monotonic()
    assert ask(blog, HALF_A_HEAD) == b""
    assert impatient * 0.9 <= time.monotonic() - started_at < impatient + 2


def test_silence_is_hung_up_on(blog: Blog, impatient: float) -> None:
    assert ask(blog, b"") == b""


def test_half_a_second_head_on_a_kept_connection_is_hung_up_on(
    blog: Blog, impatient: float
) -> None:
    connection = connect(blog, GET)
    assert connection.recv(12) == b"HTTP/1.1 200"
    connection.sendall(HALF_A_HEAD)
    assert statuses(rest(connection)) == []


def test_half_a_body_gets_a_page_that_says_so(blog: Blog, impatient: float) -> None:
    answer = ask(blog, POST + FORM + b"Content-Length: 100\r\n\r\nusername=al")
    assert statuses(answer) == [408]
    assert b"That took too long" in answer
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (HALF_A_HEAD, []),
        (POST + FORM + b"Content-Length: 1000\r\n\r\n", [408]),
        (POST + b"Sec-Fetch-Site: cross-site\r\nContent-Length: 1000\r\n\r\n", [403]),
    ],
    ids=["head", "body", "body that nobody reads"],
)
def test_a_trickle_is_no_progress(
    blog: Blog, impatient: float, first: bytes, expected: list[int]
) -> None:
    connection = connect(blog, first)
    started_at = time.monotonic()
    with trickling(connection, every=0.05):
        assert statuses(rest(connection)) in (expected, [])
    assert time.monotonic() - started_at < impatient + 2


def test_a_form_may_take_longer_while_it_really_arrives(blog: Blog, impatient: float) -> None:
    body = b"username=dora&password=" + PASSWORD.replace(" ", "+").encode()
    padding = b"&more=" + b"x" * 60 * KILOBYTE
    head = POST + FORM + b"Content-Length: %d\r\n\r\n" % len(body + padding)
    connection = connect(blog, head + body)
    for start in range(0, len(padding), 6 * KILOBYTE):
        connection.sendall(padding[start : start + 6 * KILOBYTE])
        time.sleep(0.15)  # 40 KB a second, for 1.5 seconds
    assert connection.recv(12) == b"HTTP/1.1 303"
    connection.close()


def test_nobody_waits_for_a_slow_sender(blog: Blog) -> None:
    """Whose form is on its way must not hold what other writers need, such as SQLite's lock."""
    slow = [connect(blog, POST + FORM + b"Content-Length: 100\r\n\r\nusername=") for _ in range(45)]
    time.sleep(0.2)
    quick = blog.visitor()
    quick.username = "quick"
    started_at = time.monotonic()
    assert quick.register().status_code == 303
    assert quick.get("/").status_code == 200
    assert time.monotonic() - started_at < 2
    for connection in slow:
        connection.close()


def test_who_never_reads_the_answers_is_dropped(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive_deadline, "UNREAD_SECONDS", 1)
    connections = blog.server.server_state.connections
    wait_for(lambda: not connections)
    font = b"GET /static/fonts/inkstand-serif-latin-roman.woff2 HTTP/1.1\r\nHost: b\r\n\r\n"
    with closing(connect(blog, font * 200)):
        wait_for(lambda: len(connections) == 1)
        wait_for(lambda: not connections)


@pytest.mark.timeout(60)
def test_with_the_real_deadlines_it_takes_fifteen_seconds(tmp_path: Path) -> None:
    """On the real server, while others go on reading and somebody slow and honest writes."""
    with serving(tmp_path) as server:
        alice = server.register(ALICE)
        slow = {
            "head": server.connect(HALF_A_HEAD),
            "body": server.connect(POST + FORM + b"Content-Length: 100\r\n\r\nusername="),
        }
        crowd = [server.connect(HALF_A_HEAD) for _ in range(40)]
        text = b"title=Slowly&content=" + b"x" * 340 * KILOBYTE
        honest = server.connect(
            b"POST /posts HTTP/1.1\r\nHost: blog\r\nCookie: " + alice.encode() + b"\r\n" + FORM
            + b"Content-Length: %d\r\n\r\n" % len(text)
        )  # fmt: skip
        started_at = time.monotonic()
        took: list[float] = []
        ended: dict[str, float] = {}
        answers: dict[str, bytes] = {}

        def listen(name: str) -> None:
            slow[name].settimeout(30)
            answers[name] = rest(slow[name])
            ended[name] = time.monotonic() - started_at

        listeners = [threading.Thread(target=listen, args=[name]) for name in slow]
        for listener in listeners:
            listener.start()
        sent = 0
        while (now := time.monotonic() - started_at) < 16.5:
            if now > 2:
                piece = text[sent : sent + 5 * KILOBYTE]  # about 20 KB a second
                honest.sendall(piece)
                sent += len(piece)
            for connection in crowd if now < 14 else []:
                connection.sendall(b"x")
            before = time.monotonic()
            assert server.status("/") == 200
            took.append(time.monotonic() - before)
            time.sleep(0.24)
        honest.sendall(text[sent:])
        assert honest.recv(12) == b"HTTP/1.1 303"
        honest.close()
        for listener in listeners:
            listener.join()
        for connection in crowd:
            connection.settimeout(2)
            assert rest(connection) == b""
    assert answers["head"] == b""
    assert statuses(answers["body"]) == [408]
    assert all(14.5 < seconds < 19 for seconds in ended.values()), ended
    assert statistics.median(took) < 0.2
    assert max(took) < 3


def test_a_length_over_the_limit_is_refused_before_anything_of_it_is_sent(
    blog: Blog, impatient: float
) -> None:
    connection = connect(blog, POST + FORM + b"Content-Length: 2097153\r\n\r\n")
    started_at = time.monotonic()
    assert connection.recv(12) == b"HTTP/1.1 413"
    assert time.monotonic() - started_at < impatient / 2
    answer = rest(connection)
    assert b"\r\nconnection: close\r\n" in answer
    assert b"Too much at once" in answer
    assert b"</html>" in answer


def test_who_expects_a_hundred_gets_the_413_instead(blog: Blog, impatient: float) -> None:
    head = POST + FORM + b"Expect: 100-continue\r\nContent-Length: 2097153\r\n\r\n"
    assert statuses(ask(blog, head)) == [413]


@pytest.mark.parametrize("size", [3 * MEGABYTE, 20 * MEGABYTE])
def test_who_sends_it_all_the_same_still_sees_the_page(blog: Blog, size: int) -> None:
    """As browsers do: they read once everything is sent, and a reset would be all they see."""
    connection = connect(blog, POST + FORM + b"Content-Length: %d\r\n\r\n" % size)
    connection.sendall(b"x" * size)
    answer = rest(connection)
    assert statuses(answer) == [413]
    assert b"Too much at once" in answer
    assert b"</html>" in answer


def test_chunks_are_counted_as_they_come(blog: Blog) -> None:
    connection = connect(blog, POST + FORM + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(48):
        connection.sendall(b"10000\r\n" + b"x" * 64 * KILOBYTE + b"\r\n")
    connection.sendall(b"0\r\n\r\n")
    answer = rest(connection)
    assert statuses(answer) == [413]
    assert b"Too much at once" in answer


def test_whoever_goes_on_for_ever_is_cut_off(blog: Blog, impatient: float) -> None:
    connection = connect(blog, POST + FORM + b"Transfer-Encoding: chunked\r\n\r\n")
    started_at = time.monotonic()
    with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012
        while time.monotonic() < started_at + PATIENCE:
            connection.sendall(b"10000\r\n" + b"x" * 64 * KILOBYTE + b"\r\n")
    connection.close()


def test_the_largest_post_fits_whatever_script_it_is_in(blog: Blog) -> None:
    dora = blog.visitor()
    dora.username = "dora-writes"
    assert dora.register().status_code == 303
    assert dora.write(content="é" * 256 * KILOBYTE)
    assert dora.post("/posts", {"title": "t", "content": "x" * 600_000}).status_code == 422


def test_a_head_over_32_kilobytes_is_refused(blog: Blog) -> None:
    long = b"X-Long: " + b"v" * 33 * KILOBYTE
    assert statuses(ask(blog, GET[:-2] + long + b"\r\n\r\n")) == [431]


@pytest.mark.parametrize(
    "headers",
    [
        b"Cookie: " + b"v" * 200 * KILOBYTE,
        b"\r\n".join([b"a: b"] * 10_000),
        b"\r\n".join([b"Cookie: a=b"] * 10_000),
        b"\r\n".join(b"X-%d: %d" % (n, n) for n in range(10_000)),
    ],
    ids=["a long one", "ten thousand", "ten thousand cookies", "ten thousand names"],
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_flood_of_headers_is_refused_at_once_or_in_pieces(
    blog: Blog, headers: bytes, pieces: int
) -> None:
    head = GET[:-2] + headers + b"\r\n\r\n"
    size = len(head) // pieces + 1
    connection = connect(blog, b"")
    started_at = time.monotonic()
    received = b""
    with suppress(OSError):  # it does not read all of it, so a reset may overtake the answer
        for start in range(0, len(head), size):
            connection.sendall(head[start : start + size])
            time.sleep(0.01)
        received = rest(connection)
    connection.close()
    assert statuses(received) in ([431], [])
    assert time.monotonic() - started_at < 1


def test_a_head_just_below_passes(blog: Blog) -> None:
    connection = connect(blog, GET[:-2] + b"X-Long: " + b"v" * 31 * KILOBYTE + b"\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 200"
    connection.close()


def test_a_long_address_is_part_of_the_head(blog: Blog) -> None:
    long = b"/" + b"x" * 40 * KILOBYTE
    assert statuses(ask(blog, b"GET " + long + b" HTTP/1.1\r\nHost: blog\r\n\r\n")) == [431]


def test_an_answer_before_the_body_was_read_keeps_the_connection_in_step(blog: Blog) -> None:
    """A refusal must not turn the rest of a long form into the head of the next request."""
    body = b"x" * 200 * KILOBYTE
    head = POST + FORM + b"Sec-Fetch-Site: cross-site\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection = connect(blog, head)
    for start in range(0, len(body), 20 * KILOBYTE):
        connection.sendall(body[start : start + 20 * KILOBYTE])
        time.sleep(0.005)
    connection.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
    assert statuses(rest(connection)) == [403, 200]


@pytest.mark.parametrize(
    "request_line",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"EHLO blog\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: blog\r\n\r\n",
        b"GET / HTTP/1.1 \x00\r\nHost: blog\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: blog\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: blog\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: blog\r\nConnection: close\r\n\r\n",
        b"CONNECT evil:443 HTTP/1.1\r\nHost: blog\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_garbled_request_line_is_refused(blog: Blog, request_line: bytes) -> None:
    [status] = statuses(ask(blog, request_line))
    assert status in (400, 404, 405, 501)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length : 5\r\n",
        b"X-Folded: one\r\n two\r\nContent-Length: 5\r\n",
        b"X-Line: one\nContent-Length: 5\r\n",
        b"X-Nul: \x00\r\nContent-Length: 5\r\n",
        b"X-Return: a\rb\r\nContent-Length: 5\r\n",
        b": no name\r\nContent-Length: 5\r\n",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(blog: Blog, headers: bytes) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n"
    assert statuses(ask(blog, POST + FORM + headers + b"\r\n0\r\n\r\n" + hidden)) == [400]


def test_a_body_longer_than_it_says_ends_the_connection(blog: Blog) -> None:
    request = POST + FORM + b"Content-Length: 5\r\n\r\na=b&c" + b"=and much more\r\n\r\n"
    assert statuses(ask(blog, request))[-1] == 400


def test_a_body_cut_short_changes_nothing(blog: Blog) -> None:
    form = b"username=cut-short&password=" + PASSWORD.replace(" ", "+").encode()
    request = POST + FORM + b"Content-Length: %d\r\n\r\n" % (len(form) + 1) + form
    connection = connect(blog, request)
    connection.shutdown(socket.SHUT_WR)
    assert statuses(rest(connection)) == []
    assert "cut-short" not in {user.username for user in blog.rows(User)}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Type: multipart/form-data\r\n", b"--b\r\n\r\n--b--\r\n"),
        (b"Content-Type: multipart/form-data; boundary=\r\n", b"--\r\n\r\n----\r\n"),
        (MULTIPART, b"x" * 1_900_000),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 35_000),
        (MULTIPART, b"--b\r\n" + b"X: y\r\n" * 300_000),
        (MULTIPART, b"--b\r\nX: " + b"y" * 1_900_000),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"y" * 1_900_000),
        (MULTIPART, b"--b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n'),
        (FORM, b"a=b&" * 450_000),
        (FORM, b"&" * 1_900_000),
        (FORM, b"%" * 1_900_000),
        (b"Content-Type: text/plain\r\n", b"username=x&password=y"),
        (b"Content-Type: application/json\r\n", b'{"username": "x"}'),
    ],
    ids=[
        "no boundary",
        "empty boundary",
        "no part",
        "many parts",
        "many headers of a part",
        "a long header of a part",
        "a large field",
        "a part without a name",
        "a file",
        "many fields",
        "ampersands",
        "percent signs",
        "plain text",
        "json",
    ],
)  # fmt: skip
def test_a_form_made_to_cost_time_is_refused_while_others_are_served(
    blog: Blog, headers: bytes, body: bytes
) -> None:
    request = POST + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body
    request = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    started_at = time.monotonic()
    [received, *others] = at_once(4, lambda n: ask(blog, request) if n == 0 else timed(blog))
    assert time.monotonic() - started_at < 20
    [status] = statuses(received)
    assert status in (400, 413, 415, 422)
    assert b"</html>" in received or b"application/problem+json" in received
    assert max(float(seconds) for seconds in others) < 5


def timed(blog: Blog) -> bytes:
    """How long the longest of a few small requests took, in seconds."""
    longest = 0.0
    for _ in range(5):
        before = time.monotonic()
        request = b"GET /healthz HTTP/1.1\r\nHost: blog\r\nConnection: close\r\n\r\n"
        assert statuses(ask(blog, request)) == [200]
        longest = max(longest, time.monotonic() - before)
    return str(longest).encode()


@contextmanager
def trickling(connection: socket.socket, every: float) -> Iterator[None]:
    """A byte now and then, until the other side has had enough."""
    is_over = threading.Event()

    def trickle() -> None:
        while not is_over.wait(every):
            try:
                connection.send(b"x")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
