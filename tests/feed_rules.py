"""What RFC 4287 (Atom), RFC 5005 (pages), the specification of RSS 2.0 and JSON Feed 1.1 demand.

Each check raises AssertionError for what is not as it should be, and gives the feed that it read.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import html5lib

ATOM, DC = "{http://www.w3.org/2005/Atom}", "{http://purl.org/dc/elements/1.1/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
TAG_URI = re.compile(r"tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:[a-z]+(/[a-z0-9-]+)?")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC_822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
# As RFC 5646 has it, for what a blog may say.
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass
class Read:
    """What all three formats say."""

    title: str
    page: str
    self: str
    next: str | None
    hub: str | None
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.items]

    @property
    def titles(self) -> list[str]:
        return [item["title"] for item in self.items]


def check(body: bytes, media_type: str) -> Read:
    found = CHECKS[media_type.partition(";")[0]](body)
    assert len(set(found.ids)) == len(found.ids)
    for item in found.items:
        assert TAG_URI.fullmatch(item["id"]), item["id"]
        assert is_absolute(item["url"])
        assert item["updated"] >= item["published"]
        if item["html"] is not None:
            check_html(item["html"])
    for url in filter(None, (found.page, found.self, found.next, found.hub)):
        assert is_absolute(url), url
    return found


def check_atom(body: bytes) -> Read:
    feed = parsed(body)
    assert feed.tag == f"{ATOM}feed"
    at_most_once = {"id", "title", "updated", "generator", "icon", "logo", "rights", "subtitle"}
    check_children(feed, at_most_once, {"author", "category", "contributor", "link", "entry"})
    check_common(feed)
    language = feed.get("{http://www.w3.org/XML/1998/namespace}lang")
    assert language
    assert LANGUAGE.fullmatch(language)
    icon = feed.findtext(f"{ATOM}icon")
    assert icon is None or is_absolute(icon)
    assert len(links(feed, "first")) == 1
    is_signed = feed.find(f"{ATOM}author") is not None
    return Read(
        title=text(feed, "title"),
        page=links(feed, "alternate")[0],
        self=one(links(feed, "self")),
        next=perhaps(links(feed, "next")),
        hub=perhaps(links(feed, "hub")),
        items=[atom_entry(entry, is_signed) for entry in feed.findall(f"{ATOM}entry")],
    )


def atom_entry(entry: ElementTree.Element, is_signed: bool) -> dict[str, Any]:
    at_most_once = {
        "id", "title", "updated", "published", "summary", "content", "rights", "source",
    }  # fmt: skip
    check_children(entry, at_most_once, {"author", "category", "contributor", "link"})
    check_common(entry)
    authors = entry.findall(f"{ATOM}author")
    assert authors or is_signed
    content = entry.find(f"{ATOM}content")
    if content is None:
        assert links(entry, "alternate")
        assert entry.find(f"{ATOM}summary") is not None
    else:
        assert content.get("type") == "html"
        assert len(content) == 0
    return {
        "id": text(entry, "id"),
        "title": text(entry, "title"),
        "url": links(entry, "alternate")[0],
        "published": moment(text(entry, "published")),
        "updated": moment(text(entry, "updated")),
        "author": text(authors[0], "name"),
        "author_url": authors[0].findtext(f"{ATOM}uri"),
        "tags": [each.get("label") for each in entry.findall(f"{ATOM}category")],
        "summary": text(entry, "summary"),
        "html": None if content is None else content.text or "",
    }


def check_children(
    parent: ElementTree.Element, at_most_once: set[str], any_number: set[str]
) -> None:
    counts = Counter(child.tag.removeprefix(ATOM) for child in parent)
    assert counts.keys() <= at_most_once | any_number
    assert all(counts[name] <= 1 for name in at_most_once)
    assert all(counts[name] == 1 for name in ("id", "title", "updated"))
    assert not (parent.text or "").strip()


def check_common(parent: ElementTree.Element) -> None:
    """What holds for a feed and an entry alike."""
    assert is_absolute(text(parent, "id"))
    for name in ("updated", "published"):
        if parent.find(f"{ATOM}{name}") is not None:
            assert RFC_3339.fullmatch(text(parent, name))
    for name in ("title", "subtitle", "summary"):
        if (element := parent.find(f"{ATOM}{name}")) is not None:
            assert element.get("type", "text") == "text"
            assert len(element) == 0
    alternates: Counter[tuple[str | None, str | None]] = Counter()
    for link in parent.findall(f"{ATOM}link"):
        assert is_absolute(link.attrib["href"])
        assert link.attrib.keys() <= {"href", "rel", "type", "hreflang", "title", "length"}
        assert re.fullmatch(r"[\w.+-]+/[\w.+-]+", link.get("type", "a/b"))
        alternates[link.get("type"), link.get("hreflang")] += link.get("rel") == "alternate"
    assert max(alternates.values()) == 1
    for person in parent.findall(f"{ATOM}author"):
        names = [child.tag.removeprefix(ATOM) for child in person]
        assert names in (["name"], ["name", "uri"])
        assert text(person, "name").strip()
        assert is_absolute(person.findtext(f"{ATOM}uri") or "https://nobody.example/")
    for category in parent.findall(f"{ATOM}category"):
        assert category.attrib["term"]
        assert is_absolute(category.attrib["scheme"])


def check_rss(body: bytes) -> Read:
    rss = parsed(body)
    assert (rss.tag, rss.get("version"), len(rss)) == ("rss", "2.0", 1)
    channel = rss[0]
    counts = Counter(child.tag for child in channel)
    optional = {"language", "lastBuildDate", "generator", "docs"}
    assert counts.keys() <= {"title", "link", "description", "item", f"{ATOM}link"} | optional
    assert all(counts[name] == 1 for name in ("title", "link", "description"))
    assert all(counts[name] <= 1 for name in optional)
    assert all((channel.findtext(name) or "").strip() for name in ("title", "description"))
    assert LANGUAGE.fullmatch(channel.findtext("language") or "")
    assert RFC_822.fullmatch(channel.findtext("lastBuildDate") or "")
    return Read(
        title=channel.findtext("title") or "",
        page=channel.findtext("link") or "",
        self=one(links(channel, "self")),
        next=perhaps(links(channel, "next")),
        hub=perhaps(links(channel, "hub")),
        items=[rss_item(item) for item in channel.findall("item")],
    )


def rss_item(item: ElementTree.Element) -> dict[str, Any]:
    counts = Counter(child.tag for child in item)
    once = {"title", "link", "description", "guid", "pubDate", f"{DC}creator", f"{ATOM}updated"}
    assert all(counts[name] == 1 for name in once)
    assert counts.keys() <= once | {"category", f"{CONTENT}encoded"}
    assert counts[f"{CONTENT}encoded"] <= 1
    found = {child.tag: child.text or "" for child in item}
    guid = item.find("guid")
    assert guid is not None
    assert guid.attrib == {"isPermaLink": "false"}
    assert RFC_822.fullmatch(found["pubDate"])
    assert RFC_3339.fullmatch(found[f"{ATOM}updated"])
    assert all(is_absolute(each.attrib["domain"]) for each in item.findall("category"))
    words = html5lib.parseFragment(found["description"], namespaceHTMLElements=False)
    assert len(words) == 0, "a summary is plain text"
    return {
        "id": found["guid"],
        "title": found["title"],
        "url": found["link"],
        "published": parsedate_to_datetime(found["pubDate"]),
        "updated": moment(found[f"{ATOM}updated"]),
        "author": found[f"{DC}creator"],
        "tags": [each.text for each in item.findall("category")],
        "summary": words.text or "",
        "html": found.get(f"{CONTENT}encoded"),
    }


def check_json(body: bytes) -> Read:
    feed = json.loads(body)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    strings = {"version", "title", "home_page_url", "feed_url", "description", "next_url", "icon"}
    check_object(feed, strings | {"language"}, {"authors", "hubs", "items"}, {"version", "title"})
    assert LANGUAGE.fullmatch(feed["language"])
    assert is_absolute(feed["icon"])
    check_authors(feed.get("authors", [{"name": "Nobody"}]))
    hubs = feed.get("hubs", [])
    assert all(hub.keys() == {"type", "url"} and hub["type"] == "WebSub" for hub in hubs)
    return Read(
        title=feed["title"],
        page=feed["home_page_url"],
        self=feed["feed_url"],
        next=feed.get("next_url"),
        hub=hubs[0]["url"] if hubs else None,
        items=[json_item(item) for item in feed["items"]],
    )


def json_item(item: dict[str, Any]) -> dict[str, Any]:
    dates = {"date_published", "date_modified"}
    strings = {"id", "url", "title", "content_html", "content_text", "summary"} | dates
    check_object(item, strings, {"authors", "tags"}, {"id"} | dates)
    assert ("content_html" in item) is not ("content_text" in item)
    assert all(RFC_3339.fullmatch(item[name]) for name in dates)
    assert all(isinstance(tag, str) and tag for tag in item.get("tags", []))
    check_authors(item["authors"])
    return {
        "id": item["id"],
        "title": item["title"],
        "url": item["url"],
        "published": moment(item["date_published"]),
        "updated": moment(item["date_modified"]),
        "author": item["authors"][0]["name"],
        "author_url": item["authors"][0].get("url"),
        "tags": item.get("tags", []),
        "summary": item.get("summary", ""),
        "html": item.get("content_html"),
    }


def check_object(
    found: dict[str, Any], strings: set[str], lists: set[str], required: set[str]
) -> None:
    assert required <= found.keys() <= strings | lists
    assert all(isinstance(found[name], str) for name in strings & found.keys())
    assert all(isinstance(found[name], list) for name in lists & found.keys())


def check_authors(authors: list[dict[str, str]]) -> None:
    assert authors
    for author in authors:
        assert author.keys() <= {"name", "url", "avatar"}
        assert author["name"]
        assert is_absolute(author.get("url", "https://nobody.example/"))


def check_html(html: str) -> None:
    """It is HTML without mistakes, runs nothing, and leads to whole addresses only."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parseFragment(html)
    assert parser.errors == []
    for element in tree.iter():
        name = str(element.tag).rpartition("}")[2]
        assert name not in ("script", "style", "iframe", "object", "form")
        assert not any(each.startswith("on") for each in element.keys())  # noqa: SIM118
    for url in addresses(html):
        assert urlsplit(url).scheme in ("http", "https", "mailto", "tel"), url


def addresses(html: str) -> Iterator[str]:
    for element in html5lib.parseFragment(html, namespaceHTMLElements=False).iter():
        for name in ("href", "src", "poster"):
            if (url := element.get(name)) is not None:
                yield url
        for candidate in filter(None, (element.get("srcset") or "").split(", ")):
            yield candidate.split(" ")[0]


def parsed(body: bytes) -> ElementTree.Element:
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n')
    assert b"<!DOCTYPE" not in body
    return ElementTree.fromstring(body)


def links(parent: ElementTree.Element, rel: str) -> list[str]:
    found = parent.findall(f"{ATOM}link")
    return [each.attrib["href"] for each in found if each.get("rel", "alternate") == rel]


def text(parent: ElementTree.Element, name: str) -> str:
    found = parent.find(f"{ATOM}{name}")
    assert found is not None
    return found.text or ""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def one(found: list[str]) -> str:
    [only] = found
    return only


def perhaps(found: list[str]) -> str | None:
    assert len(found) <= 1
    return found[0] if found else None


def is_absolute(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "tag" or (parts.scheme in ("http", "https") and bool(parts.netloc))


CHECKS = {
    "application/atom+xml": check_atom,
    "application/rss+xml": check_rss,
    "application/feed+json": check_json,
}
