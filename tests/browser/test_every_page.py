"""Every page, as everybody may meet it: readable, accessible, alone with itself, valid."""

from datetime import timedelta

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize
from sqlmodel import select

from models import Post, PostReferrer, PostViews, now
from services import demo
from tests.blog import Blog, Person
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.people import PASSWORD

# A page is the same bytes on every back end, so one is enough here.
pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("every page in the browser"),
]

PUBLIC = [
    "/",
    "/posts/how-a-clinker-boat-goes-together",
    "/posts/a-small-program-that-listens-to-buoys",
    "/posts/a-short-history-of-the-breakwater-with-corrections",
    "/posts/the-year-in-ropes",
    "/posts/fish-chips-in-b-bold-b-what-the-cafe-menu-taught-me-about-escaping",
    "/archive",
    "/tags",
    "/tags?by=use",
    "/tags/weather",
    "/series",
    "/series/things-one-learns-on-the-water",
    "/about",
    "/search?q=light",
    "/users/maren",
    "/auth/login",
    "/auth/logout",
    "/auth/forgot",
    "/auth/forgot/sent",
    "/auth/verify",
    "/users/register",
    "/docs",
    "/nothing-here",
]
PRIVATE = [
    "/",
    "/posts/new",
    "/posts/the-heron",
    "/posts/the-heron/edit",
    "/posts/the-heron/delete",
    "/posts/the-heron/readers",
    "/posts/an-inventory-of-the-north-wall/readers",
    "/readers?days=365",
    "/posts/the-heron/revisions",
    "/posts/the-heron/revisions/1?with=readers",
    "/trash/delete",
    "/posts/an-inventory-of-the-north-wall",
    "/tags/weather",
    "/tags/weather/edit",
    "/posts/the-year-in-ropes",
    "/series/things-one-learns-on-the-water",
    "/series/things-one-learns-on-the-water/edit",
    "/series/things-one-learns-on-the-water/delete",
    "/about",
    "/posts/about/edit",
    "/drafts",
    "/trash",
    "/media",
    "/media?of=all",
    "/media?q=nothing-like-that",
    "/settings/profile",
    "/settings/two-factor",
    "/settings/two-factor/delete",
    "/settings/two-factor/recovery-codes",
    "/settings/passkeys",
    "/settings/passkeys/new",
    "/settings/tokens",
    "/auth/confirm",
    "/settings/username",
    "/settings/delete",
    "/admin",
    "/admin/users",
    "/admin/users/maren",
    "/admin/users/tomasz",
    "/admin/invitations",
    "/admin/invitations/new",
    "/admin/owner",
    "/admin/settings",
    "/admin/settings/logo",
    "/admin/audit",
    "/admin/mail",
    "/settings/password",
    "/settings/email",
    "/auth/verify",
    "/users/maren",
    "/auth/logout",
    "/nothing-here",
]
ERRORS = ["conflict", "merge", "bad form", "bad login", "bad link", "forbidden", "gone"]
NARROWEST = {"width": 320, "height": 640}


