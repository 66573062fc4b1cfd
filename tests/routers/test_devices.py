"""Where somebody is logged in, and logging out from afar."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from models import AuditEvent, Login, Mail, User, now
from services import audit, logins
from tests.blog import Blog, Person
from tests.people import BOB, PASSWORD

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0) AppleWebKit/605.1 Version/26.0 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture
def phone(bob: Person, blog: Blog) -> Person:
    """Bob's phone; logged in, and remembered."""
    device = blog.visitor()
    device.username = BOB
    device.client.headers["User-Agent"] = PHONE
    assert device.log_in(remember="on").status_code == 303
    return device


def login_of(blog: Blog, user_agent: str) -> Login:
    found: Login = next(each for each in blog.rows(Login) if each.user_agent == user_agent)
    return found


def test_every_device_is_listed_by_its_name(bob: Person, phone: Person) -> None:
    text = bob.get("/settings/sessions").text
    assert text.count('class="row"') == 2
    assert "Safari on iPhone" in text
    assert "127.0.0.1" in text
    assert text.count("this device") == 1


def test_nobody_sees_the_devices_of_others(phone: Person, mallory: Person) -> None:
    assert "iPhone" not in mallory.get("/settings/sessions").text


def test_one_device_is_logged_out_from_another(bob: Person, phone: Person, blog: Blog) -> None:
    handle = login_of(blog, PHONE).id
    response = bob.post(f"/settings/sessions/{handle}/delete")
    assert response.headers["location"] == "/settings/sessions"
    assert "Safari on iPhone is logged out." in bob.get("/settings/sessions").text
    assert phone.get("/drafts").status_code == 303
    phone.lose_session()
    assert phone.get("/drafts").status_code == 303  # what was remembered is forgotten too
    assert bob.get("/drafts").status_code == 200


def test_all_other_devices_are_logged_out_at_once(bob: Person, phone: Person, blog: Blog) -> None:
    copied = bob.copy()
    assert bob.post("/settings/sessions/delete").status_code == 303
    assert phone.get("/drafts").status_code == 303
    phone.lose_session()
    assert phone.get("/drafts").status_code == 303
    assert bob.get("/drafts").status_code == 200
    assert copied.get("/drafts").status_code == 303  # the old id of one's own is dead as well
    assert len(blog.rows(Login)) == 2  # Bob's and Alice's


@pytest.mark.parametrize("spelled", [str, lambda it: it.hex, lambda it: str(it).upper()])
def test_ending_the_device_in_hand_is_logging_out(
    bob: Person, blog: Blog, spelled: Callable[[UUID], str]
) -> None:
    [mine] = [each for each in blog.rows(Login) if str(each.user_id) == user_id(blog, BOB)]
    response = bob.post(f"/settings/sessions/{spelled(mine.id)}/delete")
    assert response.headers["location"] == "/"
    assert not bob.is_logged_in()


def user_id(blog: Blog, username: str) -> str:
    return next(str(user.id) for user in blog.rows(User) if user.username == username)


def test_the_devices_of_others_are_out_of_reach(phone: Person, mallory: Person, blog: Blog) -> None:
    handle = login_of(blog, PHONE).id
    for wanted in (handle, uuid4(), "0", "delete me", "%00"):
        assert mallory.post(f"/settings/sessions/{wanted}/delete").status_code == 404
    assert phone.get("/drafts").status_code == 200


def test_a_device_not_seen_for_long_is_not_listed(bob: Person, phone: Person, blog: Blog) -> None:
    blog.put(Login, seen_at=now() - timedelta(days=31), selector=None)
    assert bob.get("/settings/sessions").text.count('class="row"') == 1  # which is here now


def test_a_visit_is_noted_now_and_then(bob: Person, blog: Blog) -> None:
    blog.put(Login, seen_at=now() - timedelta(minutes=4))
    before = {login.id: login.seen_at for login in blog.rows(Login)}
    bob.get("/")
    assert {login.id: login.seen_at for login in blog.rows(Login)} == before
    blog.put(Login, seen_at=now() - timedelta(minutes=6))
    bob.get("/")
    seen = sorted(login.seen_at for login in blog.rows(Login))
    assert now() - seen[-1] < timedelta(minutes=1)
    assert now() - seen[0] > timedelta(minutes=5)


def test_a_visit_that_cannot_be_noted_spoils_nothing(bob: Person, blog: Blog) -> None:
    """Somebody else is at that row. On SQLite that would take five seconds to see."""
    if blog.database.is_sqlite:
        return
    blog.put(Login, seen_at=now() - timedelta(minutes=6))
    with blog.database.writing() as db:
        db.execute(update(Login).values(address="here"))
        assert bob.get("/").status_code == 200
        assert bob.write()


