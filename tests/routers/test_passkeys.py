"""Passkeys: added, renamed and removed; as the whole login, as a second step, and to confirm."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from backends.limits import Limit
from models import AuditEvent, Passkey, RecoveryCode, User, now
from services import audit, challenges, passkeys
from tests.authenticator import Authenticator, decoded
from tests.blog import INVENTED, Blog, Person
from tests.factors import grow_old, recovery_codes, second_step, set_up_app
from tests.people import ALICE, BOB, MALLORY, PASSWORD
from tests.processes import at_once

ORIGIN = "https://blog.example"
PASSKEYS = "/settings/passkeys"
LOGIN = "/auth/passkey"
STEP = "/auth/two-factor"
CONFIRM = "/auth/confirm"
NEW_PASSKEY = "Key"
NOTHING: list[Any] = [None, 1, "", "AAAA", "*", "e30", "bnVsbA", [], {}, "\ud800"]


@pytest.fixture(scope="module")
def running_under_a_name(running_blog: Blog) -> Iterator[Blog]:
    """Passkeys are bound to a name, so the blog has one here."""
    with running_blog.beside(base_url=ORIGIN) as named:
        yield named


@pytest.fixture
def blog(running_under_a_name: Blog) -> Blog:
    running_under_a_name.empty()
    return running_under_a_name


@pytest.fixture
def key(bob: Person) -> Authenticator:
    """Bob's passkey, which he unlocks and which does not count."""
    return added(bob)


def options(person: Person, path: str) -> dict[str, Any]:
    response = person.post(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    found: dict[str, Any] = response.json()
    return found


def add(person: Person, key: Authenticator, name: str = NEW_PASSKEY) -> httpx2.Response:
    sent = key.make(options(person, f"{PASSKEYS}/options"))
    return person.post(PASSKEYS, {"name": name, "passkey": sent})


def added(person: Person, **kind: Any) -> Authenticator:
    key = Authenticator(ORIGIN, **kind)
    response = add(person, key)
    assert response.status_code == 303, response.text
    return key


def log_in(person: Person, key: Authenticator, **fields: str) -> httpx2.Response:
    sent = key.show(options(person, f"{LOGIN}/options"))
    return person.post(LOGIN, {"passkey": sent, **fields})


def at_second_step(blog: Blog, username: str = BOB) -> Person:
    person = Person(blog, username)
    assert person.log_in().headers["location"].startswith(STEP)
    return person


def show_second(person: Person, key: Authenticator, **fields: str) -> httpx2.Response:
    sent = key.show(options(person, f"{STEP}/passkey-options"))
    return person.post(STEP, {"passkey": sent, **fields})


def actions(blog: Blog) -> list[str]:
    events = sorted(blog.rows(AuditEvent), key=lambda event: event.id or 0)
    return [event.action for event in events]


def count(blog: Blog, number: int) -> None:
    with blog.database.writing() as db:
        db.execute(update(Passkey).values(sign_count=number))


# Adding, renaming, removing.


def test_the_browser_is_told_what_to_make(bob: Person, blog: Blog) -> None:
    asked = options(bob, f"{PASSKEYS}/options")
    bob_id = next(user.id for user in blog.rows(User) if user.username == BOB)
    assert asked["rp"] == {"id": "blog.example", "name": "Inkstand"}
    assert asked["user"]["name"] == BOB
    assert decoded(asked["user"]["id"]) == bob_id.bytes  # tells nothing of the person
    assert len(decoded(asked["challenge"])) == 32
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["residentKey"] == "preferred"
    assert [each["alg"] for each in asked["pubKeyCredParams"]] == [-8, -7, -257]


def test_a_passkey_is_added_and_brings_recovery_codes(bob: Person, blog: Blog) -> None:
    key = Authenticator(ORIGIN)
    assert "You have none yet." in bob.get(PASSKEYS).text
    response = add(bob, key, "My phone")
    assert response.headers["location"] == "/settings/two-factor/recovery-codes"
    assert len(recovery_codes(bob)) == 10
    page = bob.get(PASSKEYS).text
    assert "My phone" in page
    assert "not used yet" in page
    [stored] = blog.rows(Passkey)
    assert (stored.credential_id, stored.transports, stored.sign_count) == (key.id, "nfc usb", 0)
    assert audit.PASSKEY_ADDED in actions(blog)


def test_a_second_one_is_asked_of_another_device(bob: Person, key: Authenticator) -> None:
    asked = options(bob, f"{PASSKEYS}/options")
    assert [decoded(each["id"]) for each in asked["excludeCredentials"]] == [key.id]
    assert add(bob, Authenticator(ORIGIN)).headers["location"] == PASSKEYS


def test_a_passkey_is_suggested_a_name(bob: Person) -> None:
    bob.client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"
    bob.log_in_again()
    assert 'value="Firefox on Linux"' in bob.get(f"{PASSKEYS}/new").text


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://blog.example"},
        {"type": "webauthn.get"},
        {"challenge": "AAAA"},
    ],
)
def test_what_was_made_for_somebody_else_is_not_taken(
    bob: Person, blog: Blog, changes: dict[str, str]
) -> None:
    sent = Authenticator(ORIGIN).make(options(bob, f"{PASSKEYS}/options"), **changes)
    response = bob.post(PASSKEYS, {"name": "Kept name", "passkey": sent})
    assert response.status_code == 400
    assert "Kept name" in response.text
    assert blog.rows(Passkey) == []


