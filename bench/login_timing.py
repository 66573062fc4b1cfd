"""Whether the time of a failed login tells if there is such an account.

  python bench/login_timing.py [pairs]

Unknown names and wrong passwords take turns, in random order within each pair, against the real
start command with one process. The two must not be told apart: their medians lie within 5 %, and the
Kolmogorov-Smirnov test finds them to be of one distribution (p > 0.01).
"""

import math
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.processes import Serving

ROOT = Path(__file__).parent.parent
COST = 12  # of bcrypt, as it is by default
ACCOUNTS = 40  # after ten failures the account would be closed to guesses for a while


def main(pairs: int) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.processes import serving

    times: dict[str, list[float]] = {"unknown": [], "known": []}
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        server = running.enter_context(serving(folder, TRUSTED_PROXIES=1, BCRYPT_COST=COST))
        for number in range(ACCOUNTS):
            register(server, number)
        for number in range(-5, pairs):  # the first few warm it up
            for kind in random.sample(list(times), 2):
                seconds = fail(server, f"{kind}-{number % ACCOUNTS}", number)
                if number >= 0:
                    times[kind].append(seconds)
    report(times["unknown"], times["known"])


def register(server: "Serving", number: int) -> None:
    """An account, from a network of its own: so many from one would be too many."""
    form = {"username": f"known-{number}", "password": "right, and long enough"}
    answer = server.post("/users/register", form, **{"X-Forwarded-For": f"10.255.0.{number}"})
    assert answer.status == 303, answer.text


def fail(server: "Serving", name: str, number: int) -> float:
    """Try a wrong password, each pair from an address of its own."""
    address = f"10.0.{number // 250 % 250}.{number % 250}"
    form = {"username": name, "password": "wrong, and long enough"}
    started_at = time.perf_counter()
    answer = server.post("/auth/login", form, **{"X-Forwarded-For": address})
    seconds = time.perf_counter() - started_at
    assert answer.status == 401, answer.text
    return seconds


def report(unknown: list[float], known: list[float]) -> None:
    medians = [statistics.median(times) for times in (unknown, known)]
    apart = abs(medians[0] / medians[1] - 1)
    distance, p = kolmogorov_smirnov(unknown, known)
    print(f"Python {sys.version.split()[0]}, {len(unknown)} pairs\n")
    print("| | unknown name | wrong password | apart | aim |\n|---|---|---|---|---|")
    print(f"| median | {shown(medians[0])} | {shown(medians[1])} | {apart:.1%} | within 5 % |")
    for percent in (5, 95):
        ends = [sorted(times)[len(times) * percent // 100] for times in (unknown, known)]
        apart = abs(ends[0] / ends[1] - 1)
        print(
            f"| {percent} of 100 are below | {shown(ends[0])} | {shown(ends[1])} | {apart:.1%} | |"
        )
    print(f"| Kolmogorov-Smirnov | D = {distance:.3f} | | p = {p:.2f} | p over 0.01 |")


def shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def kolmogorov_smirnov(first: list[float], second: list[float]) -> tuple[float, float]:
    """The largest distance between two distributions, and how likely chance alone makes it as large
    (asymptotic; Press et al., Numerical Recipes, section 14.3.3)."""
    distance = max(abs(share_below(first, x) - share_below(second, x)) for x in first + second)
    root = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = (root + 0.12 + 0.11 / root) * distance
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return distance, min(max(2 * sum(terms), 0.0), 1.0)


def share_below(values: list[float], x: float) -> float:
    return sum(value <= x for value in values) / len(values)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
