"""What readers get of a text: by the newest renderer, and with links that vouch as far as we do."""

from models import Post, User
from services import links, markdown
from services.permissions import is_stranger
from settings import Settings


def html_of(post: Post, author: User, settings: Settings) -> str:
    """The HTML of a post, safe to show. It may take a while if `is_outdated(post)`."""
    html = markdown.render(post.content) if is_outdated(post) else post.html
    return links.of_strangers(html) if is_stranger(author, settings) else html


def is_outdated(post: Post) -> bool:
    """Whether an older renderer made the stored HTML; see rerendering.py. What a newer one made,
    while two versions of the blog run side by side, stays."""
    return post.renderer < markdown.RENDERER
