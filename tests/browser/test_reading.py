"""What reading feels like: nothing jumps, little is sent, and all of it works by keyboard, without
JavaScript, in other scripts, on paper and on small screens."""

import re
import time

import brotli
import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from models import Series
from tests.blog import Blog, Person
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.test_every_page import NARROWEST, assert_accessible, furnished
from tests.pictures import photo

pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.xdist_group("reading in the browser"),
]
assert furnished  # a fixture

TEXT = "/posts/what-the-tide-tables-leave-out"
CODE = "/posts/a-small-program-that-listens-to-buoys"
LONG = "/posts/how-a-clinker-boat-goes-together"
PAGES = ["/", TEXT, CODE, LONG, "/tags/weather", "/users/maren", "/archive", "/nothing-here"]
QUICK = 200  # milliseconds until the largest thing is painted
VISITS = 15
LIGHT, FIRST_VISIT = 25 * 1024, 90 * 1024

OBSERVED = """
    window.seen = {shift: 0, largest: 0};
    new PerformanceObserver((list) => {
      for (const each of list.getEntries()) seen.shift += each.value;
    }).observe({type: "layout-shift", buffered: true});
    new PerformanceObserver((list) => {
      for (const each of list.getEntries()) seen.largest = each.startTime;
    }).observe({type: "largest-contentful-paint", buffered: true});
"""
HEBREW = "שלום לכולם, זה טקסט קצר.\n\n- אחת\n\n```python\nprint(1)\n```\n\nAnd one in English."
ARABIC = "مرحبا بكم في المدونة.\n\n> اقتباس قديم\n\nAnd one in English."


def observe(page: Page, path: str) -> dict[str, float]:
    """How much moved, and when the largest thing was there, of a page that is read to its end."""
    page.goto(path)
    while not page.evaluate("seen.largest"):  # the policy of the pages lets Playwright not wait
        page.wait_for_timeout(20)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(150)
    seen: dict[str, float] = page.evaluate("seen")
    return seen


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_moves_while_a_page_loads(
    open_page: OpenPage, furnished: Blog, viewport: dict[str, int]
) -> None:
    page = open_page("/", javascript=True, viewport=viewport)
    page.context.add_init_script(OBSERVED)
    moved = {path: observe(page, path)["shift"] for path in PAGES}
    assert moved == dict.fromkeys(PAGES, 0)


def slowness() -> float:
    """How many times as long as usual this machine takes, just now: it may have neighbours."""
    started_at = time.perf_counter()
    for _ in range(1_000_000):
        pass
    return max((time.perf_counter() - started_at) / 0.02, 1)


def test_the_largest_thing_on_a_post_is_soon_there(open_page: OpenPage, furnished: Blog) -> None:
    """In one of a few visits at least: other processes take their time too."""
    page = open_page(TEXT, javascript=True)
    page.context.add_init_script(OBSERVED)
    for path in (TEXT, CODE):
        visits = (observe(page, path)["largest"] for _ in range(VISITS))
        assert any(each < QUICK * slowness() for each in visits), path


def test_a_text_post_is_light(open_page: OpenPage, furnished: Blog) -> None:
    """As browsers get it, compressed as the cache of pages does."""
    sizes: dict[str, int] = {}
    page = open_page("/robots.txt", javascript=True)
    page.on(
        "response", lambda answer: sizes.__setitem__(answer.url, weight(answer.body(), answer.url))
    )
    page.goto(TEXT, wait_until="networkidle")
    style = sum(size for url, size in sizes.items() if ".css" in url or url.endswith(TEXT))
    assert style < LIGHT, sizes
    fonts = [size for url, size in sizes.items() if url.endswith(".woff2")]
    assert len(fonts) == 2, "this text has italics"
    assert style + sum(fonts) < FIRST_VISIT, sizes


def test_figures_are_old_style_in_a_text_and_lining_in_its_headings(
    alice: Person, blog: Blog, open_page: OpenPage
) -> None:
    """The font has both: they are not equally wide."""
    slug = alice.write("Figures", "*1111111111*\n\n- 1111111111\n")
    page = open_page("/nothing-here")
    page.goto(f"/posts/{slug}", wait_until="networkidle")
    page.reload(wait_until="networkidle")  # a font that comes late is used the next time
    widths = page.evaluate("""
        [...document.querySelectorAll(".prose em, .prose li")].flatMap((it) =>
          ["", "oldstyle-nums proportional-nums", "tabular-nums"].map((style) => {
            it.style.fontVariantNumeric = style;
            const range = document.createRange();
            range.selectNodeContents(it);
            return range.getBoundingClientRect().width;
          }))
    """)
    for found, in_text, in_tables in (widths[:3], widths[3:]):
        assert found == in_text != in_tables
    heading = page.locator("h1").evaluate("it => getComputedStyle(it).fontVariantNumeric")
    assert heading == "lining-nums proportional-nums"


