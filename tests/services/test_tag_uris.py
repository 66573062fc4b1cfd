"""By which domain feeds name their entries."""

from datetime import date

import pytest

from services import tag_uris


@pytest.mark.parametrize(
    ("link_base", "domain"),
    [
        ("https://blog.example", "blog.example"),
        ("https://Blog.example:8443", "blog.example"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
    ],
)
def test_an_address_of_numbers_is_no_domain(link_base: str, domain: str) -> None:
    found = tag_uris.entity_of(link_base, date(2026, 3, 1))
    assert found == f"{domain},2026-03-01"
    assert tag_uris.ENTITY.fullmatch(found)
