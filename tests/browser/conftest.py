"""A real Chromium. Nothing is skipped without one: `tests/chromium.py` says what to install."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests import chromium
from tests.blog import Blog

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=900)
# The background services of Chromium would ask hosts that no test may reach.
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def launch_options(executable: str) -> dict[str, Any]:
    """How to start Chromium, which refuses its sandbox to root."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = [*FLAGS, "--no-sandbox"] if is_root else FLAGS
    return {"executable_path": executable, "args": flags}


# Not for the whole run: Playwright keeps an event loop going, which no asynchronous test survives.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**launch_options(chromium.find()))
        yield launched
        launched.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, blog: Blog) -> Iterator[OpenPage]:
    """Open the blog as a new visitor, without JavaScript unless asked for."""
    contexts: list[BrowserContext] = []

    def open_one(path: str = "/", *, javascript: bool = False, **options: Any) -> Page:
        options.setdefault("viewport", DESKTOP)
        context = browser.new_context(
            base_url=blog.url, java_script_enabled=javascript, reduced_motion="reduce", **options
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
