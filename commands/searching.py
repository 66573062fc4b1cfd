"""The index of the search, made by hand."""

from commands.opening import open_migrated
from commands.progress import bar
from settings import load_settings


def index() -> None:
    """Index all texts anew. The blog may go on meanwhile, and repairs its index by itself."""
    from services import search

    database = open_migrated(load_settings())
    with bar("Indexing", search.mark_all(database)) as advance:

        def note(number: int) -> None:
            for _ in range(number):
                advance()

        done = search.catch_up(database, advance=note)
    print(f"{done:,} texts can be searched.")
