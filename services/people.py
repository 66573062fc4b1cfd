"""The people of a blog, for whoever owns it: who there is, what they may do, who is kept out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from errors import Forbidden, Invalid, NotFound
from languages import _
from models import NOBODY, MailToken, Site, User, now
from services import audit, cursors, logins, notices, usernames
from services.logins import Client
from services.text import one_line, printable
from settings import Role, Settings

PER_PAGE = 50


class NewRole(BaseModel):
    """The blog has one owner, and gets another only by being handed over."""

    role: Literal["reader", "author", "editor"]


class Heir(BaseModel):
    username: Annotated[str, one_line(usernames.LONGEST)]


@dataclass(frozen=True)
class Page:
    """People, the newest first, and the cursor of the page with older ones."""

    people: Sequence[User]
    older: str | None


def latest(db: Session, wanted: str = "", before: str = "") -> Page:
    """Who has joined last, or before a cursor; only those whose name, or whose whole address, is
    `wanted`. Raises NotFound: the cursor is none of ours."""
    query = select(User).where(User.username != NOBODY)
    if wanted := usernames.canonical(printable(wanted)):
        in_name = col(User.username).contains(wanted, autoescape=True)
        shown = col(User.display_name).icontains(wanted, autoescape=True)
        query = query.where(in_name | shown | (col(User.email_key) == wanted))
    return Page(*cursors.newest(db, query, User, before, PER_PAGE))


def find(db: Session, username: str) -> User:
    """Somebody by their name. Raises NotFound."""
    found = db.exec(select(User).where(User.username == username.lower())).first()
    if found is None or found.is_nobody:
        raise NotFound
    return found


def find_heir(db: Session, typed: str) -> User:
    """The same for what was typed into a form. Raises Invalid."""
    try:
        return find(db, usernames.canonical(typed))
    except NotFound:
        raise Invalid({"username": _("There is nobody of that name here.")}) from None


def give_role(db: Session, owner: User, person: User, role: str, client: Client) -> None:
    """From the next request on they may do what the role allows. Raises Forbidden: the owner's."""
    before = person.role
    change(db, person, role=role)
    audit.record(
        db, audit.ROLE_CHANGED, person, actor=owner, client=client, before=before, after=role
    )


def suspend(db: Session, owner: User, person: User, client: Client) -> None:
    """Keep somebody out until further notice; what they wrote stays. Raises Forbidden."""
    change(db, person, disabled_at=now())
    end_access(db, person)
    audit.record(db, audit.SUSPENDED, person, actor=owner, client=client)


def unsuspend(db: Session, owner: User, person: User, client: Client) -> None:
    change(db, person, disabled_at=None)
    audit.record(db, audit.UNSUSPENDED, person, actor=owner, client=client)


def log_out_everywhere(db: Session, owner: User, person: User, client: Client) -> None:
    """On all their devices; they may log in again."""
    end_access(db, person)
    audit.record(db, audit.LOGGED_OUT_EVERYWHERE, person, actor=owner, client=client)


def hand_over(db: Session, owner: User, heir: User, settings: Settings, client: Client) -> None:
    """Make somebody else the owner; who was it edits from now on. Both at once, or neither.

    Raises:
        Invalid: the blog is theirs already, or they are suspended.
        Forbidden: whoever hands over owns it no longer.
    """
    if heir.id == owner.id:
        raise Invalid({"username": _("That is you: the blog is yours already.")})
    can_have_it = (col(User.id) == heir.id) & col(User.disabled_at).is_(None)
    if not updated(db, can_have_it, role=Role.owner):
        raise Invalid({"username": _("They are suspended, so the blog would be left to nobody.")})
    is_still_owner = (col(User.id) == owner.id) & (col(User.role) == Role.owner)
    if not updated(db, is_still_owner, role=Role.editor):
        raise Forbidden(_("You do not own this blog any more. Nothing was changed."))
    db.execute(update(Site).where(col(Site.owner_id) == owner.id).values(owner_id=heir.id))
    audit.record(db, audit.OWNER_CHANGED, heir, actor=owner, client=client)
    notices.tell(db, settings, heir, "new_owner", before=owner)


def change(db: Session, person: User, **values: Any) -> None:
    """Unless they own the blog, also if they have come to own it a moment ago."""
    is_not_owner = (col(User.id) == person.id) & (col(User.role) != Role.owner)
    if not updated(db, is_not_owner, **values):
        raise Forbidden(_("The blog is theirs; that can only be handed over. Nothing was changed."))
    db.refresh(person)


def updated(db: Session, which: Any, **values: Any) -> bool:
    """Whether there was somebody to change, by one statement that nobody comes between."""
    statement = update(User).where(which).values(**values)
    done = db.execute(statement.execution_options(synchronize_session=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def end_access(db: Session, person: User) -> None:
    """End what lets them in at this moment; links in mails count as that."""
    logins.end_all(db, person.id)
    db.execute(delete(MailToken).where(col(MailToken.user_id) == person.id))
