"""The editor as people use it: by mouse, by keyboard, on a phone, without a script, offline."""

import gzip
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, WebSocketRoute, expect

from main import PUBLIC
from tests.blog import Blog, Person
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.test_every_page import assert_accessible

# A page is the same bytes on every back end, so one is enough here.
pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("the editor in the browser"),
]

MOST_BYTES = 25 * 1024
LONG = "\n\n".join(
    f"## Part {n}\n\n" + "The tide comes in and goes out again. " * (5 + 30 * (n % 2))
    for n in range(20)
)
RICH = """Some *words*, a note[^1] and `code`.

## Tides

| a | b |
|---|--:|
| 1 | 2 |

- [x] done
- [ ] to do

> [!TIP]
> Look twice.

```python
print("x")
```

$$a^2$$

<details><summary>More</summary>Words.</details>

[^1]: Here.
"""


def at_desk(open_page: OpenPage, person: Person, path: str = "/posts/new", **options: Any) -> Page:
    """The page, as somebody who is logged in."""
    page = open_page("/healthz", **{"javascript": True, **options})
    page.context.add_cookies(
        [
            {"name": each.name, "value": each.value or "", "url": person.blog.url}
            for each in person.client.cookies.jar
        ]
    )
    page.goto(path)
    return page


def text_of(page: Page) -> Any:
    return page.get_by_label("Text in Markdown")


# `|` is where the caret is, `[` and `]` are the ends of a selection.
SET = """([marked]) => {
  const field = document.querySelector("#text");
  const ends = [...marked.matchAll(/[⟦⟧|]/g)].map((found, at) => found.index - at);
  field.value = marked.replaceAll(/[⟦⟧|]/g, "");
  field.focus();
  field.setSelectionRange(ends[0], ends.at(-1));
}"""
GET = """() => {
  const { value, selectionStart: start, selectionEnd: end } = document.querySelector("#text");
  if (start === end) return value.slice(0, start) + "|" + value.slice(start);
  return value.slice(0, start) + "⟦" + value.slice(start, end) + "⟧" + value.slice(end);
}"""


def after(page: Page, marked: str, do: str) -> str:
    """What becomes of a text by a key, or by a button that is named."""
    page.evaluate(SET, [marked])
    if do[0] == "@":
        page.get_by_role("button", name=do[1:], exact=True).click()
    else:
        page.keyboard.press(do)
    found: str = page.evaluate(GET)
    return found


MARKING = [
    ("one ⟦two⟧ three", "Control+b", "one **⟦two⟧** three"),
    ("one **⟦two⟧** three", "Control+b", "one ⟦two⟧ three"),
    ("one ⟦**two**⟧ three", "Control+b", "one ⟦two⟧ three"),
    ("one ⟦two ⟧three", "@Bold", "one **⟦two⟧** three"),
    ("one |", "@Italic", "one *|*"),
    ("**⟦two⟧**", "Control+i", "***⟦two⟧***"),
    ("***⟦two⟧***", "Control+i", "**⟦two⟧**"),
    ("⟦two⟧", "Control+e", "`⟦two⟧`"),
    ("⟦a`b⟧", "Control+e", "`` ⟦a`b⟧ ``"),
    ("⟦a\nb⟧", "@Code", "```|\na\nb\n```"),
    ("|", "@Code", "```\n|\n```"),
    ("⟦two⟧", "Control+k", "[two](⟦https://⟧)"),
    ("|", "@Link", "[|](https://)"),
    ("⟦https://a.example/⟧", "Control+k", "[|](https://a.example/)"),
    ("two|", "Control+Shift+h", "## two|"),
    ("## two|", "@Heading", "### two|"),
    ("### two|", "@Heading", "two|"),
    ("⟦a\nb⟧", "@Quote", "⟦> a\n> b⟧"),
    ("⟦> a\n> b⟧", "@Quote", "⟦a\nb⟧"),
    ("⟦a\n\nb⟧", "@List", "⟦- a\n\n- b⟧"),
    ("⟦- a\n- b⟧", "Control+Shift+8", "⟦a\nb⟧"),
    ("⟦- a\n- b⟧", "@Numbered list", "⟦1. a\n2. b⟧"),
    ("⟦1. a\n2. b⟧", "Control+Shift+7", "⟦a\nb⟧"),
    ("- a|", "@Task list", "- [ ] a|"),
    ("- [x] a|", "Control+Shift+l", "a|"),
    ("words|more", "@Table", "words\n\n| ⟦One⟧ | Two |\n| --- | --- |\n|     |     |\n\nmore"),
]
LISTS = [
    ("- one|", "Enter", "- one\n- |"),
    ("- one\n- |", "Enter", "- one\n|"),
    ("9. one|", "Enter", "9. one\n10. |"),
    ("- [x] one|", "Enter", "- [x] one\n- [ ] |"),
    ("> one|", "Enter", "> one\n> |"),
    ("> one\n> |", "Enter", "> one\n|"),
    ("> - one|", "Enter", "> - one\n> - |"),
    ("> - one\n> - |", "Enter", "> - one\n> |"),
    ("  * one|two", "Enter", "  * one\n  * |two"),
    ("- one\n  - |", "Enter", "- one\n- |"),
    ("words|", "Enter", "words\n|"),
    ("|- one", "Enter", "\n|- one"),
    ("* * *|", "Enter", "* * *\n|"),
    ("- one|", "Shift+Enter", "- one\n|"),
    ("- one\n- two|", "Tab", "- one\n  - two|"),
    ("1. one\n2. two|", "Tab", "1. one\n   2. two|"),
    ("- one\n⟦- two\n- three⟧", "Tab", "- one\n  ⟦- two\n  - three⟧"),
    ("- one\n  - two|", "Shift+Tab", "- one\n- two|"),
    ("> - one\n> - two|", "Tab", "> - one\n>   - two|"),
]


