"""Between a right password and a login: nobody gets past, and the right ones get through."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlmodel import SQLModel

from models import AuditEvent, Login, Passkey, RecoveryCode, StoredSession, User, now
from services import audit, proofs
from services.logins import Client
from tests.blog import Blog, Person
from tests.factors import (
    CODES,
    PAGE,
    App,
    at_second_step,
    recovery_codes,
    second_step,
    set_up_app,
)
from tests.people import BOB, PASSWORD
from tests.processes import at_once
from tests.web.test_sessions import live_for, stored_keys

STEP = "/auth/two-factor"
MOST = proofs.FAILURES_OF_ACCOUNT.most


@pytest.fixture
def app(bob: Person) -> App:
    """Bob's; from now on a password is not enough for him."""
    return set_up_app(bob)


def actions(blog: Blog) -> list[str]:
    events = sorted(blog.rows(AuditEvent), key=lambda event: event.id or 0)
    return [event.action for event in events]


# In.


def test_a_password_alone_logs_nobody_in(app: App, blog: Blog) -> None:
    person = Person(blog, BOB)
    response = person.log_in()
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/two-factor?next=%2F"
    assert not person.is_logged_in()
    assert person.get("/drafts").status_code == 303
    assert len([login for login in blog.rows(Login) if login.user_id == user(blog, BOB).id]) == 1


def test_a_code_completes_the_login(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB)
    before = stored_keys(blog)
    response = person.post(STEP, {"code": app.next_code()})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "Welcome back, bob." in person.get("/").text
    assert person.get("/drafts").status_code == 200
    assert len(stored_keys(blog) - before) == 1  # under a new id
    assert len(before - stored_keys(blog)) == 1  # and the old one is gone
    assert blog.rows(AuditEvent)[-1].details == {"by": "password and code"}


@pytest.mark.parametrize("spaced", ["{0} {1}", " {0}{1} ", "{0}\u00a0{1}"])
def test_spaces_in_a_code_are_forgiven(app: App, blog: Blog, spaced: str) -> None:
    code = app.next_code()
    assert second_step(at_second_step(blog, BOB), spaced.format(code[:3], code[3:])) == 303


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 303), (1, 303), (2, 401)])
def test_a_code_counts_one_step_early_and_late(
    app: App, blog: Blog, steps: int, status: int
) -> None:
    app.next_code()
    while second_step(at_second_step(blog, BOB), app.code(steps)) != status:
        assert steps in (-1, 2)  # the step may have changed under way, and then once
        steps += 1 if steps == -1 else 0
        status = 303 if steps == 0 else 401


def test_the_way_back_survives_the_second_step(app: App, blog: Blog) -> None:
    person = Person(blog, BOB)
    asked = person.log_in(next="/posts/new?title=Kept")
    assert asked.headers["location"] == "/auth/two-factor?next=%2Fposts%2Fnew%3Ftitle%3DKept"
    page = person.get(asked.headers["location"]).text
    assert 'name="next" value="/posts/new?title=Kept"' in page
    response = person.post(STEP, {"code": app.next_code()})
    assert response.headers["location"] == "/posts/new?title=Kept"


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example", "/\\evil", "/%09/evil"])
def test_no_way_back_leads_to_another_site(app: App, blog: Blog, evil: str) -> None:
    person = Person(blog, BOB)
    assert person.log_in(next=evil).headers["location"] == "/auth/two-factor?next=%2F"
    response = person.post(STEP, {"code": app.next_code(), "next": evil})
    assert response.headers["location"] == "/"


def test_whom_to_remember_is_kept_until_the_login_is_complete(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB, remember="7")
    assert "inkstand_remember" not in person.client.cookies
    assert second_step(person, app.next_code()) == 303
    assert "inkstand_remember" in person.client.cookies
    assert sorted(login.remember_days or 0 for login in blog.rows(Login)) == [0, 0, 7]


def test_a_login_that_is_complete_is_fresh(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB)
    second_step(person, app.next_code())
    assert person.get(PAGE).status_code == 200


def test_whoever_is_in_is_sent_on(app: App, bob: Person) -> None:
    assert bob.get(f"{STEP}?next=/drafts").headers["location"] == "/drafts"
    response = bob.post(STEP, {"code": "000000", "next": "/drafts"})
    assert response.headers["location"] == "/drafts"


