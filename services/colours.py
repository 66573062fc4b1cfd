"""Colours that can be read: from the one that somebody likes, one for light paper and its twin for
dark. Our own: what packages there are work in other spaces, and know nothing of paper."""

import re
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin

HEX = re.compile(r"#[0-9a-f]{6}")
READABLE = 4.5  # WCAG 2.2, 1.4.3
# From tokens.css: links stand on all of them, so the worst counts.
LIGHT_PAPERS = ((0.99, 0.004, 85), (1.0, 0, 0), (0.965, 0.006, 85))
DARK_PAPERS = ((0.19, 0.008, 265), (0.225, 0.01, 265), (0.165, 0.008, 265))
# What stands on a button of that colour.
LIGHT_BUTTON_INK, DARK_BUTTON_INK = (0.99, 0, 0), (0.19, 0.02, 265)
INK_BLUE = "#214a9b"  # that of tokens.css, as near as six digits come
DARK_LIGHTNESS, DARK_CHROMA = 0.78, 0.72  # what makes ink blue's own twin

Linear = tuple[float, float, float]


@dataclass(frozen=True)
class Colour:
    """OKLCH: lightness from 0 to 1, chroma, and hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    @property
    def css(self) -> str:
        return f"oklch({self.lightness * 100:.1f}% {self.chroma:.4f} {self.hue:.1f})"

    @property
    def luminance(self) -> float:
        """Relative luminance (WCAG 2.2), from 0 to 1."""
        red, green, blue = (min(max(part, 0), 1) for part in linear(self))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True)
class Accent:
    """What a wish became: `light` is for light paper, `dark` for dark."""

    light: Colour
    dark: Colour

    @property
    def css(self) -> str:
        return f"light-dark({self.light.css}, {self.dark.css})"

    @property
    def contrasts(self) -> tuple[float, float]:
        return worst(self.light, LIGHT), worst(self.dark, DARK)


def accent_of(wish: str) -> Accent:
    """From “#rrggbb”: as near to it as can be read, at least 4.5 to 1 against every paper."""
    liked = from_hex(wish)
    deep = readable(liked, LIGHT, 0.0)
    pale = Colour(max(liked.lightness, DARK_LIGHTNESS), liked.chroma * DARK_CHROMA, liked.hue)
    return Accent(deep, readable(pale, DARK, 1.0))


def readable(colour: Colour, papers: tuple[Colour, ...], towards: float) -> Colour:
    """The same hue, no nearer to `towards` (black or white) than it must be; inside of sRGB."""
    here, there = colour.lightness, towards
    if worst(displayable(colour), papers) >= READABLE:
        return displayable(colour)
    for _ in range(24):
        middle = (here + there) / 2
        tried = displayable(Colour(middle, colour.chroma, colour.hue))
        here, there = (here, middle) if worst(tried, papers) >= READABLE + 0.02 else (middle, there)
    return displayable(Colour(there, colour.chroma, colour.hue))


def worst(colour: Colour, papers: tuple[Colour, ...]) -> float:
    return min(contrast(colour, paper) for paper in papers)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2, from 1 to 21."""
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)


def displayable(colour: Colour) -> Colour:
    """With only as much chroma as a screen has for that lightness and hue."""
    low, high = 0.0, colour.chroma
    if is_displayable(colour):
        return colour
    for _ in range(20):
        middle = (low + high) / 2
        fits = is_displayable(Colour(colour.lightness, middle, colour.hue))
        low, high = (middle, high) if fits else (low, middle)
    return Colour(colour.lightness, low, colour.hue)


def is_displayable(colour: Colour) -> bool:
    return all(-0.0005 <= part <= 1.0005 for part in linear(colour))


def linear(colour: Colour) -> Linear:
    """Linear sRGB; Björn Ottosson, “A perceptual color space for image processing”, 2020."""
    angle = radians(colour.hue)
    a, b = colour.chroma * cos(angle), colour.chroma * sin(angle)
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def from_hex(text: str) -> Colour:
    """From “#rrggbb”; the same source."""
    red, green, blue = (linear_of(int(text[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Colour(lightness, hypot(a, b), degrees(atan2(b, a)) % 360)


def linear_of(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def to_hex(colour: Colour) -> str:
    """“#rrggbb”, for what knows no other way to write a colour."""
    return "#" + "".join(f"{encoded(part):02x}" for part in linear(colour))


def encoded(part: float) -> int:
    part = min(max(part, 0), 1)
    shown = 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return round(255 * shown)


LIGHT = tuple(Colour(*each) for each in (*LIGHT_PAPERS, LIGHT_BUTTON_INK))
DARK = tuple(Colour(*each) for each in (*DARK_PAPERS, DARK_BUTTON_INK))
