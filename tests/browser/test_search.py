"""Searching by keyboard, with suggestions and without; in a real Chromium."""

import pytest
from playwright.sync_api import expect

from tests.blog import Person
from tests.browser.conftest import PHONE, OpenPage


@pytest.fixture
def harbour(alice: Person) -> None:
    alice.write("The lighthouse at night", "It turns.", tags="Lights")
    alice.write("Lighter than air")


@pytest.mark.usefixtures("harbour")
def test_suggestions_are_reached_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/search", javascript=True)
    field = page.get_by_role("combobox", name="Search this blog")
    field.press_sequentially("ligh")
    options = page.get_by_role("option")
    expect(options).to_have_text(["Lights", "Lighter than air", "The lighthouse at night"])
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    field.press("ArrowDown")  # back in the field, with what was typed
    expect(page.get_by_role("option", selected=True)).to_have_count(0)
    field.press("ArrowDown")
    field.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_text("Lighter than air")
    expect(field).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    expect(field).to_be_focused()
    expect(field).to_have_value("ligh")
    field.press("Enter")
    page.wait_for_url("**/posts/lighter-than-air")


@pytest.mark.usefixtures("harbour")
def test_escape_closes_the_list_and_nothing_moves(open_page: OpenPage) -> None:
    page = open_page("/search", javascript=True, viewport=PHONE)
    field = page.get_by_role("combobox")
    help_text = page.locator(".search-help")
    before = help_text.bounding_box()
    field.press_sequentially("light")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert help_text.bounding_box() == before
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_value("light")
    field.press("Enter")
    page.wait_for_url("**/search?q=light")
    expect(page.get_by_role("heading", name="Lights")).to_have_count(0)


@pytest.mark.usefixtures("harbour")
def test_a_suggestion_can_be_pressed(open_page: OpenPage) -> None:
    page = open_page("/search", javascript=True, viewport=PHONE, has_touch=True)
    page.get_by_role("combobox").press_sequentially("lights")
    page.get_by_role("option", name="Lights").tap()
    page.wait_for_url("**/tags/lights")


@pytest.mark.usefixtures("harbour")
def test_without_scripts_it_is_a_form(open_page: OpenPage) -> None:
    page = open_page("/search")
    page.get_by_label("Search this blog").fill("lighthouse")
    page.get_by_label("Search this blog").press("Enter")
    page.wait_for_url("**/search?q=lighthouse")
    expect(page.locator("mark").first).to_have_text("lighthouse")
