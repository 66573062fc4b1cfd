"""Alembic's entry point: on a connection that is handed over, or on DATABASE_URL from a shell."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, Index, text
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from models import UtcDateTime  # importing the models fills the metadata

# The indexes whose conditions have to be written for each database, in the words of the queries.
PARTIAL_INDEXES = (
    (
        "users",
        "uq_users_confirmed_email_key",
        ["email_key"],
        "email_verified_at IS NOT NULL",
    ),
    ("posts", "ix_posts_published_at_id", ["published_at", "id"], "trashed_at IS NULL"),
    (
        "posts",
        "ix_posts_author_id_published_at_id",
        ["author_id", "published_at", "id"],
        "trashed_at IS NULL",
    ),
    ("posts", "ix_posts_pinned_at", ["pinned_at", "id"], "pinned_at IS NOT NULL"),
    ("posts", "ix_posts_title_id", ["title", "id"], "is_page IS true"),
    ("posts", "ix_posts_trashed_at", ["trashed_at"], "trashed_at IS NOT NULL"),
)


def partial_indexes() -> None:
    """Once: this file is run anew for each migration."""
    for table_name, name, columns, condition in PARTIAL_INDEXES:
        table = SQLModel.metadata.tables[table_name]
        if name not in {index.name for index in table.indexes}:
            conditions: Any = {
                "sqlite_where": text(condition.replace("IS true", "IS 1")),
                "postgresql_where": text(condition),
            }
            parts = [table.columns[column] for column in columns]
            Index(name, *parts, unique=name.startswith("uq"), **conditions)


partial_indexes()


def plainly(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Write types in SQLAlchemy's own words: a migration must not change when a model does."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=plainly,
    )
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    migrate(given)
else:
    from database import Database
    from settings import load_settings

    with Database(load_settings().database_url).writer.begin() as connection:
        migrate(connection)