def test_a_passkey_belongs_to_one_account(bob: Person, mallory: Person, blog: Blog) -> None:
    key = added(bob)
    response = add(mallory, key)
    assert response.status_code == 409
    assert "in use already" in response.text
    assert len(blog.rows(Passkey)) == 1


def test_of_two_requests_with_one_answer_one_wins(bob: Person, blog: Blog) -> None:
    sent = Authenticator(ORIGIN).make(options(bob, f"{PASSKEYS}/options"))
    fields = {"name": NEW_PASSKEY, "passkey": sent}
    people = [bob.copy() for _ in range(3)]
    found = at_once(3, lambda number: people[number].post(PASSKEYS, fields).status_code)
    assert sorted(found) == [303, 400, 400]


def test_one_person_has_only_so_many(bob: Person, blog: Blog) -> None:
    bob_id = next(user.id for user in blog.rows(User) if user.username == BOB)
    with blog.database.writing() as db:
        for number in range(passkeys.MOST):
            credential = bytes([number])
            db.add(Passkey(user_id=bob_id, credential_id=credential, public_key=b"", name="Key"))
    assert add(bob, Authenticator(ORIGIN)).status_code == 409


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "nul\0", "new\nline"])
def test_a_name_is_a_line(bob: Person, blog: Blog, name: str) -> None:
    assert add(bob, Authenticator(ORIGIN), name).status_code == 422
    added(bob)
    [stored] = blog.rows(Passkey)
    assert bob.post(f"{PASSKEYS}/{stored.id}", {"name": name}).status_code == 422


def test_a_passkey_is_renamed(bob: Person, key: Authenticator, blog: Blog) -> None:
    [stored] = blog.rows(Passkey)
    assert 'value="Key"' in bob.get(f"{PASSKEYS}/{stored.id}/edit").text
    assert bob.post(f"{PASSKEYS}/{stored.id}", {"name": "<b>Old phone"}).status_code == 303
    assert "&lt;b&gt;Old phone" in bob.get(PASSKEYS).text
    assert audit.PASSKEY_RENAMED in actions(blog)


def test_a_passkey_is_removed(bob: Person, key: Authenticator, blog: Blog) -> None:
    [stored] = blog.rows(Passkey)
    assert "Remove “Key”?" in bob.get(f"{PASSKEYS}/{stored.id}/delete").text
    assert bob.post(f"{PASSKEYS}/{stored.id}/delete").status_code == 303
    assert blog.rows(Passkey) == blog.rows(RecoveryCode) == []
    assert log_in(blog.visitor(), key).status_code == 400
    assert bob.log_in_again().headers["location"] == "/"
    assert audit.PASSKEY_REMOVED in actions(blog)


