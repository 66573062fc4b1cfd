"""Images come into a text by paste, drop and choice, in Chromium; and into the library without JS."""

import base64
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, Route, expect

from models import Media
from tests import pictures
from tests.blog import Blog
from tests.browser.conftest import PHONE, OpenPage
from tests.people import PASSWORD

# What a browser does is the same on every back end.
pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("images in the browser"),
]

# Fires an event with files at the text, as the browser does when somebody pastes or drops them.
FIRE = """([kind, files, words]) => {
  const data = new DataTransfer();
  for (const [name, type, base64] of files) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  if (words) data.setData("text/plain", words);
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...options, clipboardData: data })
    : new DragEvent(kind, { ...options, dataTransfer: data, clientX: 1, clientY: 1 });
  return document.querySelector("textarea[name=content]").dispatchEvent(event);
}"""
IMAGE = r"!\[\]\(/media/[0-9a-f-]{36}/%s-640x480\.webp\)"


def fire(page: Page, kind: str, *files: tuple[str, str, bytes], words: str = "") -> Any:
    """Whether the browser may go on with it by itself."""
    sent = [[name, mime, base64.b64encode(data).decode()] for name, mime, data in files]
    return page.evaluate(FIRE, [kind, sent, words])


def jpeg(name: str, seed: int = 0) -> tuple[str, str, bytes]:
    return name, "image/jpeg", pictures.photo(seed=seed)


def payload(name: str, seed: int = 0) -> FilePayload:
    return FilePayload(name=name, mimeType="image/jpeg", buffer=pictures.photo(seed=seed))


def writing(open_page: OpenPage, **options: Any) -> Page:
    page = open_page("/users/register", javascript=True, **options)
    page.get_by_label("Username").fill("maren")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_text("This blog is yours now.").wait_for()
    page.goto("/posts/new")
    page.get_by_label("Title").fill("The heron")
    return page


def text_of(page: Page) -> Any:
    return page.get_by_label("Text in Markdown")


def test_a_pasted_image_is_described_and_published(open_page: OpenPage, blog: Blog) -> None:
    page = writing(open_page)
    text = text_of(page)
    text.fill("Before.\n\nAfter.")
    text.evaluate("e => e.setSelectionRange(7, 7)")
    assert not fire(page, "paste", jpeg("heron.jpg"))
    expect(text).to_have_value(re.compile(rf"^Before\.\n\n{IMAGE % 'heron'}\n\nAfter\.$"))

    page.get_by_label("What can be seen in heron.jpg?").fill("A heron [grey]")
    page.keyboard.press("Enter")
    expect(text).to_have_value(re.compile(r"!\[A heron \\\[grey\\\]\]\(/media/"))
    expect(text).to_be_focused()
    assert [image.alt for image in blog.rows(Media)] == ["A heron [grey]"]

    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/posts/the-heron")
    shown = open_page("/posts/the-heron").get_by_alt_text("A heron [grey]")
    expect(shown).not_to_have_js_property("naturalWidth", 0)
    assert shown.get_attribute("width") == "640"


def test_words_that_bring_a_picture_of_themselves_stay_words(open_page: OpenPage) -> None:
    page = writing(open_page)
    assert fire(page, "paste", jpeg("table.jpg"), words="a table")
    expect(text_of(page)).to_have_value("")


def test_dropped_images_arrive_while_one_goes_on_typing(open_page: OpenPage) -> None:
    page = writing(open_page)
    text = text_of(page)
    text.fill("First.")
    held: list[Route] = []
    page.route("**/media", lambda route: held.append(route))
    assert not fire(page, "drop", jpeg("one.jpg", 1), jpeg("two.jpg", 2))
    expect(text).to_have_value(
        re.compile(r"^First\.\n\n!\[Uploading one\.jpg…\]\(\)\n\n!\[Up.*\]\(\)$")
    )
    expect(page.get_by_role("progressbar")).to_have_count(2)
    page.keyboard.type("\n\nTyped ")
    for route in held:
        route.continue_()
    expect(text).to_have_value(re.compile(IMAGE % "one"))
    page.keyboard.type("meanwhile")
    expect(text).to_have_value(
        re.compile(rf"^First\.\n\n{IMAGE % 'one'}\n\n{IMAGE % 'two'}\n\nTyped meanwhile$")
    )
    for name in ("one.jpg", "two.jpg"):
        page.get_by_role("button", name=f"Skip: {name}").click()
    expect(page.get_by_role("list", name="Images that you add")).to_be_hidden()


def test_what_is_no_image_can_be_taken_out_and_is_not_published(open_page: OpenPage) -> None:
    page = writing(open_page)
    text = text_of(page)
    text.fill("Words.")
    fire(page, "drop", ("notes.pdf", "application/pdf", b"%PDF-1.7"))
    fire(page, "drop", ("broken.jpg", "image/jpeg", pictures.photo()[:5000]))
    expect(page.get_by_text("This is not an image that the blog knows")).to_be_visible()
    expect(page.get_by_text("This image is damaged")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile("/posts/new"))
    for name in ("notes.pdf", "broken.jpg"):
        page.get_by_role("button", name=f"Take it out: {name}").click()
    expect(text).to_have_value(re.compile(r"^Words\.\s*$"))
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/posts/the-heron")


def test_without_a_network_or_a_login_an_image_waits(open_page: OpenPage) -> None:
    page = writing(open_page)
    text = text_of(page)
    page.context.set_offline(True)
    fire(page, "paste", jpeg("sea.jpg"))
    expect(page.get_by_text("You seem to be offline.")).to_be_visible()
    cookies: Any = page.context.cookies()
    page.context.clear_cookies()
    page.context.set_offline(False)  # it is sent by itself
    expect(page.get_by_role("link", name="Log in in another tab")).to_be_visible()
    page.context.add_cookies(cookies)  # as if they had
    page.get_by_role("button", name="Try again: sea.jpg").click()
    expect(text).to_have_value(re.compile(IMAGE % "sea"))


def test_the_toolbar_asks_for_images(open_page: OpenPage) -> None:
    page = writing(open_page, viewport=PHONE)
    with page.expect_file_chooser() as chosen:
        page.evaluate(
            "document.querySelector('form[data-editor]')"
            ".dispatchEvent(new CustomEvent('inkstand:choose-image'))"
        )
    chosen.value.set_files([payload("a.jpg")])
    expect(text_of(page)).to_have_value(re.compile(IMAGE % "a"))
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_the_library_works_without_a_script(open_page: OpenPage) -> None:
    page = open_page("/users/register")
    page.get_by_label("Username").fill("maren")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.goto("/media")
    page.get_by_label("Add images").set_input_files([payload("one.jpg", 1), payload("two.jpg", 2)])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("2 images are in your library.")).to_be_visible()
    page.get_by_role("link", name="one-640x480.webp").last.click()
    page.get_by_label("Description").fill("A heron")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="two-640x480.webp").last.click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“two-640x480.webp” is deleted.")).to_be_visible()
    expect(page.get_by_alt_text("A heron")).to_have_js_property("naturalWidth", 480)
