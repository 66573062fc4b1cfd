"""What takes a while is made once: a database with its tables, and an archive with everything."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from database import Database
from tests.archives import World, copied, opened, pack


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, to be copied."""
    path: Path = tmp_path_factory.mktemp("blank") / "blank.db"
    with opened(f"sqlite:///{path}"):
        return path


@pytest.fixture
def old(blank: Path) -> Iterator[Database]:
    with copied(blank) as database:
        yield database


@pytest.fixture
def new(blank: Path) -> Iterator[Database]:
    with copied(blank) as database:
        yield database


@pytest.fixture(scope="session")
def world_archive(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("world") / "site.zip"
    with copied(blank) as database:
        World(database)
        pack(database, path)
    return path


@pytest.fixture
def site(world_archive: Path, tmp_path: Path) -> Path:
    """The archive of a blog with one of everything, unpacked."""
    shutil.unpack_archive(world_archive, tmp_path / "site")
    return tmp_path / "site"
