"""The blog as a whole: its name, its language, and how it presents itself."""

import hashlib
import re
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

from sqlmodel import Session

from database import Database
from languages import Speech
from models import Media, SiteSettings
from services import colours, known, media
from services.site_settings import CHANGED, Chosen, Way, ways_in
from settings import Settings

LOGO_HEIGHT = 40
IN_A_LINE = {"a", "abbr", "b", "br", "code", "del", "em", "i", "s", "strong", "sub", "sup"}
EMPTY_LINK = re.compile(r"<a[^>]*></a>")  # that of a heading to itself
WITHOUT_OWN_RULES = ("/admin/settings", "/auth/")


class Presented(SimpleNamespace):
    """What every page, feed and mail may say of the blog: what its owner chose, and where they
    chose nothing what the environment says."""

    chosen: Chosen
    logo: Media | None
    language: str
    date_format: str

    @cached_property
    def speech(self) -> Speech:
        return Speech(self.language, self.date_format)

    @cached_property
    def navigation(self) -> list[Way]:
        return ways_in(self.chosen.navigation)

    @cached_property
    def footer_html(self) -> str:
        return in_a_line(self.chosen.footer)

    @cached_property
    def accent(self) -> colours.Accent | None:
        return colours.accent_of(self.chosen.accent) if self.chosen.accent else None

    @cached_property
    def css(self) -> str:
        """Colours and rules of the owner's own: after all of ours, whatever they say."""
        rules = [rule for rule in (self.accent_rule, self.chosen.css) if rule]
        return "\n".join(["@layer owner {", *rules, "}", ""]) if rules else ""

    @cached_property
    def accent_rule(self) -> str:
        if self.accent is None:
            return ""
        light, dark = self.accent.light.css, self.accent.dark.css
        own = f"--accent: {self.accent.css}; --accent-light: {light}; --accent-dark: {dark};"
        return f":root {{ {own} }}"

    @cached_property
    def sheets(self) -> dict[str, str]:
        """What there is, by an address for these very bytes: the whole, and the colours alone."""
        return {f"/style/{digest_of(css)}.css": css for css in (self.css, self.accent_rule) if css}

    def css_url(self, path: str) -> str:
        """The sheet for a page; "" if there is none. Where one logs in and changes all this, rules
        of their own do not count: nobody can lock themselves out."""
        css = self.accent_rule if path.startswith(WITHOUT_OWN_RULES) else self.css
        return f"/style/{digest_of(css)}.css" if css else ""

    @cached_property
    def logo_card(self) -> "Logo | None":
        return Logo(self.logo) if self.logo else None


def digest_of(css: str) -> str:
    return hashlib.sha256(css.encode()).hexdigest()[:16]


class Logo:
    """An image as the head of a page shows it."""

    def __init__(self, image: Media) -> None:
        self.url = media.card_of(image).thumbnail
        self.alt = image.alt
        self.height = min(LOGO_HEIGHT, image.height)
        self.width = max(round(image.width * self.height / image.height), 1)


class Site(known.Known[Presented]):
    """`now()` has it as it is at this moment."""

    def __init__(self, database: Database, values: dict[str, Any]) -> None:
        self.values = values
        super().__init__(
            database, CHANGED, lambda db: presented(db, self.values), present({}, None, values)
        )

        # At once, since what is said before the next page already depends on it.
        database.listeners[CHANGED] = self.read_again

    def read_again(self) -> None:
        self.forget()
        self.now()

    def speech(self) -> Speech:
        """How it spoke when that was last looked up."""
        return self.latest.speech


def presented(db: Session, values: dict[str, Any]) -> Presented:
    found = db.get(SiteSettings, 1)
    logo = db.get(Media, found.logo_id) if found and found.logo_id else None
    return present(found.chosen if found else {}, logo, values)


def present(stored: dict[str, Any], logo: Media | None, values: dict[str, Any]) -> Presented:
    chosen = Chosen.stored(stored)
    own = {
        name: value
        for name in ("site_name", "site_description")
        if (value := getattr(chosen, name))
    }
    return Presented(
        **{
            **values,
            **own,
            "language": chosen.language,
            "date_format": chosen.date_format,
            "per_page": chosen.per_page,
            "chosen": chosen,
            "logo": logo,
        }
    )


def of(db: Session, settings: Settings) -> Presented:
    """The same in a transaction: for mails, and for what else is no page."""
    return presented(db, values_of(settings))


def values_of(settings: Settings) -> dict[str, Any]:
    """What pages may know of the settings."""
    shown = {"site_name", "site_description", "base_url", "registration", "remember_days"}
    shown |= {"require_verified_email", "time_zone"}
    return settings.model_dump(include=shown) | {"link_base": settings.link_base}


@lru_cache(maxsize=8)
def in_a_line(source: str) -> str:
    """Markdown as HTML that has no blocks: links, emphasis, and line breaks between paragraphs."""
    if not source:
        return ""
    import nh3

    from services.markdown import render  # heavy, and few have one

    html = render(source).replace("</p>\n<p>", "<br>\n")
    attributes = {"a": {"href"}, "abbr": {"title"}}
    schemes = {"http", "https", "mailto"}
    clean = nh3.clean(html, tags=IN_A_LINE, attributes=attributes, url_schemes=schemes)
    return EMPTY_LINK.sub("", clean).strip()
