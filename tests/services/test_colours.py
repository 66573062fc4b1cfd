"""Whatever colour somebody likes, what becomes of it can be read: by computation, over all hues."""

import re
from itertools import product
from pathlib import Path

import pytest

from services import colours
from services.colours import Colour

CSS = re.compile(r"oklch\(([0-9.]+)% ([0-9.]+) ([0-9.]+)\)")
TOKENS = Path("public/css/tokens.css").read_text("utf-8")
WISHES = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in product(range(0, 256, 17), repeat=3)]


def as_written(css: str) -> tuple[Colour, Colour]:
    """The two of a light-dark(): what browsers get, with its rounding."""
    light, dark = (Colour(float(li) / 100, float(ch), float(hu)) for li, ch, hu in CSS.findall(css))
    return light, dark


def token(name: str) -> tuple[Colour, Colour]:
    found = re.search(rf"--{name}: light-dark\((.*)\);", TOKENS)
    assert found, name
    return as_written(found[1])


def test_every_wish_becomes_readable_in_both_modes() -> None:
    papers = [token(name) for name in ("paper", "paper-raised", "paper-sunken", "accent-ink")]
    for wish in WISHES:
        for mode, colour in enumerate(as_written(colours.accent_of(wish).css)):
            for paper in papers:
                assert colours.contrast(colour, paper[mode]) >= 4.5, (wish, mode)
            assert colours.is_displayable(
                Colour(colour.lightness, colour.chroma * 0.99, colour.hue)
            )


def test_what_can_be_read_stays_as_it_was_wished() -> None:
    for wish in ("#214a9b", "#8a1c3b", "#005f5f", "#000000", "#4b2e83"):
        assert colours.to_hex(colours.accent_of(wish).light) == wish


def test_a_hue_stays_what_it_is() -> None:
    for wish in ("#ffd400", "#ff7a00", "#00c853", "#00b0ff", "#e040fb"):
        hue = colours.from_hex(wish).hue
        accent = colours.accent_of(wish)
        assert accent.light.hue == pytest.approx(hue)
        assert accent.dark.hue == pytest.approx(hue)


def test_ink_blue_is_that_of_the_tokens() -> None:
    assert colours.to_hex(token("accent")[0]) == colours.INK_BLUE


def test_black_on_white_is_21_to_1() -> None:
    assert colours.contrast(Colour(0, 0, 0), Colour(1, 0, 0)) == pytest.approx(21, abs=0.01)
