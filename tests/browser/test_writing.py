"""From the front page to a published post and out again, in Chromium, by keyboard, without JS."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.people import PASSWORD

pytestmark = pytest.mark.xdist_group("writing in the browser")

MOST_TABS = 40
# What a screen reader would say about the element that has the focus.
FOCUSED = """() => {
  const e = document.activeElement;
  const label = e.labels && e.labels.length ? e.labels[0].innerText : "";
  return (e.getAttribute("aria-label") || label || e.innerText || e.value || "").trim();
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the thing with this name has the focus, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            return
    pytest.fail(f"“{name}” cannot be reached with Tab on {page.url}")


def press(page: Page, name: str) -> None:
    tab_to(page, name)
    enter(page)


def enter(page: Page) -> None:
    with page.expect_event("load"):
        page.keyboard.press("Enter")


def fill(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_life_with_the_keyboard_alone(open_page: OpenPage, viewport: ViewportSize) -> None:
    page = open_page("/", viewport=viewport)
    expect(page.get_by_text("No posts yet.")).to_be_visible()

    press(page, "Register")
    fill(page, "Username", "Maren")
    fill(page, "Password", PASSWORD)
    press(page, "Create account")
    expect(page.get_by_text("Welcome. This blog is yours now.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Site")).to_contain_text("Maren")

    press(page, "New post")
    fill(page, "Title", "The heron")
    fill(page, "Text in Markdown", "There is a *heron* on the pontoon.\n\n- grey\n- patient")
    tab_to(page, "More about this post")
    page.keyboard.press("Enter")
    fill(page, "Tags", "birds, harbour")
    press(page, "Publish")
    expect(page).to_have_url(page.url.partition("/posts")[0] + "/posts/the-heron")
    expect(page.get_by_text("Published.")).to_be_visible()
    expect(page.get_by_role("heading", name="The heron", level=1)).to_be_visible()

    stranger = open_page("/", viewport=viewport)
    stranger.get_by_role("link", name="The heron").click()
    expect(stranger.locator(".prose em")).to_have_text("heron")
    expect(stranger.locator(".prose li")).to_have_text(["grey", "patient"])
    expect(stranger.get_by_role("link", name="Edit")).to_have_count(0)

    press(page, "Edit")
    fill(page, "Text in Markdown", "It has flown.")
    press(page, "Update")
    expect(page.get_by_text("Updated.")).to_be_visible()
    stranger.reload()
    expect(stranger.locator(".prose")).to_have_text("It has flown.")

    press(page, "Log out")
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    page.goto("/posts/new")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    fill(page, "Username or e-mail", "maren")
    fill(page, "Password", PASSWORD)
    enter(page)
    expect(page).to_have_url(page.url.partition("/posts")[0] + "/posts/new")


def test_a_draft_is_finished_deleted_and_restored(open_page: OpenPage) -> None:
    page = registered(open_page)
    page.goto("/posts/new")
    page.get_by_label("Title").fill("Half a thought")
    page.get_by_label("Text in Markdown").fill("To be continued.")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    page.get_by_role("link", name="Drafts").click()
    page.get_by_role("link", name="Half a thought").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("is in the trash.")).to_be_visible()
    page.get_by_role("button", name="Restore “Half a thought”").click()
    expect(page.get_by_label("Title")).to_have_value("Half a thought")


def test_two_tabs_end_in_a_choice_between_both_texts(open_page: OpenPage) -> None:
    first = registered(open_page)
    first.goto("/posts/new")
    first.get_by_label("Title").fill("Shared")
    first.get_by_label("Text in Markdown").fill("Begun.")
    first.get_by_role("button", name="Save draft").click()
    second = first.context.new_page()
    second.goto(first.url)
    for tab, text in ((first, "From the first tab."), (second, "From the second tab.")):
        tab.get_by_label("Text in Markdown").fill(text)
        tab.get_by_role("button", name="Save draft").click()
    expect(second.get_by_role("heading", name="This post was changed elsewhere")).to_be_visible()
    expect(second.get_by_role("region", name="What differs")).to_contain_text("From the first tab.")
    expect(second.get_by_label("Text in Markdown")).to_have_value("From the second tab.")
    second.get_by_role("button", name="Keep mine").click()
    expect(second.get_by_text("Draft saved.")).to_be_visible()
    expect(second.get_by_label("Text in Markdown")).to_have_value("From the second tab.")


def test_enter_in_a_line_does_not_publish(open_page: OpenPage) -> None:
    page = registered(open_page)
    page.goto("/posts/new")
    page.get_by_label("Title").fill("Half a thought")
    page.get_by_label("Text in Markdown").fill("Not finished.")
    page.get_by_text("More about this post").click()
    page.get_by_label("Tags").fill("thoughts")
    page.get_by_label("Tags").press("Enter")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    expect(open_page("/").get_by_text("No posts yet.")).to_be_visible()


def test_a_mistake_in_a_form_loses_nothing(open_page: OpenPage) -> None:
    page = registered(open_page)
    page.goto("/posts/new")
    page.get_by_label("Title").fill("Too many tags")
    page.get_by_label("Text in Markdown").fill("Precious words.")
    page.get_by_text("More about this post").click()
    page.get_by_label("Tags").fill(", ".join(f"tag {n}" for n in range(11)))
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing you typed is lost.")
    expect(page.get_by_label("Tags")).to_have_accessible_description(
        "At most 10 tags, please; these are 11. Up to ten, with commas between them."
    )
    expect(page.get_by_label("Text in Markdown")).to_have_value("Precious words.")


def registered(open_page: OpenPage) -> Page:
    page = open_page("/users/register")
    page.get_by_label("Username").fill("maren")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    return page
