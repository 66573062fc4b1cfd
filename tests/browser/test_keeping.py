"""Typing, and everything that can go wrong meanwhile, in a real Chromium at a real server."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.people import PASSWORD
from tests.processes import Serving, free_port, rows, serving

pytestmark = pytest.mark.xdist_group("keeping in the browser")

SAVED = "Saved a moment ago"
COPIES = "Object.keys(localStorage).filter((key) => key.startsWith('inkstand:text:'))"


class Home:
    """A server that can be killed and started again, for one person after the other."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.folder = folder
        self.port = free_port()
        self.running = running
        self.people = 0
        self.start()

    def start(self) -> None:
        self.server: Serving = self.running.enter_context(serving(self.folder, PORT=self.port))

    def kill(self) -> None:
        self.server.kill()


class Desk:
    """Somebody who has just registered there, in a browser of their own."""

    def __init__(self, home: Home, browser: Browser) -> None:
        self.home = home
        home.people += 1
        self.name = f"author{home.people}"
        url = home.server.url
        self.context = browser.new_context(base_url=url, reduced_motion="reduce")
        self.context.set_default_timeout(15_000)
        for cookie in home.server.register(self.name).split("; "):
            name, _, value = cookie.partition("=")
            self.context.add_cookies([{"name": name, "value": value, "url": url}])

    def open(self, path: str = "/posts/new") -> Page:
        page = self.context.new_page()
        page.goto(path)
        return page

    def draft(self) -> str:
        """A draft on the server; the path of its desk."""
        page = self.open()
        write(page, "Begun.", title="A heron")
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_text("Draft saved.")).to_be_visible()
        path = page.url.removeprefix(self.home.server.url)
        page.close()
        return path

    def texts(self, table: str, owner: str) -> list[str]:
        """Theirs, as they are stored; `owner` is the column that says so."""
        mine = f"SELECT id FROM users WHERE username = '{self.name}'"
        column = "content" if table == "posts" else "text"
        query = f"SELECT {column} FROM {table} WHERE {owner} = ({mine})"
        return [text for (text,) in rows(f"sqlite:///{self.home.folder / 'inkstand.db'}", query)]

    @property
    def posts(self) -> list[str]:
        return self.texts("posts", "author_id")

    @property
    def autosaves(self) -> list[str]:
        return self.texts("autosaves", "user_id")

    @property
    def revisions(self) -> list[str]:
        return self.texts("revisions", "editor_id")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with ExitStack() as running:
        yield Home(tmp_path_factory.mktemp("keeping"), running)


@pytest.fixture
def desk(home: Home, browser: Browser) -> Iterator[Desk]:
    desk = Desk(home, browser)
    yield desk
    desk.context.close()


def text(page: Page) -> Locator:
    return page.locator("textarea[name=content]")


def write(page: Page, words: str, title: str = "") -> None:
    """Type at the end of the text, as keys do."""
    if title:
        page.get_by_label("Title").fill(title)
    text(page).focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(words)


def leave_the_text(page: Page) -> None:
    """What sends it at once."""
    page.evaluate("document.activeElement.blur()")


def expect_status(page: Page, words: str) -> None:
    expect(page.locator("[data-status]")).to_contain_text(words, timeout=15_000)


def expect_a_copy(page: Page) -> None:
    """Of the text, in the browser's own storage."""
    deadline = time.monotonic() + 5
    while len(page.evaluate(COPIES)) != 1:
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def test_nothing_is_lost_when_the_server_is_killed(desk: Desk) -> None:
    page = desk.open()
    write(page, "Typed before. ", title="A heron")
    expect_status(page, SAVED)
    desk.home.kill()
    write(page, "Typed after. ")
    expect_status(page, "kept in this browser")
    desk.home.start()
    expect_status(page, SAVED)  # by itself
    [kept] = desk.autosaves
    assert "Typed before. Typed after. " in kept
    assert page.evaluate(COPIES) == []

    desk.home.kill()
    write(page, "And then the browser was closed.")
    expect_a_copy(page)
    page.close()
    desk.home.start()
    page = desk.open("/drafts")
    page.get_by_role("link", name="A heron").click()
    expect(text(page)).to_have_value("Typed before. Typed after. And then the browser was closed.")
    expect(page.get_by_text("It had not reached the blog yet.")).to_be_visible()
    expect_status(page, SAVED)
    assert page.evaluate(COPIES) == []
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("article .prose")).to_have_text(
        "Typed before. Typed after. And then the browser was closed."
    )
    assert len(desk.posts) == 1


def test_a_text_waits_for_the_network(desk: Desk) -> None:
    page = desk.open(desk.draft())
    desk.context.set_offline(True)
    write(page, " In a tunnel.")
    expect_status(page, "Offline: kept in this browser")
    desk.context.set_offline(False)
    expect_status(page, SAVED)
    assert "Begun. In a tunnel." in str(desk.autosaves)


def test_a_text_waits_for_a_login(desk: Desk) -> None:
    page = desk.open(desk.draft())
    desk.context.clear_cookies()
    write(page, " Logged out.")
    expect_status(page, "You are logged out: kept in this browser.")
    with desk.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click()
    login = opened.value
    login.get_by_label("Username or e-mail").fill(desk.name)
    login.get_by_label("Password").fill(PASSWORD)
    login.get_by_role("button", name="Log in").click()
    expect(login.get_by_role("heading", name="Drafts")).to_be_visible()
    login.close()
    expect_status(page, SAVED)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("article .prose")).to_have_text("Begun. Logged out.")


