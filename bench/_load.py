"""Load on a server: wrk where it is installed, else connections of our own that ask all the time.

The latter are in a process of their own, which ends with this one.
"""

import asyncio
import multiprocessing
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from bench._servers import LOAD_CORE, on_core

CONNECTIONS = 32
WRK = shutil.which("wrk")
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(NamedTuple):
    """What came of it: answers a second, and how long they took, in seconds."""

    per_second: float
    p50: float
    p99: float
    answered: int
    failed: int  # answers that were none, or had another status than expected


def get(
    port: int,
    path: str,
    seconds: float,
    headers: dict[str, str] | None = None,
    *,
    connections: int = CONNECTIONS,
    status: int = 200,
) -> Load:
    """Ask for a page all the time."""
    headers = headers or {}
    if WRK and status < 400:
        return by_wrk(port, path, seconds, headers, connections)
    return send(port, [request_of("GET", path, headers)], seconds, connections, status)


def by_wrk(port: int, path: str, seconds: float, headers: dict[str, str], connections: int) -> Load:
    # wrk counts in whole seconds.
    command = [str(WRK), "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    with on_core(LOAD_CORE):
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{path}"],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
        )
    said = done.stdout
    [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", said)
    percent = {
        number: float(value) * UNITS[unit]
        for number, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", said)
    }
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    failed += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", said)))
    [answered] = re.findall(r"(\d+) requests in ", said)
    return Load(float(rate), percent["50"], percent["99"], int(answered), failed)


def request_of(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += [
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(port: int, requests: list[bytes], seconds: float, connections: int, status: int) -> Load:
    """These requests one after the other, over so many connections, until the time is over."""
    context = multiprocessing.get_context("spawn")
    with on_core(LOAD_CORE), context.Pool(1) as pool:
        return pool.apply(in_child, (port, requests, seconds, connections, status))


def in_child(
    port: int, requests: list[bytes], seconds: float, connections: int, status: int
) -> Load:
    return asyncio.run(asking(port, requests, seconds, connections, status))


async def asking(
    port: int, requests: list[bytes], seconds: float, connections: int, status: int
) -> Load:
    """Answers have a Content-Length, or are chunked."""
    times: list[float] = []
    failed = 0
    rest = iter(requests) if len(requests) > 1 else None
    ends_at = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started_at := time.perf_counter()) < ends_at:
            request = requests[0] if rest is None else next(rest, None)
            if request is None:
                break
            writer.write(request)
            found = await answer(reader)
            times.append(time.perf_counter() - started_at)
            failed += found != status
        writer.close()

    began_at = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    spent = time.perf_counter() - began_at
    times.sort()
    middle, slow = times[len(times) // 2], times[len(times) * 99 // 100]
    return Load(len(times) / spent, middle, slow, len(times), failed)


async def answer(reader: asyncio.StreamReader) -> int:
    """Read a whole one; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if found := re.search(rb"content-length: (\d+)", head):
        await reader.readexactly(int(found[1]))
    elif b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head[9:12])


Measure = Callable[[float], Load]
