"""Changing one's username: old links lead on, and nobody slips into an old name."""

from datetime import timedelta

import httpx2

from models import AuditEvent, RetiredName, User, now
from services import audit
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once

NAME = "/settings/username"


def rename(person: Person, username: str) -> httpx2.Response:
    response = person.post(NAME, {"username": username})
    if response.status_code == 303 and response.headers["location"] == "/settings":
        person.username = username
    return response


def let_a_week_pass(blog: Blog) -> None:
    with blog.database.writing() as db:
        for kept in blog.rows(RetiredName):
            db.get_one(RetiredName, kept.username).until = kept.until - timedelta(days=8)


def test_a_new_name_is_good_for_everything(bob: Person, stranger: Person, blog: Blog) -> None:
    slug = bob.write("A post")
    assert 'value="bob"' in bob.get(NAME).text
    response = rename(bob, "Robert")
    assert (response.status_code, response.headers["location"]) == (303, "/settings")
    assert "You are robert now." in bob.get("/settings").text
    assert stranger.get("/users/robert").status_code == 200
    assert 'href="/users/robert"' in stranger.get(f"/posts/{slug}").text
    assert "Robert" in stranger.get("/").text  # what they go by follows, never chosen apart
    assert Person(blog, BOB).log_in().status_code == 401
    assert Person(blog, "robert").log_in().status_code == 303


def test_a_name_that_was_chosen_to_be_shown_stays(bob: Person, blog: Blog) -> None:
    bob.post("/settings/profile", {"display_name": "Bob Barnacle"})
    rename(bob, "robert")
    assert {user.display_name for user in blog.rows(User)} == {ALICE, "Bob Barnacle"}


def test_the_old_address_leads_to_the_new_one(bob: Person, stranger: Person, blog: Blog) -> None:
    rename(bob, "robert")
    response = stranger.get("/users/BOB")
    assert (response.status_code, response.headers["location"]) == (301, "/users/robert")
    assert "no-store" in response.headers["cache-control"]  # it will not lead there for ever
    blog.put(RetiredName, until=now())
    assert stranger.get("/users/bob").status_code == 404


def test_nobody_else_takes_the_old_name(bob: Person, mallory: Person, blog: Blog) -> None:
    rename(bob, "robert")
    assert Person(blog, BOB).register().status_code == 409
    response = rename(mallory, BOB)
    assert response.status_code == 409
    assert "That name is taken." in response.text
    let_a_week_pass(blog)
    assert rename(bob, BOB).status_code == 303
    assert {kept.username for kept in blog.rows(RetiredName)} == {"robert"}
    blog.put(RetiredName, until=now())
    assert rename(mallory, "robert").status_code == 303


def test_a_name_is_changed_once_a_week(bob: Person, blog: Blog) -> None:
    rename(bob, "robert")
    response = rename(bob, "rob")
    assert response.status_code == 429
    assert "7 days" in response.text
    assert 6 * 86_400 < int(response.headers["retry-after"]) <= 7 * 86_400
    assert {user.username for user in blog.rows(User)} == {ALICE, "robert"}
    let_a_week_pass(blog)
    assert rename(bob, "rob").status_code == 303


def test_a_name_that_is_taken_or_reserved_is_refused(bob: Person, blog: Blog) -> None:
    for name, status in (("alice", 409), ("ＡＬＩＣＥ", 409), ("admin", 422), ("deleted", 422)):
        response = rename(bob, name)
        assert response.status_code == status, name
        assert f'value="{name}"' in response.text
    for name in ("", "x", "-", "a b", "<b>", "аlice", "x" * 41):
        assert rename(bob, name).status_code == 422, name
    assert {user.username for user in blog.rows(User)} == {ALICE, BOB}


def test_the_same_name_again_changes_nothing(bob: Person, blog: Blog) -> None:
    assert rename(bob, " BOB ").status_code == 303
    assert blog.rows(RetiredName) == []
    assert audit.USERNAME_CHANGED not in {event.action for event in blog.rows(AuditEvent)}


def test_it_needs_a_fresh_login_and_is_noted(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    bob.lose_session()
    assert bob.get(NAME).headers["location"] == "/auth/confirm?next=%2Fsettings%2Fusername"
    assert rename(bob, "robert").headers["location"].startswith("/auth/confirm")
    bob.post("/auth/confirm", {"password": PASSWORD})
    assert rename(bob, "robert").status_code == 303
    event = blog.rows(AuditEvent)[-1]
    assert (event.action, event.details) == (
        audit.USERNAME_CHANGED,
        {"before": BOB, "after": "robert"},
    )


def test_of_many_who_want_one_name_one_gets_it(bob: Person, blog: Blog) -> None:
    people = [bob, *(blog.person(f"writer-{number}") for number in range(5))]
    statuses = at_once(6, lambda number: rename(people[number], "wanted").status_code)
    assert sorted(statuses) == [303] + [409] * 5
    assert [user.username for user in blog.rows(User)].count("wanted") == 1


def test_a_person_gets_one_name_of_two_at_once(bob: Person, blog: Blog) -> None:
    twins = [bob.copy() for _ in range(4)]
    statuses = at_once(4, lambda number: rename(twins[number], f"bob-{number}").status_code)
    assert sorted(statuses) == [303] + [429] * 3
    assert len(blog.rows(RetiredName)) == 1