def test_the_page_suits_phones(app: App, blog: Blog) -> None:
    page = at_second_step(blog, BOB).get(STEP).text
    assert 'inputmode="numeric" autocomplete="one-time-code"' in page
    assert "Use a recovery code" in page


# Not in.


def test_a_pending_login_opens_nothing(app: App, alice: Person, blog: Blog) -> None:
    """Row by row of the table of routes: the answers are those that a stranger gets."""
    known = {"slug": alice.draft("Secret"), "username": BOB, "tag": "tides", "number": "1"}
    pending, stranger = at_second_step(blog, BOB), blog.visitor()
    paths = {each for each in blog.paths(**known) if not each[1].startswith(STEP)}
    assert len(paths) > 40
    for method, path in sorted(paths):
        headers = {"Content-Type": "application/json"} if path.startswith("/api/") else {}
        mine = pending.copy().client.request(method, path, headers=headers)
        theirs = stranger.copy().client.request(method, path, headers=headers)
        assert mine.status_code == theirs.status_code, (method, path)
        assert mine.headers.get("location") == theirs.headers.get("location"), (method, path)
        if mine.status_code == 200:
            assert mine.text == theirs.text, (method, path)
    assert not pending.is_logged_in()


@pytest.mark.parametrize(
    "code",
    ["000000", "", "12345", "1234567", "abcdef", "１２３４５６", "\0", "x" * 200, "-1", "1e5"],
)
def test_a_wrong_code_is_refused_and_says_so(app: App, blog: Blog, code: str) -> None:
    if code == app.code():  # one in a million
        return
    person = at_second_step(blog, BOB)
    response = person.post(STEP, {"code": code})
    assert response.status_code in (401, 422)
    assert 'name="code"' in response.text
    assert 'id="code-error"' in response.text
    assert not person.is_logged_in()


def test_a_code_is_good_for_one_login(app: App, blog: Blog) -> None:
    code = app.next_code()
    assert second_step(at_second_step(blog, BOB), code) == 303
    assert second_step(at_second_step(blog, BOB), code) == 401


def test_an_older_code_than_the_last_is_used_up_too(app: App, blog: Blog) -> None:
    app.next_code()
    assert second_step(at_second_step(blog, BOB), app.code(1)) == 303
    assert second_step(at_second_step(blog, BOB), app.code()) == 401


def test_the_code_that_proved_the_app_is_used_up(app: App, blog: Blog) -> None:
    assert second_step(at_second_step(blog, BOB), app.code(-1)) == 401


def test_of_two_requests_with_one_code_one_wins(app: App, blog: Blog) -> None:
    people = [at_second_step(blog, BOB) for _ in range(4)]
    code = app.next_code()
    found = at_once(4, lambda number: second_step(people[number], code))
    assert sorted(found) == [303, 401, 401, 401]
    assert sum(person.is_logged_in() for person in people) == 1


def test_somebody_elses_code_is_wrong(app: App, mallory: Person, blog: Blog) -> None:
    other = set_up_app(mallory)
    assert second_step(at_second_step(blog, BOB), other.next_code()) == 401


def test_after_five_bad_codes_a_good_one_has_to_wait(app: App, blog: Blog) -> None:
    """For the account, also when the password is given again in between."""
    for _ in range(MOST):
        assert second_step(at_second_step(blog, BOB), "000000") == 401
    response = at_second_step(blog, BOB).post(STEP, {"code": app.next_code()})
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 15 * 60
    assert audit.LIMITED in actions(blog)


def test_guessing_does_not_lock_out_the_owners_device(app: App, bob: Person, blog: Blog) -> None:
    for _ in range(MOST + 1):
        second_step(at_second_step(blog, BOB), "000000")
    bob.log_out()
    bob.log_in()
    assert second_step(bob, app.next_code()) == 303


def test_guesses_at_once_are_counted(app: App, blog: Blog) -> None:
    people = [at_second_step(blog, BOB) for _ in range(8)]
    found = at_once(8, lambda number: second_step(people[number], "000000"))
    assert found.count(401) == MOST
    assert found.count(429) == 8 - MOST


def test_good_codes_are_not_counted(app: App, blog: Blog) -> None:
    for _ in range(MOST + 1):
        assert second_step(at_second_step(blog, BOB), app.next_code()) == 303


