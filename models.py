"""Every table: its fields, and the questions that a row can answer about itself in a line."""

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from languages import N_, _
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


class SearchWords(TypeDecorator[str]):
    """Words for an index: a tsvector where there is one, else a line of them."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects.postgresql import TSVECTOR  # for those who have one

        return dialect.type_descriptor(TSVECTOR())


def moment(**extra: Any) -> Any:
    return Field(sa_type=UtcDateTime, **extra)


def of_person(**extra: Any) -> Any:
    """A reference to the account that a row belongs to, and goes with."""
    return Field(foreign_key="users.id", ondelete="CASCADE", index=True, **extra)


NOBODY = "deleted"  # a reserved name: see services/departures.py
NAME_OF_NOBODY = N_("Deleted user")


def byline(username: str, name: str) -> str:
    """How readers know somebody; those who have left by a word of the language that is spoken."""
    return _(NAME_OF_NOBODY) if username == NOBODY else name


class User(SQLModel, table=True):
    """A person with an account. `username` is the canonical, lower-case form; see usernames.py."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_created_at_id", "created_at", "id"),
        # And uq_users_confirmed_email_key, in migrations/env.py: an address may be claimed by many,
        # and confirmed by one. Its condition would load the dialects of both databases here.
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    username: str = Field(max_length=40, unique=True)
    display_name: str = Field(max_length=80)
    email: str | None = Field(default=None, max_length=254)
    email_key: str | None = Field(default=None, max_length=320, index=True)  # to find it by
    email_verified_at: datetime | None = moment(default=None, nullable=True)
    password_hash: str = Field(max_length=200)  # empty: logs in by passkey or provider only
    totp_secret: str | None = Field(default=None, max_length=300)  # sealed; see sealing.py
    totp_step: int = 0  # of the code that was used last: none is taken twice
    role: str = Field(default=Role.author, max_length=20)
    bio: str = Field(default="", max_length=500)
    website: str = Field(default="", max_length=200)
    created_at: datetime = moment(default_factory=now)
    logged_in_at: datetime | None = moment(default=None, nullable=True)
    disabled_at: datetime | None = moment(default=None, nullable=True)

    @property
    def email_is_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def has_password(self) -> bool:
        return bool(self.password_hash)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_owner(self) -> bool:
        return self.role == Role.owner

    @property
    def is_nobody(self) -> bool:
        """Whether this is no person, but who the texts of people who have left belong to."""
        return self.username == NOBODY

    @property
    def byline(self) -> str:
        return byline(self.username, self.display_name)


class Site(SQLModel, table=True):
    """The blog itself: exactly one row. Who inserts it first owns the blog, on any database."""

    __tablename__ = "site"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    owner_id: UUID = Field(foreign_key="users.id")
    # What the ids of all entries in feeds begin with, whatever the blog's domain is: tag_uris.py.
    tagging_entity: str | None = Field(default=None, max_length=280)


class SiteSettings(SQLModel, table=True):
    """How the blog presents itself, as its owner chose: at most one row. See site_settings.py."""

    __tablename__ = "site_settings"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    chosen: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    logo_id: UUID | None = Field(default=None, foreign_key="media.id", ondelete="SET NULL")


class Login(SQLModel, table=True):
    """A device on which somebody is logged in. Whoever's row is gone is logged out, whatever a
    session store still says.

    With "remember me" it outlives its session: the cookie carries `selector` and a validator that
    changes at each use; here are the SHA-256 of the newest one and of the one before.
    """

    __tablename__ = "logins"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    user_agent: str = Field(default="", max_length=300)
    address: str = Field(default="", max_length=64)
    created_at: datetime = moment(default_factory=now)
    seen_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment(index=True)
    selector: str | None = Field(default=None, max_length=32, unique=True)
    validator_hash: str | None = Field(default=None, max_length=64)
    previous_hash: str | None = Field(default=None, max_length=64)
    rotated_at: datetime | None = moment(default=None, nullable=True)
    remember_days: int | None = None

    @property
    def is_remembered(self) -> bool:
        return self.selector is not None


class MailToken(SQLModel, table=True):
    """The other end of a link in a mail: usable once, for one purpose, while what it is bound to
    stays as it was. `digest` is the SHA-256 of what the link carries."""

    __tablename__ = "mail_tokens"

    digest: str = Field(max_length=64, primary_key=True)
    user_id: UUID = of_person()
    purpose: str = Field(max_length=20)
    email: str = Field(default="", max_length=254)
    binding: str = Field(max_length=64)
    created_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment(index=True)


