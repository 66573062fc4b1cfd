"""Fresh logins: what is sensitive asks who you are if you have not shown it for a while."""

import json

import pytest
import redis
from sqlalchemy import select

from auth_service import FAILURES_OF_PERSON
from models import AuditEvent, StoredSession
from services import audit
from tests.blog import Blog, Person
from tests.people import PASSWORD

SENSITIVE = "/settings/delete"
CONFIRM = "/auth/confirm?next=%2Fsettings%2Fdelete"


def wait_sixteen_minutes(blog: Blog) -> None:
    """Every login gets that much older."""
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url, decode_responses=True) as client:
            for key in client.scan_iter("inkstand:session:*"):
                if fresh_at := client.hget(key, "fresh_at"):
                    client.hset(key, "fresh_at", json.dumps(json.loads(fresh_at) - 16 * 60))
        return
    with blog.database.writing() as db:
        for row in db.scalars(select(StoredSession)):
            data = json.loads(row.data)
            row.data = json.dumps(data | {"fresh_at": data["fresh_at"] - 16 * 60})


@pytest.fixture
def stale(bob: Person, blog: Blog) -> Person:
    """Bob, who logged in some time ago."""
    wait_sixteen_minutes(blog)
    return bob


def test_who_has_just_logged_in_is_not_asked(bob: Person) -> None:
    assert bob.get(SENSITIVE).status_code == 200


def test_who_logged_in_a_while_ago_is_asked_and_led_back(stale: Person) -> None:
    response = stale.get(SENSITIVE)
    assert (response.status_code, response.headers["location"]) == (303, CONFIRM)
    assert 'value="/settings/delete"' in stale.get(CONFIRM).text
    confirmed = stale.post("/auth/confirm", {"password": PASSWORD, "next": SENSITIVE})
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, SENSITIVE)
    assert stale.get(SENSITIVE).status_code == 200


def test_everything_else_goes_on_as_before(stale: Person) -> None:
    for path in ("/drafts", "/settings", "/settings/profile", "/settings/sessions", "/posts/new"):
        assert stale.get(path).status_code == 200


def test_a_sensitive_form_changes_nothing(stale: Person, blog: Blog) -> None:
    response = stale.post(SENSITIVE, {"password": PASSWORD, "posts": "delete"})
    assert response.status_code == 303
    assert response.headers["location"].startswith("/auth/confirm?next=")
    assert stale.is_logged_in()


@pytest.mark.parametrize("password", ["not the password", "another person's quay"])
def test_a_wrong_password_confirms_nothing(stale: Person, blog: Blog, password: str) -> None:
    """Also not the password of somebody else."""
    other = Person(blog, "erin")
    other.register(password="another person's quay")
    wrong = stale.post("/auth/confirm", {"password": password, "next": SENSITIVE})
    assert wrong.status_code == 401
    assert "That is not your password." in wrong.text
    assert password not in wrong.text
    assert stale.get(SENSITIVE).headers["location"] == CONFIRM
    failed = [e for e in blog.rows(AuditEvent) if e.action == audit.CONFIRMATION_FAILED]
    assert [e.username for e in failed] == ["bob"]


def test_passwords_are_not_guessed_here_either(stale: Person) -> None:
    for _ in range(FAILURES_OF_PERSON.most):
        assert stale.post("/auth/confirm", {"password": "a guess or so"}).status_code == 401
    refused = stale.post("/auth/confirm", {"password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 200


def test_a_stranger_has_nothing_to_confirm(stranger: Person) -> None:
    for response in (stranger.get(CONFIRM), stranger.post("/auth/confirm", {"password": "x"})):
        assert response.status_code == 303
        assert response.headers["location"].startswith("/auth/login?next=")


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil"])
def test_a_confirmation_leads_nowhere_else(stale: Person, back: str) -> None:
    response = stale.post("/auth/confirm", {"password": PASSWORD, "next": back})
    assert response.headers["location"] == "/"
