"""Codes and passkeys in Chromium, as people use them; passkeys with its virtual authenticator."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, ViewportSize, expect

from models import Passkey
from tests.blog import Blog, Person
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_every_page import LOOKS, assert_accessible
from tests.factors import App, recovery_codes
from tests.people import BOB, PASSWORD

pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("second factor in the browser"),
]
OpenNamed = Callable[..., Page]


@pytest.fixture
def open_named(open_page: OpenPage, blog: Blog) -> OpenNamed:
    """Open the blog as localhost: passkeys are bound to a name, which 127.0.0.1 is not."""

    def open_one(path: str, **options: Any) -> Page:
        page = open_page("/healthz", javascript=True, **options)
        page.goto(f"http://localhost:{blog.port}{path}")
        return page

    return open_one


def plug_in(page: Page, **changes: Any) -> CDPSession:
    """Give this tab a device that can hold passkeys, and is unlocked by its owner at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **changes,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools


def log_in(page: Page, destination: str = "**/") -> None:
    page.get_by_label("Username or e-mail").fill(BOB)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(destination)


def add_passkey(page: Page) -> None:
    """From the list of passkeys to the recovery codes."""
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="I have kept them").click()


@pytest.fixture
def laptop(open_named: OpenNamed, bob: Person) -> Page:
    """A browser that holds a passkey of Bob's; he is logged out again.

    The virtual authenticator would answer what the login field waits for at once, so that is off.
    """
    page = open_named("/healthz")
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    page.goto(page.url.replace("/healthz", "/auth/login?next=/settings/passkeys"))
    plug_in(page)
    log_in(page, "**/settings/passkeys")
    add_passkey(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    return page


# Codes need no JavaScript.


def test_an_app_is_set_up_and_asked_for(open_page: OpenPage, bob: Person, blog: Blog) -> None:
    page = open_page("/auth/login?next=/settings/two-factor", viewport=PHONE)
    log_in(page, "**/settings/two-factor")
    page.get_by_role("button", name="Set up").click()
    picture = page.get_by_role("img", name="QR code")
    box = picture.bounding_box()
    assert box
    assert box["width"] > 180
    app = App(blog, page.locator(".key").inner_text().replace(" ", ""))
    page.get_by_label("The code that the app shows now").fill("000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Nothing was switched on.")).to_be_visible()
    page.get_by_label("The code that the app shows now").fill(app.code())
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    code = page.locator(".codes li").first.inner_text()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("It is on")).to_be_visible()

    other = open_page("/drafts", viewport=PHONE)
    log_in(other, "**/auth/two-factor**")
    expect(other.get_by_label("Code")).to_be_focused()
    other.keyboard.insert_text(app.next_code())
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", name="Drafts")).to_be_visible()

    third = open_page("/drafts", viewport=PHONE)
    log_in(third, "**/auth/two-factor**")
    third.get_by_role("link", name="Use a recovery code").click()
    third.get_by_label("Recovery code").fill(code.upper())
    third.get_by_role("button", name="Log in").click()
    expect(third.get_by_text("You have 9 recovery codes left.")).to_be_visible()


def test_recovery_codes_can_be_printed(open_page: OpenPage, bob: Person) -> None:
    page = open_page("/auth/login?next=/settings/two-factor")
    log_in(page, "**/settings/two-factor")
    page.get_by_role("button", name="Set up").click()
    app = App(bob.blog, page.locator(".key").inner_text().replace(" ", ""))
    page.get_by_label("The code that the app shows now").fill(app.code())
    page.get_by_role("button", name="Switch on").click()
    page.emulate_media(media="print")
    expect(page.locator(".codes li").last).to_be_visible()
    expect(page.get_by_role("button", name="I have kept them")).to_be_hidden()
    assert recovery_codes(bob) == []  # another session


# Passkeys.


def test_a_passkey_is_the_whole_login(laptop: Page, blog: Blog) -> None:
    laptop.goto(f"http://localhost:{blog.port}/drafts")
    laptop.get_by_role("button", name="Log in with a passkey").click()
    expect(laptop.get_by_role("heading", name="Drafts")).to_be_visible()
    expect(laptop.get_by_text("Welcome back, bob.")).to_be_visible()
    [stored] = blog.rows(Passkey)
    assert (stored.name, stored.used_at is not None) == ("This laptop", True)


def test_the_login_field_offers_it(open_named: OpenNamed, bob: Person, blog: Blog) -> None:
    page = open_named("/auth/login?next=/settings/passkeys")
    plug_in(page)
    log_in(page, "**/settings/passkeys")
    add_passkey(page)
    page.context.clear_cookies()
    page.goto(f"http://localhost:{blog.port}/drafts")  # the virtual owner picks it at once
    expect(page.get_by_role("heading", name="Drafts")).to_be_visible()


