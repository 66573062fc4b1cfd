"""Invitations: who may come where not everybody may."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from models import AuditEvent, Invitation, Mail, User, now
from services import audit, invitations
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once

INVITATIONS = "/admin/invitations"


@pytest.fixture(scope="module")
def asking(running_blog: Blog) -> Iterator[Blog]:
    """The same blog, where only those register who are invited."""
    with running_blog.beside(registration="invite", base_url="https://blog.example") as found:
        yield found


@pytest.fixture
def anna(alice: Person, asking: Blog) -> Person:
    """Alice at that blog."""
    person = Person(asking, ALICE)
    person.log_in()
    return person


def link_of(owner: Person, **fields: str) -> str:
    """The path of a new invitation, as its page shows it once."""
    response = owner.post(INVITATIONS, {"role": "author", **fields})
    assert (response.status_code, response.headers["location"]) == (303, INVITATIONS)
    found = re.search(
        r'value="https?://[^/"]+(/auth/invite/[\w-]{43})"', owner.get(INVITATIONS).text
    )
    assert found
    return found.group(1)


def accept(person: Person, path: str, **fields: str) -> int:
    form = {"username": person.username, "password": PASSWORD, **fields}
    return person.post(path, form).status_code


def users(blog: Blog) -> dict[str, str]:
    return {user.username: user.role for user in blog.rows(User)}


@pytest.mark.parametrize("role", ["reader", "author", "editor"])
def test_whoever_is_invited_registers(anna: Person, asking: Blog, role: str) -> None:
    path = link_of(anna, role=role)
    bob = Person(asking, BOB)
    assert bob.register().status_code == 403
    page = bob.get(path)
    assert page.status_code == 200
    assert f'action="{path}"' in page.text
    assert accept(bob, path) == 303
    assert bob.is_logged_in()
    assert users(asking) == {ALICE: "owner", BOB: role}
    [invitation] = asking.rows(Invitation)
    assert (invitation.used_by, invitation.is_open) == (BOB, False)
    assert "used by bob" in anna.get(INVITATIONS).text


def test_where_everybody_may_register_it_gives_the_role(alice: Person, blog: Blog) -> None:
    path = link_of(alice, role="editor")
    assert accept(Person(blog, BOB), path) == 303
    assert users(blog)[BOB] == "editor"


def test_a_closed_blog_takes_nobody(alice: Person, blog: Blog) -> None:
    path = link_of(alice)
    with blog.beside(registration="closed") as closed:
        bob = Person(closed, BOB)
        assert bob.get(path).status_code == 403
        assert accept(bob, path) == 403
    assert users(blog) == {ALICE: "owner"}
    assert accept(Person(blog, BOB), path) == 303  # it was not used up by that


def test_opening_the_link_uses_nothing_up(anna: Person, asking: Blog) -> None:
    """Mail programs look at links too."""
    path = link_of(anna)
    for _ in range(3):
        assert Person(asking).get(path).status_code == 200
        assert Person(asking).client.head(path).status_code == 200
    assert asking.rows(Invitation)[0].is_open
    assert accept(Person(asking, BOB), path) == 303


def test_a_link_works_once(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    assert accept(Person(asking, BOB), path) == 303
    second = Person(asking, "second")
    for response in (
        second.get(path),
        second.post(path, {"username": "second", "password": PASSWORD}),
    ):
        assert response.status_code == 410
        assert "Ask whoever invited you" in response.text
        assert PASSWORD not in response.text
    assert users(asking) == {ALICE: "owner", BOB: "author"}


def test_of_many_with_one_link_one_gets_in(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    people = [Person(asking, f"writer-{number}") for number in range(8)]
    statuses = at_once(8, lambda number: accept(people[number], path))
    assert sorted(statuses) == [303] + [410] * 7
    assert len(users(asking)) == 2
    assert sum(person.is_logged_in() for person in people) == 1


def test_a_mistake_does_not_use_it_up(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    bob = Person(asking, BOB)
    assert accept(bob, path, username=ALICE) == 409
    assert accept(bob, path, username="admin") == 422
    assert accept(bob, path, password="password") == 422
    assert accept(bob, path) == 303


def test_a_link_ends_after_14_days(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    expires_at = asking.rows(Invitation)[0].expires_at
    assert now() + timedelta(days=13) < expires_at < now() + timedelta(days=15)
    asking.put(Invitation, expires_at=now() - timedelta(seconds=1))
    assert accept(Person(asking, BOB), path) == 410
    assert "ended" in anna.get(INVITATIONS).text


@pytest.mark.parametrize("token", ["x", "0" * 43, "%00", "%ED%A0%80", "x" * 5000])
def test_a_link_that_is_none_of_ours_opens_nothing(alice: Person, blog: Blog, token: str) -> None:
    link_of(alice)
    bob = Person(blog, BOB)
    assert bob.get(f"/auth/invite/{token}").status_code in (404, 410)
    assert accept(bob, f"/auth/invite/{token}") in (404, 410)
    assert users(blog) == {ALICE: "owner"}


def test_an_invitation_is_taken_back(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    [invitation] = asking.rows(Invitation)
    response = anna.post(f"{INVITATIONS}/{invitation.id}/delete")
    assert response.status_code == 303
    assert accept(Person(asking, BOB), path) == 410
    assert anna.post(f"{INVITATIONS}/{invitation.id}/delete").status_code == 404
    assert anna.post(f"{INVITATIONS}/nonsense/delete").status_code == 404
    actions = [event.action for event in asking.rows(AuditEvent)]
    assert actions.count(audit.INVITED) == actions.count(audit.UNINVITED) == 1


def test_what_was_used_is_not_taken_back(anna: Person, asking: Blog) -> None:
    accept(Person(asking, BOB), link_of(anna))
    [invitation] = asking.rows(Invitation)
    assert anna.post(f"{INVITATIONS}/{invitation.id}/delete").status_code == 404
    assert "Take back" not in anna.get(INVITATIONS).text


def test_the_link_is_shown_once_and_stored_nowhere(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    token = path.rpartition("/")[2]
    assert token not in anna.get(INVITATIONS).text
    for model in (Invitation, AuditEvent, Mail):
        assert token not in "".join(str(row.model_dump()) for row in asking.rows(model))


def test_the_link_is_told_to_nobody(anna: Person, asking: Blog) -> None:
    """Not by the Referer header, not to a search engine, not to a cache."""
    path = link_of(anna)
    bob = Person(asking, BOB)
    wrong = bob.post(path, {"username": "", "password": ""})
    for response in (bob.get(path), wrong):
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in response.headers["cache-control"]
        assert "noindex" in response.text
    assert bob.get("/").headers["referrer-policy"] != "no-referrer"


def test_a_mailed_link_proves_the_address(anna: Person, asking: Blog) -> None:
    anna.post(INVITATIONS, {"role": "author", "email": "Bob@Example.org"})
    page = anna.get(INVITATIONS).text
    assert "no mail server is set, so pass it on to Bob@example.org" in page
    assert "/auth/invite/" not in page
    [mail] = asking.mails_to("Bob@example.org")
    assert "alice invites you" in mail.subject
    [path] = re.findall(r"https://blog\.example(/auth/invite/\S+)", mail.body)
    bob = Person(asking, BOB)
    assert 'value="Bob@example.org"' in bob.get(path).text
    assert accept(bob, path, email="bob@example.org") == 303
    user = next(user for user in asking.rows(User) if user.username == BOB)
    assert user.email_is_verified


def test_another_address_is_not_proven_by_it(anna: Person, asking: Blog) -> None:
    anna.post(INVITATIONS, {"role": "author", "email": "bob@example.org"})
    path = asking.mails_to("bob@example.org")[0].body.split("https://blog.example")[1].split()[0]
    assert accept(Person(asking, BOB), path, email="alice@example.org") == 303
    user = next(user for user in asking.rows(User) if user.username == BOB)
    assert (user.email, user.email_is_verified) == ("alice@example.org", False)


def test_an_address_is_proven_by_one_account(anna: Person, asking: Blog) -> None:
    asking.put(User, email="a@example.org", email_key="a@example.org", email_verified_at=now())
    anna.post(INVITATIONS, {"role": "author", "email": "a@example.org"})
    path = asking.mails_to("a@example.org")[0].body.split("https://blog.example")[1].split()[0]
    bob = Person(asking, BOB)
    assert accept(bob, path, email="A@example.org") == 409
    assert accept(bob, path, email="") == 303


def test_where_addresses_must_be_proven_a_mailed_link_is_enough(anna: Person, asking: Blog) -> None:
    anna.post(INVITATIONS, {"role": "author", "email": "bob@example.org"})
    path = asking.mails_to("bob@example.org")[0].body.split("https://blog.example")[1].split()[0]
    second = link_of(anna)
    with asking.beside(require_verified_email=True) as strict:
        bob, other = Person(strict, BOB), Person(strict, "other")
        assert accept(bob, path, email="bob@example.org") == 303
        assert bob.is_logged_in()
        assert accept(other, second) == 422
        assert accept(other, second, email="other@example.org") == 303
        assert not other.is_logged_in()
        assert "confirm" in strict.mails_to("other@example.org")[-1].subject.lower()


def test_the_form_takes_no_more_than_it_asks(anna: Person, asking: Blog) -> None:
    for role in ("owner", "admin", ""):
        assert anna.post(INVITATIONS, {"role": role}).status_code == 422
    assert anna.post(INVITATIONS, {"role": "reader", "email": "no address"}).status_code == 422
    assert asking.rows(Invitation) == []
    bob = Person(asking, BOB)
    more = {"role": "owner", "is_admin": "true", "email_verified_at": "2020-01-01"}
    assert accept(bob, link_of(anna, role="reader"), email="b@example.org", **more) == 303
    user = next(user for user in asking.rows(User) if user.username == BOB)
    assert (user.role, user.email_is_verified) == ("reader", False)


def test_who_is_logged_in_uses_nothing_up(anna: Person, asking: Blog) -> None:
    path = link_of(anna)
    assert "You have an account here already" in anna.get(path).text
    assert accept(anna, path) == 303
    assert asking.rows(Invitation)[0].is_open


def test_a_long_list_comes_in_pages(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "PER_PAGE", 2)
    for number in range(3):
        alice.post(INVITATIONS, {"role": "reader", "email": f"p{number}@example.org"})
    first = alice.get(INVITATIONS).text
    assert "p2@" in first
    assert "p0@" not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert "p0@" in alice.get(older).text


def test_inviting_needs_a_fresh_login(alice: Person, blog: Blog) -> None:
    alice.log_in_again(remember="on")
    alice.lose_session()
    response = alice.post(INVITATIONS, {"role": "author"})
    assert response.headers["location"].startswith("/auth/confirm?next=%2Fadmin%2Finvitations")
    assert blog.rows(Invitation) == []
