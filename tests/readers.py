"""People who read with a browser, and what the blog has counted of them."""

from typing import Any

from models import Post, PostReferrer, PostViews
from tests.blog import Blog, Person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.1 Safari/605.1.15"
)
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "User-Agent": FIREFOX,
}


def reader(blog: Blog, **headers: str) -> Person:
    """Somebody without an account who reads with Firefox."""
    person = blog.visitor()
    person.client.headers.update(BROWSER | headers)
    return person


def read(person: Person, path: str, **headers: str) -> int:
    """Open a page as browsers do; its status. Then it has been noted."""
    own = person.client.headers
    agent = own["User-Agent"] if "accept-language" in own else FIREFOX
    sent = (
        BROWSER
        | {"User-Agent": agent}
        | {name.replace("_", "-"): value for name, value in headers.items()}
    )
    status: int = person.get(path, headers=sent).status_code
    person.get("/healthz")  # on the same connection, so after the end of the other
    return status


def counted(blog: Blog, slug: str = "") -> tuple[int, int]:
    """Views and visitors, of one post or of all, once what was noted is stored."""
    blog.app.state.counting.flush()
    rows = [row for row in blog.rows(PostViews) if not slug or row.post_id == id_of(blog, slug)]
    return sum(row.views for row in rows), sum(row.visitors for row in rows)


def sources(blog: Blog) -> dict[str, int]:
    blog.app.state.counting.flush()
    found: dict[str, int] = {}
    for row in blog.rows(PostReferrer):
        found[row.host] = found.get(row.host, 0) + row.views
    return found


def id_of(blog: Blog, slug: str) -> Any:
    return next(post.id for post in blog.rows(Post) if post.slug == slug)
