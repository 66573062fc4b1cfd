"""An archive as `packing.py` writes it, read: small things at once, texts one at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from errors import Invalid
from services import texts
from services.archives import front_matter, shapes
from services.archives.containers import Container
from services.archives.shapes import ShapeT
from services.typed import Typed

MANIFEST = "inkstand.yaml"
MOST_PROBLEMS = 20
LONGEST_FILE = texts.MOST_BYTES + front_matter.MOST_BYTES + 100
MOST_PICTURE_BYTES = 64 * 1024 * 1024


@dataclass
class Report:
    """What was found: `problems` keep everything out, `notes` are worth knowing."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def about(self, name: str) -> Iterator[None]:
        """What is wrong in the block is wrong with this file. Raises Invalid when it is too much."""
        try:
            yield
        except Invalid as error:
            for key, sentence in error.fields.items():
                self.problems.append(": ".join(filter(None, (name, key, sentence))))
            if len(self.problems) > MOST_PROBLEMS:
                raise self.refusal() from None

    def refusal(self) -> Invalid:
        return Invalid({str(number): each for number, each in enumerate(self.problems)})


@dataclass(frozen=True)
class Unsaved:
    """What somebody was typing into a text."""

    fields: dict[str, str]
    typed_at: datetime
    is_stale: bool


@dataclass(frozen=True)
class Text:
    """A post or a page, checked as if it came from a form."""

    about: shapes.Post
    is_page: bool
    text: texts.Text
    staged: dict[str, str] | None = None
    unsaved: dict[str, Unsaved] = field(default_factory=dict)  # by whom


class Archive(Protocol):
    report: Report
    feed_ids: str  # "" if they begin anew
    authors: list[shapes.Author]
    tags: list[shapes.Tag]
    series: list[shapes.Series]
    pictures: list[shapes.Picture]
    gone: list[shapes.Gone]
    texts: list[str]  # names, for `text`

    def text(self, name: str) -> Text:
        """Raises Invalid."""

    def picture(self, about: shapes.Picture) -> bytes:
        """Raises Invalid."""


class Own:
    """Raises Invalid for a format that is newer than this."""

    def __init__(self, container: Container, report: Report) -> None:
        self.container = container
        self.report = report
        self.feed_ids = shapes.parsed(shapes.Manifest, self.yaml(MANIFEST)).feed_ids
        self.authors = self.all("authors", shapes.Author)
        self.tags = self.all("tags", shapes.Tag)
        self.series = self.all("series", shapes.Series)
        self.pictures = [each for each in self.all("media", shapes.Picture) if self.has(each)]
        self.gone = self.all("gone", shapes.Gone)
        names = [*self.names("posts", ".md"), *self.names("pages", ".md")]
        self.texts = [name for name in names if name.count(".") == 1]
        self.beside: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self.beside[name.partition(".")[0]].append(name)

    def names(self, folder: str, ending: str) -> list[str]:
        found = (name for name in self.container.sizes if name.endswith(ending))
        return sorted(name for name in found if name.rpartition("/")[0] == folder)

    def all(self, folder: str, shape: type[ShapeT]) -> list[ShapeT]:
        found = []
        for name in self.names(folder, ".yaml"):
            with self.report.about(name):
                found.append(self.shaped(shape, self.yaml(name)))
        return found

    def yaml(self, name: str) -> dict[str, Any]:
        return front_matter.read_yaml(decoded(self.container.read(name, front_matter.MOST_BYTES)))

    def text(self, name: str) -> Text:
        known, content = self.split(name)
        about = self.shaped(shapes.Post, known)
        if about.draft and not about.trashed:
            about.date = None  # somebody has made a draft of it
        text = checked_text(
            title=about.title,
            content=content,
            tags=", ".join(about.tags),
            is_begun=about.date is None,
        )
        staged, unsaved = None, {}
        for beside in self.beside[name.removesuffix(".md")]:
            match beside.split(".")[1:-1]:
                case ["staged"]:
                    staged = self.staged(beside)
                case ["unsaved", username]:
                    unsaved[username] = self.unsaved(beside)
        return Text(about, name.startswith("pages/"), text, staged, unsaved)

    def staged(self, name: str) -> dict[str, str]:
        known, content = self.split(name)
        about = self.shaped(shapes.Staged, known)
        form = {**about.model_dump(), "tags": ", ".join(about.tags)}
        return checked_text(**form, content=content).model_dump(exclude_none=True)

    def unsaved(self, name: str) -> Unsaved:
        known, content = self.split(name)
        about = self.shaped(shapes.Unsaved, known)
        typed = shapes.parsed(Typed, {**about.model_dump(exclude_none=True), "content": content})
        return Unsaved(typed.text, about.typed, about.stale)

    def split(self, name: str) -> tuple[dict[str, Any], str]:
        return front_matter.read(decoded(self.container.read(name, LONGEST_FILE)))

    def shaped(self, shape: type[ShapeT], known: dict[str, Any]) -> ShapeT:
        self.report.unknown.update(known.keys() - shape.model_fields.keys())
        return shapes.parsed(shape, known)

    def has(self, about: shapes.Picture) -> bool:
        """Whether there is a file, since one that was lost before says so once more."""
        found = path_of(about) in self.container.sizes
        if not found:
            self.report.notes.append(f"{path_of(about)} is missing: the image is left out.")
        return found

    def picture(self, about: shapes.Picture) -> bytes:
        return self.container.read(path_of(about), MOST_PICTURE_BYTES)


def path_of(about: shapes.Picture) -> str:
    return f"media/{about.id}/{about.name}"


def decoded(data: bytes) -> str:
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Invalid({"": "This text is not in UTF-8."}) from None


def checked_text(*, is_begun: bool = False, **fields: Any) -> texts.Text:
    """As a form would take it; one that was only begun may be without words. Raises Invalid."""
    if is_begun and not fields["content"]:
        return checked_text(**fields | {"content": "-"}).model_copy(update={"content": ""})
    return shapes.parsed(texts.Text, fields)
