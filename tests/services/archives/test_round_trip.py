"""Out, into an empty blog, and out again: the same bytes, whichever the two databases are."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from database import Database
from settings import Settings
from tests.archives import World, files_in, opened, pack, unpack
from tests.conftest import BACKENDS, fresh_database

WAYS = [(here, there) for here in BACKENDS for there in BACKENDS]


@contextmanager
def empty(kind: str, name: str, worker: int, folder: Path) -> Iterator[Database]:
    url = f"sqlite:///{folder}/{name}.db"
    if kind == "postgres":
        url = Settings(database_url=fresh_database(f"inkstand_{name}_{worker}")).database_url
    with opened(url) as database:
        yield database


@pytest.mark.parametrize(("here", "there"), WAYS)
def test_out_in_and_out_again_gives_the_same_bytes(
    here: str, there: str, worker: int, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        old = stack.enter_context(empty(here, "old", worker, tmp_path))
        new = stack.enter_context(empty(there, "new", worker, tmp_path))
        World(old)
        first = pack(old, tmp_path / "1.zip", with_emails=True)
        unpack(new, tmp_path / "1.zip")
        second = pack(new, tmp_path / "2.zip", with_emails=True)
    assert files_in(tmp_path / "1.zip") == files_in(tmp_path / "2.zip")
    assert first == second