def test_buttons_and_keys_mark_the_text_up(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    for marked, do, expected in MARKING:
        assert after(page, marked, do) == expected, (marked, do)


def test_lists_go_on_and_end_by_themselves(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    for marked, key, expected in LISTS:
        assert after(page, marked, key) == expected, (marked, key)


def test_rarer_tools_unfold(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    expect(page.get_by_role("button", name="Footnote")).to_be_hidden()
    page.get_by_role("button", name="More formatting").click()
    for marked, do, expected in (
        ("⟦a⟧ b", "@Struck out", "~~⟦a⟧~~ b"),
        ("a⟦⟧ b[^4]", "@Footnote", "a[^5] b[^4]\n\n[^5]: |"),
        ("⟦x⟧", "@Formula", "$⟦x⟧$"),
        ("a|", "@Callout", "a\n\n> [!NOTE]\n> |"),
        ("a|b", "@Line between parts", "a\n\n---\n\n|b"),
    ):
        assert after(page, marked, do) == expected, do


def test_everything_can_be_undone(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    text_of(page).focus()
    page.keyboard.type("- one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Shift+7")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+b")
    assert text_of(page).input_value() == "**- one\n  1. two**"
    for _ in range(12):
        page.keyboard.press("Control+z")
    assert text_of(page).input_value() == ""


def test_an_address_pasted_over_words_makes_a_link(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    page.evaluate(SET, ["see ⟦the tables⟧."])
    page.evaluate(
        """() => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", "https://tides.example/a_(b)");
          const options = { clipboardData, bubbles: true, cancelable: true };
          document.querySelector("#text").dispatchEvent(new ClipboardEvent("paste", options));
        }"""
    )
    assert text_of(page).input_value() == "see [the tables](https://tides.example/a_%28b%29)."


def test_the_image_button_asks_for_a_file(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    page.evaluate(
        "document.querySelector('form[data-editor]')"
        ".addEventListener('inkstand:choose-image', () => { window.asked = true; })"
    )
    page.get_by_role("button", name="Image").click()
    assert page.evaluate("window.asked")


# The keyboard alone


def focused(page: Page) -> str:
    """What has the focus, by its name."""
    found: str = page.evaluate(
        "(e => e.ariaLabel || e.labels?.[0]?.innerText || e.innerText)(document.activeElement)"
    )
    return found.strip()


def test_a_post_is_written_and_published_by_keyboard(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    page.get_by_label("Title").focus()
    page.keyboard.type("The heron")
    page.keyboard.press("Enter")
    assert focused(page) == "Text in Markdown"
    page.keyboard.press("Control+b")
    page.keyboard.type("Grey")
    page.keyboard.press("End")
    page.keyboard.type(" and patient.")
    page.keyboard.press("Control+Enter")  # nothing is published by a slip of the hand
    assert focused(page) == "Publish"
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    expect(page.locator(".prose")).to_have_text("Grey and patient.")
    expect(page.locator(".prose strong")).to_have_text("Grey")


def test_the_toolbar_is_one_stop_and_arrows_go_on(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    page.get_by_label("Title").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Bold"
    expect(page.locator("[data-tip]")).to_have_text("Bold  Ctrl+B")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "Heading"
    page.keyboard.press("End")
    assert focused(page) == "Full screen"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "Bold"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert focused(page) == "Text in Markdown"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Italic"
    page.keyboard.press("Enter")
    assert page.evaluate(GET) == "*|*"


def test_tab_leaves_the_text(open_page: OpenPage, alice: Person) -> None:
    """Everywhere but in a list item that can be moved; and there after Escape."""
    page = at_desk(open_page, alice)
    for marked in ("words|", "- first|", ""):
        page.evaluate(SET, [marked or "|"])
        page.keyboard.press("Tab")
        assert focused(page) == "More about this post", marked
        page.keyboard.press("Shift+Tab")
        assert focused(page) == "Text in Markdown"
    page.evaluate(SET, ["- one\n- two|"])
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert focused(page) == "More about this post"
    assert text_of(page).input_value() == "- one\n- two"
    page.evaluate(SET, ["- one|"])
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Italic" or focused(page) == "Bold"


def test_saving_by_key_leads_back_to_the_same_place(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    page.get_by_label("Title").fill("Half a thought")
    page.evaluate(SET, ["One. Two.| Three."])
    with page.expect_event("load"):
        page.keyboard.press("Control+s")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    assert focused(page) == "Text in Markdown"
    assert page.evaluate(GET) == "One. Two.| Three."


# The page beside the text

# Before any script of the page has added its buttons.
AS_SENT = """
    async () => {
      const sent = await (await fetch(location.href)).text();
      const page = new DOMParser().parseFromString(sent, "text/html");
      return page.querySelector(".post .prose").innerHTML;
    }
"""


def test_the_preview_is_the_html_that_is_published(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url))
    page.get_by_label("Title").fill("The same")
    text_of(page).fill(RICH)
    prose = page.locator("#preview .prose")
    expect(prose.locator("math")).to_have_count(1)
    text_of(page).press("Control+End")
    page.keyboard.type("\nAdded *later*.\n")
    expect(prose).to_contain_text("Added later.")  # the last letter, too
    shown = prose.inner_html()
    assert not [url for url in posts if url.endswith("/preview")]  # all by the socket
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published.")).to_be_visible()
    assert page.evaluate(AS_SENT) == shown


def test_what_did_not_change_stays_in_the_page(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    text_of(page).fill("First.\n\n<details><summary>More</summary>Words.</details>\n\nLast.")
    prose = page.locator("#preview .prose")
    prose.get_by_text("More").click()
    kept = prose.locator("p").first.element_handle()
    text_of(page).press("Control+End")
    page.keyboard.type(" And *more*.")
    expect(prose.locator("em")).to_have_text("more")
    assert kept.evaluate("element => element.isConnected")
    expect(prose.get_by_text("Words.")).to_be_visible()


def test_without_a_socket_forms_do_it_until_there_is_one(
    open_page: OpenPage, alice: Person
) -> None:
    page = at_desk(open_page, alice, "/healthz")
    is_refused, opened, posts = [True], [], []

    def route(socket: WebSocketRoute) -> None:
        opened.append(socket.url)
        if is_refused:
            socket.close()
        else:
            socket.connect_to_server()

    page.route_web_socket(re.compile("/live/preview"), route)
    page.on("request", lambda request: posts.append(request.url))
    page.goto("/posts/new")
    prose = page.locator("#preview .prose")
    text_of(page).fill("By a *form*.")
    expect(prose.locator("em")).to_have_text("form")
    assert [url for url in posts if url.endswith("/preview")]
    is_refused.clear()
    for number in range(30):
        before = len(opened)
        text_of(page).fill(f"By a *socket* {number}.")
        expect(prose).to_have_text(f"By a socket {number}.")
        if len(opened) > max(before, 1):
            break
        page.wait_for_timeout(200)
    else:
        pytest.fail("no socket was opened again")
    forms = len(posts)
    text_of(page).fill("And *again*.")
    expect(prose).to_have_text("And again.")
    assert len(posts) == forms


def test_a_login_that_has_ended_is_told_and_the_text_stays(
    open_page: OpenPage, alice: Person
) -> None:
    page = at_desk(open_page, alice)
    text_of(page).fill("One.")
    expect(page.locator("#preview .prose")).to_have_text("One.")
    alice.log_out()
    text_of(page).fill("Two.")
    expect(page.locator("[data-note]")).to_contain_text("Your login has ended.")
    expect(text_of(page)).to_have_value("Two.")


def test_a_server_that_is_away_is_told_and_comes_back(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice, "/healthz")
    page.route_web_socket(re.compile("/live/preview"), lambda socket: socket.close())
    page.route("**/preview", lambda route: route.abort())
    page.goto("/posts/new")
    text_of(page).fill("One.")
    expect(page.locator("[data-note]")).to_contain_text("Your text is not affected.")
    page.unroute("**/preview")
    expect(page.locator("#preview .prose")).to_have_text("One.")
    expect(page.locator("[data-note]")).to_be_hidden()


def test_text_and_page_scroll_together(open_page: OpenPage, alice: Person) -> None:
    """To where the same part begins, though the parts are not equally high on both sides."""
    slug = alice.draft(content=LONG)
    page = at_desk(open_page, alice, f"/posts/{slug}/edit")
    expect(page.locator("#preview h2")).to_have_count(20)
    for number in (10, 15, 4):
        text_of(page).hover()
        page.evaluate(SCROLL_TO, f"## Part {number}\n")
        until(page, NEAR_THE_TOP, f"Part {number}")
    page.locator("#preview").hover()
    page.mouse.wheel(0, 30_000)
    until(page, AT_THE_END, "#text")
    text_of(page).hover()
    page.mouse.wheel(0, -30_000)
    until(page, "() => document.querySelector('#preview').scrollTop === 0")
    text_of(page).press("Control+End")
    page.keyboard.type("\n\nThe *last* words.")
    until(page, AT_THE_END, "#preview")


def until(page: Page, script: str, what: str = "") -> None:
    """Playwright's own way to wait evaluates strings, which our policy forbids."""
    for _ in range(100):
        if page.evaluate(script, what):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{script}\nnever came true for “{what}”")


# To the line that begins so; where it is tells a copy of the text field.
SCROLL_TO = """(line) => {
  const text = document.querySelector("#text");
  const copy = document.createElement("div");
  const style = getComputedStyle(text);
  for (const name of ["font", "padding", "tabSize"]) copy.style[name] = style[name];
  Object.assign(copy.style, { whiteSpace: "pre-wrap", boxSizing: "border-box" });
  copy.style.width = `${text.clientWidth}px`;
  copy.textContent = text.value.slice(0, text.value.indexOf(line));
  document.body.append(copy);
  text.scrollTop = copy.scrollHeight - parseFloat(style.paddingBottom);
  copy.remove();
}"""
NEAR_THE_TOP = """(name) => {
  const pane = document.querySelector("#preview");
  const heading = [...pane.querySelectorAll("h2")].find((each) => each.textContent === name);
  return Math.abs(heading.getBoundingClientRect().top - pane.getBoundingClientRect().top) < 60;
}"""
AT_THE_END = """(name) => {
  const side = document.querySelector(name);
  return side.scrollHeight - side.clientHeight - side.scrollTop < 3;
}"""


def test_a_link_in_the_preview_does_not_take_the_text_away(
    open_page: OpenPage, alice: Person
) -> None:
    page = at_desk(open_page, alice)
    text_of(page).fill("See [this](/healthz).")
    with page.context.expect_page() as opened:
        page.locator("#preview").get_by_role("link", name="this").click()
    assert opened.value.url.endswith("/healthz")
    expect(text_of(page)).to_have_value("See [this](/healthz).")


# Around it


def test_words_and_minutes_are_counted(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice)
    counts = page.locator("[data-counts]")
    expect(counts).to_have_text("")
    text_of(page).fill("One.")
    expect(counts).to_have_text("1 word · 1 min read")
    text_of(page).fill("The tide is [out](https://tides.example/long/address).\n\n" * 230)
    expect(counts).to_have_text("920 words · 4 min read")
    text_of(page).fill("Look:\n\n```\nnot these words\n```\n\ndone")
    expect(counts).to_have_text("2 words · 1 min read")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_whole_screen_is_for_the_text(
    open_page: OpenPage, alice: Person, viewport: ViewportSize
) -> None:
    page = at_desk(open_page, alice, viewport=viewport)
    text_of(page).fill(LONG)
    page.get_by_role("button", name="Full screen").click()
    assert focused(page) == "Text in Markdown"
    for gone in ("navigation", "button"):
        names = [each.inner_text() for each in page.get_by_role(gone).all()]
        assert not [name for name in names if name], names  # all but the one that leaves
    box = text_of(page).bounding_box()
    assert box is not None
    assert box["height"] > viewport["height"] * 0.7
    expect(page.locator("[data-counts]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Publish")).to_be_visible()
    assert text_of(page).input_value() == LONG


def test_on_a_phone_one_writes_looks_and_publishes(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice, viewport=PHONE, has_touch=True, is_mobile=True)
    page.get_by_label("Title").fill("By thumb")
    text_of(page).fill(LONG)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    publish = page.get_by_role("button", name="Publish", exact=True)
    expect(publish).to_be_in_viewport(ratio=1)
    expect(page.locator("#preview")).to_be_hidden()
    page.get_by_role("button", name="Preview", exact=True).tap()
    expect(page.locator("#preview h2")).to_have_count(20)
    expect(text_of(page)).to_be_hidden()
    page.get_by_role("button", name="Write", exact=True).tap()
    expect(text_of(page)).to_be_visible()
    publish.tap()
    expect(page.get_by_role("heading", name="By thumb")).to_be_visible()


def test_without_javascript_one_writes_looks_and_publishes(
    open_page: OpenPage, alice: Person
) -> None:
    page = at_desk(open_page, alice, javascript=False)
    expect(page.get_by_role("toolbar")).to_be_hidden()
    page.get_by_label("Title").fill("By hand")
    text_of(page).fill("A *heron*.")
    page.get_by_text("More about this post").click()
    page.get_by_label("Tags").fill("birds")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator("#preview em")).to_have_text("heron")
    expect(page.get_by_label("Title")).to_have_value("By hand")
    page.get_by_role("link", name="Back to writing").click()
    text_of(page).fill("A grey *heron*.")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator("#preview .prose")).to_have_text("A grey heron.")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".post .prose")).to_have_text("A grey heron.")
    expect(page.get_by_role("link", name="birds")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    text_of(page).fill("It has *flown*.")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator("#preview em")).to_have_text("flown")
    page.get_by_role("button", name="Update", exact=True).click()
    expect(page.locator(".post .prose")).to_have_text("It has flown.")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark-phone"]
)
def test_axe_finds_nothing_with_everything_open(
    open_page: OpenPage, alice: Person, scheme: str, viewport: ViewportSize
) -> None:
    axe = Axe()
    look: dict[str, Any] = {"color_scheme": scheme, "viewport": viewport}
    slug = alice.draft(content=RICH)
    for path in ("/posts/new", f"/posts/{slug}/edit"):
        page = at_desk(open_page, alice, path, **look)
        page.get_by_label("Title").fill("Open")
        text_of(page).fill(RICH)
        page.get_by_role("button", name="More formatting").click()
        page.evaluate("document.querySelectorAll('details.more').forEach(d => { d.open = true })")
        if viewport is PHONE:
            assert_accessible(axe, page)
            page.get_by_role("button", name="Preview", exact=True).click()
        expect(page.locator("#preview math")).to_have_count(1)
        assert_accessible(axe, page)
        if viewport is PHONE:
            page.get_by_role("button", name="Write", exact=True).click()
        page.get_by_role("button", name="Full screen").click()
        assert_accessible(axe, page)
    page = at_desk(open_page, alice, "/healthz", **look)
    page.route("**/editor/*.js", lambda route: route.abort())  # axe itself needs scripts
    page.goto("/posts/new")
    page.get_by_label("Title").fill("Preview")
    text_of(page).fill(RICH)
    page.get_by_role("button", name="Preview", exact=True).click()
    page.locator("#preview math").wait_for()
    assert_accessible(axe, page)


def test_the_console_stays_silent(open_page: OpenPage, alice: Person) -> None:
    page = at_desk(open_page, alice, "/healthz")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/posts/new")
    text_of(page).fill(RICH)
    expect(page.locator("#preview math")).to_have_count(1)
    page.get_by_role("button", name="Full screen").click()
    page.keyboard.press("Escape")
    assert said == []


def test_all_of_its_scripts_together_are_light(blog: Blog) -> None:
    files = list((PUBLIC / "js" / "editor").glob("*.js"))
    assert len(files) > 5
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < MOST_BYTES


def test_it_speaks_the_language_of_the_blog(open_page: OpenPage, alice: Person) -> None:
    alice.post("/admin/settings", {"language": "de", "date_format": "long", "per_page": "20"})
    page = at_desk(open_page, alice)
    text_of(page).fill("Zwei Worte")
    expect(page.locator("[data-counts]")).to_have_text("2 Wörter · 1 Min. Lesezeit")
    expect(page.locator("[data-status]")).to_have_text("Gerade eben gespeichert")
    text_of(page).fill("> [!NOTE]\n> Möwen")
    expect(page.locator("#preview .admonition-title")).to_have_text("Hinweis")
