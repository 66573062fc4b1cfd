"""The services by which one logs in: look, link, unlink; and never lock oneself out."""

from uuid import UUID

import pytest

from models import AuditEvent, Identity, Passkey
from services import audit
from tests.blog import Blog, Person
from tests.openid_provider import MAREN, LocalProvider
from tests.openid_world import depart, owners, register_by, there_and_back, user
from tests.people import ALICE, BOB
from tests.processes import at_once

PAGE = "/settings/identities"


@pytest.fixture
def bob_there(office: Blog, bob: Person) -> Person:
    """Bob, where the services are on offer; he has a password."""
    return at(office, BOB)


def at(blog: Blog, username: str) -> Person:
    person = Person(blog, username)
    assert person.log_in().status_code == 303
    return person


def link(person: Person, provider: LocalProvider, name: str = "oidc") -> None:
    answer = there_and_back(person, provider, path=f"{PAGE}/{name}")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE), answer.text


def handles(blog: Blog) -> list[UUID]:
    return [each.id for each in blog.rows(Identity)]


def unlink(person: Person, handle: object) -> int:
    return person.post(f"{PAGE}/{handle}/delete").status_code


def with_email(blog: Blog, username: str) -> str:
    address = f"{username}@example.org"
    with blog.database.writing() as db:
        db.merge(user(blog, username)).email = address
    return address


def test_a_service_is_linked_and_lets_one_in(
    bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    address = with_email(office, BOB)
    assert "Other services" in bob_there.get("/settings").text
    assert "Link Harbour office" in bob_there.get(PAGE).text
    link(bob_there, provider)
    page = bob_there.get(PAGE).text
    assert "You can log in with Harbour office from now on." in page
    assert "maren" in page
    assert owners(office) == {MAREN["sub"]: BOB}
    assert ["new way into" in mail.subject for mail in office.mails_to(address)] == [True]
    linked = [each for each in office.rows(AuditEvent) if each.action == audit.IDENTITY_LINKED]
    assert [(each.username, each.details) for each in linked] == [
        (BOB, {"by": "Harbour office", "name": "maren"})
    ]
    stranger = office.visitor()
    assert there_and_back(stranger, provider).headers["location"] == "/"
    assert stranger.is_logged_in()


def test_linking_twice_is_the_same_as_once(
    bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    address = with_email(office, BOB)
    link(bob_there, provider)
    link(bob_there, provider)
    assert len(handles(office)) == 1
    assert len(office.mails_to(address)) == 1


def test_what_belongs_to_somebody_else_is_not_linked(
    maren: Person, bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    answer = there_and_back(bob_there, provider, path=f"{PAGE}/oidc")
    assert answer.status_code == 409
    assert "belongs to somebody else’s account here already" in answer.text
    assert owners(office) == {MAREN["sub"]: "maren"}


def test_a_trip_of_another_person_links_nothing(
    bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    """Neither the state of another browser, nor of whoever was here before."""
    _, address = depart(bob_there, path=f"{PAGE}/oidc")
    came_back = provider.approved(address)
    alice = at(office, ALICE)
    assert alice.get(came_back).status_code == 400
    assert office.visitor().get(came_back).status_code == 400
    bob_there.log_out()
    bob_there.username = ALICE
    bob_there.log_in()
    assert bob_there.get(came_back).status_code == 400
    assert not owners(office)
    assert "/token" not in provider.asked


def test_a_trip_that_another_site_began_is_refused(
    bob_there: Person, provider: LocalProvider
) -> None:
    answer = bob_there.post(f"{PAGE}/oidc", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not provider.asked


def test_linking_needs_a_fresh_login(bob_there: Person, office: Blog) -> None:
    bob_there.client.headers["user-agent"] = "Another/1.0"
    for answer in (bob_there.get(PAGE), bob_there.post(f"{PAGE}/oidc")):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/auth/confirm?next=")


def test_a_service_is_unlinked_and_lets_nobody_in(
    bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    address = with_email(office, BOB)
    link(bob_there, provider)
    [handle] = handles(office)
    assert unlink(bob_there, handle) == 303
    assert "It lets nobody in any more." in bob_there.get(PAGE).text
    assert not handles(office)
    assert "One way less" in office.mails_to(address)[-1].subject
    assert audit.IDENTITY_UNLINKED in [each.action for each in office.rows(AuditEvent)]
    stranger = office.visitor()
    assert there_and_back(stranger, provider).headers["location"] == "/users/register/openid"


def test_the_last_way_in_stays(maren: Person, office: Blog, provider: LocalProvider) -> None:
    register_by(maren, provider)
    [handle] = handles(office)
    answer = maren.post(f"{PAGE}/{handle}/delete")
    assert answer.status_code == 409
    assert "This is the only way into your account, so it stays." in answer.text
    assert handles(office) == [handle]
    link(maren, provider, "github")
    assert unlink(maren, handle) == 303
    assert unlink(maren, handles(office)[0]) == 409


def test_a_passkey_is_a_way_in_too(maren: Person, office: Blog, provider: LocalProvider) -> None:
    register_by(maren, provider)
    with office.database.writing() as db:
        owner = user(office, "maren").id
        db.add(Passkey(user_id=owner, credential_id=b"1", public_key=b"2", name="Key"))
    assert unlink(maren, handles(office)[0]) == 303


def test_a_service_that_is_not_offered_any_more_is_no_way_in(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    [handle] = handles(office)
    with office.database.writing() as db:
        owner = user(office, "maren").id
        db.add(Identity(user_id=owner, provider="google", issuer="https://g", subject="1"))
    assert "not offered here any more" in maren.get(PAGE).text
    assert unlink(maren, handle) == 409
    gone = next(each for each in handles(office) if each != handle)
    assert unlink(maren, gone) == 303


def test_two_tabs_do_not_take_both_ways_away(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    link(maren, provider, "github")
    both = handles(office)
    assert sorted(at_once(2, lambda n: unlink(maren, both[n]))) == [303, 409]
    assert len(handles(office)) == 1


def test_two_tabs_do_not_take_the_service_and_the_passkey_away(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    with office.database.writing() as db:
        owner = user(office, "maren").id
        key = Passkey(user_id=owner, credential_id=b"1", public_key=b"2", name="Key")
        db.add(key)
    paths = (f"{PAGE}/{handles(office)[0]}/delete", f"/settings/passkeys/{key.id}/delete")
    answers = at_once(2, lambda n: maren.post(paths[n]).status_code)
    assert 409 in answers or 422 in answers, answers
    assert len(handles(office)) + len(office.rows(Passkey)) == 1


@pytest.mark.parametrize("handle", ["oidc", "0", "00000000-0000-0000-0000-000000000000"])
def test_what_is_not_there_is_not_unlinked(bob_there: Person, handle: str) -> None:
    assert unlink(bob_there, handle) == 404


def test_nobody_unlinks_what_is_anothers(
    maren: Person, bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    assert unlink(bob_there, handles(office)[0]) == 404
    assert len(handles(office)) == 1


def test_whoever_says_no_is_back_in_their_settings(
    bob_there: Person, office: Blog, provider: LocalProvider
) -> None:
    _, address = depart(bob_there, path=f"{PAGE}/oidc")
    state = address.partition("state=")[2].partition("&")[0]
    answer = bob_there.get(f"/auth/openid/oidc/callback?error=access_denied&state={state}")
    assert answer.headers["location"] == PAGE
    assert not owners(office)
