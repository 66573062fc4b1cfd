"""Markdown that other programs have kept: Jekyll, Hugo, and whatever exports like them."""

import hashlib
import posixpath
import re
from datetime import datetime, tzinfo
from itertools import chain, count
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid5

from errors import Invalid, Rejected
from models import now
from services import imaging, media_names, slugs, usernames
from services.archives import front_matter, hints, shapes
from services.archives.containers import Container
from services.archives.reading import (
    LONGEST_FILE,
    MOST_PICTURE_BYTES,
    Report,
    Text,
    checked_text,
    decoded,
)

# Ids are made of what a thing is, so that the same thing twice is known again.
OURS = UUID("3f0e3a62-6c4e-5d8e-9f0a-7a1d0b7c9e51")
# A time as it is written by hand: 2024-05-01 10:00:00 +0200
OFFSET = re.compile(r" +(?=[+-]\d\d:?\d\d$)")
IMAGE = re.compile(
    r"(?P<before>\]\(\s{0,9}<?|<img\b[^>]{0,500}?\bsrc=[\"']|^\[[^\]\n]{1,99}\]:[ \t]+<?)"
    r"(?P<path>[^)\s>\"']{1,500})",
    re.M,
)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.I)
IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif")
# Where sites keep what is found under /.
ROOTS = ("", "static", "assets", "public", "content", "source")
KNOWN = frozenset(
    """
    author categories category date draft lastmod last_modified_at layout permalink published
    publishdate slug tags title type updated
    """.split()
)


