"""Rounds that alternate between a reference and a candidate, and the table that comes of them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MOST_SPREAD = 0.15
TRIES = 2


@dataclass
class Row:
    """A line of a table: how a figure is measured, and by what. `figure` is in any unit."""

    name: str
    figure: Callable[[], float]
    reference: Callable[[], float]
    aim: str = ""
    unit: str = "/s"
    figures: list[float] = field(default_factory=list)
    references: list[float] = field(default_factory=list)
    missing: str = ""  # why there is no figure

    def measure(self) -> None:
        """One round: the reference before and after, so that what changes slowly is in both."""
        before = self.reference()
        figure = self.figure()
        self.references.append((before + self.reference()) / 2)
        self.figures.append(figure)

    def needs(self, attempt: int) -> bool:
        return attempt == 0 or self.spread > MOST_SPREAD

    def forget(self) -> None:
        self.figures.clear()
        self.references.clear()

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.figures, self.references, strict=True)
        return [figure / reference for figure, reference in pairs]

    @property
    def spread(self) -> float:
        return spread(self.references)

    def line(self) -> str:
        if self.missing or not self.figures:
            return f"| {self.name} | {self.missing or 'not measured'} | | | {self.aim} |"
        middle, ratios = statistics.median(self.figures), self.ratios
        ratio = number(statistics.median(ratios))
        extent = f"{number(min(ratios))} to {number(max(ratios))}"
        return f"| {self.name} | {number(middle)}{self.unit} | {ratio} | {extent} | {self.aim} |"


def spread(values: Sequence[float]) -> float:
    """How far the values are apart: the middle half of them, to their median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle


def run(rows: list[Row], rounds: int) -> None:
    """All rows, round after round; and once more where the reference itself was unsteady. Ctrl-C
    ends it early: what was measured until then stays."""
    try:
        measure(rows, rounds)
    except KeyboardInterrupt:
        print("It was ended early.")


def measure(rows: list[Row], rounds: int) -> None:
    for attempt in range(TRIES):
        todo = [row for row in rows if not row.missing and row.needs(attempt)]
        for number_of_round in range(rounds):
            for row in todo:
                if number_of_round == 0:
                    row.forget()
                row.measure()
        for row in todo:
            if row.spread > MOST_SPREAD:
                again = "; it is measured again" if attempt + 1 < TRIES else ""
                print(f"{row.name}: the reference was unsteady by {row.spread:.0%}{again}.")


def table(rows: list[Row], *, reference: str) -> str:
    head = f"| | median | to {reference} | range of rounds | to reach |\n|---|---|---|---|---|"
    return "\n".join([head, *(row.line() for row in rows)])


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
