"""Back in by way of the mailbox, in a real browser and without JavaScript."""

import pytest

from tests.blog import Blog, Person
from tests.browser.conftest import PHONE, OpenPage
from tests.people import BOB

# A page is the same bytes on every back end, so one is enough here.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

ADDRESS = "bob@example.org"
NEW = "another quay, further south"


def test_a_forgotten_password_is_replaced_on_a_phone(
    alice: Person, blog: Blog, open_page: OpenPage
) -> None:
    Person(blog, BOB).register(email=ADDRESS)
    page = open_page("/auth/login", viewport=PHONE)
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail").fill(ADDRESS)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()

    page.goto(blog.link_to(ADDRESS, "reset"))
    page.get_by_label("New password").fill("short")
    page.get_by_label("New password").evaluate("field => field.removeAttribute('minlength')")
    page.get_by_role("button", name="Change the password").click()
    page.get_by_text("At least 8 characters, please.").wait_for()
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change the password").click()

    page.get_by_text("Your password is changed").wait_for()
    page.get_by_label("Username or e-mail").fill(ADDRESS)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def test_an_address_is_confirmed_with_one_button(
    alice: Person, blog: Blog, open_page: OpenPage
) -> None:
    Person(blog, BOB).register(email=ADDRESS)
    page = open_page(blog.link_to(ADDRESS))
    page.get_by_role("button", name="Yes, confirm it").click()
    page.get_by_text(f"{ADDRESS} is confirmed.").wait_for()
