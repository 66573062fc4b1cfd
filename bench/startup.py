"""How long the blog takes to be there, and what one idle worker holds in memory, on SQLite.

  python bench/startup.py [rounds]

Every round is a new process; files are in the system's cache, bytecode is compiled. The baseline is
a process that does nothing but import the libraries that every page needs, in the same run.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parent.parent
LIBRARIES = "import fastapi, jinja2, sqlmodel, typer, uvicorn, uvloop"
MEBIBYTE = 1024 * 1024
POLL_SECONDS = 0.002


class Start(NamedTuple):
    """One start, in seconds and bytes."""

    healthy: float
    page: float
    rss: int
    uss: int


def start(folder: Path) -> Start:
    from tests.processes import serving

    started_at = time.perf_counter()
    with serving(folder, ready="") as server:
        while server.status("/healthz") != 200:
            time.sleep(POLL_SECONDS)
        healthy = time.perf_counter() - started_at
        assert server.status("/") == 200
        page = time.perf_counter() - started_at
        for _ in range(20):
            server.status("/")
        memory = psutil.Process(server.pid).memory_full_info()
    return Start(healthy, page, memory.rss, memory.uss)


def libraries() -> float:
    started_at = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - started_at


def main(rounds: int) -> None:
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        start(Path(folder))  # compiles what was not compiled yet
        first, again, baseline = [], [], []
        for number in range(rounds):
            fresh = Path(folder, str(number))
            fresh.mkdir()
            first.append(start(fresh))
            again.append(start(fresh))
            baseline.append(libraries())
    floor = statistics.median(baseline)

    def seconds(name: str, values: list[float], aim: str = "") -> str:
        middle = statistics.median(values)
        spread = f"{min(values):.2f} to {max(values):.2f}"
        return f"| {name} | {middle:.2f} s | {spread} | {middle / floor:.2f} | {aim} |"

    def mebibytes(name: str, values: list[int], aim: str = "") -> str:
        low, middle, high = (f(values) / MEBIBYTE for f in (min, statistics.median, max))
        return f"| {name} | {middle:.0f} MiB | {low:.0f} to {high:.0f} | | {aim} |"

    print(f"Python {sys.version.split()[0]}, {rounds} rounds\n")
    print("| | median | range | to baseline | aim |\n|---|---|---|---|---|")
    print(seconds("baseline: importing the libraries", baseline))
    print(seconds("first start ever, to /healthz", [s.healthy for s in first]))
    print(seconds("first start ever, to /", [s.page for s in first], "under 1.2 s"))
    print(seconds("start, to /healthz", [s.healthy for s in again]))
    print(seconds("start, to /", [s.page for s in again], "under 1.2 s"))
    print(mebibytes("idle worker, resident (RSS)", [s.rss for s in again], "under 100 MiB"))
    print(mebibytes("idle worker, its own (USS)", [s.uss for s in again]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
