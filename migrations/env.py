"""Alembic's entry point: on a connection that is handed over, or on DATABASE_URL from a shell."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, Index, text
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from models import UtcDateTime  # importing the models fills the metadata


def index_of_confirmed_addresses() -> None:
    """The one index whose condition has to be written for each database. Once: this file is run
    anew for each migration."""
    name = "uq_users_confirmed_email_key"
    users = SQLModel.metadata.tables["users"]
    if name not in {index.name for index in users.indexes}:
        is_confirmed = text("email_verified_at IS NOT NULL")
        conditions: Any = {"sqlite_where": is_confirmed, "postgresql_where": is_confirmed}
        Index(name, users.columns["email_key"], unique=True, **conditions)


index_of_confirmed_addresses()


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