def test_the_owner_hears_once_that_somebody_knows_the_password(bob: Person, blog: Blog) -> None:
    blog.put(User, email="bob@example.org", email_key="bob@example.org")
    set_up_app(bob)
    for _ in range(MOST + 3):
        second_step(at_second_step(blog, BOB), "000000")
    subjects = [mail.subject for mail in blog.mails_to("bob@example.org")]
    assert subjects.count(f"Somebody may know your password for {blog.settings.site_name}") == 1


def test_refusals_are_in_the_log(app: App, blog: Blog) -> None:
    second_step(at_second_step(blog, BOB), "000000")
    assert actions(blog)[-2:] == [audit.SECOND_STEP_ASKED, audit.SECOND_STEP_FAILED]
    assert [event.actor_id for event in blog.rows(AuditEvent)][-2:] == [None, None]


def test_a_flood_of_refusals_does_not_fill_the_log(app: App, blog: Blog) -> None:
    for _ in range(40):
        proofs.note_refusal(
            blog.database,
            blog.app.state.limits,
            ValueError(),
            Client(network="flood"),
            None,
            audit.SECOND_STEP_FAILED,
        )
    assert actions(blog).count(audit.SECOND_STEP_FAILED) == 30


# When it has become void.


def test_after_a_quarter_of_an_hour_one_begins_again(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB, next="/drafts")
    live_for(person, timedelta(milliseconds=1), timedelta(milliseconds=1))
    response = person.get(f"{STEP}?next=/drafts")
    assert response.headers["location"] == "/auth/login?next=%2Fdrafts"
    assert second_step(person, app.next_code()) == 303
    assert not person.is_logged_in()


def test_a_pending_login_lives_a_quarter_of_an_hour(app: App, blog: Blog) -> None:
    before = stored_keys(blog)
    at_second_step(blog, BOB).get(STEP)
    [key] = stored_keys(blog) - before
    assert timedelta(minutes=14) < left_of(blog, key) <= timedelta(minutes=15)


def left_of(blog: Blog, key: str) -> timedelta:
    """How long a stored session still lives."""
    if not blog.settings.redis_url:
        [ends_at] = [row.ends_at for row in blog.rows(StoredSession) if row.key == key]
        left: timedelta = ends_at - now()
        return left
    with redis.Redis.from_url(blog.settings.redis_url) as client:
        return timedelta(milliseconds=client.pttl(f"inkstand:session:{key}"))


def test_a_stranger_is_sent_to_the_login(stranger: Person) -> None:
    assert stranger.get(STEP).headers["location"] == "/auth/login?next=%2F"
    response = stranger.post(STEP, {"code": "123456", "next": "/drafts"})
    assert response.headers["location"] == "/auth/login?next=%2Fdrafts"
    assert stranger.post(f"{STEP}/passkey-options").status_code == 404


def test_a_pending_login_is_good_for_one(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB)
    thief = person.copy()
    assert second_step(person, app.next_code()) == 303
    assert second_step(thief, app.next_code()) == 303
    assert not thief.is_logged_in()


