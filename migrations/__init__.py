"""Bring the schema up to date: one history for both databases, one process at a time."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from database import Database

HERE = Path(__file__).parent
LOCK = 0x1D5  # any number, the same in every process
LONGEST_WAIT_SECONDS = 60


def head() -> str:
    """The newest revision; files are numbered, so alembic need not be loaded to know it."""
    return max(path.name for path in (HERE / "versions").glob("[0-9]*.py"))[:4]


def current(database: Database) -> str | None:
    """The revision the schema is at, None for an empty database."""
    with database.engine.connect() as connection:
        return revision(connection)


def upgrade(database: Database) -> bool:
    """Run what is missing, all of it or nothing. True if there was something to do.

    Several processes may call it at once: the first one works, the others wait for it.
    """
    if current(database) == head():
        return False
    with database.writer.connect() as connection:
        if database.is_sqlite:
            connection.connection.execute(f"PRAGMA busy_timeout={LONGEST_WAIT_SECONDS * 1000}")
        try:
            with connection.begin():
                if not database.is_sqlite:
                    connection.connection.dbapi_connection.seconds = None  # type: ignore[union-attr]
                    connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_SECONDS}s'"))
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                if revision(connection) == head():
                    return False
                run(connection)
        finally:
            connection.invalidate()  # its longer patience must not go back into the pool
    return True


def revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
