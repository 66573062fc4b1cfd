"""Secret links: whoever has one sees a text before it is published."""

import re
import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from errors import NotFound
from models import Post, Tag
from services import pages, tags, texts
from services.posts import Page

TOKEN_BYTES = 16
IMAGE = re.compile(r'<img\b(?:[^"<>]|"[^"]*")*>')  # not what a text says of images
LARGE = re.compile(r'(<a href=")/media/(?=[^"<>]*" class="large")')
ADDRESS = re.compile(r'( src(?:set)?="|, )/media/')
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def make(db: Session, post: Post) -> None:
    """Give the post a secret link; one that it has stays. No edit conflicts with that."""
    kept = func.coalesce(col(Post.preview_token), secrets.token_urlsafe(TOKEN_BYTES))
    change(db, post, kept)


def revoke(db: Session, post: Post) -> None:
    """The link leads nowhere from now on. The next one will be another."""
    change(db, post, None)


def find(db: Session, token: str) -> Post:
    """The post that a link shows. Raises NotFound."""
    post = None
    if TOKEN.fullmatch(token):
        post = db.exec(select(Post).where(Post.preview_token == token)).first()
    if post is None or post.is_trashed:
        raise NotFound
    return post


def as_it_will_be(page: Page) -> Page:
    """The same page with the text that its author is working on: what is staged, if anything is.

    Needs no database, and may take a while for a long text.

    Raises:
        Invalid: it would be too large a page.
    """
    if not page.post.staged:
        return page
    stored = page.post.model_dump(include={"title", "content"})
    text = texts.Text.model_construct(**stored | page.post.staged)  # checked when it was saved
    post = Post(**page.post.model_dump() | texts.rendered(text))
    pages.turn(post, text)
    names = [name.strip() for name in text.tags.split(",") if name.strip()]
    carried = [Tag(slug=tags.slug_of(name), name=name) for name in names]
    stays = page.series and text.series in (None, page.series.title)
    return replace(page, post=post, tags=carried, series=page.series if stays else None)


def with_images(html: str, token: str) -> str:
    """The same HTML with the images of this blog where whoever has the link may see them."""
    there = f"/preview/{token}/media/"
    shown = IMAGE.sub(lambda image: ADDRESS.sub(rf"\g<1>{there}", image.group()), html)
    return LARGE.sub(rf"\g<1>{there}", shown)


def change(db: Session, post: Post, token: Any) -> None:
    db.execute(
        update(Post)
        .where(col(Post.id) == post.id)
        .values(preview_token=token)
        .execution_options(synchronize_session=False)
    )