@pytest.fixture
def furnished(blog: Blog) -> Blog:
    """The demo's posts; Maren owns the blog."""
    with blog.database.writing() as db:
        filled = demo.fill(db, blog.settings, password=PASSWORD)
        [heron] = db.exec(select(Post.id).where(Post.slug == "the-heron"))
        for ago in range(40):
            day = now().date() - timedelta(days=ago)
            db.add(PostViews(post_id=heron, day=day, views=ago, visitors=ago // 2))
            db.add(PostReferrer(post_id=heron, day=day, host=f"h{ago}.example", views=ago // 3))
    assert filled.username == "maren"
    return blog


@pytest.fixture
def maren(furnished: Blog) -> Person:
    person = Person(furnished, "maren")
    assert person.log_in().status_code == 303
    person.get("/")
    return person


def logged_in(open_page: OpenPage, **options: object) -> Page:
    page = open_page("/auth/login", **options)
    page.get_by_label("Username or e-mail").fill("maren")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


def make_error(page: Page, kind: str) -> None:
    """Bring the page to one of the answers that only a form gives."""
    if kind == "conflict":
        page.goto("/posts/the-heron/edit")
        other = page.context.new_page()
        other.goto(page.url)
        other.get_by_label("Text in Markdown").fill("Changed meanwhile.")
        press(other, "Save for later")
        press(page, "Save for later")
    elif kind == "bad form":
        page.goto("/posts/new")
        page.get_by_label("Title").fill("A title")
        page.get_by_label("Text in Markdown").fill("Words.")
        page.get_by_text("More about this post").click()
        page.get_by_label("Tags").fill("!!!")
        page.get_by_label("Address").fill("!!!")
        press(page, "Publish")
    elif kind == "merge":
        page.goto("/tags/sailing/edit")
        page.get_by_label("Name").fill("weather")
        press(page, "Rename")
    elif kind == "bad login":
        page.context.clear_cookies()
        page.goto("/auth/login")
        page.get_by_label("Username or e-mail").fill("maren")
        page.get_by_label("Password").fill("not this")
        press(page, "Log in")
    elif kind == "bad link":
        page.goto("/auth/reset/none")
    elif kind == "forbidden":
        page.route(
            "**/auth/logout", lambda r: r.continue_(headers={"Origin": "https://evil.example"})
        )
        press(page, "Log out")
    elif kind == "gone":
        page.goto("/posts/the-heron/delete")
        press(page, "Delete")
        page.goto("/posts/the-heron")
    page.wait_for_load_state()


def press(page: Page, button: str) -> None:
    """And wait for the answer: with a script, the text is kept before a form is sent, which may
    already change the address."""
    with page.expect_event("load"):
        page.get_by_role("button", name=button).click()


LOOKS = pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark-phone"]
)


@LOOKS
def test_axe_finds_nothing(
    open_page: OpenPage, furnished: Blog, scheme: str, viewport: ViewportSize
) -> None:
    axe = Axe()
    page = open_page("/", javascript=True, color_scheme=scheme, viewport=viewport)
    for path in PUBLIC:
        page.goto(path)
        assert_accessible(axe, page)
    page = logged_in(open_page, javascript=True, color_scheme=scheme, viewport=viewport)
    for path in PRIVATE:
        page.goto(path)
        assert_accessible(axe, page)
    for kind in ERRORS:
        page = logged_in(open_page, javascript=True, color_scheme=scheme, viewport=viewport)
        make_error(page, kind)
        assert_accessible(axe, page)


def assert_accessible(axe: Axe, page: Page) -> None:
    results = axe.run(page)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


def test_nothing_is_asked_of_anybody_else_and_the_console_is_silent(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = logged_in(open_page, javascript=True)
    asked, said = set(), []
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.on("console", lambda message: said.append(message.text))
    for path in [*PUBLIC, *PRIVATE]:
        if path != "/nothing-here":
            page.goto(path)
    assert asked == {furnished.url.removeprefix("http://")}
    assert said == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_sticks_out_on_the_narrowest_phone(
    open_page: OpenPage, maren: Person, language: str
) -> None:
    page = logged_in(open_page, javascript=True, viewport=NARROWEST)
    speak(maren, language)
    try:
        check_that_nothing_sticks_out(page)
    finally:
        speak(maren, "en")


def speak(owner: Person, language: str) -> None:
    choice = {"language": language, "date_format": "long", "per_page": "20"}
    assert owner.post("/admin/settings", choice).status_code == 303


def check_that_nothing_sticks_out(page: Page) -> None:
    for path in [*PUBLIC, *PRIVATE]:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROWEST["width"], f"{path} is {width} px wide"


def test_what_is_touched_is_large_enough(open_page: OpenPage, furnished: Blog) -> None:
    page = logged_in(open_page, javascript=True, viewport=PHONE)
    for path in PRIVATE:
        page.goto(path)
        for control in page.locator(
            "button:visible:not([aria-hidden]), .button:visible:not([aria-hidden]), "
            "input:visible:not([aria-hidden])"
        ).all():
            box = control.bounding_box()
            if box and control.get_attribute("type") not in ("checkbox", "radio"):
                assert box["height"] >= 44, f"{path}: {control.inner_text()!r} is {box}"


def test_the_html_is_valid_and_has_one_main_heading(maren: Person, furnished: Blog) -> None:
    for person, paths in ((furnished.visitor(), PUBLIC), (maren, PRIVATE)):
        for path in paths:
            parser = html5lib.HTMLParser(strict=True)
            tree = parser.parse(person.get(path, follow_redirects=True).text)
            headings = tree.findall(".//{http://www.w3.org/1999/xhtml}h1")
            assert len(headings) == 1, path