def test_recovery_codes_stay_as_long_as_there_is_something_to_recover(
    bob: Person, key: Authenticator, blog: Blog
) -> None:
    app = set_up_app(bob)
    [stored] = blog.rows(Passkey)
    bob.post(f"{PASSKEYS}/{stored.id}/delete")
    assert len(blog.rows(RecoveryCode)) == 10
    assert second_step(at_second_step(blog), app.next_code()) == 303
    bob.post("/settings/two-factor/delete")
    assert blog.rows(RecoveryCode) == []


def test_nobody_touches_somebody_elses(
    bob: Person, mallory: Person, alice: Person, key: Authenticator, blog: Blog
) -> None:
    [stored] = blog.rows(Passkey)
    for handle in (stored.id, INVENTED, "nothing", "%00"):
        for person in (mallory, alice):
            path = f"{PASSKEYS}/{handle}"
            assert person.get(f"{path}/edit").status_code == 404
            assert person.get(f"{path}/delete").status_code == 404
            assert person.post(path, {"name": "Mine"}).status_code == 404
            assert person.post(f"{path}/delete").status_code == 404
    assert [row.name for row in blog.rows(Passkey)] == [NEW_PASSKEY]


def test_the_only_way_in_is_not_removed(bob: Person, key: Authenticator, blog: Blog) -> None:
    blog.put(User, password_hash="")
    [stored] = blog.rows(Passkey)
    response = bob.post(f"{PASSKEYS}/{stored.id}/delete")
    assert response.status_code == 409
    assert "your only way to log in" in response.text
    assert len(blog.rows(Passkey)) == 1


def test_the_owner_is_told_of_each(bob: Person, blog: Blog) -> None:
    address = "bob@example.org"
    blog.put(User, email=address, email_key=address)
    added(bob)
    [stored] = blog.rows(Passkey)
    bob.post(f"{PASSKEYS}/{stored.id}/delete")
    first, second = (mail.body for mail in blog.mails_to(address))
    assert "The passkey “Key” was added." in first
    assert "The passkey “Key” was removed." in second


# The whole login.


