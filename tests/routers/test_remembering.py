"""Staying logged in: what brings a login back, for how long, and what ends it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from models import AuditEvent, Login, Mail, now
from services import audit, logins
from tests.blog import Blog, Person
from tests.people import ALICE, BOB
from tests.processes import at_once

REMEMBER = "inkstand_remember"
BROWSER = {"Sec-Fetch-Site": "none", "User-Agent": "Firefox/150"}
WITHOUT_HTTPS = {"Accept-Language": "de", "User-Agent": "Firefox/150"}


@pytest.fixture
def remembered(bob: Person) -> Person:
    """Bob, who ticked the box."""
    bob.log_in_again(remember="on")
    return bob


def remember_line(lines: list[str]) -> str:
    [line] = [line for line in lines if line.startswith(f"{REMEMBER}=")]
    return line


def days_of(line: str) -> float:
    age = next(part for part in line.split("; ") if part.startswith("Max-Age="))
    return int(age.removeprefix("Max-Age=")) / 86400


def test_a_login_that_is_remembered_outlives_its_session(remembered: Person) -> None:
    assert REMEMBER in remembered.client.cookies
    remembered.lose_session()
    assert remembered.get("/drafts").status_code == 200
    assert "inkstand_session" in remembered.client.cookies
    assert remembered.get("/drafts").status_code == 200


def test_a_login_that_is_not_remembered_does_not(bob: Person) -> None:
    assert REMEMBER not in bob.client.cookies
    bob.lose_session()
    assert bob.get("/drafts").status_code == 303


def test_every_page_greets_whom_it_remembers(remembered: Person) -> None:
    remembered.lose_session()
    response = remembered.get("/")
    assert "Log out" in response.text
    assert response.headers["cache-control"] == "private, no-store"


def test_a_form_is_not_lost_when_the_session_was_over(remembered: Person) -> None:
    remembered.lose_session()
    assert remembered.write("Written late").startswith("written-late")


def test_the_cookie_is_good_for_one_use(remembered: Person) -> None:
    first = remembered.client.cookies[REMEMBER]
    remembered.lose_session()
    remembered.get("/")
    second = remembered.client.cookies[REMEMBER]
    assert first.partition(".")[0] == second.partition(".")[0]
    assert first != second
    remembered.lose_session()
    assert remembered.is_logged_in()


@pytest.mark.parametrize(("asked", "days"), [("on", 30), ("7", 7), ("90", 90), (" 1 ", 1)])
def test_the_number_of_days_is_kept_at_each_use(bob: Person, asked: str, days: int) -> None:
    line = remember_line(bob.log_in_again(remember=asked).headers.get_list("set-cookie"))
    assert days_of(line) == days
    for _ in range(2):
        bob.lose_session()
        line = remember_line(bob.get("/").headers.get_list("set-cookie"))
        assert days - 0.01 < days_of(line) <= days


@pytest.mark.parametrize(
    "asked",
    ["91", "0", "-1", "1.5", "off", "9" * 400, "٣", "0" * 8 + "191", "0" * 8 + "1" + "9" * 5000],
)
def test_other_numbers_of_days_are_refused(bob: Person, asked: str) -> None:
    bob.log_out()
    response = bob.log_in(remember=asked)
    assert response.status_code == 422
    assert not bob.is_logged_in()


def test_nobody_is_remembered_past_the_last_day(remembered: Person, blog: Blog) -> None:
    blog.put(Login, expires_at=now() - timedelta(seconds=1))
    remembered.lose_session()
    assert remembered.get("/drafts").status_code == 303
    assert REMEMBER not in remembered.client.cookies


def test_logging_out_ends_what_is_remembered(remembered: Person, blog: Blog) -> None:
    thief = remembered.copy()
    remembered.log_out()
    assert REMEMBER not in remembered.client.cookies
    assert not remembered.is_logged_in()
    thief.lose_session()
    assert thief.get("/drafts").status_code == 303
    assert not [login for login in blog.rows(Login) if login.is_remembered]


def test_a_used_cookie_that_is_shown_again_ends_every_login(remembered: Person, blog: Blog) -> None:
    """Theft: whoever comes second, the owner or the thief, gives it away."""
    phone = blog.visitor()
    phone.username = BOB
    phone.log_in(remember="on")
    thief = remembered.copy(**{"User-Agent": "thief"})
    remembered.lose_session()
    thief.lose_session()
    assert remembered.get("/drafts").status_code == 200
    assert thief.get("/drafts").status_code == 303
    assert REMEMBER not in thief.client.cookies
    for device in (remembered, phone):
        assert device.get("/drafts").status_code == 303
        device.lose_session()
        assert device.get("/drafts").status_code == 303


def test_a_theft_is_told_to_the_owner(blog: Blog, alice: Person) -> None:
    dora = Person(blog, "dora")
    dora.register(email="dora@example.org")
    dora.log_in_again(remember="on")
    thief = dora.copy()
    dora.lose_session()
    thief.lose_session()
    dora.get("/")
    thief.get("/")
    told = [mail for mail in blog.rows(Mail) if "copy of what keeps you logged in" in mail.body]
    assert [mail.recipient for mail in told] == ["dora@example.org"]
    assert [e.username for e in blog.rows(AuditEvent) if e.action == audit.COOKIE_STOLEN] == [
        "dora"
    ]


@pytest.mark.parametrize("browser", [BROWSER, WITHOUT_HTTPS])
def test_a_browser_that_opens_many_tabs_at_once_is_no_thief(
    bob: Person, blog: Blog, browser: dict[str, str]
) -> None:
    bob.client.headers.update(browser)
    bob.log_in_again(remember="on")
    bob.lose_session()
    tabs = [bob.copy(**browser) for _ in range(4)]
    for tab in tabs:
        assert tab.get("/drafts").status_code == 200
    assert len([login for login in blog.rows(Login) if login.is_remembered]) == 1
    blog.put(Login, rotated_at=now() - logins.TABS_OPEN_WITHIN)
    late = bob.copy(**browser)
    assert late.get("/drafts").status_code == 303
    assert not [login for login in blog.rows(Login) if login.is_remembered]


def test_tabs_that_ask_in_the_same_instant_are_all_let_in(bob: Person, blog: Blog) -> None:
    bob.client.headers.update(BROWSER)
    bob.log_in_again(remember="on")
    bob.lose_session()
    tabs = [bob.copy(**BROWSER) for _ in range(8)]
    answers = at_once(8, lambda number: tabs[number].get("/drafts"))
    assert [answer.status_code for answer in answers] == [200] * 8
    renewed = [each for each in answers if f"{REMEMBER}=" in str(each.headers)]
    assert len(renewed) == 1
    [winner] = [tab for tab, answer in zip(tabs, answers, strict=True) if answer is renewed[0]]
    winner.lose_session()
    assert winner.get("/drafts").status_code == 200


def test_a_browser_that_was_updated_is_still_the_same(bob: Person, blog: Blog) -> None:
    """It has another name afterwards, and opens its tabs again."""
    bob.client.headers.update(BROWSER)
    bob.log_in_again(remember="on")
    bob.lose_session()
    updated = BROWSER | {"User-Agent": "Firefox/151"}
    tabs = [bob.copy(**updated) for _ in range(3)]
    for tab in tabs:
        assert tab.get("/drafts").status_code == 200
    [login] = [login for login in blog.rows(Login) if login.is_remembered]
    assert login.user_agent == "Firefox/151"


def test_another_browser_gets_no_such_time(bob: Person) -> None:
    bob.client.headers.update(BROWSER)
    bob.log_in_again(remember="on")
    bob.lose_session()
    thief = bob.copy(**BROWSER | {"User-Agent": "Chrome/160"})
    assert bob.get("/drafts").status_code == 200
    assert thief.get("/drafts").status_code == 303


@pytest.mark.parametrize(
    "cookie", ["", ".", "a.b", "x" * 5000, "é.ü", "a", ".b", "a.b.c", '"', "%00.%00"]
)
def test_a_cookie_that_is_not_ours_is_nobodys(stranger: Person, cookie: str) -> None:
    headers = [("Cookie", f"{REMEMBER}={cookie}".encode())]
    response = stranger.get("/", headers=headers)
    assert response.status_code == 200
    assert "Log out" not in response.text


def test_a_login_that_is_brought_back_is_an_event(remembered: Person, blog: Blog) -> None:
    remembered.lose_session()
    remembered.get("/")
    [event] = [e for e in blog.rows(AuditEvent) if e.action == audit.LOGIN_RESTORED]
    assert event.username == BOB
    assert event.actor_id == event.user_id


def test_a_cookie_that_is_nobodys_waits_for_no_writer(stranger: Person, blog: Blog) -> None:
    """Else strangers could hold up everybody who writes."""
    with blog.database.writing() as db:
        db.execute(text("UPDATE users SET bio = ''"))
        for cookie in ("x", "x.y", f"{'a' * 22}.{'b' * 43}"):
            stranger.client.cookies.set(REMEMBER, cookie)
            started_at = time.monotonic()
            lines = stranger.get("/").headers.get_list("set-cookie")
            assert time.monotonic() - started_at < 2
            assert [line.partition(" Path")[0] for line in lines] == [f"{REMEMBER}=; Max-Age=0;"]


def test_while_logins_cannot_be_looked_up_the_cookie_is_kept(
    remembered: Person, blog: Blog
) -> None:
    remembered.lose_session()
    with out_of_reach(blog, "logins"):
        page = remembered.get("/")
        assert page.status_code == 200
        assert "Logins cannot be checked" in page.text
        assert f"{REMEMBER}=" not in str(page.headers)
        assert remembered.get("/drafts").status_code == 503
    assert remembered.get("/drafts").status_code == 200


@contextmanager
def out_of_reach(blog: Blog, table: str) -> Iterator[None]:
    """The database answers nothing that is asked of one table."""

    def refuse(_: Any, __: Any, statement: str, *___: Any) -> None:
        if table in statement:
            raise OperationalError(statement, {}, Exception("out of reach"))

    event.listen(blog.database.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(blog.database.engine, "before_cursor_execute", refuse)


def test_a_validator_alone_is_not_enough(remembered: Person, blog: Blog) -> None:
    selector = remembered.client.cookies[REMEMBER].partition(".")[0]
    guesser = blog.visitor()
    guesser.client.cookies.set(REMEMBER, f"{selector}.{'A' * 43}")
    assert guesser.get("/drafts").status_code == 303


def test_the_database_holds_no_cookie(remembered: Person, blog: Blog) -> None:
    selector, _, validator = remembered.client.cookies[REMEMBER].partition(".")
    [login] = [login for login in blog.rows(Login) if login.is_remembered]
    assert login.selector == selector
    assert validator not in str(login.model_dump())
    assert len(validator) >= 43


def test_a_disabled_account_is_not_brought_back(remembered: Person, blog: Blog) -> None:
    from models import User

    blog.put(User, disabled_at=now())
    remembered.lose_session()
    assert remembered.get("/drafts").status_code == 303


def test_what_is_remembered_has_the_flags_of_a_login(bob: Person) -> None:
    line = remember_line(bob.log_in_again(remember="on").headers.get_list("set-cookie"))
    assert set(line.split("; ")[2:]) == {"Path=/", "HttpOnly", "SameSite=Lax"}


def test_names_and_attributes_of_cookies_are_settings(blog: Blog, alice: Person) -> None:
    with blog.beside(
        session_cookie="sid",
        remember_cookie="rid",
        cookie_domain="127.0.0.1.nip.io",
        cookie_path="/blog",
        cookie_secure=True,
        cookie_samesite="strict",
    ) as other:
        visitor = other.visitor()
        visitor.username = ALICE
        lines = visitor.log_in(remember="on").headers.get_list("set-cookie")
    names = {line.partition("=")[0] for line in lines}
    assert {"__Secure-sid", "__Secure-rid"} <= names
    wanted = {"Path=/blog", "Domain=127.0.0.1.nip.io", "Secure", "HttpOnly", "SameSite=Strict"}
    for line in lines:
        assert wanted <= set(line.split("; "))


def test_a_remembered_login_is_not_fresh(remembered: Person) -> None:
    assert remembered.get("/settings/delete").status_code == 200
    remembered.lose_session()
    response = remembered.get("/settings/delete")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/confirm?next=%2Fsettings%2Fdelete"
