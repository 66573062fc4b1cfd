"""Where images stand, and so who may see them: everybody while a public post shows them, else their
owner, editors, and the authors of the posts that they were put into."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists
from sqlmodel import Session, col, select

from errors import Forbidden, NotFound
from languages import _
from models import Media, MediaUse, Post, SiteSettings, User
from services import media, media_names, streams
from services.permissions import EDIT_ANY, READ, WRITE, can_see, scopes_of

# What readers of a post see, and what waits to be seen.
TEXT, STAGED = "text", "staged"
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Seen:
    image: Media
    is_public: bool


@dataclass(frozen=True)
class Places:
    """Where an image stands: the posts that somebody may know of, how many others there are, and
    whether it is at the head of every page."""

    posts: list[Post]
    others: int
    is_logo: bool = False

    @property
    def are_public(self) -> bool:
        return self.is_logo or bool(self.others) or any(post.is_public for post in self.posts)


def note(
    db: Session,
    post: Post,
    editor: User,
    scopes: frozenset[str] | None = None,
    *,
    is_new: bool = False,
) -> None:
    """Remember the images of a post that was just saved; `scopes` are what its editor may do here,
    and one that is new has shown none before.

    One of somebody else's counts only if an editor put it there, or it stood there before:
    otherwise whoever knows the address of an image could make it public.
    """
    staged = (post.staged or {}).get("content", "")
    named = {TEXT: media_names.ids_in(post.html), STAGED: media_names.ids_in(staged)}
    uses = () if is_new else db.exec(select(MediaUse).where(MediaUse.post_id == post.id))
    before = {(use.media_id, use.place) for use in uses}
    known = {media_id for media_id, _place in before}
    held = scopes_of(editor) if scopes is None else scopes
    counts = known | set(usable(db, named[TEXT] | named[STAGED], post, editor, held))
    after = {(each, place) for place, ids in named.items() for each in ids & counts}
    for media_id, place in before - after:
        gone = col(MediaUse.media_id) == media_id, col(MediaUse.place) == place
        db.execute(delete(MediaUse).where(col(MediaUse.post_id) == post.id, *gone))
    for media_id, place in sorted(after - before):
        db.add(MediaUse(post_id=post.id, media_id=media_id, place=place))


def usable(
    db: Session, ids: Iterable[UUID], post: Post, editor: User, scopes: frozenset[str]
) -> Iterator[UUID]:
    """Those of these images that may stand in a post because of who wrote or edited it."""
    left = iter(ids)
    while some := list(islice(left, IDS_AT_ONCE)):
        wanted = select(Media.id).where(col(Media.id).in_(some))
        if EDIT_ANY not in scopes:
            wanted = wanted.where(col(Media.user_id).in_((post.author_id, editor.id)))
        yield from db.exec(wanted)


def find(db: Session, media_id: UUID) -> Seen:
    """An image, and whether everybody may see it. Raises NotFound if there is none."""
    row = db.execute(select(Media, is_shown()).where(Media.id == media_id)).first()
    if row is None:
        raise NotFound
    return Seen(*row)


def is_shown() -> ColumnElement[bool]:
    """Whether a public post shows an image, or the head of every page."""
    in_post = (
        exists()
        .where(
            col(MediaUse.media_id) == col(Media.id),
            col(MediaUse.place) == TEXT,
            col(Post.id) == col(MediaUse.post_id),
            streams.is_public(),
        )
        .correlate(Media)
    )
    return in_post | is_logo()


def is_logo() -> ColumnElement[bool]:
    return exists().where(col(SiteSettings.logo_id) == col(Media.id)).correlate(Media)


def shown_in(db: Session, post: Post, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these images that readers of a post see."""
    uses = select(MediaUse.media_id).where(
        MediaUse.post_id == post.id, MediaUse.place == TEXT, col(MediaUse.media_id).in_(list(ids))
    )
    return set(db.exec(uses))


def check_seen(
    db: Session, seen: Seen, reader: User | None, scopes: frozenset[str] | None = None
) -> None:
    """Raise NotFound for an image that this reader may not see; `scopes` are those of a token."""
    if seen.is_public:
        return
    if reader is None:
        raise NotFound
    held = scopes_of(reader) if scopes is None else scopes
    if seen.image.user_id == reader.id or held >= {READ, EDIT_ANY}:
        return
    stands = select(MediaUse.post_id).join(Post, col(Post.id) == MediaUse.post_id)
    theirs = stands.where(MediaUse.media_id == seen.image.id, Post.author_id == reader.id)
    if db.exec(theirs.limit(1)).first() is None:
        raise NotFound


def find_own(
    db: Session, media_id: UUID, user: User, scopes: frozenset[str] | None = None
) -> Media:
    """An image that this person may describe and delete: their own, or any for editors.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may see it, but it is somebody else's.
    """
    seen = find(db, media_id)
    held = scopes_of(user) if scopes is None else scopes
    if WRITE in held and (seen.image.user_id == user.id or EDIT_ANY in held):
        return seen.image
    check_seen(db, seen, user, scopes)
    raise Forbidden(_("This image is somebody else’s. Nothing was changed."))


def find_in_preview(db: Session, post: Post, media_id: UUID) -> Media:
    """An image of the working copy of a post, for whoever has the secret link to it. Raises
    NotFound if it does not stand there."""
    place = STAGED if post.staged else TEXT
    stands = (
        select(Media)
        .join(MediaUse, col(MediaUse.media_id) == Media.id)
        .where(Media.id == media_id, MediaUse.post_id == post.id, MediaUse.place == place)
    )
    found = db.exec(stands).first()
    if found is None:
        raise NotFound
    return found


def places_of(db: Session, image: Media, reader: User) -> Places:
    """The posts that an image stands in, drafts too; last touched first."""
    using = select(MediaUse.post_id).where(MediaUse.media_id == image.id)
    wanted = select(Post).where(col(Post.id).in_(using), Post.title != "")
    posts = db.exec(wanted.order_by(col(Post.updated_at).desc())).all()
    shown = [post for post in posts if can_see(reader, post)]
    logo = select(SiteSettings.logo_id).where(SiteSettings.logo_id == image.id)
    return Places(shown, len(posts) - len(shown), db.exec(logo).first() is not None)


def forget(db: Session, which: ColumnElement[bool], *places: str) -> None:
    """These posts show no image any more in these places."""
    posts = select(Post.id).where(which)
    uses = col(MediaUse.post_id).in_(posts), col(MediaUse.place).in_(places)
    db.execute(delete(MediaUse).where(*uses))


def part_with(db: Session, leaver: User, heir: User) -> None:
    """Whose account goes leaves the images that texts still show to somebody else; the others are
    deleted."""
    theirs = select(Media).where(Media.user_id == leaver.id)
    shown = select(MediaUse.media_id).join(Post, col(Post.id) == MediaUse.post_id)
    is_shown = col(Media.id).in_(shown.where(Post.title != "")) | is_logo()
    for image in db.exec(theirs.where(is_shown)):
        image.user_id = heir.id
        image.source_digest = image.id.hex  # the heir may have the same file from somebody else
    media.delete(db, db.exec(theirs.where(~is_shown)).all())
    db.flush()
