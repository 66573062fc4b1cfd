"""Pages, such as About: posts that stand beside the stream, at addresses of their own."""

import threading
import time
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from database import Database
from errors import Invalid
from models import Post
from services import slugs
from services.permissions import EDIT_ANY
from services.streams import is_public
from services.texts import Text

# The first segments of our own addresses, today's and planned: no page may stand in their way.
RESERVED = frozenset(
    """
    admin api archive auth comments docs drafts feed feeds healthz live media metrics newsletter
    openapi posts preview readers readyz rss search series settings sitemap static tags trash users
    well-known ws
    """.split()
)
CHANGED = "pages changed"  # after the commit; listeners get nothing
KNOWN_SECONDS, REST_SECONDS = 1.0, 5.0
MOST_LINKS = 50


def check(text: Text, scopes: frozenset[str], post: Post | None = None) -> None:
    """Raises Invalid if this makes a page, or a page a post, and whoever does it may not."""
    is_page = post is not None and post.is_page
    if text.kind and (text.kind == "page") is not is_page and EDIT_ANY not in scopes:
        raise Invalid({"kind": "Only editors and the owner of the blog make pages."})


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


class Known:
    """The links to all pages, for the foot of every page: read once a second at most.

    What this process changes shows at once, what others change within the second. When the
    database is away the last ones that were read stay.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.links: list[Link] = []
        self.good_until = 0.0
        self.changes = 0
        self.reading = threading.Lock()
        database.listeners[CHANGED] = self.forget

    def forget(self) -> None:
        self.changes += 1
        self.good_until = 0.0

    def now(self) -> list[Link]:
        """Never raises, and only one at a time waits for the database."""
        if time.monotonic() >= self.good_until and self.reading.acquire(blocking=False):
            try:
                self.read()
            finally:
                self.reading.release()
        return self.links

    def read(self) -> None:
        changes, good_for = self.changes, KNOWN_SECONDS
        try:
            with self.database.reading() as db:
                self.links = links(db)
        except SQLAlchemyError:
            good_for = REST_SECONDS
        if changes == self.changes:  # else somebody has changed them while they were read
            self.good_until = time.monotonic() + good_for
