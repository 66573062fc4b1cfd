"""Every setting, typed, from the environment or a `.env` file; checked before anything starts."""

import os
import re
import secrets
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).parent
DATA = ROOT / "data"

SHORTEST_SECRET = 32
# What samples, tutorials and manifests say instead of a key; no random one has such words.
PLACEHOLDER = re.compile(
    r"secret|change|replace|example|placeholder|insecure|password|generate|inkstand"
    r"|^<.*>$|^\$?\{.*\}$",
    re.I,
)


LONGEST_REMEMBERED = 90  # days
ImportPath = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
HOST = r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]"
ORIGIN = rf"https?://(?P<host>{HOST})(:\d{{1,5}})?"
COOKIE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$"  # tokens (RFC 6265, 4.1.1), without a prefix
ONE_ADDRESS = re.compile(r"[^<>@\x00-\x1f]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+")


class Role(StrEnum):
    """What a person may do here, from least to most; services/permissions.py has the scopes."""

    reader = "reader"
    author = "author"
    editor = "editor"
    owner = "owner"


class Settings(BaseSettings):
    """All of them are optional in development; docs/configuration.md explains each."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    base_url: str = ""
    allowed_hosts: str = ""
    trusted_proxies: Annotated[int, Field(ge=0, le=8)] = 0

    site_name: Annotated[str, Field(min_length=1, max_length=80)] = "Inkstand"
    site_description: Annotated[str, Field(max_length=300)] = ""
    time_zone: str = "UTC"
    allow_indexing: bool = True
    security_contact: Annotated[str, Field(max_length=200)] = ""

    secret_key: Annotated[list[SecretStr], NoDecode] = []
    database_url: str = f"sqlite:///{DATA / 'inkstand.db'}"
    database_connections: Annotated[int, Field(ge=2, le=200)] = 15
    redis_url: str = ""

    registration: Literal["open", "invite", "closed"] = "open"
    new_user_role: Literal["reader", "author", "editor"] = "author"
    bcrypt_cost: Annotated[int, Field(ge=4, le=16)] = 12

    page_cache_mb: Annotated[int, Field(ge=0, le=4096)] = 24
    cdn_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    session_idle_days: Annotated[int, Field(ge=1, le=365)] = 30
    session_max_days: Annotated[int, Field(ge=1, le=730)] = 90
    session_protection: Literal["basic", "strong", "off"] = "basic"
    remember_days: Annotated[int, Field(ge=1, le=LONGEST_REMEMBERED)] = 30

    session_cookie: Annotated[str, Field(pattern=COOKIE_NAME)] = "inkstand_session"
    remember_cookie: Annotated[str, Field(pattern=COOKIE_NAME)] = "inkstand_remember"
    cookie_domain: Annotated[str, Field(pattern=r"^$|^\.?[a-z0-9-]+(\.[a-z0-9-]+)+$")] = ""
    cookie_path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.~-]*$")] = "/"
    cookie_secure: bool | None = None
    cookie_samesite: Literal["lax", "strict", "none"] = "lax"

    media_url: str = ""
    media_quota_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    media_hosts: str = ""

    smtp_url: str = ""
    mail_from: Annotated[str, Field(max_length=254)] = ""
    jobs: Literal["web", "worker"] = "web"
    require_verified_email: bool = False
    audit_days: Annotated[int, Field(ge=1, le=3650)] = 365
    view_days: Annotated[int, Field(ge=1, le=3650)] = 730

    github_client_id: Annotated[str, Field(max_length=200)] = ""
    github_client_secret: SecretStr = SecretStr("")
    google_client_id: Annotated[str, Field(max_length=200)] = ""
    google_client_secret: SecretStr = SecretStr("")
    oidc_name: Annotated[str, Field(max_length=40)] = ""
    oidc_issuer: Annotated[str, Field(max_length=200)] = ""
    oidc_client_id: Annotated[str, Field(max_length=200)] = ""
    oidc_client_secret: SecretStr = SecretStr("")
    auth_providers: Annotated[list[ImportPath], NoDecode] = []
    breached_passwords_url: Annotated[str, Field(max_length=200)] = ""
    websub_hub: Annotated[str, Field(max_length=200)] = ""

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def cookies_are_secure(self) -> bool:
        if self.cookie_secure is not None:
            return self.cookie_secure
        return self.in_production and not self.base_url.startswith("http://")

    @property
    def hosts(self) -> list[str]:
        """The names that the blog answers to; none means any."""
        if self.allowed_hosts:
            return self.allowed_hosts.split(",")
        own = re.fullmatch(ORIGIN, self.base_url)
        return [own["host"]] if own else []

    @property
    def link_base(self) -> str:
        """What links in mails begin with: never what a request says of its host."""
        return self.base_url or f"http://{self.host}:{self.port}"

    @property
    def secrets(self) -> list[str]:
        """The signing keys: the first signs, all of them verify."""
        return [key.get_secret_value() for key in self.secret_key]

    @property
    def session_idle(self) -> timedelta:
        return timedelta(days=self.session_idle_days)

    @property
    def session_max(self) -> timedelta:
        return timedelta(days=self.session_max_days)

    @property
    def zone(self) -> ZoneInfo:
        """Where the blog is at home: the times that people type and read are those there."""
        return ZoneInfo(self.time_zone)

    @field_validator("time_zone")
    @classmethod
    def be_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError):
            raise ValueError(
                "TIME_ZONE must be a name of the IANA database, such as Europe/Berlin or UTC."
            ) from None
        return value

    @field_validator("security_contact")
    @classmethod
    def be_a_contact(cls, value: str) -> str:
        """A URI, as RFC 9116 wants it; an address alone is made one."""
        if re.fullmatch(r"[^\s:/@]+@[^\s:/@]+", value):
            value = f"mailto:{value}"
        if value and not re.fullmatch(r"(https://|mailto:|tel:)[\x21-\x7e]+", value):
            raise ValueError(
                "SECURITY_CONTACT must be an address such as security@blog.example, or a page that "
                "starts with https://."
            )
        return value

    @field_validator("media_url")
    @classmethod
    def be_a_storage(cls, value: str) -> str:
        if value and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w./-]*)?", value):
            raise ValueError("MEDIA_URL must be empty or s3://bucket, perhaps with a folder.")
        return value.rstrip("/")

    @field_validator("media_hosts")
    @classmethod
    def be_origins(cls, value: str) -> str:
        origins = value.replace(",", " ").split()
        for origin in origins:
            if not re.fullmatch(
                r"https://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", origin
            ):
                raise ValueError(
                    "MEDIA_HOSTS must be origins such as https://images.example, separated by "
                    f"commas; {origin!r} is none."
                )
        return " ".join(origins)

    @field_validator("secret_key", "auth_providers", mode="before")
    @classmethod
    def split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("base_url")
    @classmethod
    def be_an_origin(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("BASE_URL must start with https:// or http://.")
        if value and not re.fullmatch(ORIGIN, value, re.I):
            raise ValueError(
                "BASE_URL must be an origin without a path, such as https://blog.example."
            )
        return value.lower()

    @field_validator("allowed_hosts")
    @classmethod
    def be_host_names(cls, value: str) -> str:
        names = [name.strip().lower() for name in value.split(",") if name.strip()]
        for name in names:
            if not re.fullmatch(rf"\*|\.?({HOST})", name):
                raise ValueError(
                    "ALLOWED_HOSTS must be names such as blog.example, .example.org or *, "
                    f"separated by commas, without https:// and ports; {name!r} is none."
                )
        return ",".join(names)

    @field_validator("database_url")
    @classmethod
    def name_the_driver(cls, value: str) -> str:
        """SQLAlchemy 2.1 reads postgresql:// as psycopg 3 and refuses postgres:// altogether."""
        if value.startswith("sqlite:///"):
            return value
        scheme, _, rest = value.partition("://")
        if scheme not in ("postgres", "postgresql", "postgresql+psycopg2"):
            raise ValueError("DATABASE_URL must start with postgresql:// or sqlite:///.")
        must_be_well_formed("DATABASE_URL", value)
        return f"postgresql+psycopg2://{rest}"

    @field_validator("redis_url")
    @classmethod
    def be_a_redis_address(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("REDIS_URL must start with redis:// or rediss://.")
        if value:
            must_be_well_formed("REDIS_URL", value)
        return value

    @field_validator("smtp_url")
    @classmethod
    def be_a_mail_server(cls, value: str) -> str:
        if value and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("SMTP_URL must start with smtp:// or smtps://.")
        if value:
            must_be_well_formed("SMTP_URL", value)
        return value

    @field_validator("mail_from")
    @classmethod
    def be_an_address(cls, value: str) -> str:
        """A name may stand before it: `Harbour notes <blog@example.org>`."""
        if value and not ONE_ADDRESS.fullmatch(value):
            raise ValueError("MAIL_FROM is no address like blog@example.org.")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def be_an_issuer(cls, value: str) -> str:
        """Over plain HTTP anybody on the way could log in as anybody; on one machine nobody is."""
        if not value:
            return value
        must_be_private("OIDC_ISSUER", value)
        return value

    @field_validator("breached_passwords_url")
    @classmethod
    def be_a_list_of_passwords(cls, value: str) -> str:
        if value:
            must_be_private("BREACHED_PASSWORDS_URL", value)
        return value

    @field_validator("websub_hub")
    @classmethod
    def be_a_hub(cls, value: str) -> str:
        if value:
            must_be_private("WEBSUB_HUB", value)
        return value

    @model_validator(mode="after")
    def have_cookies_that_browsers_take(self) -> Self:
        if self.cookie_samesite == "none" and not self.cookies_are_secure:
            raise ValueError(
                "COOKIE_SAMESITE=none needs COOKIE_SECURE=true: browsers insist on it."
            )
        if self.session_cookie == self.remember_cookie:
            raise ValueError("SESSION_COOKIE and REMEMBER_COOKIE must be two names.")
        if self.in_production and self.cookie_secure is False:
            raise ValueError("COOKIE_SECURE=false gives logins away in production. Remove it.")
        return self

    @model_validator(mode="after")
    def be_able_to_send_mail(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("MAIL_FROM is missing: the address that mails come from.")
        if self.smtp_url and self.in_production and not self.base_url:
            raise ValueError("BASE_URL is missing: mails carry links, and those begin with it.")
        return self

    @model_validator(mode="after")
    def have_addresses_for_a_hub(self) -> Self:
        if self.websub_hub and self.in_production and not self.base_url:
            raise ValueError("BASE_URL is missing: what a hub is told of begins with it.")
        return self

    @model_validator(mode="after")
    def know_whole_providers(self) -> Self:
        """Half an entry is a mistake, and would show as a button that leads nowhere."""
        for name, others in PROVIDERS.items():
            parts = [f"{name}_{other}" for other in ("client_id", "client_secret", *others)]
            missing = [part for part in parts if not str_of(getattr(self, part))]
            if missing and len(missing) < len(parts):
                raise ValueError(
                    f"{missing[0].upper()} is missing: {name} needs all of its settings."
                )
            if not missing and self.in_production and not self.base_url:
                raise ValueError("BASE_URL is missing: where providers send people back to.")
        return self

    @model_validator(mode="after")
    def have_a_good_secret(self) -> Self:
        if not self.in_production:
            return self
        if not self.secret_key:
            raise ValueError(f"SECRET_KEY is missing. {HOW_TO_MAKE_A_SECRET}")
        for key in self.secrets:
            if len(key) < SHORTEST_SECRET or is_known(key):
                raise ValueError(
                    f"SECRET_KEY is too short or no secret at all. {HOW_TO_MAKE_A_SECRET}"
                )
        if self.bcrypt_cost < 10:
            raise ValueError("BCRYPT_COST must be at least 10 in production.")
        return self


# What each needs beside its client's id and secret.
PROVIDERS: dict[str, tuple[str, ...]] = {"github": (), "google": (), "oidc": ("issuer",)}

HOW_TO_MAKE_A_SECRET = (
    f"Set it to a random text of at least {SHORTEST_SECRET} characters, for example the output of: "
    'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
)


def load_settings() -> Settings:
    """Read the environment; leave with one sentence per mistake if something is wrong.

    In development a missing SECRET_KEY is made once and kept in data/, so that logins survive a
    restart and every worker signs alike.

    Raises:
        SystemExit: a setting is missing or wrong.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SystemExit(in_sentences(error)) from None
    if settings.secret_key:
        return settings
    return settings.model_copy(update={"secret_key": [SecretStr(development_secret())]})


def is_known(key: str) -> bool:
    """Whether a key is one that samples and tutorials use, or one character over and over."""
    return len(set(key)) < 8 or bool(PLACEHOLDER.search(key))


def must_be_well_formed(name: str, url: str) -> None:
    """Raises ValueError with a sentence when a URL leads nowhere."""
    try:
        parts = urlsplit(url)
        leads_somewhere = parts.port is not None or bool(parts.netloc or parts.path.strip("/"))
    except ValueError:
        leads_somewhere = False
    if not leads_somewhere:
        raise ValueError(
            f"{name} is no URL like scheme://user:password@host:port/name. "
            "Special characters in the password must be written as %XX."
        )


def str_of(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def must_be_private(name: str, url: str) -> None:
    """Raises ValueError unless a URL is one that nobody on the way can listen to or answer for."""
    must_be_well_formed(name, url)
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    )
    if not is_safe or not parts.hostname or parts.query or parts.fragment or "@" in url:
        raise ValueError(f"{name} must be an address that starts with https://.")


def in_sentences(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(message if not name or name in message else f"{name}: {message}")
    return "Inkstand cannot start. " + "\n".join(lines)


def development_secret() -> str:
    path = DATA / "secret_key"
    DATA.mkdir(exist_ok=True)
    fresh = DATA / f"secret_key.{os.getpid()}"
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # fails if another process was first: then theirs counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()