def test_a_passkey_is_the_whole_login(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    response = log_in(person, key, next="/drafts")
    assert (response.status_code, response.headers["location"]) == (303, "/drafts")
    assert "Welcome back, bob." in person.get("/").text
    assert person.get(PASSKEYS).status_code == 200  # and it is fresh
    assert max(row.used_at for row in blog.rows(Passkey)) is not None
    last = max(blog.rows(AuditEvent), key=lambda event: event.id)
    assert (last.action, last.details) == (audit.LOGGED_IN, {"by": "passkey"})


def test_it_may_be_remembered(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    log_in(person, key, remember="on")
    person.lose_session()
    assert person.get("/drafts").status_code == 200


def test_it_does_not_leave_the_site(key: Authenticator, blog: Blog) -> None:
    assert log_in(blog.visitor(), key, next="//evil.example").headers["location"] == "/"


def test_a_passkey_that_nobody_unlocked_is_no_login(bob: Person, blog: Blog) -> None:
    key, person = added(bob, verifies=False), blog.visitor()
    response = log_in(person, key)
    assert response.status_code == 400
    assert "That passkey does not open this account." in response.text
    assert not person.is_logged_in()
    assert show_second(at_second_step(blog), key).status_code == 303  # but it is a second factor
    assert audit.PASSKEY_REFUSED in actions(blog)


def test_it_is_asked_for_by_everybody_alike(key: Authenticator, blog: Blog) -> None:
    asked = options(blog.visitor(), f"{LOGIN}/options")
    assert asked["allowCredentials"] == []
    assert asked["userVerification"] == "required"
    assert asked["rpId"] == "blog.example"


def test_a_challenge_is_good_for_one_answer(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    sent = key.show(options(person, f"{LOGIN}/options"))
    thief = person.copy()
    assert person.post(LOGIN, {"passkey": sent}).status_code == 303
    assert thief.post(LOGIN, {"passkey": sent}).status_code == 400


def test_of_two_requests_with_one_assertion_one_wins(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    sent = key.show(options(person, f"{LOGIN}/options"))
    people = [person.copy() for _ in range(4)]
    found = at_once(4, lambda number: people[number].post(LOGIN, {"passkey": sent}).status_code)
    assert sorted(found) == [303, 400, 400, 400]


def test_a_wrong_answer_uses_the_challenge_up(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    asked = options(person, f"{LOGIN}/options")
    forged = key.show(asked, origin="https://evil.example")
    assert person.post(LOGIN, {"passkey": forged}).status_code == 400
    assert person.post(LOGIN, {"passkey": key.show(asked)}).status_code == 400


def test_an_answer_belongs_to_the_browser_that_was_asked(key: Authenticator, blog: Blog) -> None:
    sent = key.show(options(blog.visitor(), f"{LOGIN}/options"))
    other = blog.visitor()
    assert other.post(LOGIN, {"passkey": sent}).status_code == 400
    options(other, f"{LOGIN}/options")
    assert other.post(LOGIN, {"passkey": sent}).status_code == 400


def test_a_challenge_lasts_five_minutes(
    key: Authenticator, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = blog.visitor()
    sent = key.show(options(person, f"{LOGIN}/options"))
    later = now() + challenges.LASTS
    monkeypatch.setattr(challenges, "now", lambda: later)
    response = person.post(LOGIN, {"passkey": sent})
    assert response.status_code == 400
    assert "That took too long" in response.text


def test_a_challenge_for_one_purpose_is_good_for_no_other(key: Authenticator, blog: Blog) -> None:
    person = at_second_step(blog)
    sent = key.show(options(person, f"{STEP}/passkey-options"))
    assert person.post(LOGIN, {"passkey": sent}).status_code == 400
    sent = key.show(options(person, f"{LOGIN}/options"))
    assert person.post(STEP, {"passkey": sent}).status_code == 400


def test_somebody_elses_name_on_it_is_refused(
    key: Authenticator, alice: Person, blog: Blog
) -> None:
    person = blog.visitor()
    alice_id = next(user.id for user in blog.rows(User) if user.username == ALICE)
    sent = key.show(options(person, f"{LOGIN}/options"), handle=alice_id.bytes)
    assert person.post(LOGIN, {"passkey": sent}).status_code == 400


def test_a_disabled_account_stays_closed(key: Authenticator, blog: Blog) -> None:
    blog.put(User, disabled_at=now())
    assert log_in(blog.visitor(), key).status_code == 400
    assert Person(blog, BOB).log_in().status_code == 401


def test_a_passkey_that_counts_must_go_on(bob: Person, blog: Blog) -> None:
    key = added(bob, count=7)
    for number, status in ((8, 303), (100, 303), (100, 400), (99, 400), (0, 400), (101, 303)):
        key.count = number
        assert log_in(blog.visitor(), key).status_code == status, number
    assert actions(blog).count(audit.PASSKEY_COPIED) == 3
    assert [row.sign_count for row in blog.rows(Passkey)] == [101]
    [named] = {row.username for row in blog.rows(AuditEvent) if row.action == audit.PASSKEY_COPIED}
    assert named == BOB


def test_a_copy_is_told_what_it_is(bob: Person, blog: Blog) -> None:
    key = added(bob, count=7)
    assert "seems to have been copied" in log_in(blog.visitor(), key).text


def test_a_count_that_is_beyond_us_is_refused(bob: Person, blog: Blog) -> None:
    assert add(bob, Authenticator(ORIGIN, count=2**31)).status_code == 400
    key = added(bob)
    key.count = 2**32 - 1
    assert log_in(blog.visitor(), key).status_code == 400


def test_too_many_wrong_ones_have_to_wait(key: Authenticator, blog: Blog) -> None:
    person = blog.visitor()
    for _ in range(30):
        assert person.post(LOGIN, {"passkey": "{}"}).status_code == 400
    assert log_in(person, key).status_code == 429
    assert audit.LIMITED in actions(blog)


def test_too_many_questions_have_to_wait(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Limit("challenges of network", 2, challenges.LASTS)
    monkeypatch.setattr(challenges, "QUESTIONS_OF_NETWORK", few)
    person = blog.visitor()
    assert [person.post(f"{LOGIN}/options").status_code for _ in range(3)] == [200, 200, 429]


def test_whoever_is_in_is_sent_on(bob: Person) -> None:
    response = bob.post(LOGIN, {"passkey": "{}", "next": "/drafts"})
    assert response.headers["location"] == "/drafts"


# The second step.


def test_with_a_passkey_a_password_is_not_enough(key: Authenticator, blog: Blog) -> None:
    person = at_second_step(blog)
    assert not person.is_logged_in()
    asked = options(person, f"{STEP}/passkey-options")
    assert [decoded(each["id"]) for each in asked["allowCredentials"]] == [key.id]
    assert asked["allowCredentials"][0]["transports"] == ["nfc", "usb"]


def test_a_passkey_completes_the_login(key: Authenticator, blog: Blog) -> None:
    person = at_second_step(blog)
    response = show_second(person, key, next="/drafts")
    assert response.headers["location"] == "/drafts"
    last = max(blog.rows(AuditEvent), key=lambda event: event.id)
    assert last.details == {"by": "password and passkey"}


def test_somebody_elses_passkey_does_not(key: Authenticator, mallory: Person, blog: Blog) -> None:
    other, person = added(mallory), at_second_step(blog)
    response = show_second(person, other)
    assert response.status_code == 400
    assert not person.is_logged_in()
    assert other.handle != key.handle


def test_bad_passkeys_count_like_bad_codes(key: Authenticator, blog: Blog) -> None:
    person = at_second_step(blog)
    for _ in range(5):
        assert person.post(STEP, {"passkey": "{}"}).status_code == 400
    assert show_second(person, key).status_code == 429


def test_recovery_codes_stand_in_for_a_passkey(bob: Person, key: Authenticator, blog: Blog) -> None:
    code = recovery_codes(bob)[0]
    person = at_second_step(blog)
    assert "Use a recovery code" in person.get(STEP).text
    assert second_step(person, code) == 303


# Showing again who one is.


def confirm(person: Person, key: Authenticator) -> httpx2.Response:
    sent = key.show(options(person, f"{CONFIRM}/passkey-options"))
    return person.post(CONFIRM, {"passkey": sent, "next": "/drafts"})


def stale(blog: Blog, key: Authenticator) -> Person:
    """Bob, in a browser that remembered him."""
    person = Person(blog, BOB)
    assert log_in(person, key, remember="on").status_code == 303
    person.lose_session()
    assert person.get(PASSKEYS).status_code == 303
    return person


def test_a_passkey_makes_a_login_fresh(key: Authenticator, blog: Blog) -> None:
    person = stale(blog, key)
    assert confirm(person, key).headers["location"] == "/drafts"
    assert person.get(PASSKEYS).status_code == 200


def test_somebody_elses_passkey_does_not_make_it_fresh(
    key: Authenticator, mallory: Person, blog: Blog
) -> None:
    other, person = added(mallory), stale(blog, key)
    assert confirm(person, other).status_code == 400
    assert person.get(PASSKEYS).status_code == 303
    assert audit.CONFIRMATION_FAILED in actions(blog)


def test_who_has_no_password_confirms_with_a_passkey(key: Authenticator, blog: Blog) -> None:
    blog.put(User, password_hash="")
    person = stale(blog, key)
    page = person.get(CONFIRM).text
    assert 'name="password"' not in page
    assert "Your passkey, please" in page
    assert confirm(person, key).status_code == 303


def test_without_passkeys_there_is_nothing_to_ask_for(alice: Person) -> None:
    assert alice.post(f"{CONFIRM}/passkey-options").status_code == 404


# Garbage.


def garbage(good: str) -> list[str]:
    """Everything that is nearly an answer."""
    answer = json.loads(good)
    inner = answer["response"]
    found = [{**answer, name: value} for name in answer for value in NOTHING]
    found += [{**answer, "response": {**inner, name: v}} for name in inner for v in NOTHING]
    texts = ["", "x", "null", "[]", "{}", '"text"', "1", "{" * 5000, "[" * 15000, "x" * 17000]
    return [*texts, *map(json.dumps, found)]


def test_garbage_is_a_clear_answer_everywhere(
    bob: Person, key: Authenticator, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blog.app.state.limits, "take", lambda *_: 0.0)
    person, made = at_second_step(blog), Authenticator(ORIGIN)
    for sent in garbage(made.make(options(bob, f"{PASSKEYS}/options"))):
        bob.post(f"{PASSKEYS}/options")
        status = bob.post(PASSKEYS, {"name": "x", "passkey": sent}).status_code
        assert status in (303, 400, 422), sent
    for number, sent in enumerate(garbage(key.show(options(person, f"{STEP}/passkey-options")))):
        for path in (LOGIN, STEP, CONFIRM) if number < 10 else (LOGIN,):
            who = bob if path == CONFIRM else person
            who.post(f"{path}/options" if path == LOGIN else f"{path}/passkey-options")
            assert who.post(path, {"passkey": sent}).status_code in (400, 422), (path, sent)
    assert not person.is_logged_in()


def test_what_is_too_long_is_not_shown_again(bob: Person) -> None:
    response = bob.post(PASSKEYS, {"name": "Kept", "passkey": "x" * 20000})
    assert response.status_code == 422
    assert "xxxx" not in response.text
    assert "Kept" in response.text


# Where there can be none.


def test_under_a_mere_number_there_are_none(running_blog: Blog, blog: Blog) -> None:
    person = running_blog.person(MALLORY)
    for path in (f"{PASSKEYS}/options", f"{LOGIN}/options"):
        assert person.post(path).status_code == 404
    assert person.post(PASSKEYS, {"name": "x", "passkey": "{}"}).status_code == 400
    page = person.get(f"{PASSKEYS}/new").text
    assert "Under this address there can be none." in page
    assert "/passkeys." not in page  # no script for what cannot be
    assert "passkey" not in running_blog.visitor().get("/auth/login").text


def test_an_account_with_passkeys_is_still_told_what_to_do(
    key: Authenticator, running_blog: Blog, blog: Blog
) -> None:
    person = Person(running_blog, BOB)
    assert person.log_in().status_code == 303
    page = person.get(STEP).text
    assert "none can be used here" in page
    assert "Use a recovery code" in page
    assert person.post(STEP, {"passkey": "{}"}).status_code == 400


@pytest.mark.parametrize("path", ["/auth/login", f"{PASSKEYS}/new", f"{CONFIRM}?next=/"])
def test_without_javascript_the_page_says_so(bob: Person, key: Authenticator, path: str) -> None:
    who = bob.blog.visitor() if path == "/auth/login" else bob
    page = who.get(path).text
    assert '<script type="module" src="/static/js/passkeys.' in page
    assert "<noscript>" in page
    assert "Passkeys need JavaScript" in page


def test_the_module_is_served_as_one(blog: Blog) -> None:
    response = blog.visitor().get("/static/js/passkeys.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"


def test_confirming_is_offered_what_one_has(bob: Person, key: Authenticator) -> None:
    bob.log_out()
    assert log_in(bob, key).status_code == 303
    page = bob.get(CONFIRM).text
    assert "Use a passkey" in page
    assert 'name="code"' not in page
    assert bob.post(CONFIRM, {"password": PASSWORD}).status_code == 303
    grow_old_again = bob.post(f"{CONFIRM}/passkey-options")
    assert grow_old_again.status_code == 200


def test_an_old_login_is_told_to_confirm_before_it_adds(alice: Person) -> None:
    grow_old(alice)
    assert alice.post(f"{PASSKEYS}/options").headers["location"].startswith(CONFIRM)
