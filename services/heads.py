"""What a page says of itself to those that do not look at it: search engines, and the previews that
other places make of links. Addresses are whole ones, but for those of the pages beside it;
templates/components/meta.html writes it down.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from sqlmodel import Session

from models import Tag, User
from services import cards, media_names, media_uses
from services.cards import Card
from services.listings import Listing
from services.media_names import Picture
from services.posts import Page
from services.streams import Stream

IMAGE = re.compile(r'<img [^<>]*?src="([^"<>]+)"[^<>]*>')
ALT = re.compile(r' alt="([^"<>]*)"')
# Smaller ones are shown as a stamp beside the text, or not at all.
LEAST_WIDTH, LEAST_HEIGHT = 600, 315
WIDE_ENOUGH = 1200
MOST_IMAGES = 10


@dataclass(frozen=True)
class Shown:
    """The picture of a page. Its `alt` says what is to be seen."""

    url: str
    width: int
    height: int
    content_type: str
    alt: str


@dataclass(frozen=True)
class Head:
    """`data` are the JSON-LD documents of the page. A page that is not `listed` is for people:
    search engines go through it and do not keep it."""

    canonical: str
    image: Shown
    kind: Literal["website", "article", "profile"] = "website"
    listed: bool = True
    previous: str = ""
    next: str = ""
    author: str = ""
    author_url: str = ""
    username: str = ""
    published: str = ""
    modified: str = ""
    tags: list[str] = field(default_factory=list)
    data: list[dict[str, Any]] = field(default_factory=list)


class Paged(Protocol):
    """What has pages beside it, by the cursors of their addresses."""

    @property
    def older(self) -> str | None: ...

    @property
    def newer(self) -> str | None: ...


def of_post(db: Session, site: Any, shown: Page, html: str) -> Head:
    """For a post or a page that is public; `html` is what readers get of it."""
    post, author = shown.post, shown.author
    image = own_image(db, site, shown, html) or card_of_post(site, shown)
    head = Head(
        canonical=site.link_base + post.path,
        image=image,
        kind="website" if post.is_page else "article",
        author="" if post.is_page else author.byline,
        author_url="" if post.is_page or author.is_nobody else address_of(site, author),
        published=w3c(post.published_at),
        modified=w3c(post.changed_at),
        tags=[tag.name for tag in shown.tags],
    )
    head.data.append(page_data(site, shown, head) if post.is_page else post_data(site, shown, head))
    return head


def of_home(site: Any, stream: Stream, before: str, after: str) -> Head:
    head = of_stream(site, "/", stream, before, after)
    head.data.append(
        {
            "@context": "https://schema.org",
            "@type": "WebSite",
            "url": f"{site.link_base}/",
            "name": site.site_name,
            "inLanguage": site.language,
            "potentialAction": {
                "@type": "SearchAction",
                "target": f"{site.link_base}/search?q={{search_term_string}}",
                "query-input": "required name=search_term_string",
            },
        }
        | ({"description": site.site_description} if site.site_description else {})
    )
    return head


def of_tag(site: Any, tag: Tag, stream: Stream, before: str, after: str) -> Head:
    return of_stream(site, f"/tags/{tag.slug}", stream, before, after)


def of_author(site: Any, author: User, stream: Stream, before: str, after: str) -> Head:
    name = author.username
    path = f"/users/{name}"
    head = of_stream(site, path, stream, before, after, kind="profile", username=name)
    person = person_of(site, author)
    if author.bio:
        person["description"] = author.bio
    if author.website:
        person["sameAs"] = [author.website]
    page = {"@context": "https://schema.org", "@type": "ProfilePage", "mainEntity": person}
    head.data.append(page)
    return head


def of_stream(site: Any, path: str, stream: Paged, before: str, after: str, **more: Any) -> Head:
    """A list of posts in pages. Search engines keep only the first one: what stands on the others
    changes with every post, and the posts themselves are in the sitemap."""
    here = {"before": before, "after": after}
    previous = {"after": stream.newer} if stream.newer else {}
    following = {"before": stream.older} if stream.older else {}
    return of_part(site, path, here, previous, following, **more)


def of_listing(
    site: Any, path: str, listing: Listing, before: str, after: str, **order: str
) -> Head:
    """The same for a list of names; `order` is one that is not the usual one."""
    here = order | {"before": before, "after": after}
    previous = order | {"before": listing.before} if listing.before else {}
    following = order | {"after": listing.after} if listing.after else {}
    return of_part(site, path, here, previous, following)


def of_part(
    site: Any,
    path: str,
    here: dict[str, str],
    previous: dict[str, str],
    following: dict[str, str],
    **more: Any,
) -> Head:
    here = {name: value for name, value in here.items() if value}
    return of_page(
        site,
        with_query(path, here),
        listed=not here,
        previous=with_query(path, previous) if previous else "",
        next=with_query(path, following) if following else "",
        **more,
    )


def of_page(site: Any, path: str, **more: Any) -> Head:
    """A page of which there is nothing more to say."""
    image = shown_card(site, cards.of_site(site), cards.PATH_OF_SITE)
    return Head(canonical=site.link_base + path, image=image, **more)


def own_image(db: Session, site: Any, shown: Page, html: str) -> Shown | None:
    """The first image of the text that is large enough and that everybody may see."""
    found = large_images(html)
    if not found:
        return None
    public = media_uses.shown_in(db, shown.post, list({picture.id for picture, _ in found}))
    for picture, alt in found:
        if picture.id in public:
            return shown_picture(site, picture, alt or shown.post.title)
    return None


def large_images(html: str) -> list[tuple[Picture, str]]:
    """Those of ours among the first images of a text, with what they say they show."""
    found = []
    for tag, _ in zip(IMAGE.finditer(html), range(MOST_IMAGES), strict=False):
        picture = media_names.picture_of(unescape(tag[1]))
        if picture and picture.width >= LEAST_WIDTH and picture.height >= LEAST_HEIGHT:
            alt = ALT.search(tag[0])
            found.append((picture, unescape(alt[1]) if alt else ""))
    return found


def shown_picture(site: Any, picture: Picture, alt: str) -> Shown:
    """As wide as previews need it, and no wider."""
    offered = media_names.offered_widths(picture.width)
    width = next((each for each in offered if each >= WIDE_ENOUGH), None)
    url = picture.url if width is None else f"{picture.url}?w={width}"
    width = width or picture.width
    height = max(round(picture.height * width / picture.width), 1)
    return Shown(site.link_base + url, width, height, "image/webp", alt)


def card_of_post(site: Any, shown: Page) -> Shown:
    post = shown.post
    return shown_card(site, cards.of_post(site, post, shown.author), cards.path_of_post(post))


def shown_card(site: Any, card: Card, path: str) -> Shown:
    url = f"{site.link_base}{path}?v={card.version}"
    return Shown(url, cards.WIDTH, cards.HEIGHT, cards.CONTENT_TYPE, card.title)


def post_data(site: Any, shown: Page, head: Head) -> dict[str, Any]:
    """https://schema.org/BlogPosting"""
    post = shown.post
    data = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title,
        "url": head.canonical,
        "mainEntityOfPage": head.canonical,
        "image": head.image.url,
        "datePublished": head.published,
        "dateModified": head.modified,
        "author": person_of(site, shown.author),
        "publisher": publisher_of(site),
        "inLanguage": site.language,
        "wordCount": post.word_count,
    }
    if post.excerpt:
        data["description"] = post.excerpt
    if head.tags:
        data["keywords"] = head.tags
    return data


