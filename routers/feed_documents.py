"""Feeds as documents: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, paged by RFC 5005, section 3."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from services.feeds import ATOM, JSON, RSS, Feed, Item
from web.templating import Templates, public_document
from web.xml import possible

MEDIA_TYPES = {
    ATOM: "application/atom+xml",
    RSS: "application/rss+xml",
    JSON: "application/feed+json",
}
GENERATOR = "Inkstand"


def answer(request: Request, feed: Feed, name: str) -> Response:
    """A feed in the format of this name."""
    view = View(request, feed, name)
    body = as_json(view) if name == JSON else as_xml(request, view, name)
    response = public_document(body, f"{MEDIA_TYPES[name]}; charset=utf-8", feed.updated)
    if view.hub:
        response.headers["Link"] = f'<{view.hub}>; rel="hub", <{view.self_url}>; rel="self"'
    return response


class View:
    """What the three formats say: a feed, with addresses."""

    def __init__(self, request: Request, feed: Feed, name: str) -> None:
        self.site = request.app.state.site.now()
        self.feed, self.base, self.name = feed, self.site.link_base, name
        self.items, self.author = feed.items, feed.author
        self.hub = request.app.state.settings.websub_hub
        self.url = f"{self.base}{feed.prefix}/{name}"
        self.page_url = self.base + feed.path
        wanted = {key: request.query_params.get(key) for key in ("before", "after")}
        self.self_url = self.at(**{key: value for key, value in wanted.items() if value})
        self.next_url = self.at(before=feed.older) if feed.older else None
        self.previous_url = self.at(after=feed.newer) if feed.newer else None
        asset: Callable[[str], str] = request.app.state.templates.env.globals["asset"]
        self.icon_url = self.base + asset("icons/icon.svg")

    def at(self, **query: str) -> str:
        """The feed from a place on."""
        pairs = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        return f"{self.url}?{pairs}" if pairs else self.url

    @property
    def title(self) -> str:
        name: str = self.site.site_name
        return f"{self.feed.title} – {name}" if self.feed.title else name

    @property
    def description(self) -> str:
        """Perhaps empty."""
        words: str = self.author.bio if self.author else self.site.site_description
        return words

    def url_of(self, item: Item) -> str:
        return f"{self.base}{item.entry.path}"

    def author_url(self, item: Item) -> str | None:
        return f"{self.base}{item.author_path}" if item.author_path else None


def as_xml(request: Request, view: View, name: str) -> str:
    templates: Templates = request.app.state.templates
    template = templates.env.get_template("feeds/atom.xml" if name == ATOM else "feeds/rss.xml")
    words: dict[str, Any] = {"generator": GENERATOR, "rfc3339": rfc3339, "rfc822": rfc822}
    return possible(template.render(view=view, **words))


def as_json(view: View) -> str:
    hubs = [{"type": "WebSub", "url": view.hub}] if view.hub else None
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": view.title,
        "home_page_url": view.page_url,
        "feed_url": view.self_url,
        "description": view.description,
        "next_url": view.next_url,
        "icon": view.icon_url,
        "authors": [{"name": view.author.display_name, "url": view.page_url}]
        if view.author
        else None,
        "language": view.site.language,
        "hubs": hubs,
        "items": list(items(view)),
    }
    return json.dumps(without_nothing(document), ensure_ascii=False, separators=(",", ":"))


def items(view: View) -> Iterator[dict[str, Any]]:
    for item in view.items:
        entry = item.entry
        yield without_nothing(
            {
                "id": item.id,
                "url": view.url_of(item),
                "title": entry.title,
                "content_html": item.html,
                # One of the two must be there: also where there is nothing to see of a text.
                "content_text": None if item.html else entry.excerpt or entry.title,
                "summary": entry.excerpt,
                "date_published": rfc3339(entry.published_at),
                "date_modified": rfc3339(entry.changed_at),
                "authors": [without_nothing({"name": item.author, "url": view.author_url(item)})],
                "tags": [tag.name for tag in entry.tags] or None,
            }
        )


def without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in (None, "")}


def rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc822(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
