"""A text that goes live later, and the link for those who read it before."""

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.blog import Blog, Person
from tests.browser.conftest import PHONE, OpenPage
from tests.clocks import in_field
from tests.people import PASSWORD

# A page is the same bytes on every back end, so one is enough here.
pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("scheduling in the browser"),
]


@pytest.mark.parametrize("javascript", [False, True], ids=["plain", "with scripts"])
def test_a_post_is_scheduled_and_shown_by_its_link(
    open_page: OpenPage, alice: Person, blog: Blog, javascript: bool
) -> None:
    options = {"javascript": javascript, "viewport": PHONE, "permissions": ["clipboard-write"]}
    page = open_page("/auth/login?next=/posts/new", **options)
    page.get_by_label("Username or e-mail").fill(alice.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Title").fill("Spring tide")
    page.get_by_label("Text in Markdown").fill("Higher than *ever*.")
    page.locator("summary", has_text="Schedule…").click()
    page.get_by_label("Goes live on").fill(in_field(datetime.now(UTC) + timedelta(days=1)))
    page.get_by_role("button", name="Schedule", exact=True).click()
    page.wait_for_url("**/posts/spring-tide/edit")
    assert page.get_by_role("button", name="Publish now").is_visible()
    page.locator("summary", has_text="Secret preview link").click()
    page.get_by_role("button", name="Make a secret link").click()
    link = page.get_by_label("Whoever has this link").input_value()
    copy = page.get_by_role("button", name="Copy")
    assert copy.is_visible() is javascript
    if javascript:
        assert Axe().run(page).violations_count == 0
        copy.click()
        page.get_by_role("button", name="Copied").wait_for()
    reader = open_page("/preview/" + link.rpartition("/")[2], javascript=True)
    assert reader.get_by_role("heading", name="Spring tide").is_visible()
    assert reader.get_by_text("this page is a secret until it is published").is_visible()
    assert Axe().run(reader).violations_count == 0
