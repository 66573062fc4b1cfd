"""Looking through an archive, and at the blog it is to go into, before anything is touched."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from errors import Invalid
from models import NOBODY, Media, Post, Slug, User
from services import pages, texts, usernames
from services.archives import shapes, values
from services.archives.reading import MOST_PROBLEMS, Archive, Text
from services.archives.rendered import Rendered
from settings import Role

AT_ONCE = 20
NO_ACCOUNTS = (
    "There are no accounts here yet, and none in the archive. Make yours first: "
    "python3 blog.py user NAME"
)
NO_ACCOUNT = "{} has no account here. Make one, or say whose such texts are to be: --author NAME"
OTHER_TEXT = "The blog has another text there. It stays as it is, and this one is left out."


@dataclass
class Plan:
    """What is to be stored, and why the rest is not."""

    archive: Archive
    rendered: Rendered
    people: dict[str, UUID]  # who is here already
    stand_in: str  # whose the texts of those become who are not; may be empty
    taken: dict[str, UUID] = field(default_factory=dict)  # addresses, and the posts they are of
    texts: list[str] = field(default_factory=list)
    gone: list[shapes.Gone] = field(default_factory=list)
    pictures: list[shapes.Picture] = field(default_factory=list)
    here: int = 0  # texts that the blog has already
    conflicts: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)  # keys, and in how many texts they are
    strangers: set[str] = field(default_factory=set)  # who have no account here

    def __post_init__(self) -> None:
        self.series = {each.slug for each in self.archive.series}
        made = {each.username for each in self.archive.authors if self.fills_the_blog}
        self.known = {NOBODY, *self.people, *made}
        self.shows: set[UUID] = set()

    @property
    def fills_the_blog(self) -> bool:
        """Whether it is empty, so that accounts are made too."""
        return not self.people

    def numbers(self) -> dict[str, int]:
        """How many of each come in, in words."""
        archive = self.archive
        return {
            "accounts": len(archive.authors) if self.fills_the_blog else 0,
            "posts and pages": len(self.texts),
            "images": len(self.pictures),
            "addresses of deleted posts": len(self.gone),
            "texts that are here already": self.here,
            "texts left out, since the blog has others there": len(self.conflicts),
        }

    def expect(self, username: str) -> None:
        if username not in self.known:
            self.strangers.add(username)

    def author(self, username: str) -> str:
        """Who becomes the author here."""
        return username if username in self.known else self.stand_in

    def aliases(self, about: shapes.Post | shapes.Gone) -> list[str]:
        """Older addresses that are not another's here."""
        return [slug for slug in addresses_of(about)[1:] if slug not in self.taken]


def made(
    db: Session,
    archive: Archive,
    rendered: Rendered,
    stand_in: str,
    advance: Callable[[], None],
) -> Plan:
    """Read and check everything; `advance` is called after each text.

    Raises:
        Invalid: something is wrong, with a sentence for each; nothing of it should be stored.
    """
    plan = Plan(archive, rendered, dict(db.exec(select(User.username, User.id)).all()), stand_in)
    plan.taken = dict(db.exec(select(Slug.slug, Slug.post_id)).all())
    check_accounts(plan)
    check_names(archive)
    if archive.report.problems:
        raise archive.report.refusal()
    look_at_texts(db, plan, advance)
    look_at_the_rest(db, plan)
    if archive.report.problems:
        raise archive.report.refusal()
    plan.unknown = dict(archive.report.unknown)
    return plan


def check_accounts(plan: Plan) -> None:
    problems, authors = plan.archive.report.problems, plan.archive.authors
    if plan.stand_in and plan.stand_in not in plan.people:
        problems.append(f"There is nobody called {plan.stand_in} here.")
    elif plan.fills_the_blog and not authors:
        problems.append(NO_ACCOUNTS)
    elif plan.fills_the_blog and [each.role for each in authors].count(Role.owner) != 1:
        problems.append("One of the accounts, and only one, must be the owner's.")
    once("The account {} is in it twice.", (each.username for each in authors), problems)
    confirmed = (each.email for each in authors if each.email and each.email_confirmed)
    once("{} is the address of two accounts.", map(usernames.canonical, confirmed), problems)


