"""A blog to look at: the texts under demo/, written as if by their authors over the last year."""

import secrets
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

import auth_service
from models import Post, User, now
from services import passwords, writing
from services.archives import front_matter
from services.credentials import Registration
from services.texts import NewPost
from settings import Role, Settings

FOLDER = Path(__file__).parent.parent / "demo"


@dataclass(frozen=True)
class Filled:
    posts: int
    authors: int
    username: str
    password: str


def is_empty(db: Session) -> bool:
    return db.exec(select(User.id).limit(1)).first() is None


def fill(db: Session, settings: Settings, copies: int = 0, password: str = "") -> Filled:
    """Make the authors and their posts; `copies` adds that many more posts, for benchmarks.

    All authors have the same password, a random one unless it is given.
    """
    password = password or secrets.token_urlsafe(9)
    hashed = passwords.hash_password(password, settings.bcrypt_cost)
    authors = {author.username: author for author in make_authors(db, password, hashed)}
    files = sorted(FOLDER.glob("posts/*.md"), reverse=True)  # the oldest first
    written = [write(db, authors, *front_matter.read(path.read_text("utf-8"))) for path in files]
    for number in range(copies):
        original = written[number % len(written)]
        again = NewPost(title=f"{original.title[:180]} ({number + 2})", content=original.content)
        date(writing.create(db, db.get_one(User, original.author_id), again), 0, minutes=number + 1)
    return Filled(len(written) + copies, len(authors), next(iter(authors)), password)


def make_authors(db: Session, password: str, hashed: str) -> Iterator[User]:
    for about in tomllib.loads((FOLDER / "authors.toml").read_text("utf-8"))["authors"]:
        new = Registration(username=about["username"], password=password)
        author = auth_service.add_user(db, new, hashed, Role.author)
        author.display_name, author.bio = about["display_name"], about["bio"]
        db.flush()
        yield author


def write(db: Session, authors: dict[str, User], about: dict[str, Any], content: str) -> Post:
    action = "draft" if about.get("status") == "draft" else "publish"
    tags = ", ".join(about["tags"])
    shelf = {name: about[name] for name in ("series", "kind") if name in about}
    new = NewPost(title=about["title"], content=content, tags=tags, action=action, **shelf)
    return date(writing.create(db, authors[about["author"]], new), int(about["days_ago"]))


def date(post: Post, days_ago: int, minutes: int = 0) -> Post:
    moment = now() - timedelta(days=days_ago, minutes=minutes)
    post.created_at = post.updated_at = moment
    if post.is_published:
        post.published_at = post.first_published_at = moment
    return post
