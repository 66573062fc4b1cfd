"""Pictures of the pages for whoever changes how they look, and the one in the README.

    python -m tests.browser.screenshots [FOLDER]

Writes each page in light and dark, on a desktop and on a phone, to FOLDER (test-results/looks).
With --readme it writes docs/screenshot.png alone.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import migrations
from services import demo
from tests import chromium
from tests.blog import Blog, blog_settings
from tests.browser.conftest import DESKTOP, PHONE, launch_options
from tests.people import PASSWORD

PUBLIC = {
    "home": "/",
    "post": "/posts/a-small-program-that-listens-to-buoys",
    "long": "/posts/how-a-clinker-boat-goes-together",
    "tag": "/tags/weather",
    "tags": "/tags",
    "series": "/series/things-one-learns-on-the-water",
    "about": "/about",
    "archive": "/archive",
    "search": "/search?q=boats",
    "author": "/users/maren",
    "search-empty": "/search",
    "search-nothing": "/search?q=submarine",
    "login": "/auth/login",
    "register": "/users/register",
    "404": "/nothing-here",
}
PRIVATE = {
    "desk-home": "/",
    "new": "/posts/new",
    "edit": "/posts/the-heron/edit",
    "tag-edit": "/tags/weather/edit",
    "series-edit": "/series/things-one-learns-on-the-water/edit",
    "drafts": "/drafts",
    "readers": "/readers",
    "delete": "/posts/the-heron/delete",
}
NAME = "Notes from the Harbour"
DESCRIPTION = "Boats, wood, weather and a little code, from a quay in the north."


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = blog_settings(
            database_url=f"sqlite:///{folder}/inkstand.db",
            site_name=NAME,
            site_description=DESCRIPTION,
        )
        with Blog(settings) as blog:
            migrations.upgrade(blog.database)
            with blog.database.writing() as db:
                demo.fill(db, settings, password=PASSWORD)
            browser = playwright.chromium.launch(**launch_options(chromium.find()))
            if arguments == ["--readme"]:
                shoot_readme(browser, blog)
            else:
                shoot_all(browser, blog, Path(*arguments or ["test-results/looks"]))
            browser.close()


def shoot_readme(browser: Browser, blog: Blog) -> None:
    page = browser.new_page(base_url=blog.url, viewport={"width": 1280, "height": 960})
    page.goto(PUBLIC["post"])
    page.screenshot(path="docs/screenshot.png")


def shoot_all(browser: Browser, blog: Blog, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
            context = browser.new_context(base_url=blog.url, color_scheme=scheme, viewport=viewport)
            page = context.new_page()
            for pages in (PUBLIC, PRIVATE):
                for name, path in pages.items():
                    page.goto(path)
                    page.screenshot(path=folder / f"{name}-{scheme}-{size}.png", full_page=True)
                if pages is PUBLIC:
                    page.goto("/auth/login")
                    page.get_by_label("Username or e-mail").fill("maren")
                    page.get_by_label("Password").fill(PASSWORD)
                    page.get_by_role("button", name="Log in").click()
                    page.wait_for_url("**/")
            context.close()
    print(f"The pictures are in {folder}.")


if __name__ == "__main__":
    main(sys.argv[1:])