def page_data(site: Any, shown: Page, head: Head) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "name": shown.post.title,
        "url": head.canonical,
        "dateModified": head.modified,
        "publisher": publisher_of(site),
        "inLanguage": site.language,
    }


def person_of(site: Any, author: User) -> dict[str, Any]:
    person: dict[str, Any] = {"@type": "Person", "name": author.byline}
    return person if author.is_nobody else person | {"url": address_of(site, author)}


def publisher_of(site: Any) -> dict[str, str]:
    return {"@type": "Organization", "name": site.site_name, "url": f"{site.link_base}/"}


def address_of(site: Any, author: User) -> str:
    return f"{site.link_base}/users/{author.username}"


def with_query(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def w3c(moment: datetime | None) -> str:
    """As sitemaps, schema.org and OpenGraph read it (W3C-DTF)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""


@lru_cache(maxsize=32)
def locale_of(language: str) -> str:
    """“de_DE” for "de": OpenGraph wants a territory as well."""
    from babel.core import get_global

    likely = get_global("likely_subtags")
    parts = language.replace("-", "_").split("_")
    territory = next((part for part in parts[1:] if len(part) == 2), "")
    if not territory:
        territory = likely.get(parts[0], "").rpartition("_")[2]
    return f"{parts[0].lower()}_{territory.upper()}" if territory else ""
