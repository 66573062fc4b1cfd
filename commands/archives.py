"""The blog as one file: out, and in again."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.opening import open_migrated
from commands.progress import bar
from settings import load_settings

if TYPE_CHECKING:  # heavy, and not every command needs it
    from services.archives.planning import Plan

MOST_LINES = 20


def export(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as site.zip.")],
    with_emails: Annotated[
        bool, typer.Option("--with-emails", help="E-mail addresses of the accounts, too.")
    ] = False,
) -> None:
    """Write everything into one zip: Markdown, images, and who wrote it. No passwords."""
    from backends.storage import open_storage
    from services.archives import packing

    settings = load_settings()
    database = open_migrated(settings)
    storage = open_storage(settings, database)
    with (
        saying("Nothing was written."),
        database.snapshot() as db,
        bar("Writing", packing.count(db)) as advance,
    ):
        packing.write(file, packing.entries(db, storage, with_emails=with_emails), advance)
    print(f"{file} has everything, as it was a moment ago: texts, images, names. No passwords.")


def import_(
    file: Annotated[Path, typer.Argument(help="A zip or a folder.")],
    author: Annotated[
        str, typer.Option(help="Whose the texts of people without an account are to be.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Read an archive of `export`, or Markdown of Jekyll or Hugo. Overwrites nothing."""
    from backends.storage import open_storage
    from services.archives import containers, importing

    settings = load_settings()
    database = open_migrated(settings)
    storage = None if dry_run else open_storage(settings, database)
    with ExitStack() as stack:
        stack.enter_context(saying("Nothing was imported."))
        archive = importing.archive_in(stack.enter_context(containers.opened(file)), settings)
        with bar("Reading texts", len(archive.texts)) as advance:
            planned = importing.planned(database, archive, author, advance)
            plan = stack.enter_context(planned)
        with bar("Looking at images", len(plan.pictures)) as advance:
            sizes = stack.enter_context(importing.pictures_of(database, plan, storage, advance))
        if not dry_run:
            with bar("Storing texts", len(plan.texts)) as advance:
                importing.store(database, plan, sizes, advance)
    tell(plan, dry_run=dry_run)


@contextmanager
def saying(what_is_safe: str) -> Iterator[None]:
    """Whatever goes wrong ends the program with sentences, and this one."""
    from sqlalchemy.exc import IntegrityError, SQLAlchemyError

    from backends import Unavailable
    from errors import DomainError, Rejected

    try:
        yield
    except Rejected as error:
        lines = [": ".join(filter(None, (key, each))) for key, each in error.fields.items()]
        sys.exit("\n".join([*shortened(lines), what_is_safe]))
    except IntegrityError:
        sys.exit(f"The blog has changed meanwhile. Please try again. {what_is_safe}")
    except (DomainError, Unavailable, OSError) as error:
        sys.exit(f"{error or 'The storage of images does not answer.'}\n{what_is_safe}")
    except SQLAlchemyError as error:
        sys.exit(f"The database says: {getattr(error, 'orig', error)}\n{what_is_safe}")


def tell(plan: "Plan", *, dry_run: bool) -> None:
    """What was done, or would be; on standard error what somebody should look at."""
    report, numbers = plan.archive.report, plan.numbers()
    print("This would come in:" if dry_run else "Imported:")
    for name, number in numbers.items():
        if number:
            print(f"{number:>8,} {name}")
    unknown = [f"{key} ({number})" for key, number in sorted(plan.unknown.items())]
    notes = [*report.notes, *plan.conflicts]
    if unknown:
        notes.append(f"Not known here, and left out: {', '.join(unknown)}")
    for line in shortened(notes):
        print(line, file=sys.stderr)
    if plan.fills_the_blog:
        print("Nobody has a password yet. Give them one: python3 blog.py password NAME")


def shortened(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"... and {more:,} more."] if more > 0 else lines
