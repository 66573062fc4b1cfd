"""The revisions of a post, to be read: page by page, one by one, and compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from errors import NotFound
from languages import _
from models import Post, Revision, User
from services import comparing, posts, revisions
from services.diffs import Line

PER_PAGE = 20
# A list shows the beginning of each difference, and compares texts of no more than this in all.
MOST_LINES, MOST_CHARACTERS = 40, 8_000
COMPARED_CHARACTERS = 1_000_000
READERS = "readers"  # what they see, as something to compare with


@dataclass(frozen=True)
class Entry:
    """A revision and who saved it; None for somebody who has left.

    `difference` is what it changed, or the beginning of it: None for the first revision, and where
    comparing would take too long.
    """

    revision: Revision
    editor: User | None
    is_public: bool = False  # it is what readers see, or will see
    difference: list[Line] | None = None
    is_first: bool = False


@dataclass(frozen=True)
class History:
    """Revisions, the newest first, and the numbers that the pages beside this one begin with."""

    entries: Sequence[Entry]
    base: dict[str, str] | None  # the text before the oldest of them
    older: int | None
    newer: int | None


@dataclass(frozen=True)
class Other:
    """A text to compare with; an older one if it came before."""

    name: str
    text: dict[str, str]
    is_older: bool
    number: int | None = None


def page(db: Session, post: Post, before: int | None = None, after: int | None = None) -> History:
    """Up to 20 revisions below the number `before`, or above `after`, without differences."""
    newest, public = landmarks(db, post)
    if after is not None and before is None:
        before = end_of_page(db, post, after)
    query = with_editors(post).order_by(col(Revision.number).desc())
    if before is not None:
        query = query.where(col(Revision.number) < before)
    rows = db.execute(query.limit(PER_PAGE + 1)).all()
    entries = [Entry(row, editor, is_public=row.number == public) for row, editor in rows]
    shown, next_one = entries[:PER_PAGE], entries[PER_PAGE:]
    return History(
        shown,
        base=next_one[0].revision.text if next_one else None,
        older=shown[-1].revision.number if next_one else None,
        newer=shown[0].revision.number if shown and shown[0].revision.number < newest else None,
    )


def compared(history: History) -> Sequence[Entry]:
    """The entries with what each of them changed. It takes a while, and no database."""
    return list(differences(history))


def differences(history: History) -> Iterator[Entry]:
    entries, left = history.entries, COMPARED_CHARACTERS
    texts = [*(entry.revision.text for entry in entries), history.base]
    for entry, before in zip(entries, texts[1:], strict=True):
        if before is None:
            yield replace(entry, is_first=True)
            continue
        left -= length(before) + length(entry.revision.text)
        if left < 0:
            yield entry
        else:
            changed = comparing.difference(before, entry.revision.text)
            yield replace(entry, difference=list(beginning(changed)))


def beginning(lines: list[Line]) -> Iterator[Line]:
    left = MOST_CHARACTERS
    for number, line in enumerate(lines):
        left -= len(line.text)
        if left < 0 or number == MOST_LINES:
            yield Line("gap", _("And more: look at the whole of it"))
            return
        yield line


def length(text: dict[str, str]) -> int:
    return len(text.get("content", ""))


def find(db: Session, post: Post, number: int) -> Entry:
    """One of them. Raises NotFound."""
    found = db.execute(with_editors(post).where(col(Revision.number) == number)).first()
    if found is None:
        raise NotFound
    revision, editor = found
    _, public = landmarks(db, post)
    return Entry(revision, editor, is_public=number == public)


def one_before(db: Session, post: Post, number: int) -> int | None:
    """The number of the revision before this one; the ones between were thinned out."""
    theirs = select(func.max(col(Revision.number))).where(Revision.post_id == post.id)
    return db.exec(theirs.where(col(Revision.number) < number)).one()


def find_other(db: Session, post: Post, number: int, wanted: str) -> Other | None:
    """What to compare the revision `number` with: another number, or what readers see.

    Raises NotFound: there is no such revision, or readers see nothing.
    """
    if not wanted:
        return None
    if wanted == READERS:
        if not post.is_published:
            raise NotFound
        return Other(_("What readers see"), posts.public_text(db, post), is_older=True)
    if not (wanted.isascii() and wanted.isdigit()):
        raise NotFound
    other = find(db, post, int(wanted)).revision
    name = _("Revision %(number)s", number=other.number)
    return Other(name, other.text, other.number < number, other.number)


def landmarks(db: Session, post: Post) -> tuple[int, int | None]:
    """The numbers of the newest revision, 0 if there is none, and of the one that readers see."""
    went_out = col(Revision.kind).in_((revisions.PUBLISHED, revisions.IMPORTED))
    number = col(Revision.number)
    query = select(func.max(number), func.max(case((went_out, number))))
    newest, public = db.execute(query.where(col(Revision.post_id) == post.id)).one()
    return newest or 0, public if post.is_published else None


def end_of_page(db: Session, post: Post, after: int) -> int:
    """The number below which the page begins that ends above `after`."""
    number = col(Revision.number)
    above = select(number).where(Revision.post_id == post.id, number > after)
    found = db.exec(above.order_by(number).limit(PER_PAGE)).all()
    return found[-1] + 1 if found else after + 1


def with_editors(post: Post) -> Any:
    return (
        select(Revision, User)
        .outerjoin(User, col(User.id) == col(Revision.editor_id))
        .where(col(Revision.post_id) == post.id)
    )
