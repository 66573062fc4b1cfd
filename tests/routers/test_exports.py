"""Taking one's data along: all of it, none of anybody else's, and nothing secret."""

import io
import json
import zipfile
from typing import Any

import pytest
import yaml

from models import ApiToken, AuditEvent, Identity, Passkey, RecoveryCode, User
from services import audit, exports
from tests.blog import Blog, Person
from tests.people import ALICE, BOB

EXPORT = "/settings/export"


def archive_of(person: Person) -> zipfile.ZipFile:
    response = person.get(EXPORT)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert (
        response.headers["content-disposition"] == f'attachment; filename="{person.username}.zip"'
    )
    assert int(response.headers["content-length"]) == len(response.content)
    assert "no-store" in response.headers["cache-control"]
    found = zipfile.ZipFile(io.BytesIO(response.content))
    assert found.testzip() is None
    return found


def parsed(archive: zipfile.ZipFile, name: str) -> tuple[dict[str, Any], str]:
    _, head, content = archive.read(name).decode().split("---\n", 2)
    about: dict[str, Any] = yaml.safe_load(head)
    return about, content.removeprefix("\n")


def test_everything_one_wrote_is_in_it(bob: Person) -> None:
    text = "# Tides\r\n\r\nÜber *alles*\n\n---\n\ntitle: no"
    nasty = 'Quotes " and \\ and: colons # ---'
    public = bob.write(nasty, text, tags="tides, C++")
    bob.edit(public, title="Changed", content="Later words.", tags="new")
    draft = bob.draft("A draft")
    thrown = bob.write("Thrown")
    bob.post(f"/posts/{thrown}/delete")

    archive = archive_of(bob)
    about, content = parsed(archive, f"posts/{public}.md")
    assert about["title"] == nasty
    assert about["state"] == "published"
    assert about["tags"] == ["tides", "C++"]
    assert str(about["published_at"])
    assert content == text.replace("\r\n", "\n")
    staged, later = parsed(archive, f"posts/{public}.staged.md")
    assert (staged["title"], later) == ("Changed", "Later words.")
    assert parsed(archive, f"posts/{draft}.md")[0]["state"] == "draft"
    assert parsed(archive, f"posts/{thrown}.md")[0]["state"] == "trashed"
    assert "posts/" in archive.read("README.txt").decode()


def test_the_texts_that_a_post_had_before_are_in_it(bob: Person, alice: Person) -> None:
    slug = bob.draft("First", "Alpha.", tags="tides")
    alice.edit(slug, title="Second", content="Beta.", tags="tides")
    archive = archive_of(bob)
    for number, title, content in ((1, "First", "Alpha."), (2, "Second", "Beta.")):
        about, text = parsed(archive, f"posts/second/{number:04}.md")
        assert (about["title"], about["tags"], about["revision"], text) == (
            title,
            "tides",
            "saved",
            content,
        )
        assert str(about["saved_at"])
        assert ALICE not in str(about)


def test_what_is_known_of_the_account_is_in_it(blog: Blog, alice: Person) -> None:
    bob = Person(blog, BOB)
    bob.register(email="bob@example.org")
    bob.post("/settings/profile", {"display_name": "Bob Ö.", "bio": "Writes."})
    user = next(user for user in blog.rows(User) if user.username == BOB)
    with blog.database.writing() as db:
        db.add(Identity(user_id=user.id, provider="forge", issuer="i", subject="s-1", name="bobby"))
        db.add(Passkey(user_id=user.id, credential_id=b"cred", public_key=b"pub", name="Blue key"))
        db.add(ApiToken(user_id=user.id, name="Script", hint="ink_ab", digest="d" * 64))
    archive = archive_of(bob)
    profile = json.loads(archive.read("profile.json"))
    assert (profile["username"], profile["display_name"]) == (BOB, "Bob Ö.")
    assert (profile["email"], profile["role"]) == ("bob@example.org", "author")
    assert [each["address"] for each in json.loads(archive.read("logins.json"))] == ["127.0.0.1"]
    actions = [each["action"] for each in json.loads(archive.read("events.json"))]
    assert actions == [audit.REGISTERED, audit.LOGGED_IN]
    assert json.loads(archive.read("identities.json"))[0]["subject"] == "s-1"
    assert json.loads(archive.read("tokens.json"))[0]["hint"] == "ink_ab"
    assert json.loads(archive.read("passkeys.json"))[0]["name"] == "Blue key"
    assert json.loads(archive.read("api-logins.json")) == []


def test_nothing_secret_and_nothing_of_others_is_in_it(
    bob: Person, alice: Person, blog: Blog
) -> None:
    alice.write("Of Alice", "Her words.")
    user = next(user for user in blog.rows(User) if user.username == BOB)
    with blog.database.writing() as db:
        db.add(ApiToken(user_id=user.id, name="Script", hint="ink_ab", digest="d" * 64))
        db.add(RecoveryCode(user_id=user.id, digest="c" * 64))
        db.add(Passkey(user_id=user.id, credential_id=b"crede", public_key=b"pubkey", name="Key"))
        db.get_one(User, user.id).totp_secret = "sealed-totp"
    archive = archive_of(bob)
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for secret in (user.password_hash, "d" * 64, "c" * 64, "crede", "pubkey", "sealed-totp"):
        assert secret not in everything
    for foreign in ("Of Alice", "Her words.", ALICE):
        assert foreign not in everything


def test_many_posts_come_in_portions(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "POSTS_AT_ONCE", 3)
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(exports, "IN_MEMORY", 100)
    slugs = [bob.write(f"Post {number}", tags=f"tag {number}") for number in range(8)]
    archive = archive_of(bob)
    for number, slug in enumerate(slugs):
        assert parsed(archive, f"posts/{slug}.md")[0]["tags"] == [f"tag {number}"]
    assert len(json.loads(archive.read("events.json"))) >= 2


def test_it_needs_a_fresh_login(bob: Person, stranger: Person) -> None:
    assert stranger.get(EXPORT).headers["location"] == "/auth/login?next=%2Fsettings%2Fexport"
    bob.log_in_again(remember="on")
    bob.lose_session()
    assert bob.get(EXPORT).headers["location"] == "/auth/confirm?next=%2Fsettings%2Fexport"


def test_that_it_was_taken_is_noted_and_not_too_often(bob: Person, blog: Blog) -> None:
    statuses = [bob.get(EXPORT).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
    assert [e.action for e in blog.rows(AuditEvent)].count(audit.EXPORTED) == 10


def test_a_reader_has_an_archive_too(carol: Person) -> None:
    names = archive_of(carol).namelist()
    assert "profile.json" in names
    assert not [name for name in names if name.startswith("posts/")]