class Mail(SQLModel, table=True):
    """A mail to be sent, stored in the transaction that caused it. `next_try_at` is empty once it
    is sent or given up."""

    __tablename__ = "mails"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    recipient: str = Field(max_length=254)
    subject: str = Field(max_length=200)
    body: str = Field(sa_type=Text)
    created_at: datetime = moment(default_factory=now, index=True)
    next_try_at: datetime | None = moment(default_factory=now, nullable=True, index=True)
    sent_at: datetime | None = moment(default=None, nullable=True)
    tries: int = 0
    error: str = Field(default="", max_length=300)


class Announcement(SQLModel, table=True):
    """A feed that has changed, or will, and that the hub does not know of yet; `prefix` is what
    stands before “/feed.xml” in its address."""

    __tablename__ = "announcements"

    id: int | None = Field(default=None, primary_key=True)
    prefix: str = Field(max_length=200)
    since: datetime = moment()
    next_try_at: datetime = moment(index=True)
    tries: int = 0


class AuditEvent(SQLModel, table=True):
    """What happened to an account or to the blog, who did it, and from where. Rows outlive the
    accounts that they speak of."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user_id_id", "user_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment(default_factory=now, index=True)
    action: str = Field(max_length=40)
    user_id: UUID | None = None  # whose account
    actor_id: UUID | None = None  # who did it
    username: str = Field(default="", max_length=40)  # as it was then
    address: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=300)
    details: dict[str, str] = Field(default_factory=dict, sa_type=JSON)


class RecoveryCode(SQLModel, table=True):
    """One of ten ways in for whoever lost the second factor."""

    __tablename__ = "recovery_codes"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    digest: str = Field(max_length=64)
    used_at: datetime | None = moment(default=None, nullable=True)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential: the second factor, or the whole login."""

    __tablename__ = "passkeys"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    credential_id: bytes = Field(max_length=1023, unique=True, sa_type=LargeBinary)
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = 0
    transports: str = Field(default="", max_length=100)  # space-separated
    name: str = Field(max_length=80)
    created_at: datetime = moment(default_factory=now)
    used_at: datetime | None = moment(default=None, nullable=True)


class ApiToken(SQLModel, table=True):
    """A personal access token: `digest` is its SHA-256, `hint` its first characters."""

    __tablename__ = "api_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    name: str = Field(max_length=80)
    hint: str = Field(max_length=16)
    digest: str = Field(max_length=64, unique=True)
    scopes: str = Field(default="", max_length=200)  # space-separated
    created_at: datetime = moment(default_factory=now)
    used_at: datetime | None = moment(default=None, nullable=True)
    expires_at: datetime | None = moment(default=None, nullable=True)


class RefreshToken(SQLModel, table=True):
    """A family of refresh tokens, begun by one login to the API. Only the newest one is good:
    `digest` is its SHA-256, and whoever shows an older one ends the family."""

    __tablename__ = "refresh_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    digest: str = Field(max_length=64)
    scopes: str = Field(default="", max_length=200)
    user_agent: str = Field(default="", max_length=300)
    address: str = Field(default="", max_length=64)
    created_at: datetime = moment(default_factory=now)
    used_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment(index=True)


