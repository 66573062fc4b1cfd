"""A card as a PNG: the title in ink on paper, the name of the blog above, the author below."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

from PIL import Image, ImageDraw

from services.cards import HEIGHT, WIDTH, Card
from services.cards.lettering import (
    BOLD,
    PLAIN,
    Word,
    balanced,
    cut,
    draw_line,
    filled,
    measure,
    words_of,
)

PAPER, INK, SOFT = "#fdfcf9", "#1c1f27", "#545861"
MARGIN = 88
COLUMN = WIDTH - 2 * MARGIN
STRIPE = 20
TOP, BOTTOM = 170, 512  # between these stands the title
SIZES = (104, 96, 88, 80, 74, 68, 62, 56, 50, 44, 40)
LEADING = 1.16
NAME_SIZE, BYLINE_SIZE = 34, 32
MARK = 46
Point = tuple[float, float]
COLOURS = 128  # of the file: few are enough for letters with soft edges


def drawn(card: Card) -> bytes:
    """Takes some 50 ms. For one thread at a time: fonts are shared."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, HEIGHT - STRIPE, WIDTH, HEIGHT), fill=card.accent)
    is_of_site = card.title == card.site_name
    title = words_of(card.title, BOLD)
    if title:
        draw_title(draw, title, INK)
    else:
        draw_mark(draw, WIDTH // 2, (TOP + BOTTOM) // 2, 220, card.accent)
    draw_mark(draw, MARGIN + MARK // 2, 98, MARK, card.accent)
    if not is_of_site:
        small_lines(draw, card.site_name, (MARGIN + MARK + 14, 110), NAME_SIZE, BOLD, card.accent)
    most = 2 if is_of_site else 1
    small_lines(draw, card.byline, (MARGIN, 562), BYLINE_SIZE, PLAIN, SOFT, most)
    return as_png(image)


def draw_title(draw: ImageDraw.ImageDraw, words: list[Word], colour: str) -> None:
    """As large as it fits; what does not fit at all ends in an ellipsis."""
    size, lines = laid_out(words)
    rtl = runs_left(words)
    height = size * LEADING
    y = (TOP + BOTTOM) / 2 - height * len(lines) / 2 + size * 0.86
    for line in lines:
        x = WIDTH - MARGIN - measure(line, size, BOLD) if rtl else MARGIN
        draw_line(draw, line, (x, y), size, BOLD, colour, rtl=rtl)
        y += height


def laid_out(words: list[Word]) -> tuple[int, list[list[Word]]]:
    for size in SIZES:
        lines = balanced(words, size, COLUMN, BOLD)
        is_narrow = all(measure(line, size, BOLD) <= COLUMN for line in lines)
        if (
            is_narrow
            and len(lines) * size * LEADING <= BOTTOM - TOP
            and len(lines) <= most_lines(size)
        ):
            return size, lines
    size = SIZES[-1]
    lines = balanced(cut(words, size, COLUMN, BOLD), size, COLUMN, BOLD)
    return size, shortened(lines, int((BOTTOM - TOP) // (size * LEADING)), size, BOLD)


def most_lines(size: int) -> int:
    """A large title looks calm on two lines, and crowded on four."""
    return 2 if size > 88 else 3 if size > 68 else 99


def shortened(lines: list[list[Word]], count: int, size: int, weight: str) -> list[list[Word]]:
    if len(lines) <= count:
        return lines
    return [*lines[: count - 1], ended(lines[count - 1], COLUMN, size, weight)]


def ended(line: list[Word], room: int, size: int, weight: str) -> list[Word]:
    """As much of a line as there is room for, and an ellipsis."""
    line = list(line)
    while measure([*line, ELLIPSIS], size, weight) > room:
        last = line.pop()
        if not line:
            line.append(replace(last, text=last.text[:-1]))
    return [*line, ELLIPSIS]


ELLIPSIS = Word("…", 0, is_rtl=None, space=False)


def small_lines(
    draw: ImageDraw.ImageDraw,
    text: str,
    at: tuple[int, int],
    size: int,
    weight: str,
    colour: str,
    most: int = 1,
) -> None:
    """A few lines, the last of them at `at`; nothing if a letter would have to be left out."""
    words = words_of(text, weight)
    if not words:
        return
    x, y = at
    room = WIDTH - MARGIN - x
    rtl = runs_left(words)
    lines = filled(cut(words, size, room, weight), size, room, weight)
    shown = lines[:most]
    if len(lines) > most:
        shown[-1] = ended(shown[-1], room, size, weight)
    for n, line in enumerate(reversed(shown)):
        start = WIDTH - MARGIN - measure(line, size, weight) if rtl else x
        draw_line(draw, line, (start, y - n * size * 1.3), size, weight, colour, rtl=rtl)


def runs_left(words: list[Word]) -> bool:
    return next((word.is_rtl for word in words if word.is_rtl is not None), False)


def draw_mark(draw: ImageDraw.ImageDraw, x: int, y: int, size: int, colour: str) -> None:
    """The drop of ink of public/icons/icon.svg, four times as large and made smaller: Pillow draws
    no soft edges."""
    scale = 4
    side = size * scale
    mask = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(mask)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 12, fill=255)
    unit = side / 24  # the icon's square is 24 of its units wide, from 4 to 28

    def place(left: float, top: float) -> Point:
        return ((left - 4) * unit, (top - 4) * unit)

    drop = [place(16, 6.5), *curve(place, (16, 6.5), (19.2, 10.9), (21, 14.1), (21, 16.9))]
    left = [(side - px, py) for px, py in reversed(drop)]
    pen.polygon([*drop, *left], fill=0)
    pen.ellipse((*place(11, 11.9), *place(21, 21.9)), fill=0)
    pen.rectangle((*place(9, 23.5), *place(23, 25.3)), fill=0)
    mask = mask.resize((size, size), Image.Resampling.LANCZOS)
    draw.bitmap((x - size // 2, y - size // 2), mask, fill=colour)


def curve(place: Callable[[float, float], Point], *points: Point) -> Iterator[Point]:
    """Points of a cubic Bézier curve."""
    for n in range(41):
        t = n / 40
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        pairs = list(zip(weights, points, strict=True))
        yield place(sum(w * x for w, (x, _) in pairs), sum(w * y for w, (_, y) in pairs))


def as_png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    few = image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(file, "PNG", compress_level=9)
    return file.getvalue()
