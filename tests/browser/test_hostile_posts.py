"""Texts that try to run something, in a browser that would let them: no policy forbids it there."""

from collections.abc import Iterable

import pytest
from playwright.sync_api import Browser, Page

from services import links, markdown
from tests.services import xss

pytestmark = pytest.mark.xdist_group("hostile posts in the browser")

AT = "http://hostile.test/"
CANARY = """
window.fired = [];
window.canary = (...args) => window.fired.push(args.join() || document.activeElement.outerHTML);
for (const name of ["alert", "prompt", "confirm", "print", "open"]) window[name] = window.canary;
"""
# Whatever a person or a page could do to what is there.
POKE = """
async () => {
  const kinds = ["click", "mouseover", "mouseenter", "pointerenter", "focus", "toggle", "error",
                 "load", "animationstart", "submit", "change", "input", "keydown", "beforetoggle"];
  const poke = async () => {
    for (const element of document.body.querySelectorAll("*")) {
      for (const kind of kinds) element.dispatchEvent(new Event(kind, {bubbles: true, cancelable: true}));
      if (element.click) element.click();
      if (element.focus) element.focus();
      if (element.localName === "details") element.open = true;
    }
    await new Promise((done) => setTimeout(done, 50));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href], area[href]");
    if (link && !/^(javascript|data|vbscript|blob):/.test(link.protocol)) event.preventDefault();
  });
  await poke();
  document.body.innerHTML = document.body.innerHTML;  // parsed again, as careless code would
  await poke();
  return window.fired;
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterable[Page]:
    context = browser.new_context()
    context.add_init_script(CANARY)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    yield page
    context.close()


def fired(page: Page, body: str) -> tuple[list[str], list[str]]:
    """What the canary heard of a document, and what else it asked for than pictures and the like."""
    asked: list[str] = []

    def answer(route: object) -> None:
        request = route.request  # type: ignore[attr-defined]
        if request.url == AT:
            route.fulfill(  # type: ignore[attr-defined]
                body=f"<!doctype html><meta charset=utf-8><body>{body}", content_type="text/html"
            )
            return
        if request.resource_type not in ("image", "media"):
            asked.append(request.url)
        route.abort()  # type: ignore[attr-defined]

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(AT)
    return page.evaluate(POKE), [url for url in asked if "favicon" not in url]


def test_the_canary_hears_what_is_not_rendered(page: Page) -> None:
    for raw in (
        "<img src=x onerror=canary()>",
        "<a href='javascript:canary()'>x</a>",
        "<p onclick=canary()>x</p>",
        "<svg><style><img src=x onerror=canary()></style></svg>",
        "<details ontoggle=canary()>x</details>",
    ):
        assert fired(page, raw)[0], raw


def test_nothing_runs_and_nothing_is_asked_for(page: Page) -> None:
    rendered = [markdown.render(payload) for payload in xss.PAYLOADS]
    assert len(rendered) >= 500
    heard, asked = fired(page, "\n".join(f"<div>{html}</div>" for html in rendered))
    assert (heard, asked) == ([], [])
    assert page.url.partition("#")[0] == AT
    assert page.evaluate("document.body.children.length") >= 500


def test_nothing_of_a_strangers_text_runs_either(page: Page) -> None:
    for context in ("[TOC]\n\n# {}", "> [!NOTE] {}\n> {}", "![{}](x.mp4 'x')", "- [ ] {}"):
        texts = (markdown.render(context.replace("{}", payload)) for payload in xss.KNOWN)
        heard, asked = fired(page, "\n".join(map(links.of_strangers, texts)))
        assert (heard, asked) == ([], [])


def test_names_of_a_page_stay_its_own(page: Page) -> None:
    """No id or name of an author's hides what scripts and links look for."""
    fired(page, "\n".join(map(markdown.render, xss.PAYLOADS)))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert ids
    assert all(name.startswith(("h-", "fn-", "fnref-")) for name in ids)
    assert page.evaluate("[...document.querySelectorAll('[name]')].length") == 0
    assert page.evaluate("document.getElementById('content')") is None
