"""The database, as a command finds it."""

import sys
from typing import TYPE_CHECKING

from settings import Settings

if TYPE_CHECKING:  # heavy, and not every command needs it
    from database import Database


def open_database(settings: Settings) -> "Database":
    """Raises SystemExit with a sentence when it cannot be reached."""
    from sqlalchemy.exc import SQLAlchemyError

    from database import Database

    database = Database(settings.database_url)
    try:
        database.engine.connect().close()
    except SQLAlchemyError as error:
        sys.exit(f"The database does not answer: {error.__cause__ or error}")
    return database


def open_migrated(settings: Settings) -> "Database":
    """The same, brought up to date."""
    import migrations

    database = open_database(settings)
    migrations.upgrade(database)
    return database
