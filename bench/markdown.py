"""What rendering a text costs, and which step takes how much of it.

  python bench/markdown.py [rounds]

Processor time of one thread, the median of some rounds, for texts as people write them and for the
worst that half a megabyte can be. The last column is how many times as long all of it takes as
comrak alone took in the same run.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
SIZES = (1, 5, 20, 100)  # KB
WORST = 8

PROSE = """\
## A heading, and *more*

The harbour wall is **older** than the town, and has a [history](https://example.org/wall) of its
own; "nobody" knows it -- but the keeper does.[^{n}]

- ropes, four of them
- a bucket of `tar`

> The sea keeps no diary.

[^{n}]: He keeps it in a notebook.

"""
CODE = """\
It listens on a port, and writes what it hears:

```python title="listen.py"
def listen(port: int) -> Iterator[Reading]:
    \"\"\"Every reading that a buoy sends.\"\"\"
    with socket.create_server(("", port)) as server:
        while True:
            line = server.accept()[0].recv(1024)
            yield Reading(float(line[:4]), at=now())
```

"""
MATH = """\
The height of the tide is $h(t) = h_0 + \\sum_{{i=1}}^n a_i \\cos(\\omega_i t + \\phi_i)$, where

$$\\omega_i = \\frac{{2\\pi}}{{T_i}}$$

is the speed of a constituent, and that is all that the tables know.

"""
KINDS = {"prose": PROSE, "code": CODE, "math": MATH}
GROUPS = {
    "comrak": {"parsed"},
    "colours": {"with_colours"},
    "formulas": {"with_formulas"},
    "anchors": {"with_anchors"},
    "media": {"with_media"},
    "sanitising": {"not_too_deep", "clean"},
    "the rest": {"with_labels", "with_frames"},
}


def main(rounds: int) -> None:
    sys.path.insert(0, str(ROOT))
    from services import markdown
    from tests.services import hostile

    for text in KINDS.values():
        markdown.render(text)  # what is imported when it is first needed
    print(f"Python {sys.version.split()[0]}, {rounds} rounds\n")
    head("text")
    for kind, piece in KINDS.items():
        for size in SIZES:
            row(f"{kind}, {size} KB", of_size(piece, size * 1024), rounds)
    print("\nThe worst of half a megabyte:\n")
    head("repeated")
    for name in worst(hostile.PIECES, hostile.text):
        row(name, hostile.text(name), max(rounds // 10, 1))


def of_size(piece: str, size: int) -> str:
    count = max(size // len(piece), 1)
    return "".join(piece.replace("{n}", str(number)) for number in range(count))


def worst(names: "dict[str, str]", text: Callable[[str], str]) -> list[str]:
    times = {name: sum(steps(text(name)).values()) for name in names}
    return sorted(times, key=lambda name: -times[name])[:WORST]


def steps(text: str) -> dict[str, float]:
    """Seconds of each step."""
    from services.markdown.rendering import STEPS

    seconds = {}
    for step in STEPS:
        started_at = time.thread_time()
        text = step(text)
        seconds[step.__name__] = time.thread_time() - started_at
    return seconds


def head(what: str) -> None:
    print(f"| {what} | all | {' | '.join(GROUPS)} | comrak × |")
    print("|---|" + "---:|" * (len(GROUPS) + 2))


def row(name: str, text: str, rounds: int) -> None:
    measured = [steps(text) for _ in range(rounds)]
    median = {step: statistics.median(each[step] for each in measured) for step in measured[0]}
    whole = sum(median.values())
    shares = [sum(median[step] for step in group) / whole for group in GROUPS.values()]
    cells = " | ".join(f"{share:.0%}" for share in shares)
    print(f"| {name} | {whole * 1000:.2f} ms | {cells} | {1 / max(shares[0], 0.001):.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
