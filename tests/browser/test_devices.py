"""Logging out a device from another one, in two real browsers and without JavaScript."""

import pytest
from playwright.sync_api import Page

from tests.blog import Blog, Person
from tests.browser.conftest import PHONE, OpenPage
from tests.people import BOB, PASSWORD

pytestmark = pytest.mark.xdist_group("devices in the browser")
ON_A_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0) AppleWebKit/605.1 Version/26.0 Safari/604.1"


def log_in(page: Page, *, stay: bool = False) -> None:
    page.get_by_label("Username or e-mail").fill(BOB)
    page.get_by_label("Password").fill(PASSWORD)
    if stay:
        page.get_by_label("Stay logged in").check()
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def test_a_lost_phone_is_logged_out_from_the_desk(
    alice: Person, blog: Blog, open_page: OpenPage
) -> None:
    Person(blog, BOB).register()
    phone = open_page("/auth/login", viewport=PHONE, user_agent=ON_A_PHONE)
    log_in(phone, stay=True)
    desk = open_page("/auth/login?next=/settings")
    log_in(desk)

    desk.get_by_role("link", name="Devices").click()
    desk.get_by_text("this device").wait_for()
    desk.get_by_role("button", name="Log out Safari on iPhone").click()
    desk.get_by_text("Safari on iPhone is logged out.").wait_for()
    assert desk.get_by_role("button", name="Log out Safari on iPhone").count() == 0

    phone.goto("/drafts")
    phone.get_by_role("heading", name="Log in").wait_for()
    desk.goto("/drafts")
    desk.get_by_role("heading", name="Drafts").wait_for()
