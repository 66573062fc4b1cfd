"""Posts as readers get them."""

from starlette.requests import Request

from database import Db, release
from services import reading
from services.posts import Page


def html_of(request: Request, shown: Page, db: Db) -> str:
    """The HTML of a post, for a route that has written nothing. An old one may have to be rendered
    afresh: nothing is held meanwhile."""
    if reading.is_outdated(shown.post):
        release(db)
    return reading.html_of(shown.post, shown.author, request.app.state.settings)
