"""Bars for an SVG, as parts of a whole: the page decides how large that is. Our own: what draws
charts elsewhere writes styles into its pages, which our policy forbids, or needs scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.readers import Report, Span

TOP, FLOOR = 10.0, 86.0  # per cent of the height; above and below are words
HEIGHT = FLOOR - TOP
GAP = 0.3  # of the room of a bar
SMALLEST = 0.8  # what is more than nothing is seen


@dataclass(frozen=True)
class Bar:
    """Per cents of width and height."""

    span: Span
    left: float  # of its room, which is `room` wide
    room: float
    x: float
    width: float
    views_y: float
    views: float
    visitors_y: float
    visitors: float


@dataclass(frozen=True)
class Chart:
    bars: Sequence[Bar]
    top: int  # what the first of `lines` stands for; the other one is half of it
    lines: tuple[float, float]
    floor: float
    highest: Span


def of(report: Report) -> Chart:
    top = ceiling(max(span.views for span in report.spans))
    highest = max(report.spans, key=lambda span: span.views)
    lines = TOP, TOP + HEIGHT / 2
    return Chart(list(bars(report.spans, top)), top, lines, FLOOR, highest)


def bars(spans: Sequence[Span], top: int) -> Iterator[Bar]:
    room = 100 / len(spans)
    for number, span in enumerate(spans):
        views, visitors = height(span.views, top), height(span.visitors, top)
        left = number * room
        yield Bar(
            span=span,
            left=round(left, 3),
            room=round(room, 3),
            x=round(left + room * GAP / 2, 3),
            width=round(room * (1 - GAP), 3),
            views_y=round(FLOOR - views, 2),
            views=views,
            visitors_y=round(FLOOR - visitors, 2),
            visitors=visitors,
        )


def height(count: int, top: int) -> float:
    return round(max(HEIGHT * count / top, SMALLEST), 2) if count else 0


def ceiling(count: int) -> int:
    """The next round number: 1, 2, 4, 5, 6, 8 or 10 of a power of ten."""
    power = 1
    while power * 10 < count:
        power *= 10
    return next(power * step for step in (1, 2, 4, 5, 6, 8, 10) if power * step >= count)
