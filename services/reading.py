"""What readers get of a text: by the newest renderer, and with links that vouch as far as we do."""

from models import Post, User
from services import links, markdown
from services.permissions import is_stranger
from settings import Settings


def html_of(post: Post, author: User, settings: Settings) -> str:
    """The HTML of a post, safe to show. It may take a while if `is_outdated(post)`."""
    html = markdown.said(markdown.render(post.content) if is_outdated(post) else post.html)
    return links.of_strangers(html) if is_stranger(author, settings) else html


def is_outdated(post: Post) -> bool:
    """Whether an older renderer made the stored HTML; see rerendering.py. What a newer one made,
    while two versions of the blog run side by side, stays."""
    return post.renderer < markdown.RENDERER


# An image that begins further down is not seen before one scrolls.
AT_THE_TOP = 1500
LAZY, EAGER = ' loading="lazy">', ' fetchpriority="high">'


def first_image_first(html: str) -> str:
    """The same for a page of its own, whose first image may be the largest thing that is seen at
    once: it is not put off, as all others are."""
    at = html.find(LAZY, 0, AT_THE_TOP)
    return f"{html[:at]}{EAGER}{html[at + len(LAZY) :]}" if at >= 0 else html