class Identity(SQLModel, table=True):
    """An account elsewhere by which somebody logs in here (OpenID Connect: issuer and subject)."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = of_person()
    provider: str = Field(max_length=40)
    issuer: str = Field(max_length=200)
    subject: str = Field(max_length=255)
    name: str = Field(default="", max_length=254)  # what the provider calls them
    created_at: datetime = moment(default_factory=now)
    used_at: datetime | None = moment(default=None, nullable=True)


class Invitation(SQLModel, table=True):
    """A link that lets one person register; `digest` is the SHA-256 of what it carries."""

    __tablename__ = "invitations"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    digest: str = Field(max_length=64, unique=True)
    email: str | None = Field(default=None, max_length=254)
    role: str = Field(default=Role.author, max_length=20)
    invited_by: UUID = of_person()
    created_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None, nullable=True)
    used_by: str = Field(default="", max_length=40)  # the name they took

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.expires_at > now()


class RetiredName(SQLModel, table=True):
    """A name that somebody gave up: nobody may pass for them for a while. `user_id` is who they are
    now; empty when their account is gone."""

    __tablename__ = "retired_names"

    username: str = Field(max_length=40, primary_key=True)
    user_id: UUID | None = Field(
        default=None, foreign_key="users.id", ondelete="SET NULL", index=True
    )
    until: datetime = moment()


class Post(SQLModel, table=True):
    """A text, from its first draft to the trash.

    `title`, `content` and `html` are what readers see once it is published. What an author has
    saved but not yet made public waits in `staged`, with the form's own fields.
    """

    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("author_id", "idempotency_key"),
        # And those of lists, each with a condition, in migrations/env.py.
        Index("ix_posts_author_id_updated_at", "author_id", "updated_at"),
        Index("uq_posts_preview_token", "preview_token", unique=True),
        Index("ix_posts_series_id_series_position", "series_id", "series_position"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    author_id: UUID = Field(foreign_key="users.id")
    slug: str = Field(max_length=120, unique=True)
    is_page: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    title: str = Field(max_length=200)
    content: str = Field(sa_type=Text)
    html: str = Field(sa_type=Text)
    renderer: int = Field(index=True)  # the version of markdown.py that made `html`
    # The version of services/search that took it into its index, or had nothing to take; 0 is none.
    indexer: int = Field(default=0, index=True, sa_column_kwargs={"server_default": text("0")})
    excerpt: str = Field(max_length=320)
    word_count: int
    staged: dict[str, str] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    version: int = 1
    idempotency_key: str | None = Field(default=None, max_length=64)
    preview_token: str | None = Field(default=None, max_length=32)
    series_id: UUID | None = Field(default=None, foreign_key="series.id")
    series_position: int | None = None
    pinned_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment(default_factory=now)
    updated_at: datetime = moment(default_factory=now)
    published_at: datetime | None = moment(default=None, nullable=True)
    first_published_at: datetime | None = moment(default=None, nullable=True)
    revised_at: datetime | None = moment(default=None, nullable=True)  # what readers had seen
    trashed_at: datetime | None = moment(default=None, nullable=True)

    @property
    def changed_at(self) -> datetime | None:
        """When what readers see last became what it is: published, or changed since. What is saved
        and not yet public does not count."""
        moments = (self.published_at, self.revised_at)
        return max(filter(None, moments)) if self.is_published else None

    @property
    def path(self) -> str:
        """Where it is read."""
        return f"/{self.slug}" if self.is_page else f"/posts/{self.slug}"

    @property
    def is_public(self) -> bool:
        return self.trashed_at is None and self.is_published and self.published_at <= now()  # type: ignore[operator]

    @property
    def is_published(self) -> bool:
        """Whether it is meant for readers, now or from a moment that is still to come."""
        return self.published_at is not None

    @property
    def is_scheduled(self) -> bool:
        return self.published_at is not None and self.published_at > now()

    @property
    def state(self) -> Literal["draft", "scheduled", "published", "trashed"]:
        if self.is_trashed:
            return "trashed"
        if self.is_scheduled:
            return "scheduled"
        return "published" if self.is_published else "draft"

    @property
    def was_published(self) -> bool:
        """Whether readers can have seen it. A schedule that is still to come does not count."""
        return self.first_published_at is not None and self.first_published_at <= now()

    @property
    def is_trashed(self) -> bool:
        return self.trashed_at is not None

    @property
    def is_erased(self) -> bool:
        """Whether its text was deleted for good: its address is all that is left."""
        return not self.title


class SearchEntry(SQLModel, table=True):
    """The words of a post that is meant for readers; see services/search/index.py.

    `place` puts the newest last: milliseconds since 1970, or a little less if they are taken. On
    SQLite triggers keep the FTS5 table `search_words` like this one.
    """

    __tablename__ = "search_entries"

    place: int = Field(
        sa_column=Column(
            BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
        )
    )
    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", unique=True)
    words: str = Field(sa_type=SearchWords)


class SearchTitle(SQLModel, table=True):
    """A title from one of its words on, folded, in UTF-8: bytes have one order everywhere."""

    __tablename__ = "search_titles"

    key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    post_id: UUID = Field(
        sa_column=Column(
            ForeignKey("search_entries.post_id", ondelete="CASCADE"), primary_key=True, index=True
        )
    )


class Revision(SQLModel, table=True):
    """A text as it was saved once. `number` counts from 1 within a post; `kind` is what was done."""

    __tablename__ = "revisions"

    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", primary_key=True)
    number: int = Field(primary_key=True)
    kind: str = Field(max_length=20)
    editor_id: UUID | None = Field(
        default=None, foreign_key="users.id", ondelete="SET NULL", index=True
    )
    text: dict[str, str] = Field(sa_type=JSON)  # the fields of the form
    created_at: datetime = moment(default_factory=now)


class Autosave(SQLModel, table=True):
    """What somebody is typing into a post and has not saved: one for each person and post.

    `tab` names the open editor that it came from; `base_version` is the version it began with.
    """

    __tablename__ = "autosaves"

    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True, index=True)
    tab: str = Field(default="", max_length=64)
    base_version: int
    text: dict[str, str] = Field(sa_type=JSON)
    saved_at: datetime = moment(default_factory=now)


class Series(SQLModel, table=True):
    """Posts that belong together, in an order."""

    __tablename__ = "series"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    author_id: UUID = Field(foreign_key="users.id", index=True)
    slug: str = Field(max_length=120, unique=True)
    title: str = Field(max_length=120)
    description: str = Field(default="", max_length=500)
    created_at: datetime = moment(default_factory=now)


class Media(SQLModel, table=True):
    """An image in the library; its files are in a storage, see services/media.py.

    `source_digest` is the SHA-256 of the file as it was sent: the same file twice is one image.
    `name` is the last part of its address, with its size in pixels in it.
    """

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("user_id", "source_digest"),
        Index("ix_media_user_id_created_at_id", "user_id", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    name: str = Field(max_length=120)
    alt: str = Field(default="", max_length=500)
    caption: str = Field(default="", max_length=500)
    content_type: str = Field(max_length=40)
    width: int
    height: int
    bytes: int  # of all its files together: what counts for the quota
    source_digest: str = Field(max_length=64)
    created_at: datetime = moment(default_factory=now, index=True)


class MediaUse(SQLModel, table=True):
    """Where an image stands: in what readers of a post see ("text"), or in what waits ("staged")."""

    __tablename__ = "media_uses"

    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", primary_key=True)
    media_id: UUID = Field(foreign_key="media.id", ondelete="CASCADE", primary_key=True, index=True)
    place: str = Field(max_length=10, primary_key=True)


class Blob(SQLModel, table=True):
    """A file, where files are kept in the database; see backends/storage/."""

    __tablename__ = "blobs"

    key: str = Field(max_length=200, primary_key=True)
    stored_at: datetime = moment(default_factory=now)  # before `data`, which is long to skip
    data: bytes = Field(sa_type=LargeBinary)


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


class TagAlias(SQLModel, table=True):
    """An address that a tag had before it was renamed, or merged into another."""

    __tablename__ = "tag_aliases"

    slug: str = Field(max_length=120, primary_key=True)
    tag_id: int = Field(foreign_key="tags.id", ondelete="CASCADE", index=True)


class PostTag(SQLModel, table=True):
    __tablename__ = "post_tags"
    __table_args__ = (
        Index("ix_post_tags_tag_id_listed_at_post_id", "tag_id", "listed_at", "post_id"),
    )

    post_id: UUID = Field(foreign_key="posts.id", primary_key=True)
    tag_id: int = Field(foreign_key="tags.id", primary_key=True)
    position: int
    # When its post is listed, as `streams.is_listed` knows it: never, if empty. Written by the
    # database alone, whatever becomes of the post: see migrations/versions/0005.
    listed_at: datetime | None = moment(default=None, nullable=True)


class PublicVersion(SQLModel, table=True):
    """What readers see, as a number that grows with each change of it: one row. See
    public_version.py."""

    __tablename__ = "public_version"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    version: int = Field(sa_type=BigInteger)


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


class PostViews(SQLModel, table=True):
    """How often a post was read on a day, and by how many; days are those at the blog's place.

    `visitors` are those that were told apart: never more than `views`.
    """

    __tablename__ = "post_views"

    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", primary_key=True)
    day: date = Field(primary_key=True, index=True)
    views: int
    visitors: int


class PostReferrer(SQLModel, table=True):
    """How many of these views came from a link on another host; "*" is all that there were too many
    of. What is missing of the views came from nowhere that is known."""

    __tablename__ = "post_referrers"

    post_id: UUID = Field(foreign_key="posts.id", ondelete="CASCADE", primary_key=True)
    day: date = Field(primary_key=True, index=True)
    host: str = Field(max_length=100, primary_key=True)
    views: int


class VisitorSalt(SQLModel, table=True):
    """What the visitors of a day are told apart by; deleted when the day is over."""

    __tablename__ = "visitor_salts"

    day: date = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)


class VisitorDigest(SQLModel, table=True):
    """That somebody has read something on a day: neither who nor what. Goes with the salt, without
    which it means nothing."""

    __tablename__ = "visitor_digests"

    digest: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    day: date = Field(index=True)