class Foreign:
    """An archive without accounts. Texts are drafts if they say so, or do not say since when they
    are not; times without an offset are those of the blog's zone."""

    authors: list[shapes.Author]
    tags: list[shapes.Tag]
    series: list[shapes.Series]
    gone: list[shapes.Gone]

    def __init__(self, container: Container, report: Report, zone: tzinfo) -> None:
        self.container = container
        self.report = report
        self.zone = zone
        self.feed_ids = ""
        self.author = ""  # of texts that name none
        self.authors, self.tags, self.series, self.gone = [], [], [], []
        self.slugs: dict[str, str] = {}  # and whose they are
        self.pictures: list[shapes.Picture] = []
        self.found: dict[str, shapes.Picture | None] = {}
        self.paths: dict[UUID, str] = {}
        first = {name.partition("/")[0] for name in container.sizes}
        self.top = first.pop() if len(first) == 1 else ""
        self.texts = [name for name in sorted(container.sizes) if self.is_text(name)]

    def is_text(self, name: str) -> bool:
        """Those with something above the text: the others are notes, licences and the like."""
        if not name.endswith((".md", ".markdown")) or name.endswith("_index.md"):
            return False
        with self.report.about(name):
            start = self.container.read(name, LONGEST_FILE).removeprefix(b"\xef\xbb\xbf")[:3]
            return start.decode("latin-1") in front_matter.FENCES
        return False

    def text(self, name: str) -> Text:
        known, content = front_matter.read(decoded(self.container.read(name, LONGEST_FILE)))
        known = {key.lower(): value for key, value in known.items() if value not in ("", [], None)}
        self.report.unknown.update(known.keys() - KNOWN)
        stem, day = hints.name_of(name)
        date = self.moment(known, "date", "publishdate") or self.moment({"date": day}, "date")
        changed = self.moment(known, "lastmod", "updated", "last_modified_at") or date or now()
        slug = self.slug(name, slugs.slug_of(hints.one(known.get("slug")) or stem))
        hidden = hints.is_hidden(known) or "_drafts" in name.split("/")
        title = (
            hints.one(known.get("title"))
            or hints.heading(content)
            or stem.replace("-", " ").capitalize()
        )
        about = {
            "title": title,
            "id": uuid5(OURS, slug),
            "slug": slug,
            "author": self.username(hints.one(known.get("author"))),
            "tags": hints.tag_names(known),
            "date": None if hidden else date,
            "first_published": None if hidden else date,
            "created": date or changed,
            "lastmod": changed,
            "revised": changed if date and not hidden and changed > date else None,
        }
        shape = shapes.parsed(shapes.Post, about)
        content = self.with_images(content, name, shape)
        shape.images = sorted(media_names.ids_in(content))
        text = checked_text(title=title, content=content, tags=", ".join(shape.tags))
        is_page = "page" in (known.get("type"), known.get("layout"))
        return Text(shape, is_page, text)

    def slug(self, name: str, wanted: str) -> str:
        """Its own: two texts of different days may well be called the same."""
        numbered = (f"{wanted}-{number}" for number in count(2))
        free = (each for each in chain([wanted], numbered) if self.slugs.get(each, name) == name)
        slug = next(free)
        self.slugs[slug] = name
        return slug

    def username(self, typed: str) -> str:
        """The account of that name, if there is one: see `Plan.author`."""
        name = usernames.canonical(typed[: usernames.LONGEST])
        return name if usernames.SHAPE.fullmatch(name) else self.author

    def moment(self, known: dict[str, Any], *keys: str) -> datetime | None:
        for key in keys:
            if typed := hints.one(known.get(key)):
                try:
                    found = datetime.fromisoformat(OFFSET.sub("", typed.removesuffix(" UTC")))
                except ValueError:
                    raise Invalid({key: f"“{typed[:40]}” is no time."}) from None
                return found if found.tzinfo else found.replace(tzinfo=self.zone)
        return None

    def with_images(self, content: str, name: str, about: shapes.Post) -> str:
        """The text with addresses of ours for the images that are in the archive."""

        def address(match: re.Match[str]) -> str:
            path = self.resolved(match["path"], name)
            picture = self.picture_at(path, about) if path else None
            return f"{match['before']}{media_url(picture)}" if picture else match.group()

        return IMAGE.sub(address, content)

    def resolved(self, path: str, name: str) -> str | None:
        """The file that a text means; None if it is elsewhere, or no image."""
        path = unquote(path).partition("?")[0].partition("#")[0]
        if ELSEWHERE.match(path) or not path.lower().endswith((*IMAGES, ".svg")):
            return None
        folders = [posixpath.join(self.top, root) for root in ROOTS]
        if not path.startswith("/"):
            folders.insert(0, posixpath.dirname(name))
        candidates = (
            posixpath.normpath(posixpath.join(each, path.lstrip("/"))) for each in folders
        )
        if found := next((each for each in candidates if each in self.container.sizes), None):
            return found
        self.note(path, "it is not in the archive")
        return None

    def picture_at(self, path: str, about: shapes.Post) -> shapes.Picture | None:
        if path not in self.found:
            try:
                self.found[path] = self.made(path, about)
            except Rejected as rejected:
                self.found[path] = None
                self.note(path, str(rejected))
        return self.found[path]

    def made(self, path: str, about: shapes.Post) -> shapes.Picture:
        """Raises Rejected if it is no image that we take."""
        data = self.container.read(path, MOST_PICTURE_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        with TemporaryFile() as file:
            file.write(data)
            with imaging.converted(file) as found:
                name = media_names.name_for(posixpath.basename(path), found.width, found.height)
        picture = shapes.Picture(
            id=uuid5(OURS, digest),
            name=name,
            owner=about.author,
            source=digest,
            created=about.created,
        )
        if picture.id not in self.paths:
            self.paths[picture.id] = path
            self.pictures.append(picture)
        return picture

    def picture(self, about: shapes.Picture) -> bytes:
        return self.container.read(self.paths[about.id], MOST_PICTURE_BYTES)

    def note(self, path: str, why: str) -> None:
        sentence = f"{path} stays as it is in the texts: {why}"
        if sentence not in self.report.notes:
            self.report.notes.append(sentence)


def media_url(picture: shapes.Picture) -> str:
    return f"/media/{picture.id}/{picture.name}"
