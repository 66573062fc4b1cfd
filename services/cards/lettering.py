"""Lines of a card: in which font each word is set, where lines break, and in which order their
words stand. Our own: Pillow sets a line in one font and one direction, and breaks none.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

FONTS = Path(__file__).parent / "fonts"
BOLD, PLAIN = "semibold", "regular"
OWN = (
    "source-serif-4-{weight}.woff2",  # Latin, Greek, Cyrillic
    "noto-naskh-arabic-semibold.woff2",
    "noto-serif-hebrew-semibold.woff2",
)
# For the other scripts, whatever the machine has of these; the first that knows a word sets it.
OTHERS = re.compile(
    r"(Noto(Serif|Sans)CJK-(Bold|Medium|Regular)\.ttc|Noto(Serif|Sans)[A-Z][A-Za-z]*-(Regular|VF)\.[ot]tf"
    r"|SourceHanSerif.*\.(ttc|otf)|wqy-\w+\.ttc|DroidSansFallbackFull\.ttf|unifont\.otf"
    r"|DejaVuSerif(-Bold)?\.ttf|DejaVuSans(-Bold)?\.ttf|FreeSerif\.ttf)"
)
PLACES = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/run/current-system/sw/share/X11/fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
MOST_OTHERS = 60
NO_CHARACTER = "\U0010ffff"  # never assigned: every font draws what it draws for the unknown
# Scripts that are written without spaces: a line may break at each of their characters.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60"
    "\U00020000-\U0003ffff]"
)
CLOSING = frozenset("、。，．！？：；）］｝」』】〉》〕…ー々゛゜")
JOINERS = frozenset("\u200c\u200d")  # no font needs to know them
INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060-\u206f\ufe00-\ufe0f\U000e0000-\U000e0fff]")
BREAK = re.compile(r"(\s+)")


@dataclass(frozen=True)
class Word:
    """What stays together on a line; `font` is its place among `fonts_of`."""

    text: str
    font: int
    is_rtl: bool | None  # None: it goes with the line
    space: bool  # whether one comes before it


def words_of(text: str, weight: str) -> list[Word] | None:
    """The words of a text, without emoji and the like; None if there are letters that no font here
    has, so that it had better not be set at all."""
    words: list[Word] = []
    space = False
    for part in BREAK.split(INVISIBLE.sub("", text)):
        if not part or part.isspace():
            space = space or bool(part)
            continue
        for piece in pieces(part):
            shown = "".join(each for each in piece if is_text(each) or is_known(each, weight))
            for run, font in runs(shown, weight):
                if font is None:
                    return None
                words.append(Word(run, font, is_rtl(run), space))
                space = False
    return words


def pieces(part: str) -> Iterator[str]:
    """A word as a whole, or its characters where lines may break between them; what closes a
    sentence stays with the one before."""
    piece = ""
    for character in part:
        is_apart = UNSPACED.match(character) is not None
        begins = is_apart and not is_mark(character) and character not in CLOSING
        ends = piece and UNSPACED.match(piece[-1]) is not None and not is_apart
        if piece and (begins or ends) and character not in CLOSING:
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def runs(piece: str, weight: str) -> Iterator[tuple[str, int | None]]:
    """A word, cut where fonts change; marks stay with their letters."""
    letters = ((letter, font_for(letter, weight)) for letter in piece)
    run, font = "", None
    for letter, its in letters:
        joins = is_mark(letter) or letter in JOINERS
        if run and its != font and not (joins and has(font or 0, letter, weight)):
            yield run, font
            run = ""
        if not run or not joins:
            font = its
        run += letter
    if run:
        yield run, font


@lru_cache(maxsize=4096)
def font_for(letter: str, weight: str) -> int | None:
    return next((n for n, _ in enumerate(fonts_of(weight)) if has(n, letter, weight)), None)


def is_known(letter: str, weight: str) -> bool:
    return font_for(letter, weight) is not None


def is_text(letter: str) -> bool:
    """Whether a text says something else without it: letters and digits, not symbols."""
    return unicodedata.category(letter)[0] in "LN"


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def is_rtl(text: str) -> bool | None:
    """By its first letter that has a direction; digits run as Latin letters do."""
    found = (unicodedata.bidirectional(letter) for letter in text)
    strong = next((each for each in found if each in ("L", "EN", "AN", "R", "AL")), None)
    return strong in ("R", "AL") if strong else None


@lru_cache(maxsize=8192)
def has(font: int, letter: str, weight: str) -> bool:
    """Whether a font knows a character. Pillow does not say: it is compared with an unknown one."""
    found = loaded(fonts_of(weight)[font], 32)
    return letter in JOINERS or shape(found, letter) != shape(found, NO_CHARACTER)


def shape(font: FreeTypeFont, letter: str) -> object:
    mask, offset = font.getmask2(letter, mode="L")
    return mask.size, offset, bytes(mask)


@lru_cache(maxsize=2)
def fonts_of(weight: str) -> tuple[str, ...]:
    own = [str(FONTS / name.format(weight=weight)) for name in OWN]
    return (*own, *installed())


@lru_cache(maxsize=1)
def installed() -> tuple[str, ...]:
    """Fonts of this machine, those in the manner of ours first."""
    found = [
        path for place in PLACES for path in Path(place).rglob("*") if OTHERS.fullmatch(path.name)
    ]
    found.sort(key=lambda path: ("Noto" not in path.name, "Serif" not in path.name, path.name))
    return tuple(path for path in map(str, found[:MOST_OTHERS]) if can_be_read(path))


def can_be_read(path: str) -> bool:
    try:
        loaded(path, 32)
    except OSError:
        return False
    return True


@lru_cache(maxsize=32)
def loaded(path: str, size: int) -> FreeTypeFont:
    return ImageFont.truetype(path, size)


def balanced(words: list[Word], size: int, width: int, weight: str) -> list[list[Word]]:
    """Lines no wider than `width`, as few as can be and about equally long. A word that is wider
    stands alone and sticks out."""
    count = len(filled(words, size, width, weight))
    narrow, wide = width // 2, width
    while wide - narrow > 8:  # the narrowest column that takes no more lines
        middle = (narrow + wide) // 2
        lines = filled(words, size, middle, weight)
        fits = len(lines) <= count and all(measure(line, size, weight) <= middle for line in lines)
        narrow, wide = (narrow, middle) if fits else (middle, wide)
    return filled(words, size, wide, weight)


def cut(words: list[Word], size: int, width: int, weight: str) -> list[Word]:
    """The same with words that are wider than a line in pieces."""
    found: list[Word] = []
    for word in words:
        rest, space = word.text, word.space
        while rest:
            most = fitting(rest, word.font, size, width, weight)
            found.append(Word(rest[:most], word.font, word.is_rtl, space))
            rest, space = rest[most:], True
    return found


def fitting(text: str, font: int, size: int, width: int, weight: str) -> int:
    """How many characters of a word fit on a line, at least one."""
    most = len(text)
    while most > 1 and length_of(text[:most], font, size, weight) > width:
        most = max(most * 9 // 10, 1)
    return most


def filled(words: list[Word], size: int, width: int, weight: str) -> list[list[Word]]:
    lines: list[list[Word]] = []
    length = 0.0
    for word in words:
        own = measure([word], size, weight)
        gap = space_of(size, weight) if word.space and lines else 0
        if lines and length + gap + own <= width:
            lines[-1].append(word)
            length += gap + own
        elif lines and not word.space and not is_loose(word):
            lines[-1].append(word)  # the rest of a word that is set in two fonts
            length += own
        else:
            lines.append([word])
            length = own
    return lines


def is_loose(word: Word) -> bool:
    """Whether a line may break before it although there is no space."""
    return UNSPACED.match(word.text) is not None


def measure(line: list[Word], size: int, weight: str) -> float:
    gaps = sum(word.space for word in line[1:]) * space_of(size, weight)
    return sum(length_of(word.text, word.font, size, weight) for word in line) + gaps


@lru_cache(maxsize=4096)
def length_of(text: str, font: int, size: int, weight: str) -> float:
    return loaded(fonts_of(weight)[font], size).getlength(text)


def space_of(size: int, weight: str) -> float:
    return length_of(" ", 0, size, weight)


def draw_line(
    draw: ImageDraw.ImageDraw,
    line: list[Word],
    at: tuple[float, float],
    size: int,
    weight: str,
    colour: str,
    *,
    rtl: bool,
) -> None:
    """A line whose baseline begins at `at`, its left end in any case."""
    x, y = at
    for word, gap in visual(line, rtl=rtl):
        x += space_of(size, weight) if gap else 0
        font = loaded(fonts_of(weight)[word.font], size)
        draw.text((x, y), word.text, font=font, fill=colour, anchor="ls")
        x += length_of(word.text, word.font, size, weight)


def visual(line: list[Word], *, rtl: bool) -> list[tuple[Word, bool]]:
    """Words as they are seen from left to right, each with whether a gap comes before it: those
    that run from right to left stand in reverse (UAX #9, for whole words)."""

    def runs_left(word: Word) -> bool:
        return rtl if word.is_rtl is None else word.is_rtl

    groups = [(left, list(group)) for left, group in groupby(line, runs_left)]
    gaps = [group[0].space for _, group in groups]
    if rtl:
        groups, gaps = groups[::-1], [False, *gaps[:0:-1]]
    gaps[0] = False
    found: list[tuple[Word, bool]] = []
    for (left, group), gap in zip(groups, gaps, strict=True):
        inner = [word.space for word in group[1:]]
        ordered = group[::-1] if left else group
        found += zip(ordered, [gap, *(inner[::-1] if left else inner)], strict=True)
    return found