@pytest.mark.parametrize("is_new", [True, False])
def test_a_tab_that_is_closed_in_the_middle_of_a_word_loses_nothing(
    desk: Desk, is_new: bool
) -> None:
    path = "/posts/new" if is_new else desk.draft()
    page = desk.open(path)
    desk.home.kill()  # so that not even what is sent on the way out arrives
    write(page, " And", title="A heron")
    expect_a_copy(page)
    page.close()
    desk.home.start()
    page = desk.open(path)
    expect(text(page)).to_have_value(" And" if is_new else "Begun. And")
    expect(page.get_by_label("Title")).to_have_value("A heron")
    expect_status(page, SAVED)
    page.get_by_role(
        "button", name="Begin another one" if is_new else "Use the saved text instead"
    ).click()
    expect(text(page)).to_have_value("" if is_new else "Begun.")
    if is_new:
        assert len(desk.autosaves) == 1
    else:  # among the revisions
        assert "Begun. And" in str(desk.revisions)


def test_what_is_typed_last_is_sent_on_the_way_out(desk: Desk) -> None:
    page = desk.open(desk.draft())
    write(page, " On the way out.")
    page.goto("/drafts")
    page.reload()  # both were on their way at once
    expect(page.get_by_text("not saved yet")).to_be_visible()
    page.get_by_role("link", name="A heron").click()
    expect(text(page)).to_have_value("Begun. On the way out.")
    page.get_by_text("What differs from the saved text").click()
    expect(page.get_by_role("region", name="What differs")).to_contain_text("On the way out.")
    page.get_by_role("button", name="Discard what was not saved").click()
    expect(text(page)).to_have_value("Begun.")


def test_a_page_that_is_loaded_again_is_the_draft(desk: Desk) -> None:
    page = desk.open()
    write(page, "Words.", title="A heron")
    leave_the_text(page)
    expect_status(page, SAVED)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("A heron")
    expect(text(page)).to_have_value("Words.")


def test_two_tabs_are_told_of_each_other_and_lose_nothing(desk: Desk) -> None:
    path = desk.draft()
    first, second = desk.open(path), desk.open(path)
    for page, words in ((first, " In the first tab."), (second, " In the second tab.")):
        write(page, words)
        leave_the_text(page)
        expect_status(page, SAVED)
    expect_status(second, "You are writing in another tab")
    first.get_by_role("button", name="Save draft").click()
    expect(first.get_by_text("Draft saved.")).to_be_visible()
    second.get_by_role("button", name="Save draft").click()
    expect(second.get_by_role("heading", name="This post was changed elsewhere")).to_be_visible()
    differs = second.get_by_role("region", name="What differs")
    expect(differs).to_contain_text("In the first tab.")
    expect(differs.locator("mark")).to_have_text(["first", "second"])
    expect(text(second)).to_have_value("Begun. In the second tab.")
    second.get_by_role("button", name="Keep mine").click()
    expect(second.get_by_text("Draft saved.")).to_be_visible()
    assert "In the first tab." in str(desk.revisions)


def test_two_clicks_publish_once(desk: Desk) -> None:
    page = desk.open()
    write(page, "Words.", title="A heron")
    page.get_by_role("button", name="Publish").dblclick()
    expect(page.locator("article .prose")).to_have_text("Words.")
    page.go_back()
    expect(page.get_by_label("Title")).to_have_value("A heron")
    page.get_by_role("button", name="Update").click()
    expect(page.locator("article .prose")).to_have_text("Words.")
    assert len(desk.posts) == 1
    assert desk.autosaves == []


@pytest.mark.parametrize("answer", ["dismiss", "accept"])
def test_whoever_logs_out_leaves_no_text_behind(desk: Desk, answer: str) -> None:
    page = desk.open(desk.draft())
    page.route("**/autosave", lambda route: route.abort())
    write(page, " Private.")
    expect_a_copy(page)
    asked: list[str] = []

    def decide(dialog: Dialog) -> None:
        asked.append(dialog.message)
        getattr(dialog, answer)()

    page.on("dialog", decide)
    page.get_by_role("button", name="Log out").click()
    if answer == "accept":
        expect(page.get_by_text("You are logged out.")).to_be_visible()
        assert page.evaluate("Object.values(localStorage).join()") == ""
    else:
        assert len(page.evaluate(COPIES)) == 1
    assert "has not reached the blog yet" in asked[0]


FILL = """() => {
  for (let size = 2 ** 22; size >= 1; size /= 2) {
    try {
      for (;;) localStorage.setItem(`full ${localStorage.length}`, "x".repeat(size));
    } catch {
      // there is less room than that
    }
  }
}"""
MAY_LEAVE = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"


def test_nobody_is_held_back_while_the_text_is_kept_somewhere(desk: Desk) -> None:
    page = desk.open(desk.draft())
    page.route("**/autosave", lambda route: route.abort())
    write(page, " Kept in the browser.")
    assert page.evaluate(MAY_LEAVE)
    page.evaluate(FILL)
    write(page, " And this is only on the page.")
    assert not page.evaluate(MAY_LEAVE)
    expect_status(page, "please keep this page open")
    page.unroute("**/autosave")
    leave_the_text(page)
    expect_status(page, SAVED)
    assert page.evaluate(MAY_LEAVE)
