"""`export`, `import` and `password`, as they are typed."""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.archives import opened, pack
from tests.blog import ROOT, Blog, Person, blog_settings
from tests.conftest import BACKENDS, fresh_database
from tests.people import PASSWORD
from tests.processes import environment, rows
from tests.services.archives.test_round_trip import add_owner, add_post

POSTS = 150


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, words)]


def run(url: str, *words: str | Path, **settings: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*words),
        cwd=ROOT,
        env=environment(DATABASE_URL=url, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def here(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/here.db"


@pytest.fixture
def there(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/there.db"


def test_a_blog_moves(here: str, there: str, tmp_path: Path) -> None:
    assert run(here, "demo").returncode == 0
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    exported = run(here, "export", first)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert oct(first.stat().st_mode)[-3:] == "600"  # drafts are in it
    tried = run(there, "import", "--dry-run", first)
    assert tried.stdout.startswith("This would come in:\n")
    imported = run(there, "import", first)
    assert imported.stdout.startswith("Imported:\n")
    assert "python3 blog.py password NAME" in imported.stdout
    assert imported.stderr == ""  # where nobody watches there is no bar
    assert run(there, "export", second).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    given = run(there, "password", "maren", PASSWORD=PASSWORD)
    assert given.stdout == "Maren Holt has a new password. All devices are logged out.\n"
    with Blog(blog_settings(database_url=there)) as blog:
        maren = Person(blog, "maren")
        assert maren.log_in().status_code == 303
        assert maren.get("/admin").status_code == 200
        assert "The heron" in blog.visitor().get("/").text


def test_where_somebody_watches_there_is_a_bar(here: str, tmp_path: Path) -> None:
    run(here, "demo")
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        command("export", tmp_path / "1.zip"),
        cwd=ROOT,
        env=environment(DATABASE_URL=here, TERM="xterm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    with open(master, "rb", buffering=0) as screen:
        shown = b""
        try:
            while part := screen.read(10_000):
                shown += part
        except OSError:  # the other end has gone
            pass
    assert process.wait() == 0
    assert b"Writing" in shown


def test_a_password_is_for_somebody_and_good(here: str) -> None:
    run(here, "user", "maren", PASSWORD=PASSWORD)
    nobody = run(here, "password", "tove", PASSWORD=PASSWORD)
    assert (nobody.returncode, nobody.stderr) == (1, "There is nobody of that name here.\n")
    weak = run(here, "password", "maren", PASSWORD="password1234")
    assert weak.returncode == 1
    assert "Many people use that password" in weak.stderr


def test_a_broken_archive_is_a_sentence(here: str, tmp_path: Path) -> None:
    run(here, "demo")
    whole = tmp_path / "site.zip"
    run(here, "export", whole)
    before = rows(here, "SELECT count(*) FROM posts")
    for data in (b"", whole.read_bytes()[:-40], b"no zip at all"):
        broken = tmp_path / "broken.zip"
        broken.write_bytes(data)
        refused = run(here, "import", broken)
        assert refused.returncode == 1
        assert refused.stderr.endswith("\nNothing was imported.\n")
        assert "Traceback" not in refused.stderr
    missing = run(here, "import", tmp_path / "missing.zip")
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
    assert rows(here, "SELECT count(*) FROM posts") == before


def test_what_cannot_be_written_is_a_sentence_and_leaves_nothing(here: str, tmp_path: Path) -> None:
    run(here, "demo")
    refused = run(here, "export", tmp_path / "no such folder" / "site.zip")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert refused.stderr.endswith("Nothing was written.\n")
    (tmp_path / "folder").mkdir()
    assert run(here, "export", tmp_path / "folder").returncode == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_markdown_of_others_comes_in(here: str, tmp_path: Path) -> None:
    run(here, "user", "maren", PASSWORD=PASSWORD)
    with closing(ZipFile(tmp_path / "jekyll.zip", "w")) as archive:
        archive.writestr(
            "site/_posts/2024-05-01-tides.md", "---\ntitle: Tides\nmood: x\n---\nWords."
        )
    imported = run(here, "import", tmp_path / "jekyll.zip")
    assert imported.stdout == "Imported:\n       1 posts and pages\n"
    assert imported.stderr == "Not known here, and left out: mood (1)\n"
    assert rows(here, "SELECT slug, title FROM posts") == [("tides", "Tides")]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that takes a while to store."""
    folder: Path = tmp_path_factory.mktemp("large")
    with opened(f"sqlite:///{folder}/large.db") as database:
        with database.writing() as db:
            author = add_owner(db)
            for number in range(POSTS):
                add_post(db, author, f"Post {number}", "Words *and* words.\n\n" * 200)
        pack(database, folder / "large.zip")
    return folder / "large.zip"


COUNTS = """
    SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM site), (SELECT count(*) FROM posts),
    (SELECT count(*) FROM slugs), (SELECT count(*) FROM revisions)
"""


@pytest.mark.parametrize("kind", BACKENDS)
def test_kill_9_in_the_middle_of_an_import_leaves_nothing_half(
    kind: str, large: Path, worker: int, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    if kind == "postgres":
        url = fresh_database(f"inkstand_import_{worker}")
    assert run(url, "migrate").returncode == 0
    whole, nothing = (1, 1, POSTS, POSTS, POSTS), (0, 0, 0, 0, 0)
    kills = 0
    for delay in (0, 0.1, 0.3):
        process = subprocess.Popen(
            command("import", large),
            cwd=ROOT,
            env=environment(DATABASE_URL=url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not is_storing(url):
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert rows(url, COUNTS)[0] in (nothing, whole)
    assert kills, "no kill met an import"
    assert run(url, "import", large).returncode == 0
    assert rows(url, COUNTS) == [whole]


def is_storing(url: str) -> bool:
    """Whether a transaction that writes is under way."""
    if not url.startswith("sqlite"):
        return bool(rows(url, LOCKS))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


LOCKS = """
    SELECT 1 FROM pg_locks WHERE relation = 'posts'::regclass AND mode = 'RowExclusiveLock'
"""
