"""What is said to visitors that are programs: where search engines may go, and whom to tell of a
hole."""

from datetime import timedelta
from typing import Any

from errors import NotFound
from models import now
from settings import Settings

# Nothing to find: forms, what belongs to somebody, and answers to questions.
CLOSED = ("/admin/", "/api/", "/auth/", "/preview/", "/search?q=", "/settings/", "/trash/")
GOOD_FOR = timedelta(days=180)  # RFC 9116, section 2.5.5: less than a year


def robots(site: Any, settings: Settings) -> str:
    """robots.txt (RFC 9309). A blog that is not to be found closes altogether."""
    if not settings.allow_indexing:
        return "User-agent: *\nDisallow: /\n"
    closed = "".join(f"Disallow: {path}\n" for path in CLOSED)
    return f"User-agent: *\n{closed}\nSitemap: {site.link_base}/sitemap.xml\n"


def security(site: Any, settings: Settings) -> str:
    """security.txt (RFC 9116). Raises NotFound: nobody is named."""
    if not settings.security_contact:
        raise NotFound
    midnight = (now() + GOOD_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        f"Contact: {settings.security_contact}\n"
        f"Expires: {midnight:%Y-%m-%dT%H:%M:%SZ}\n"
        f"Preferred-Languages: {site.language}\n"
        f"Canonical: {site.link_base}/.well-known/security.txt\n"
    )
