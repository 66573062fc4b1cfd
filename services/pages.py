"""Pages, such as About: posts that stand beside the stream, at addresses of their own."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from database import Database
from errors import Invalid
from languages import _
from models import Post
from services import known, slugs
from services.permissions import EDIT_ANY
from services.streams import is_public
from services.texts import Text

# The first segments of our own addresses, today's and planned: no page may stand in their way.
RESERVED = frozenset(
    """
    admin api archive auth comments docs drafts feed feeds healthz live media metrics newsletter
    openapi posts preview readers readyz rss search series settings sitemap sitemaps static style
    tags trash users well-known ws
    """.split()
)
CHANGED = "pages changed"  # after the commit; listeners get nothing
MOST_LINKS = 50


def check(text: Text, scopes: frozenset[str], post: Post | None = None) -> None:
    """Raises Invalid if this makes a page, or a page a post, and whoever does it may not."""
    is_page = post is not None and post.is_page
    if text.kind and (text.kind == "page") is not is_page and EDIT_ANY not in scopes:
        raise Invalid({"kind": _("Only editors and the owner of the blog make pages.")})


def turn(post: Post, text: Text) -> None:
    """Into a page or a post, as the text says. A page is part of no series, and never pinned."""
    if text.kind:
        post.is_page = text.kind == "page"
    if post.is_page:
        post.series_id = post.series_position = post.pinned_at = None


def slug_of(title: str) -> str:
    """As that of a post, but never one of our own addresses."""
    slug = slugs.slug_of(title, "page")
    return f"page-{slug}" if slug in RESERVED else slug


@dataclass(frozen=True)
class Link:
    path: str
    title: str


def links(db: Session) -> list[Link]:
    """The pages that readers find, by title."""
    found = db.execute(
        select(Post.slug, Post.title)
        .where(is_public(), col(Post.is_page).is_(True))
        .order_by(col(Post.title), col(Post.id))
        .limit(MOST_LINKS)
    )
    return [Link(f"/{slug}", title) for slug, title in found]


class Known(known.Known[list[Link]]):
    """The links to all pages, for the foot of every page."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, CHANGED, lambda db: links(db), [])