def test_of_very_many_devices_the_latest_are_listed(bob: Person, blog: Blog) -> None:
    bobs = UUID(user_id(blog, BOB))
    over = now() + timedelta(days=1)
    with blog.database.writing() as db:
        db.add_all(Login(user_id=bobs, expires_at=over) for _ in range(logins.MOST_SHOWN + 5))
    assert bob.get("/settings/sessions").text.count('class="row"') == logins.MOST_SHOWN
    bob.post("/settings/sessions/delete")
    assert len([each for each in blog.rows(Login) if each.user_id == bobs]) == 1


def test_a_login_whose_row_is_gone_is_over(bob: Person, blog: Blog) -> None:
    """Whatever the store of sessions still says."""
    with blog.database.writing() as db:
        db.execute(delete(Login))
    assert bob.get("/drafts").status_code == 303
    assert not bob.is_logged_in()


def test_logging_in_over_a_login_leaves_one(bob: Person, blog: Blog) -> None:
    before = len(blog.rows(Login))
    bob.log_in_again()
    assert len(blog.rows(Login)) == before


def test_registering_somebody_else_ends_the_login_that_was_there(bob: Person, blog: Blog) -> None:
    """Nobody could use it any more, but it would be listed for months."""
    thief = bob.copy()
    response = bob.post("/users/register", {"username": "dora", "password": PASSWORD})
    assert response.status_code == 303
    bobs = UUID(user_id(blog, BOB))
    assert [login for login in blog.rows(Login) if login.user_id == bobs] == []
    assert thief.get("/drafts").status_code == 303


# A device that is new to an account.


@pytest.fixture
def dora(blog: Blog, alice: Person) -> Person:
    """Registered with an address; one device."""
    person = Person(blog, "dora")
    person.client.headers["User-Agent"] = LAPTOP
    assert person.register(email="dora@example.org").status_code == 303
    return person


def notices(blog: Blog) -> list[str]:
    return [mail.body for mail in blog.rows(Mail) if mail.subject.startswith("A new login")]


def test_a_login_on_a_new_device_is_told_by_mail(dora: Person, blog: Blog) -> None:
    thief = blog.visitor()
    thief.username = "dora"
    thief.client.headers["User-Agent"] = PHONE
    thief.log_in()
    [body] = notices(blog)
    assert "Safari on iPhone, from 127.0.0.1" in body


def test_a_known_device_is_not_worth_a_mail(dora: Person, blog: Blog) -> None:
    for _ in range(2):
        dora.log_in_again()
    assert notices(blog) == []


def test_a_device_that_says_it_is_known_is_not_believed(dora: Person, blog: Blog) -> None:
    thief = blog.visitor()
    thief.username = "dora"
    for cookie in ("dora", "WyJkb3JhIl0.AAAA", "", "x" * 5000):
        thief.client.cookies.set("inkstand_devices", cookie)
        assert thief.log_in_again().status_code == 303
        thief.client.cookies.clear()
    assert len(notices(blog)) == 4


# What happened.


def test_what_happened_is_told_to_whom_it_happened(bob: Person, blog: Blog) -> None:
    bob.log_out()
    bob.log_in("a wrong password")
    bob.log_in()
    text = bob.get("/settings/security").text
    for words in ("Registered", "Logged in", "Logged out", "Login failed"):
        assert f"<strong>{words}</strong>" in text
    assert "by password" in text


def test_nobody_reads_what_happened_to_others(bob: Person, mallory: Person, blog: Blog) -> None:
    bob.log_out()
    bob.log_in("a wrong password")
    assert "Login failed" not in mallory.get("/settings/security").text


def test_what_happened_comes_in_pages(bob: Person, blog: Blog) -> None:
    user = next(user for user in blog.rows(User) if user.username == BOB)
    with blog.database.writing() as db:
        for number in range(60):
            audit.record(db, f"event {number}", user)
    text = bob.get("/settings/security").text
    assert "Event 59" in text
    assert "Event 5<" not in text
    older = text.partition('rel="next" href="')[2].partition('"')[0]
    assert "Event 5<" in bob.get(older).text
    for wrong in ("0", "-1", "x", "9" * 30):
        assert bob.get(f"/settings/security?before={wrong}").status_code == 422


def test_what_was_typed_instead_of_a_name_is_not_kept(stranger: Person, blog: Blog) -> None:
    stranger.username = "my password by mistake"
    stranger.log_in()
    assert "mistake" not in str([event.model_dump() for event in blog.rows(AuditEvent)])


def test_a_flood_of_refusals_leaves_a_few_rows(stranger: Person, blog: Blog) -> None:
    stranger.username = "nobody-here"
    for _ in range(45):
        stranger.log_in("a guess or so")
    kinds = [event.action for event in blog.rows(AuditEvent)]
    assert kinds.count(audit.LOGIN_FAILED) == 10
    assert kinds.count(audit.LIMITED) == 30
