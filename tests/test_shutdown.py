"""Asked to stop, the server finishes what it has begun, keeps nobody waiting, and says nothing.

The exit code is 0 whichever signal asked, SIGTERM (platforms, systemd) or SIGINT (Ctrl-C, Fly), and
with one worker or several.
"""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.people import ALICE, BOB, PASSWORD
from tests.processes import Serving, at_once, is_alive, serving
from tests.sockets import dashboard

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: blog\r\nCookie: "
FORM = f"username={ALICE}&password={PASSWORD.replace(' ', '+')}".encode()
POST = (
    b"POST /users/register HTTP/1.1\r\nHost: blog\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(FORM)
)
HALF_A_POST, REST = POST + FORM[:20], FORM[20:]
SERVICE_RESTART = 1012  # RFC 6455, section 11.7: come again
WAYS = [(number, workers) for number in (signal.SIGTERM, signal.SIGINT) for workers in (1, 2)]


class Stop(NamedTuple):
    answer: str
    exit_code: int
    seconds: float
    log: str


def test_what_is_in_flight_is_answered_and_half_open_clients_are_not_waited_for(
    tmp_path: Path,
) -> None:
    def stop(way: int) -> Stop:
        number, workers = WAYS[way]
        folder = tmp_path / f"{number.name}-{workers}"
        folder.mkdir()
        with serving(folder, WEB_CONCURRENCY=workers) as server:
            return stop_with_half_open_clients(server, number)

    for way, stopped in zip(WAYS, at_once(len(WAYS), stop), strict=True):
        assert stopped.answer.startswith("HTTP/1.1 303 See Other\r\n"), way
        assert "\r\nconnection: close\r\n" in stopped.answer, way
        assert stopped.exit_code == 0, (way, stopped.log)
        assert stopped.seconds < 10, way
        assert "Traceback" not in stopped.log, way
        assert "error" not in stopped.log, way


def stop_with_half_open_clients(server: Serving, number: signal.Signals) -> Stop:
    half_heads = [server.connect(HALF_A_HEAD) for _ in range(10)]
    half_bodies = [server.connect(HALF_A_POST) for _ in range(10)]
    slow = server.connect(HALF_A_POST)
    wait_until_read(server)
    asked_at = time.monotonic()
    server.send_signal(number)
    wait_until_refused(server)
    slow.sendall(REST)
    answer = everything_from(slow)
    exit_code = server.wait()
    seconds = time.monotonic() - asked_at
    for connection in (*half_heads, *half_bodies, slow):
        connection.close()
    return Stop(answer, exit_code, seconds, server.log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_password_that_is_being_hashed_gets_its_answer(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path, BCRYPT_COST=13) as server, ThreadPoolExecutor() as pool:
        registering = pool.submit(server.register, BOB)
        wait_until_busy(server)
        server.send_signal(number)
        assert registering.result()
        assert server.wait() == 0
        assert "Traceback" not in server.log


@pytest.mark.parametrize("workers", [1, 2])
def test_open_sockets_do_not_delay_a_stop(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path, WEB_CONCURRENCY=workers) as server, ExitStack() as opened:
        cookies = server.register(ALICE)
        sockets = [opened.enter_context(dashboard(server, cookies)) for _ in range(5)]
        assert all("ready" in str(socket.recv(timeout=5)) for socket in sockets)
        asked_at = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for each in sockets:
            with pytest.raises(ConnectionClosed):
                each.recv(timeout=5)
            assert each.close_code == SERVICE_RESTART
        assert server.wait() == 0
        assert time.monotonic() - asked_at < 5
        assert "Traceback" not in server.log
        assert "error" not in server.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_browsers_do_not_delay_a_stop(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as server:
        connections = [server.connect(b"GET / HTTP/1.1\r\nHost: blog\r\n\r\n") for _ in range(20)]
        assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in connections)
        asked_at = time.monotonic()
        os.killpg(server.pid, number)  # as Ctrl-C in a terminal does it
        assert server.wait() == 0
        assert time.monotonic() - asked_at < 5
        assert [line for line in server.log.splitlines() if "  200  GET" not in line] == [
            f"Inkstand is at {server.url} (stop it with Ctrl-C)"
        ]
        for connection in connections:
            connection.close()


def test_a_killed_parent_takes_its_workers_along_so_that_the_port_is_free(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_CONCURRENCY=2) as server:
        workers = psutil.Process(server.pid).children()
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        assert psutil.wait_procs(workers, timeout=10)[1] == []  # none is left
        assert "Traceback" not in server.log
        with serving(tmp_path, PORT=server.port) as successor:
            assert successor.status("/") == 200
        assert not is_alive(-server.pid)


def wait_until_read(server: Serving) -> None:
    """What was sent before is with a worker: so is what it has sent on its own connections."""
    at_once(8, lambda _: server.status("/healthz"))
    time.sleep(0.2)


def wait_until_refused(server: Serving) -> None:
    """New connections are refused at once, and do not wait for an answer that never comes."""
    deadline = time.monotonic() + 3
    while True:
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_until_busy(server: Serving) -> None:
    """Return while a password is being hashed, which is when the process has most to do."""
    process = psutil.Process(server.pid)
    before = process.cpu_times().user
    while process.cpu_times().user < before + 0.15:
        time.sleep(0.01)


def everything_from(connection: socket.socket) -> str:
    with connection.makefile("rb") as stream:
        return stream.read().decode()
