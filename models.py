"""Every table: its fields, and the questions that a row can answer about itself in a line."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from settings import Role

# Names for every constraint, so that a migration can find them again on both databases.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone of a datetime, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def moment(**extra: Any) -> Any:
    return Field(sa_type=UtcDateTime, **extra)


class User(SQLModel, table=True):
    """A person with an account. `username` is the canonical, lower-case form; see usernames.py."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    username: str = Field(max_length=40, unique=True)
    display_name: str = Field(max_length=80)
    email: str | None = Field(default=None, max_length=254)
    email_key: str | None = Field(default=None, max_length=320, index=True)  # to find it by
    password_hash: str = Field(max_length=200)
    role: str = Field(default=Role.author, max_length=20)
    bio: str = Field(default="", max_length=500)
    website: str = Field(default="", max_length=200)
    created_at: datetime = moment(default_factory=now)
    disabled_at: datetime | None = moment(default=None, nullable=True)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_owner(self) -> bool:
        return self.role == Role.owner


class Site(SQLModel, table=True):
    """The blog itself: exactly one row. Who inserts it first owns the blog, on any database."""

    __tablename__ = "site"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    owner_id: UUID = Field(foreign_key="users.id")


class Post(SQLModel, table=True):
    """A text, from its first draft to the trash.

    `title`, `content` and `html` are what readers see once it is published. What an author has
    saved but not yet made public waits in `staged`, with the form's own fields.
    """

    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("author_id", "idempotency_key"),
        Index("ix_posts_published_at_id", "published_at", "id"),
        Index("ix_posts_author_id_published_at_id", "author_id", "published_at", "id"),
        Index("ix_posts_author_id_updated_at", "author_id", "updated_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    author_id: UUID = Field(foreign_key="users.id")
    slug: str = Field(max_length=120, unique=True)
    title: str = Field(max_length=200)
    content: str = Field(sa_type=Text)
    html: str = Field(sa_type=Text)
    renderer: int
    excerpt: str = Field(max_length=320)
    word_count: int
    staged: dict[str, str] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    version: int = 1
    idempotency_key: str | None = Field(default=None, max_length=64)
    created_at: datetime = moment(default_factory=now)
    updated_at: datetime = moment(default_factory=now)
    published_at: datetime | None = moment(default=None, nullable=True)
    first_published_at: datetime | None = moment(default=None, nullable=True)
    trashed_at: datetime | None = moment(default=None, nullable=True, index=True)

    @property
    def is_public(self) -> bool:
        return self.trashed_at is None and self.is_published and self.published_at <= now()  # type: ignore[operator]

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def was_published(self) -> bool:
        return self.first_published_at is not None

    @property
    def is_trashed(self) -> bool:
        return self.trashed_at is not None


class Slug(SQLModel, table=True):
    """Every address a post has ever had. One primary key keeps old and new ones apart for good."""

    __tablename__ = "slugs"

    slug: str = Field(max_length=120, primary_key=True)
    post_id: UUID = Field(
        # Deferred: an address is claimed before its post is stored.
        sa_column=Column(
            ForeignKey("posts.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
            index=True,
        )
    )


class Tag(SQLModel, table=True):
    __tablename__ = "tags"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(max_length=120, unique=True)
    name: str = Field(max_length=50)


class PostTag(SQLModel, table=True):
    __tablename__ = "post_tags"

    post_id: UUID = Field(foreign_key="posts.id", primary_key=True)
    tag_id: int = Field(foreign_key="tags.id", primary_key=True, index=True)
    position: int


class StoredSession(SQLModel, table=True):
    """A login where there is no Redis. `key` is the SHA-256 of the id that the cookie carries."""

    __tablename__ = "sessions"

    key: str = Field(max_length=64, primary_key=True)
    user_id: str | None = Field(default=None, max_length=36, index=True)
    data: str = Field(sa_type=Text)
    expires_at: datetime = moment(index=True)
    ends_at: datetime = moment()


class Throttle(SQLModel, table=True):
    """How often something was tried since the window opened, where there is no Redis."""

    __tablename__ = "throttles"

    key: str = Field(max_length=64, primary_key=True)
    tries: int
    expires_at: datetime = moment(index=True)