def test_a_passkey_is_remembered_when_the_box_is_ticked(laptop: Page, blog: Blog) -> None:
    laptop.goto(f"http://localhost:{blog.port}/auth/login")
    laptop.get_by_label("Stay logged in").check()
    laptop.get_by_role("button", name="Log in with a passkey").click()
    expect(laptop.get_by_text("Welcome back, bob.")).to_be_visible()
    names = {cookie.get("name") for cookie in laptop.context.cookies()}
    assert "inkstand_remember" in names


def test_a_passkey_is_the_second_step(laptop: Page, blog: Blog) -> None:
    laptop.goto(f"http://localhost:{blog.port}/auth/login?next=/drafts")
    log_in(laptop, "**/auth/two-factor**")
    expect(laptop.get_by_text("The first step is done. Now your passkey, please.")).to_be_visible()
    laptop.get_by_role("button", name="Use a passkey").click()
    expect(laptop.get_by_role("heading", name="Drafts")).to_be_visible()


def test_a_passkey_confirms(laptop: Page, blog: Blog) -> None:
    laptop.goto(f"http://localhost:{blog.port}/auth/login?next=/auth/confirm?next=/trash")
    laptop.get_by_role("button", name="Log in with a passkey").click()
    expect(laptop.get_by_role("heading", name="Is it still you?")).to_be_visible()
    laptop.get_by_role("button", name="Use a passkey").click()
    expect(laptop.get_by_role("heading", name="Trash")).to_be_visible()


def test_a_device_that_has_one_is_not_given_another(laptop: Page, blog: Blog) -> None:
    laptop.goto(f"http://localhost:{blog.port}/auth/login?next=/settings/passkeys/new")
    laptop.get_by_role("button", name="Log in with a passkey").click()
    laptop.get_by_role("button", name="Add a passkey").click()
    expect(laptop.get_by_role("alert")).to_have_text(
        "This device has a passkey for your account already."
    )
    assert len(blog.rows(Passkey)) == 1


def test_whoever_cannot_unlock_it_is_told_what_to_do(open_named: OpenNamed, bob: Person) -> None:
    page = open_named("/auth/login")
    plug_in(page, isUserVerified=False)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used.")
    log_in(page)


def test_a_login_that_grew_old_meanwhile_comes_back(open_named: OpenNamed, bob: Person) -> None:
    page = open_named("/auth/login?next=/settings/passkeys/new")
    plug_in(page)
    log_in(page, "**/settings/passkeys/new")
    bob.post("/settings/sessions/delete")  # all other devices
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/auth/login?next=**")
    log_in(page, "**/settings/passkeys/new")


def test_a_browser_without_passkeys_says_so(open_named: OpenNamed, bob: Person) -> None:
    page = open_named("/healthz")
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(page.url.replace("/healthz", "/auth/login"))
    expect(page.get_by_text("This browser cannot use passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()


def test_without_javascript_there_is_no_dead_button(open_page: OpenPage, blog: Blog) -> None:
    page = open_page("/healthz")
    page.goto(f"http://localhost:{blog.port}/auth/login")
    said = page.locator("noscript p")  # which text selectors do not look into
    expect(said).to_be_visible()
    expect(said).to_contain_text("Passkeys need JavaScript")
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()


@LOOKS
def test_axe_finds_nothing(
    open_page: OpenPage, bob: Person, scheme: str, viewport: ViewportSize
) -> None:
    """On the pages that one only meets on the way."""
    axe, blog = Axe(), bob.blog
    look: dict[str, Any] = {"javascript": True, "color_scheme": scheme, "viewport": viewport}
    page = open_page("/auth/login?next=/settings/two-factor", **look)
    log_in(page, "**/settings/two-factor")
    page.get_by_role("button", name="Set up").click()
    page.wait_for_url("**/new")
    assert_accessible(axe, page)
    app = App(blog, page.locator(".key").inner_text().replace(" ", ""))
    page.get_by_label("The code that the app shows now").fill(app.code())
    page.get_by_role("button", name="Switch on").click()
    page.wait_for_url("**/recovery-codes")
    assert_accessible(axe, page)
    page = open_page("/auth/login", **look)
    log_in(page, "**/auth/two-factor**")
    assert_accessible(axe, page)
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill("nothing")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("That is not a code").wait_for()
    assert_accessible(axe, page)


def test_nothing_breaks_the_policy(laptop: Page, blog: Blog) -> None:
    said: list[str] = []
    laptop.on("console", lambda message: said.append(message.text))
    for path in ("/auth/login", "/auth/login?next=/settings/passkeys"):
        laptop.goto(f"http://localhost:{blog.port}{path}")
    laptop.get_by_role("button", name="Log in with a passkey").click()
    expect(laptop.get_by_role("heading", name="Passkeys")).to_be_visible()
    for path in ("new", "", "../two-factor", "../two-factor/recovery-codes"):
        laptop.goto(f"http://localhost:{blog.port}/settings/passkeys/{path}".rstrip("/"))
    laptop.goto(f"http://localhost:{blog.port}/settings/two-factor")
    laptop.get_by_role("button", name="Set up").click()
    laptop.get_by_role("img", name="QR code").wait_for()
    assert said == []
