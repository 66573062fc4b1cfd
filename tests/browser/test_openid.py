"""By way of another service, in Chromium: our policy lets people go there and come back."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.blog import Blog
from tests.browser.conftest import DESKTOP, OpenPage
from tests.openid_provider import LocalProvider
from tests.openid_world import knowing, owners
from tests.people import ALICE, PASSWORD

NARROW = ViewportSize(width=320, height=640)
pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("other services in the browser"),
]


@pytest.fixture(params=["lax", "strict"])
def shore(
    request: pytest.FixtureRequest, blog: Blog, alice: object, provider: LocalProvider
) -> Iterator[Blog]:
    """The office at an address that the provider can send people back to."""
    with knowing(blog, provider, cookie_samesite=request.param) as found:
        settings = found.app.state.settings
        found.app.state.settings = settings.model_copy(update={"base_url": found.url})
        yield found


@pytest.mark.parametrize("javascript", [False, True])
def test_there_and_back(
    open_page: OpenPage, shore: Blog, provider: LocalProvider, javascript: bool
) -> None:
    """The provider is another site, and leads on to a third: nothing of that may be blocked."""
    page = open_page(f"{shore.url}/auth/login?next=/posts/new", javascript=javascript)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.get_by_role("button", name="Continue with Harbour office").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_role("button", name="Yes, it is me").click()

    expect(page.get_by_role("heading", name="Choose your name")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("maren")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Title")).to_be_visible()
    expect(page.get_by_role("navigation", name="Site")).to_contain_text("Maren Holm")
    assert said == []

    page.get_by_role("button", name="Log out").click()
    page.goto(f"{shore.url}/auth/login")
    page.get_by_role("button", name="Continue with Harbour office").click()
    page.get_by_role("button", name="Yes, it is me").click()
    expect(page.get_by_text("Welcome back, Maren Holm.")).to_be_visible()


def test_back_leads_to_where_one_was(
    open_page: OpenPage, shore: Blog, provider: LocalProvider
) -> None:
    """The page in between does not send people on for ever."""
    page = open_page(f"{shore.url}/auth/login")
    page.get_by_role("button", name="Continue with GitHub").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("shore", ["lax"], indirect=True)
@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", NARROW)], ids=["light", "dark-phone"]
)
def test_the_pages_are_readable_and_large_enough(
    open_page: OpenPage, shore: Blog, provider: LocalProvider, scheme: str, viewport: ViewportSize
) -> None:
    provider.claims["email"] = ""
    page = open_page(
        f"{shore.url}/auth/login", javascript=True, color_scheme=scheme, viewport=viewport
    )
    must_be_fit(page)
    page.goto(f"{shore.url}/users/register")
    must_be_fit(page)
    page.get_by_role("button", name="Continue with Harbour office").click()
    page.get_by_role("button", name="Yes, it is me").click()
    expect(page.get_by_role("heading", name="Choose your name")).to_be_visible()
    must_be_fit(page)
    page.get_by_role("button", name="Create account").click()
    page.goto(f"{shore.url}/settings/identities")
    must_be_fit(page)
    page.goto(f"{shore.url}/auth/confirm")
    must_be_fit(page)


def must_be_fit(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
    assert page.viewport_size
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{page.url} is {width} px wide"
    for button in page.locator(".button:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44, f"{page.url}: {button.inner_text()!r} is {box}"


def test_linking_and_unlinking(open_page: OpenPage, shore: Blog, provider: LocalProvider) -> None:
    page = open_page(f"{shore.url}/auth/login?next=/settings/identities")
    page.get_by_label("Username or e-mail").fill(ALICE)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Link GitHub").click()
    page.get_by_role("button", name="Yes, it is me").click()
    expect(page.get_by_text("You can log in with GitHub from now on.")).to_be_visible()
    assert owners(shore) == {"583231": ALICE}
    page.get_by_role("button", name="Unlink GitHub, octocat").click()
    expect(page.get_by_text("It lets nobody in any more.")).to_be_visible()
    assert not owners(shore)
