"""The name that passkeys are bound to."""

import pytest

from services.relying_parties import RelyingParty, relying_party
from tests.blog import blog_settings

STRONG = "tHe0LJc5n2kQ8wVbXzR4yGm7uPd1sFa9iO"


@pytest.mark.parametrize(
    ("base_url", "request_origin", "name", "origin"),
    [
        ("https://blog.example", "http://evil.example", "blog.example", "https://blog.example"),
        ("https://Blog.example:443/", "", "blog.example", "https://blog.example"),
        ("https://blog.example:8443", "", "blog.example", "https://blog.example:8443"),
        ("http://localhost:8000", "", "localhost", "http://localhost:8000"),
        ("", "http://localhost:8000", "localhost", "http://localhost:8000"),
        ("", "http://blog.localhost:80", "blog.localhost", "http://blog.localhost"),
        ("", "https://dev.example", "dev.example", "https://dev.example"),
    ],
)
def test_it_is_the_name_of_the_blog(
    base_url: str, request_origin: str, name: str, origin: str
) -> None:
    found = relying_party(blog_settings(base_url=base_url), request_origin)
    assert found == RelyingParty(name, "Inkstand", origin)


@pytest.mark.parametrize(
    ("base_url", "request_origin"),
    [
        ("http://blog.example", "https://blog.example"),  # browsers want HTTPS
        ("https://192.0.2.1", ""),
        ("https://[2001:db8::1]", ""),
        ("", "http://127.0.0.1:8000"),
        ("", "http://dev.example"),
        ("", "unknown"),
        ("", "http://[::x"),
        ("", "http://localhost:port"),
        ("", "http://localhost:99999"),
        ("", "http://"),
        ("", ""),
    ],
)
def test_elsewhere_there_are_none(base_url: str, request_origin: str) -> None:
    assert relying_party(blog_settings(base_url=base_url), request_origin) is None


def test_in_production_no_request_chooses_it() -> None:
    settings = blog_settings(environment="production", secret_key=STRONG, bcrypt_cost=12)
    assert relying_party(settings, "https://blog.example") is None
