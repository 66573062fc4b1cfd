"""The commands for whoever runs the blog, as they are typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blog import ROOT, Blog, Person, blog_settings


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/inkstand.db"


def run(database_url: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, **environment}
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_demo_fills_an_empty_blog_once(database_url: str) -> None:
    filled = run(database_url, "demo", BCRYPT_COST="4")
    assert filled.returncode == 0, filled.stderr
    found = re.search(r"Log in as (\S+) with the password (\S+)", filled.stdout)
    assert found
    with Blog(blog_settings(database_url=database_url)) as blog:
        maren = Person(blog, found.group(1))
        assert maren.log_in(found.group(2)).status_code == 303
        home = maren.get("/").text
        assert home.count("<article") == 12
        assert "An inventory of the north wall" in maren.get("/drafts").text
        assert "An inventory of the north wall" not in blog.visitor().get("/").text
    again = run(database_url, "demo")
    assert again.returncode == 1
    assert again.stderr == "This blog has accounts already, so the demo leaves it alone.\n"


def test_the_demo_can_be_large(database_url: str) -> None:
    assert run(database_url, "demo", "--posts", "60", BCRYPT_COST="4").returncode == 0
    with Blog(blog_settings(database_url=database_url)) as blog:
        assert 'rel="next"' in blog.visitor().get("/").text


def test_an_account_can_be_made_while_registration_is_closed(database_url: str) -> None:
    secrets = {"PASSWORD": "a quay in the north", "BCRYPT_COST": "4", "REGISTRATION": "closed"}
    first = run(database_url, "user", "Maren", **secrets)
    assert first.stdout == "Maren is here now, as owner.\n"
    second = run(database_url, "user", "ida", "--role", "editor", **secrets)
    assert second.stdout == "ida is here now, as editor.\n"
    for words, sentence in (
        (("user", "MAREN"), "That name is taken. Please choose another.\n"),
        (("user", "admin"), "That name is reserved. Please choose another.\n"),
    ):
        refused = run(database_url, *words, **secrets)
        assert (refused.returncode, refused.stderr) == (1, sentence)
    weak = run(database_url, "user", "tomasz", **{**secrets, "PASSWORD": "password1234"})
    assert weak.returncode == 1
    assert "Many people use that password" in weak.stderr


def test_migrating_twice_does_nothing_the_second_time(database_url: str) -> None:
    said = [run(database_url, "migrate").stdout for _ in range(2)]
    assert said == ["The database is migrated.\n", "The database is up to date.\n"]


def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    answer = run("postgresql://nobody@127.0.0.1:9/none", "migrate")
    assert answer.returncode == 1
    assert answer.stderr.startswith("The database does not answer: ")
    assert "Traceback" not in answer.stderr