def weight(body: bytes, url: str) -> int:
    return len(body) if url.endswith((".woff2", ".webp")) else len(brotli.compress(body, quality=5))


def test_every_image_has_its_size(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page("/")
    for path in PAGES:
        page.goto(path)
        sizes = page.evaluate("[...document.images].map((it) => [it.width, it.height])")
        named = page.locator("img[width][height]").count()
        assert named == len(sizes), path


def test_an_image_of_unknown_size_has_its_room(
    alice: Person, blog: Blog, open_page: OpenPage
) -> None:
    slug = alice.write("Far", "![far](https://images.example/far.png)\n\nWords.")
    page = open_page(f"/posts/{slug}")
    box = page.locator(".prose img").bounding_box()
    assert box
    assert box["width"] / box["height"] == pytest.approx(1.5, rel=0.01)


def test_contents_lead_to_their_sections_by_keyboard(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page(LONG)
    page.locator(".contents-of summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#h-before-any-wood")
    expect(page.locator("#h-before-any-wood")).to_be_in_viewport()


def test_contents_stand_beside_the_text_where_there_is_room(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(LONG, viewport={"width": 1500, "height": 900})
    link, text = page.get_by_role("link", name="The drawing"), page.locator(".prose")
    beside, box = link.first.bounding_box(), text.bounding_box()
    assert beside
    assert box
    assert beside["x"] > box["x"] + box["width"]


def test_a_footnote_opens_in_place_and_gives_the_focus_back(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(CODE, javascript=True)
    call, note = page.locator(".footnote-ref > a").first, page.locator(".note-in-place")
    call.focus()
    page.keyboard.press("Enter")
    expect(note).to_be_visible()
    expect(note).to_be_focused()
    expect(note).to_contain_text("DO NOT REMOVE")
    assert "#" not in page.url
    assert_accessible(Axe(), page)
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(call).to_be_focused()


def test_without_javascript_a_footnote_is_a_jump_and_a_way_back(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(CODE)
    page.locator(".footnote-ref > a").first.click()
    expect(page.locator(".footnotes li").first).to_be_in_viewport()
    page.locator(".footnote-backref").first.click()
    expect(page.locator(".footnote-ref > a").first).to_be_in_viewport()


def test_an_image_opens_large_and_gives_the_focus_back(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(CODE, javascript=True)
    link, dialog = page.locator("a.large").first, page.locator(".lightbox")
    link.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("The outer buoy at dusk")
    assert_accessible(Axe(), page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()


def test_without_javascript_an_image_is_a_link_to_the_whole(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(CODE)
    page.locator("a.large").first.click()
    assert re.search(r"/static/demo/outer-buoy[^/]*\.webp$", page.url)


def test_a_listing_is_copied_and_says_so(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page(CODE, javascript=True, permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".copy-code").first
    button.focus()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(button).to_have_text("Copied")
    expect(page.locator("body > [role=status]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("[\n")


def test_a_post_is_shared_by_links_and_by_its_address(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page(TEXT, javascript=True, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_text("Share", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy the link").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith(TEXT)
    expect(page.get_by_role("link", name="Mastodon")).to_be_visible()


def test_light_and_dark_are_chosen_and_remembered(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page("/", javascript=True, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("radio", name="As the device").focus()
    page.keyboard.press("ArrowLeft")
    dark = page.evaluate(paper)
    assert dark != light
    page.goto(TEXT)
    assert page.evaluate(paper) == dark
    assert page.locator('meta[name="theme-color"]').first.get_attribute("content") == "#121417"
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.emulate_media(color_scheme="dark")
    page.get_by_role("radio", name="Light").check(force=True)
    assert page.evaluate(paper) == light


def test_without_javascript_nothing_is_offered_that_needs_it(
    open_page: OpenPage, furnished: Blog
) -> None:
    page = open_page(CODE)
    page.get_by_text("Share", exact=True).click()
    for name in ("Copy", "Copy the link", "Share with…"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(page.locator(".theme")).to_be_hidden()
    expect(page.get_by_role("link", name="Mail")).to_be_visible()


@pytest.mark.parametrize("text", [HEBREW, ARABIC], ids=["Hebrew", "Arabic"])
def test_each_paragraph_runs_in_its_own_direction(
    alice: Person, blog: Blog, open_page: OpenPage, text: str
) -> None:
    slug = alice.write(text.split(",")[0][:20], text, slug="right-to-left")
    page = open_page(f"/posts/{slug}", viewport=PHONE, javascript=True)
    sides = page.evaluate(
        """[...document.querySelectorAll(".prose > p")].map((each) => {
          const range = document.createRange();
          range.selectNodeContents(each);
          const words = range.getBoundingClientRect(), box = each.getBoundingClientRect();
          return words.right > box.right - 2 && words.left > box.left + 2 ? "right" : "left";
        })"""
    )
    assert sides == ["right", "left"]
    assert page.locator("h1").evaluate("(it) => getComputedStyle(it).direction") == "rtl"
    if "```" in text:
        assert page.locator("pre").evaluate("(it) => getComputedStyle(it).direction") == "ltr"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert_accessible(Axe(), page)


def test_paper_gets_the_text_and_nothing_around_it(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page(LONG, javascript=True, color_scheme="dark")
    page.emulate_media(media="print")
    for chrome in (".site-nav", ".site-footer", ".share", ".related", ".in-time", ".contents-of"):
        for each in page.locator(chrome).all():
            expect(each).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".author .name")).to_be_visible()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


@pytest.mark.parametrize(
    "viewport", [NARROWEST, {"width": 640, "height": 450}], ids=["320 px", "200 % of 1280 px"]
)
def test_no_page_scrolls_sideways(
    alice: Person, blog: Blog, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
    alice.post("/settings/profile", {"display_name": "A" * 80, "bio": word})
    alice.post(
        "/admin/settings",
        {"site_name": "B" * 80, "footer": word, "language": "en", "date_format": "long"}
        | {"per_page": "20", "accent": "#214a9b", "navigation": "", "css": ""},
    )
    around = {"tags": "t" * 50, "series": word}
    alice.write(f"{word} of before", "Long ago.", **around)
    slug = alice.write(
        word,
        f"https://example.org/{'a' * 200} {'Rindfleischetikettierung' * 5} `{'x' * 120}`\n\n"
        f"## {'Überschriftenwort' * 5}\n\n| {'a | ' * 12}\n|{'---|' * 12}\n| {'b | ' * 12}"
        + f"\n\n## {word}\n\n{'Words of the sea. ' * 200}\n\n## {word}\n\nThe end.",
        **around,
    )
    alice.write(f"{word} of after", "Just now.", **around)
    page = open_page(f"/posts/{slug}", javascript=True, viewport=viewport)
    series = alice.blog.rows(Series)[0].slug
    paths = (f"/posts/{slug}", "/", "/archive", f"/series/{series}", f"/tags/{'t' * 50}")
    for path in (*paths, "/users/alice", f"/search?q={'s' * 200}", "/series", "/nothing-here"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_logo_is_small_from_the_first_moment(
    alice: Person, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    image = alice.image(photo(640, 640), alt="A heron")
    alice.post("/admin/settings/logo", {"image": image["id"]})
    page = open_page("/", viewport=viewport)
    page.wait_for_load_state("load")
    assert page.locator(".site-name img").bounding_box() == {**page_box(page), "height": 40}
    page.route("**/media/**", lambda route: route.abort())
    page.reload()
    assert page.locator(".site-name img").evaluate("it => it.clientHeight") == 40


def page_box(page: Page) -> dict[str, float]:
    """Where a square of forty is at the head of a page."""
    x, y = page.locator(".site-name").evaluate(
        "it => { const box = it.getBoundingClientRect(); return [box.x, box.y + (box.height - 40) / 2] }"
    )
    return {"x": x, "y": y, "width": 40}


def test_what_high_contrast_takes_away_is_not_needed(open_page: OpenPage, furnished: Blog) -> None:
    page = open_page(CODE, javascript=True, forced_colors="active")
    expect(page.locator("h1")).to_be_visible()
    assert_accessible(Axe(), page)


def test_public_pages_are_valid(furnished: Blog) -> None:
    for path in PAGES:
        html5lib.HTMLParser(strict=True).parse(furnished.visitor().get(path).text)
