"""Whom passkeys are made for: this blog, under its name."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from settings import Settings


@dataclass(frozen=True)
class RelyingParty:
    """Browsers give passkeys to nobody but `origin`; `id` is its host."""

    id: str
    name: str
    origin: str


def relying_party(settings: Settings, origin: str, name: str = "") -> RelyingParty | None:
    """This blog, or None where it can have no passkeys: they are bound to a name and to HTTPS.

    That is the name in BASE_URL. Only in development, where there is none, it is the one by which
    this request came (`origin`): a forged Host header must not choose it.
    """
    base = settings.base_url or ("" if settings.in_production else origin)
    try:
        parts = urlsplit(base)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:  # a Host header may say anything
        return None
    is_safe = scheme == "https" or host == "localhost" or host.endswith(".localhost")
    if not host or not is_safe or is_address(host):
        return None
    shown_port = "" if port in (None, 443 if scheme == "https" else 80) else f":{port}"
    return RelyingParty(host, name or settings.site_name, f"{scheme}://{host}{shown_port}")


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
