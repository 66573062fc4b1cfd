"""writing"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What is read and written below, as it is at this revision.
POSTS = sa.table(
    "posts",
    sa.column("id", sa.Uuid()),
    sa.column("author_id", sa.Uuid()),
    sa.column("title", sa.String()),
    sa.column("content", sa.Text()),
    sa.column("slug", sa.String()),
    sa.column("staged", sa.JSON(none_as_null=True)),
    sa.column("published_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
)
TAGS = sa.table("tags", sa.column("id", sa.Integer()), sa.column("name", sa.String()))
POST_TAGS = sa.table(
    "post_tags",
    sa.column("post_id", sa.Uuid()),
    sa.column("tag_id", sa.Integer()),
    sa.column("position", sa.Integer()),
)
REVISIONS = sa.table(
    "revisions",
    sa.column("post_id", sa.Uuid()),
    sa.column("number", sa.Integer()),
    sa.column("kind", sa.String()),
    sa.column("editor_id", sa.Uuid()),
    sa.column("text", sa.JSON()),
    sa.column("created_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_blobs")),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("alt", sa.String(length=500), nullable=False),
        sa.Column("caption", sa.String(length=500), nullable=False),
        sa.Column("content_type", sa.String(length=40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_media_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint(
            "user_id", "source_digest", name=op.f("uq_media_user_id_source_digest")
        ),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_media_user_id_created_at_id", ["user_id", "created_at", "id"], unique=False
        )

    op.create_table(
        "series",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_series_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("slug", name=op.f("uq_series_slug")),
    )
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_author_id"), ["author_id"], unique=False)

    op.create_table(
        "tag_aliases",
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_tag_aliases_tag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_tag_aliases")),
    )
    with op.batch_alter_table("tag_aliases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tag_aliases_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "autosaves",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tab", sa.String(length=64), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_autosaves_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_autosaves_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "user_id", name=op.f("pk_autosaves")),
    )
    with op.batch_alter_table("autosaves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_autosaves_user_id"), ["user_id"], unique=False)

    op.create_table(
        "media_uses",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_media_uses_media_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_media_uses_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "media_id", "place", name=op.f("pk_media_uses")),
    )
    with op.batch_alter_table("media_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_uses_media_id"), ["media_id"], unique=False)

    op.create_table(
        "revisions",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("editor_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["users.id"], name=op.f("fk_revisions_editor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_revisions_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "number", name=op.f("pk_revisions")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revisions_editor_id"), ["editor_id"], unique=False)

    # Column by column: making the table anew, as batches do for constraints, would take along on
    # SQLite whatever refers to it.
    for column in (
        sa.Column("is_page", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("preview_token", sa.String(length=32), nullable=True),
        sa.Column("series_position", sa.Integer(), nullable=True),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("posts", column)
    uuid = "CHAR(32)" if op.get_bind().dialect.name == "sqlite" else "UUID"
    op.execute(
        f"ALTER TABLE posts ADD COLUMN series_id {uuid} "
        "CONSTRAINT fk_posts_series_id REFERENCES series (id)"
    )
    op.create_index(op.f("ix_posts_pinned_at"), "posts", ["pinned_at"])
    op.create_index(op.f("ix_posts_renderer"), "posts", ["renderer"])
    op.create_index("ix_posts_series_id_series_position", "posts", ["series_id", "series_position"])
    op.create_index("uq_posts_preview_token", "posts", ["preview_token"], unique=True)
    begin_histories()


def begin_histories() -> None:
    """What is there is the first revision of each post, and what is staged the second: in pieces,
    for blogs of any size."""
    connection = op.get_bind()
    ids = connection.execute(sa.select(POSTS.c.id).where(POSTS.c.title != "")).scalars().all()
    for start in range(0, len(ids), 100):
        some = ids[start : start + 100]
        tags: dict[UUID, list[str]] = defaultdict(list)
        names = (
            sa.select(POST_TAGS.c.post_id, TAGS.c.name)
            .join(TAGS, TAGS.c.id == POST_TAGS.c.tag_id)
            .where(POST_TAGS.c.post_id.in_(some))
            .order_by(POST_TAGS.c.position)
        )
        for post_id, name in connection.execute(names):
            tags[post_id].append(name)
        posts = connection.execute(sa.select(POSTS).where(POSTS.c.id.in_(some)))
        found = [each for post in posts for each in revisions_of(post, ", ".join(tags[post.id]))]
        connection.execute(sa.insert(REVISIONS), found)


def revisions_of(post: sa.Row[Any], tags: str) -> Iterator[dict[str, Any]]:
    text = {"title": post.title, "content": post.content, "tags": tags, "slug": post.slug}
    kind = "published" if post.published_at else "saved"
    shared = {"post_id": post.id, "editor_id": post.author_id, "created_at": post.updated_at}
    yield {**shared, "number": 1, "kind": kind, "text": text}
    if post.staged:
        staged = text | post.staged | {"slug": post.staged.get("slug") or post.slug}
        yield {**shared, "number": 2, "kind": "saved", "text": staged}


def downgrade() -> None:
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_posts_series_id"), type_="foreignkey")
        batch_op.drop_index("uq_posts_preview_token")
        batch_op.drop_index("ix_posts_series_id_series_position")
        batch_op.drop_index(batch_op.f("ix_posts_renderer"))
        batch_op.drop_index(batch_op.f("ix_posts_pinned_at"))
        batch_op.drop_column("pinned_at")
        batch_op.drop_column("series_position")
        batch_op.drop_column("series_id")
        batch_op.drop_column("preview_token")
        batch_op.drop_column("is_page")

    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revisions_editor_id"))

    op.drop_table("revisions")
    with op.batch_alter_table("media_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_uses_media_id"))

    op.drop_table("media_uses")
    with op.batch_alter_table("autosaves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_autosaves_user_id"))

    op.drop_table("autosaves")
    with op.batch_alter_table("tag_aliases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tag_aliases_tag_id"))

    op.drop_table("tag_aliases")
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_series_author_id"))

    op.drop_table("series")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index("ix_media_user_id_created_at_id")
        batch_op.drop_index(batch_op.f("ix_media_created_at"))

    op.drop_table("media")
    op.drop_table("blobs")