def check_names(archive: Archive) -> None:
    """What two cannot have."""
    problems = archive.report.problems
    tags = (slug for tag in archive.tags for slug in (tag.slug, *tag.aliases))
    once("The address /tags/{} is in it twice.", tags, problems)
    once("The series {} is in it twice.", (each.slug for each in archive.series), problems)
    once("The image {} is in it twice.", (each.id for each in archive.pictures), problems)


def once(sentence: str, keys: Iterable[Any], problems: list[str]) -> None:
    twice = (key for key, number in Counter(keys).items() if number > 1)
    problems.extend(sentence.format(key) for key in islice(twice, MOST_PROBLEMS))


def look_at_texts(db: Session, plan: Plan, advance: Callable[[], None]) -> None:
    """Which of them are new, which are here, and what is wrong with them."""
    names = plan.archive.texts
    ids: Counter[UUID] = Counter(each.id for each in plan.archive.gone)
    addresses = Counter(slug for each in plan.archive.gone for slug in addresses_of(each))
    for start in range(0, len(names), AT_ONCE):
        read: dict[str, Text] = {}
        for name in names[start : start + AT_ONCE]:
            with plan.archive.report.about(name):
                read[name] = text = plan.archive.text(name)
                check(plan, text)
                plan.rendered.put(name, texts.rendered(text.text))
                ids[text.about.id] += 1
                addresses.update(addresses_of(text.about))
            advance()
        compare(db, plan, read)
    once("The id {} is that of two texts.", ids.elements(), plan.archive.report.problems)
    once("The address {} is that of two texts.", addresses.elements(), plan.archive.report.problems)


def check(plan: Plan, text: Text) -> None:
    """Raises Invalid."""
    if text.about.series and text.about.series not in plan.series:
        raise Invalid({"series": f"The archive has no series {text.about.series}."})
    if text.is_page and text.about.slug in pages.RESERVED:
        raise Invalid({"slug": "That address belongs to the blog itself."})
    plan.expect(text.about.author)


def compare(db: Session, plan: Plan, read: dict[str, Text]) -> None:
    """With what the blog has under the same ids and addresses."""
    wanted = {each.about.id for each in read.values()}
    wanted |= {
        plan.taken[slug] for each in read.values() if (slug := each.about.slug) in plan.taken
    }
    query = select(Post.id, Post.title, Post.content).where(col(Post.id).in_(wanted))
    found = {post_id: (title, content) for post_id, title, content in db.exec(query)}
    for name, text in read.items():
        about = text.about
        there = found.get(about.id) or found.get(plan.taken.get(about.slug, about.id))
        if there is None:
            plan.texts.append(name)
        elif there == (text.text.title, text.text.content):
            plan.here += 1
        else:
            plan.conflicts.append(f"{name}: {OTHER_TEXT}")


def addresses_of(about: shapes.Post | shapes.Gone) -> list[str]:
    return [about.slug, *map(values.slug_in, about.aliases)]


def look_at_the_rest(db: Session, plan: Plan) -> None:
    archive = plan.archive
    for gone in archive.gone:
        plan.expect(gone.author)
    for series in archive.series:
        plan.expect(series.author)
    for picture in archive.pictures:
        plan.expect(picture.owner)
    for name in sorted(plan.strangers):
        if plan.stand_in:
            archive.report.notes.append(f"{name} has no account here: {plan.stand_in} stands in.")
        else:
            archive.report.problems.append(NO_ACCOUNT.format(name))
    images = dict(db.exec(select(Media.id, Media.source_digest)).all())
    ids = set(db.exec(select(Post.id)))
    # Texts of others may show these; the blog's own images are not for an archive to show.
    plan.shows = {p.id for p in archive.pictures if images.get(p.id, p.source) == p.source}
    plan.pictures = [each for each in archive.pictures if each.id not in images]
    plan.gone = [
        each for each in archive.gone if each.id not in ids and each.slug not in plan.taken
    ]
