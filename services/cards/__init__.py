"""Cards: the pictures that other places show beside a link to here, 1200 by 630 pixels.

A post has one with its title, all else shares that of the blog. lettering.py breaks and sets its
lines, drawing.py draws it, gallery.py keeps what was drawn.
"""

import hashlib
from dataclasses import astuple, dataclass
from typing import Any

from models import Post, User
from services.colours import INK_BLUE, to_hex

WIDTH, HEIGHT = 1200, 630
CONTENT_TYPE = "image/png"
LOOK = 1  # another one whenever the same words are drawn otherwise: part of every version
MOST_CHARACTERS = 300  # of each text, whatever a setting allows


@dataclass(frozen=True)
class Card:
    """All that a card shows."""

    title: str
    byline: str
    site_name: str
    accent: str = INK_BLUE

    @property
    def version(self) -> str:
        """A digest of it, for its address: what shows something else has another one."""
        shown = "\0".join((str(LOOK), *astuple(self)))
        return hashlib.sha256(shown.encode()).hexdigest()[:12]


def of_post(site: Any, post: Post, author: User) -> Card:
    byline = "" if post.is_page or author.is_nobody else author.display_name
    return made(post.title, byline, site)


def of_site(site: Any) -> Card:
    return made(site.site_name, site.site_description, site)


def made(title: str, byline: str, site: Any) -> Card:
    title, byline, name = (text[:MOST_CHARACTERS] for text in (title, byline, site.site_name))
    return Card(title, byline, name, to_hex(site.accent.light) if site.accent else INK_BLUE)


def path_of_post(post: Post) -> str:
    return f"/posts/{post.slug}/card.png"


PATH_OF_SITE = "/card.png"