CHANGES: dict[str, dict[str, Any]] = {
    "another password": {"password_hash": "v1:another"},
    "a disabled account": {"disabled_at": now()},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_begun_before_is_void_after(app: App, blog: Blog, change: str) -> None:
    person = at_second_step(blog, BOB)
    blog.put(User, **CHANGES[change])
    assert person.get(STEP).headers["location"].startswith("/auth/login")
    assert second_step(person, app.next_code()) == 303
    assert not person.is_logged_in()


def test_a_password_that_changes_meanwhile_makes_it_void(
    app: App, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, look = at_second_step(blog, BOB), proofs.by_any_code

    def look_late(*given: Any) -> proofs.Proof:
        blog.put(User, **CHANGES["another password"])  # by another request, while this one looks
        return look(*given)

    monkeypatch.setattr(proofs, "by_any_code", look_late)
    response = person.post(STEP, {"code": app.next_code()})
    assert response.headers["location"] == "/auth/login?next=%2F"
    assert not person.is_logged_in()


def test_a_deleted_account_is_void_too(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB)
    with blog.database.writing() as db:
        db.delete(user(blog, BOB))
    assert person.get(STEP).headers["location"].startswith("/auth/login")


# Whose it is.


def test_a_device_of_somebody_else_asks_all_the_same(app: App, alice: Person, blog: Blog) -> None:
    """A device that Alice is remembered on is nothing to Bob's account."""
    alice.log_in_again(remember="on")
    alice.log_out()
    response = alice.post("/auth/login", {"username": BOB, "password": PASSWORD})
    assert response.headers["location"].startswith(STEP)


def test_a_device_of_ones_own_asks_again(app: App, bob: Person, blog: Blog) -> None:
    """After all logins were ended, the second step is asked for as ever."""
    with blog.database.writing() as db:
        for row in blog.rows(Login):
            db.delete(db.merge(row))
    assert bob.get("/drafts").status_code == 303
    assert bob.log_in().headers["location"].startswith(STEP)
    assert not bob.is_logged_in()


# Recovery codes.


def test_a_recovery_code_logs_in_once(app: App, bob: Person, blog: Blog) -> None:
    code = recovery_codes(bob)[3]
    person = at_second_step(blog, BOB)
    assert second_step(person, code) == 303
    assert "You have 9 recovery codes left." in person.get("/").text
    assert second_step(at_second_step(blog, BOB), code) == 401
    used = [event for event in blog.rows(AuditEvent) if event.action == audit.RECOVERY_CODE_USED]
    assert len(used) == 1


@pytest.mark.parametrize("typed", [str.upper, lambda code: code.replace("-", " ")])
def test_a_recovery_code_may_be_typed_as_it_comes(
    app: App, bob: Person, blog: Blog, typed: object
) -> None:
    assert callable(typed)
    code = typed(recovery_codes(bob)[0])
    assert second_step(at_second_step(blog, BOB), code, way="recovery") == 303


def test_of_two_requests_with_one_recovery_code_one_wins(app: App, bob: Person, blog: Blog) -> None:
    people = [at_second_step(blog, BOB) for _ in range(4)]
    code = recovery_codes(bob)[0]
    found = at_once(4, lambda number: second_step(people[number], code))
    assert sorted(found) == [303, 401, 401, 401]


def test_the_owner_is_told_that_a_recovery_code_was_used(bob: Person, blog: Blog) -> None:
    blog.put(User, email="bob@example.org", email_key="bob@example.org")
    set_up_app(bob)
    assert second_step(at_second_step(blog, BOB), recovery_codes(bob)[0]) == 303
    bodies = [mail.body for mail in blog.mails_to("bob@example.org")]
    assert any("A recovery code was used to log in. 9 of them are left." in body for body in bodies)


def test_somebody_elses_recovery_code_is_wrong(app: App, mallory: Person, blog: Blog) -> None:
    set_up_app(mallory)
    assert second_step(at_second_step(blog, BOB), recovery_codes(mallory)[0]) == 401


def test_the_page_for_recovery_codes_comes_back_when_one_was_wrong(app: App, blog: Blog) -> None:
    person = at_second_step(blog, BOB)
    page = person.get(f"{STEP}?way=recovery").text
    assert "Recovery code" in page
    assert "numeric" not in page
    again = person.post(STEP, {"code": "nothing", "way": "recovery"})
    assert again.status_code == 401
    assert "numeric" not in again.text


def test_without_the_key_codes_count_no_more_but_recovery_codes_do(
    app: App, bob: Person, blog: Blog
) -> None:
    """A lost SECRET_KEY opens no account, and locks nobody out who has kept the codes."""
    from pydantic import SecretStr

    codes = recovery_codes(bob)
    with blog.beside(secret_key=[SecretStr("quite another key that is long enough")]) as other:
        assert second_step(at_second_step(other, BOB), app.next_code()) == 401
        assert second_step(at_second_step(other, BOB), codes[0]) == 303


def user(blog: Blog, username: str) -> User:
    found: User = next(each for each in blog.rows(User) if each.username == username)
    return found


def test_nothing_secret_lies_open_in_the_database(app: App, bob: Person, blog: Blog) -> None:
    everything: list[type[SQLModel]] = [User, RecoveryCode, Passkey, AuditEvent]
    stored = " ".join(str(row.model_dump()) for model in everything for row in blog.rows(model))
    assert app.totp.secret not in stored
    for code in recovery_codes(bob):
        assert code not in stored
        assert code.replace("-", "") not in stored
    assert bob.get(CODES).headers["cache-control"] == "private, no-store"
