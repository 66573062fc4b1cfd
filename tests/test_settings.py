"""Settings that cannot work stop the start with a sentence that says which, and why."""

from typing import Any

import pytest
from pydantic import ValidationError

from main import cookie_options
from settings import Settings, in_sentences
from tests.blog import SECRET

KEY = SECRET.replace("secret", "quay")


OIDC = {
    "oidc_issuer": "https://id.example",
    "oidc_client_id": "blog",
    "oidc_client_secret": "x",
}


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"cookie_samesite": "none"}, "COOKIE_SAMESITE=none needs COOKIE_SECURE=true"),
        ({"cookie_samesite": "maybe"}, "COOKIE_SAMESITE: "),
        ({"session_cookie": "id; Path=/"}, "SESSION_COOKIE: "),
        ({"session_cookie": "__Host-id"}, "SESSION_COOKIE: "),  # the prefix is not theirs to choose
        ({"remember_cookie": ""}, "REMEMBER_COOKIE: "),
        ({"remember_cookie": "inkstand_session"}, "must be two names"),
        ({"cookie_domain": "example.org; Secure"}, "COOKIE_DOMAIN: "),
        ({"cookie_domain": "localhost"}, "COOKIE_DOMAIN: "),
        ({"cookie_path": "blog"}, "COOKIE_PATH: "),
        ({"cookie_path": "/a;b"}, "COOKIE_PATH: "),
        ({"remember_days": 91}, "REMEMBER_DAYS: "),
        ({"remember_days": 0}, "REMEMBER_DAYS: "),
        ({"session_protection": "paranoid"}, "SESSION_PROTECTION: "),
        ({"smtp_url": "mail.example:25"}, "SMTP_URL must start with smtp://"),
        ({"smtp_url": "smtp://user:pass@word@host:port"}, "SMTP_URL is no URL like"),
        ({"smtp_url": "smtp://mail.example"}, "MAIL_FROM is missing"),
        ({"github_client_id": "x"}, "GITHUB_CLIENT_SECRET is missing"),
        ({"github_client_secret": "x"}, "GITHUB_CLIENT_ID is missing"),
        ({"google_client_id": "x"}, "GOOGLE_CLIENT_SECRET is missing"),
        ({"oidc_issuer": "https://id.example"}, "OIDC_CLIENT_ID is missing"),
        ({**OIDC, "oidc_issuer": ""}, "OIDC_ISSUER is missing"),
        ({**OIDC, "oidc_issuer": "http://id.example"}, "OIDC_ISSUER must be an address"),
        ({**OIDC, "oidc_issuer": "http://127.0.0.1.evil.example"}, "OIDC_ISSUER must be"),
        ({**OIDC, "oidc_issuer": "https://user@id.example"}, "OIDC_ISSUER must be"),
        ({**OIDC, "oidc_issuer": "https://id.example/?a=b"}, "OIDC_ISSUER must be"),
        ({**OIDC, "oidc_issuer": "https://[id.example"}, "OIDC_ISSUER is no URL like"),
        ({**OIDC, "oidc_issuer": "id.example"}, "OIDC_ISSUER must be"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**values)
    assert sentence in in_sentences(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"cookie_secure": False}, "COOKIE_SECURE=false gives logins away"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "a@b.example"}, "BASE_URL is missing"),
        (OIDC, "BASE_URL is missing: where providers"),
        ({"bcrypt_cost": 9}, "BCRYPT_COST must be at least 10"),
    ],
)
def test_what_is_unsafe_is_refused_in_production(values: dict[str, Any], sentence: str) -> None:
    settings(secret_key=[KEY], **values)
    with pytest.raises(ValidationError) as refused:
        settings(environment="production", secret_key=[KEY], **values)
    assert sentence in in_sentences(refused.value)


@pytest.mark.parametrize(
    ("values", "prefix"),
    [
        ({}, "__Host-"),
        ({"cookie_domain": "example.org"}, "__Secure-"),
        ({"cookie_path": "/blog"}, "__Secure-"),
        ({"base_url": "http://intranet.example"}, ""),
    ],
)
def test_in_production_a_prefix_protects_the_cookies(values: dict[str, Any], prefix: str) -> None:
    options = cookie_options(settings(environment="production", secret_key=[KEY], **values))
    assert options.prefix == prefix
    assert options.secure == bool(prefix)


def test_links_in_mails_never_begin_with_what_a_request_says() -> None:
    assert settings(base_url="https://blog.example/").link_base == "https://blog.example"
    assert settings(port=9000).link_base == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example/realms/blog",
        "http://localhost:8080/",
        "http://127.0.0.1",
        "http://[::1]:1",
    ],
)
def test_a_provider_speaks_https_or_is_on_this_machine(issuer: str) -> None:
    assert settings(**{**OIDC, "oidc_issuer": issuer}).oidc_issuer == issuer
