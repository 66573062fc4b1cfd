"""Which address a post gets: the one that its author asks for, or one made of its title."""

import re

from sqlmodel import Session

from errors import Conflict, Invalid
from languages import _
from models import Post
from services import pages, slugs
from services.texts import Text


def give(db: Session, post: Post, text: Text) -> None:
    """Give the post its address; one made of a title has a number if need be.

    Raises:
        Invalid: it is one of the blog's own. Conflict: it is another post's.
    """
    check_allowed(post, text, is_page=post.is_page)
    if is_new(post, text):
        if not slugs.claim(db, post, text.slug):
            raise taken()
    elif not post.slug or (not post.was_published and title_has_changed(post, text)):
        slug_of = pages.slug_of if post.is_page else slugs.slug_of
        slugs.claim_similar(db, post, slug_of(text.title))


def check(db: Session, post: Post, text: Text) -> None:
    """The same for an address that a post is to get later: nothing is taken. Raises as `give`."""
    is_page = text.kind == "page" if text.kind else post.is_page
    check_allowed(post, text, is_page=is_page)
    if is_new(post, text) and slugs.is_anothers(db, post, text.slug):
        raise taken()


def check_allowed(post: Post, text: Text, *, is_page: bool) -> None:
    """A post keeps what it has, whatever the blog itself has come to use since."""
    is_ours = is_new(post, text) and slugs.is_reserved(text.slug)
    if is_ours or (is_page and (text.slug or post.slug) in pages.RESERVED):
        raise Invalid(
            {"slug": _("That address belongs to the blog itself. Please choose another.")}
        )


def is_new(post: Post, text: Text) -> bool:
    return bool(text.slug) and text.slug != post.slug


def title_has_changed(post: Post, text: Text) -> bool:
    """Whether the address was made of the title, and the title is another one now."""
    old = slugs.slug_of(post.title)
    was_made_of_it = re.fullmatch(re.escape(old) + r"(-\d+|-[0-9a-f]{6})?", post.slug)
    return old != slugs.slug_of(text.title) and was_made_of_it is not None


def taken() -> Conflict:
    return Conflict({"slug": _("That address is taken. Please choose another.")})
