"""Search: words in titles, tags and texts, and the same answers on SQLite and PostgreSQL."""

from services.search.finding import Found, Hit, find
from services.search.index import (
    INDEXER,
    OUTDATED,
    catch_up,
    freshen,
    mark_all,
    outdate,
    put,
    remove,
)
from services.search.suggesting import suggest

__all__ = [
    "INDEXER",
    "OUTDATED",
    "Found",
    "Hit",
    "catch_up",
    "find",
    "freshen",
    "mark_all",
    "outdate",
    "put",
    "remove",
    "suggest",
]
