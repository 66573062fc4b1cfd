"""Handing the blog over: there is always one owner."""

from collections.abc import Sequence
from functools import partial

import httpx2
import pytest

from models import Site, User
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, CAROL, PASSWORD
from tests.processes import at_once

OWNER = "/admin/owner"


def hand_over(person: Person, username: str, password: str = PASSWORD) -> httpx2.Response:
    return person.post(OWNER, {"username": username, "password": password})


def status_of(work: Sequence[tuple[Person, str, dict[str, str]]], number: int) -> int:
    person, path, fields = work[number]
    return person.post(path, fields).status_code


def roles(blog: Blog) -> dict[str, str]:
    return {user.username: user.role for user in blog.rows(User)}


def test_the_blog_gets_another_owner(alice: Person, bob: Person, blog: Blog) -> None:
    assert "you become an editor" in alice.get(OWNER).text
    response = hand_over(alice, "Bob")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "The blog is bob’s now." in alice.get("/").text
    assert roles(blog) == {ALICE: "editor", BOB: "owner"}
    [site] = blog.rows(Site)
    assert {user.id: user.username for user in blog.rows(User)}[site.owner_id] == BOB
    assert alice.get("/admin").status_code == 403
    assert bob.get("/admin").status_code == 200
    assert "alice handed the blog over to bob." in bob.get("/admin/audit").text


def test_then_the_old_owner_may_leave(alice: Person, bob: Person, blog: Blog) -> None:
    fields = {"posts": "delete", "password": PASSWORD}
    assert alice.post("/settings/delete", fields).status_code == 409
    hand_over(alice, BOB)
    assert alice.post("/settings/delete", fields).status_code == 303
    assert roles(blog) == {BOB: "owner", "deleted": "reader"}
    assert bob.post("/settings/delete", fields).status_code == 409


def test_the_new_owner_is_told_by_mail(alice: Person, blog: Blog) -> None:
    Person(blog, BOB).register(email="bob@example.org")
    hand_over(alice, BOB)
    assert "is yours now" in blog.mails_to("bob@example.org")[-1].subject


@pytest.mark.parametrize(
    ("username", "status"), [("nobody-here", 422), ("", 422), (ALICE, 422), ("x" * 41, 422)]
)
def test_the_blog_is_left_to_nobody(
    alice: Person, bob: Person, blog: Blog, username: str, status: int
) -> None:
    response = hand_over(alice, username)
    assert response.status_code == status
    assert PASSWORD not in response.text
    assert roles(blog) == {ALICE: "owner", BOB: "author"}


def test_it_is_not_left_to_somebody_who_is_suspended(
    alice: Person, bob: Person, blog: Blog
) -> None:
    alice.post("/admin/users/bob/suspend")
    assert hand_over(alice, BOB).status_code == 422
    assert roles(blog) == {ALICE: "owner", BOB: "author"}


def test_it_needs_the_password(alice: Person, bob: Person, blog: Blog) -> None:
    response = hand_over(alice, BOB, "not this")
    assert response.status_code == 422
    assert 'value="bob"' in response.text
    blog.put(User, password_hash="")
    assert 'name="password"' not in alice.get(OWNER).text
    assert alice.post(OWNER, {"username": BOB}).status_code == 303


def test_of_two_who_are_made_the_owner_at_once_one_is(
    alice: Person, bob: Person, carol: Person, blog: Blog
) -> None:
    tabs = [alice.copy() for _ in range(4)]
    statuses = at_once(4, lambda n: hand_over(tabs[n], (BOB, CAROL)[n % 2]).status_code)
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 403}
    assert list(roles(blog).values()).count("owner") == 1


def test_whoever_leaves_while_being_made_the_owner_does_one_of_both(
    alice: Person, blog: Blog
) -> None:
    for number in range(5):
        heir = blog.person(f"heir-{number}")
        fields = {"posts": "delete", "password": PASSWORD}
        to_heir = {"username": heir.username, "password": PASSWORD}
        work = ((alice, OWNER, to_heir), (heir, "/settings/delete", fields))
        handed, left = at_once(2, partial(status_of, work))
        assert (handed, left) in ((303, 409), (422, 303)), (handed, left)
        assert list(roles(blog).values()).count("owner") == 1
        if handed == 303:
            hand_over(heir, ALICE)
