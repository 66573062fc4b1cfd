"""Names that are proposed to those who come from elsewhere, and what is left of what is said of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import migrations
from backends.openid import Claims
from database import Database
from models import User
from services import identities, newcomers, usernames


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/names.db")
    migrations.upgrade(database)
    yield database
    database.close()


def claims(**values: str) -> Claims:
    return identities.clean(Claims("https://id.example", "1", **values))  # type: ignore[arg-type]


def taken(database: Database, *names: str) -> None:
    with database.writing() as db:
        for name in names:
            db.add(User(username=name, display_name=name, password_hash=""))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"username": "maren"}, "maren"),
        ({"username": "Maren_Holm"}, "maren-holm"),
        ({"username": "maren@example.org"}, "maren"),
        ({"name": "Märén Høøm"}, "maren-hoom"),
        ({"username": "!!!", "name": "マレン"}, "maren"),
        ({"email": "m.holm+blog@example.org"}, "m-holm-blog"),
        ({"username": "admin"}, "admin-2"),
        ({"username": "a"}, "a-2"),
        ({}, "writer"),
        ({"username": "x" * 200}, "x" * 34),
    ],
)
def test_a_name_like_the_one_elsewhere_is_proposed(
    database: Database, known: dict[str, str], expected: str
) -> None:
    with database.reading() as db:
        assert newcomers.propose_username(db, claims(**known)) == expected
        assert usernames.problem(expected) is None


def test_the_proposal_is_free(database: Database) -> None:
    taken(database, "maren", "maren-2", "maren-4", "marenholm")
    with database.reading() as db:
        assert newcomers.propose_username(db, claims(username="maren")) == "maren-3"
        assert newcomers.propose_username(db, claims(username="marenh")) == "marenh"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("maren@example.org", "maren@example.org"),
        ("Maren@EXAMPLE.org", "Maren@example.org"),
        ("maren@example.org\r\nBcc: x@example.org", ""),
        ("Maren <maren@example.org>", ""),
        ("maren@localhost", ""),
        ("", ""),
    ],
)
def test_only_an_address_is_left_of_an_address(said: str, left: str) -> None:
    found = identities.clean(Claims("https://id.example", "1", email=said, email_is_verified=True))
    assert (found.email, found.email_is_verified) == (left, bool(left))


def test_no_control_character_is_left_of_a_name() -> None:
    found = claims(name="Ma\0r\x1be\u202en\ud800 Holm\n", username="\x85m\u2028")
    assert (found.name, found.username) == ("Maren Holm", "m")
