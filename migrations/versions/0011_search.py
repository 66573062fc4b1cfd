"""search"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# FTS5 keeps no second copy of the words (`content`), so it must hear of what comes and goes. Words
# come ready-made, with a space between them: this tokenizer folds nothing beyond ASCII.
FTS5 = """
CREATE VIRTUAL TABLE search_words USING fts5(
    words, content='search_entries', content_rowid='place', tokenize="ascii tokenchars '=#*@-'"
)
"""
INSERTED = """
CREATE TRIGGER search_entries_inserted AFTER INSERT ON search_entries BEGIN
    INSERT INTO search_words (rowid, words) VALUES (new.place, new.words);
END
"""
DELETED = """
CREATE TRIGGER search_entries_deleted AFTER DELETE ON search_entries BEGIN
    INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.place, old.words);
END
"""
# Rows stay short, and the vectors beside them, in the open: whoever wants the newest of many hits
# reads places, and hardly any words. Readers never wait for a list of what is still to be indexed.
POSTGRES = (
    "ALTER TABLE search_entries ALTER COLUMN words TYPE tsvector USING words::tsvector",
    "ALTER TABLE search_entries ALTER COLUMN words SET STORAGE EXTERNAL",
    "ALTER TABLE search_entries SET (toast_tuple_target = 128)",
    # 3,000 words whose frequency is known, down to those of one post in a hundred.
    "ALTER TABLE search_entries ALTER COLUMN words SET STATISTICS 300",
    "CREATE INDEX ix_search_entries_words ON search_entries USING gin (words) WITH (fastupdate = off)",
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "search_entries",
        sa.Column(
            "place",
            sa.Integer() if is_sqlite else sa.BigInteger(),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_search_entries_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_search_entries")),
        sa.UniqueConstraint("post_id", name=op.f("uq_search_entries_post_id")),
    )
    op.create_table(
        "search_titles",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"],
            ["search_entries.post_id"],
            name=op.f("fk_search_titles_post_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "post_id", name=op.f("pk_search_titles")),
    )
    op.create_index(op.f("ix_search_titles_post_id"), "search_titles", ["post_id"])
    for statement in (FTS5, INSERTED, DELETED) if is_sqlite else POSTGRES:
        op.execute(statement)
    # What is there is indexed by a job, in pieces, while the blog is read already.
    op.add_column(
        "posts", sa.Column("indexer", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_index(op.f("ix_posts_indexer"), "posts", ["indexer"])


def downgrade() -> None:
    op.drop_index(op.f("ix_posts_indexer"), "posts")
    op.drop_column("posts", "indexer")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.drop_table("search_titles")
    op.drop_table("search_entries")
