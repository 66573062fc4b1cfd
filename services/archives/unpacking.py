"""Storing what a plan says: all of it in one transaction, or nothing."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

import auth_service
from models import NOBODY, Autosave, Media, MediaUse, Post, Series, Slug, Tag, TagAlias, User
from services import (
    departures,
    markdown,
    media_uses,
    revisions,
    search,
    tag_uris,
    tags,
    texts,
    usernames,
)
from services.archives import pictures, shapes
from services.archives.planning import Plan
from services.archives.reading import Text
from settings import Role

AT_ONCE = 100
NO_COLUMNS = ("title", "author", "tags", "series", "aliases", "images", "draft")  # of `posts`


def store(db: Session, plan: Plan, sizes: dict[UUID, int], advance: Callable[[], None]) -> None:
    """Everything of the plan, but for the files of images: they are there already, and `sizes` has
    the bytes of each.

    Raises:
        sqlalchemy.exc.IntegrityError: somebody has taken a name or an address since it was made.
    """
    storing = Storing(db, plan)
    if plan.fills_the_blog:
        storing.accounts()
    storing.tags()
    storing.series()
    storing.pictures(sizes)
    for number, name in enumerate(plan.texts):
        storing.text(plan.archive.text(name), plan.rendered.get(name))
        if number % AT_ONCE == 0:
            storing.let_go()
        advance()
    for gone in plan.gone:
        storing.gone(gone)


class Storing:
    def __init__(self, db: Session, plan: Plan) -> None:
        self.db = db
        self.plan = plan
        self.people = dict(plan.people)
        self.of_series: dict[str, UUID] = {}

    def let_go(self) -> None:
        """Of what is stored already, so that it need not be kept in memory."""
        self.db.flush()
        self.db.expunge_all()

    def accounts(self) -> None:
        for author in self.plan.archive.authors:
            key = usernames.canonical(author.email) if author.email else None
            user = User(**author.columns(), email_key=key, password_hash="")
            self.db.add(user)
            self.people[user.username] = user.id
            if user.role == Role.owner:
                auth_service.claim_ownership(self.db, user)
        if self.plan.archive.feed_ids:
            tag_uris.keep(self.db, self.plan.archive.feed_ids)
        self.let_go()

    def person(self, username: str) -> UUID:
        username = self.plan.author(username)
        if username not in self.people:
            self.people[NOBODY] = departures.find_or_make_nobody(self.db).id
        return self.people[username]

    def tags(self) -> None:
        ids = dict(self.db.exec(select(Tag.slug, Tag.id)).all())
        taken = {*ids, *self.db.exec(select(TagAlias.slug))}
        for tag in self.plan.archive.tags:
            if tag.slug not in taken:
                row = Tag(**tag.columns("aliases"))
                self.db.add(row)
                self.db.flush()
                ids[tag.slug] = row.id
            # What the blog calls otherwise by now stays what it calls it.
            if tag_id := ids.get(tag.slug):
                free = (slug for slug in tag.aliases if slug not in taken)
                self.db.add_all(TagAlias(slug=slug, tag_id=tag_id) for slug in free)
        self.let_go()

    def series(self) -> None:
        self.of_series = dict(self.db.exec(select(Series.slug, Series.id)).all())
        for series in self.plan.archive.series:
            if series.slug not in self.of_series:
                author_id = self.person(series.author)
                row = Series(**series.columns("author"), author_id=author_id)
                self.db.add(row)
                self.of_series[series.slug] = row.id
        self.let_go()

    def pictures(self, sizes: dict[UUID, int]) -> None:
        taken = set(self.db.exec(select(Media.user_id, Media.source_digest)))
        for picture in self.plan.pictures:
            row = Media(
                **picture.columns("owner"),
                **pictures.columns(picture),
                user_id=self.person(picture.owner),
                bytes=sizes[picture.id],
            )
            if (row.user_id, row.source_digest) in taken:  # the same file, under another id
                row.source_digest = sha256(f"{row.source_digest} {row.id}".encode()).hexdigest()
            self.db.add(row)
        self.let_go()

    def text(self, text: Text, columns: dict[str, Any]) -> None:
        about = text.about
        author = self.db.get_one(User, self.person(about.author))
        post = Post(
            **about.columns(*NO_COLUMNS),
            **columns,
            author_id=author.id,
            is_page=text.is_page,
            series_id=self.of_series[about.series] if about.series else None,
            staged=text.staged,
        )
        self.put(post, about)
        self.unsaved(post, text)
        tags.put_on(self.db, post.id, about.tags)
        if text.text.content:  # else it was begun, and never saved
            self.keep(post, author, text.text, revisions.IMPORTED)
        if text.staged:
            self.keep(post, author, texts.Text(**text.staged), revisions.SAVED)
        self.db.add_all(
            MediaUse(post_id=post.id, media_id=media_id, place=media_uses.TEXT)
            for media_id in {*about.images} & self.plan.shows
        )
        self.db.flush()
        media_uses.note(self.db, post, author, frozenset())  # what editors may show is above
        search.put(self.db, post)

    def unsaved(self, post: Post, text: Text) -> None:
        """For those who are here, since it is nobody else's to read. Who began before the post was
        saved by another meets a conflict here too."""
        post.version = 1 + any(each.is_stale for each in text.unsaved.values())
        for username, each in text.unsaved.items():
            if username in self.people:
                self.db.add(
                    Autosave(
                        post_id=post.id,
                        user_id=self.people[username],
                        base_version=1 if each.is_stale else post.version,
                        text=each.fields,
                        saved_at=each.typed_at,
                    )
                )

    def keep(self, post: Post, author: User, text: texts.Text, kind: str) -> None:
        form = revisions.as_revision(text, text.slug or post.slug)
        revisions.add(self.db, post, form, author, kind)

    def gone(self, gone: shapes.Gone) -> None:
        empty = dict.fromkeys(("title", "content", "html", "excerpt"), "")
        author_id = self.person(gone.author)
        columns = {**gone.columns("author", "aliases"), **empty, "author_id": author_id}
        self.put(Post(**columns, renderer=markdown.RENDERER, word_count=0), gone)

    def put(self, post: Post, about: shapes.Post | shapes.Gone) -> None:
        """The post under all its addresses."""
        for slug in (post.slug, *self.plan.aliases(about)):
            self.db.add(Slug(slug=slug, post_id=post.id))
        self.db.add(post)
        self.db.flush()
