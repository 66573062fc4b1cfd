"""Addresses made of titles."""

import re

from hypothesis import given
from hypothesis import strategies as st

from services import slugs

SHAPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@given(st.text(max_size=300))
def test_every_title_has_a_slug_that_fits_an_address(title: str) -> None:
    slug = slugs.slug_of(title)
    assert SHAPE.fullmatch(slug)
    assert len(slug) <= slugs.LONGEST + len("post-")
    assert slug not in slugs.RESERVED


@given(st.text(max_size=300))
def test_a_slug_is_its_own_slug(title: str) -> None:
    slug = slugs.slug_of(title)
    assert slugs.slug_of(slug) == slug
