"""lists that stay fast"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# `post_tags.listed_at` repeats what its post says, so that one index has the posts of a tag in the
# order in which they are listed. The database itself keeps it true: nobody can forget it.
FROM_POSTS = """
UPDATE post_tags SET listed_at = (
  SELECT CASE WHEN trashed_at IS NULL AND NOT is_page THEN published_at END
  FROM posts WHERE id = post_id
)
"""
# A migration that makes `posts` or `post_tags` anew on SQLite drops these before and makes them
# after: they go with their tables.
ON_SQLITE = (
    """
    CREATE TRIGGER post_tags_listed_at AFTER INSERT ON post_tags BEGIN
      UPDATE post_tags SET listed_at = (
        SELECT CASE WHEN trashed_at IS NULL AND NOT is_page THEN published_at END
        FROM posts WHERE id = NEW.post_id
      )
      WHERE post_id = NEW.post_id AND tag_id = NEW.tag_id;
    END
    """,
    """
    CREATE TRIGGER posts_listed_at AFTER UPDATE OF published_at, trashed_at, is_page ON posts BEGIN
      UPDATE post_tags
      SET listed_at =
        CASE WHEN NEW.trashed_at IS NULL AND NOT NEW.is_page THEN NEW.published_at END
      WHERE post_id = NEW.id;
    END
    """,
)
# FOR SHARE: whoever publishes the post at the same moment is waited for.
ON_POSTGRESQL = (
    """
    CREATE FUNCTION post_tags_listed_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      SELECT CASE WHEN trashed_at IS NULL AND NOT is_page THEN published_at END
      INTO NEW.listed_at FROM posts WHERE id = NEW.post_id FOR SHARE;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER post_tags_listed_at BEFORE INSERT ON post_tags
    FOR EACH ROW EXECUTE FUNCTION post_tags_listed_at()
    """,
    """
    CREATE FUNCTION posts_listed_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE post_tags
      SET listed_at =
        CASE WHEN NEW.trashed_at IS NULL AND NOT NEW.is_page THEN NEW.published_at END
      WHERE post_id = NEW.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER posts_listed_at AFTER UPDATE OF published_at, trashed_at, is_page ON posts
    FOR EACH ROW WHEN (
      (OLD.published_at, OLD.trashed_at, OLD.is_page)
      IS DISTINCT FROM (NEW.published_at, NEW.trashed_at, NEW.is_page)
    ) EXECUTE FUNCTION posts_listed_at()
    """,
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("post_tags", sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(FROM_POSTS)
    op.create_index(
        "ix_post_tags_tag_id_listed_at_post_id", "post_tags", ["tag_id", "listed_at", "post_id"]
    )
    op.drop_index("ix_post_tags_tag_id", "post_tags")
    for statement in ON_SQLITE if is_sqlite else ON_POSTGRESQL:
        op.execute(statement)
    for name, columns, condition in PARTIAL:
        if name in REPLACED:
            op.drop_index(name, "posts")
        where = sa.text(condition if is_sqlite else condition.replace("IS 1", "IS true"))
        op.create_index(name, "posts", columns, sqlite_where=where, postgresql_where=where)


# What is thrown away, and what is not pinned or no page, need not be stepped over.
PARTIAL = (
    ("ix_posts_published_at_id", ["published_at", "id"], "trashed_at IS NULL"),
    (
        "ix_posts_author_id_published_at_id",
        ["author_id", "published_at", "id"],
        "trashed_at IS NULL",
    ),
    ("ix_posts_pinned_at", ["pinned_at", "id"], "pinned_at IS NOT NULL"),
    ("ix_posts_title_id", ["title", "id"], "is_page IS 1"),
    # As a whole, SQLite would take it for all that is not thrown away, and then sort.
    ("ix_posts_trashed_at", ["trashed_at"], "trashed_at IS NOT NULL"),
)
REPLACED = {
    "ix_posts_published_at_id",
    "ix_posts_author_id_published_at_id",
    "ix_posts_pinned_at",
    "ix_posts_trashed_at",
}


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("post_tags", "posts"):
        if is_sqlite:
            op.execute(f"DROP TRIGGER {name}_listed_at")
        else:
            op.execute(f"DROP FUNCTION {name}_listed_at() CASCADE")
    for name, columns, _ in PARTIAL:
        op.drop_index(name, "posts")
        if name in REPLACED:
            op.create_index(name, "posts", columns[:1] if "pinned" in name else columns)
    op.create_index("ix_post_tags_tag_id", "post_tags", ["tag_id"])
    op.drop_index("ix_post_tags_tag_id_listed_at_post_id", "post_tags")
    op.drop_column("post_tags", "listed_at")
