"""What becomes of the mails in the outbox: each is claimed, handed over, and marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, tuple_, update
from sqlmodel import Session, col, select

from backends.mail import Mailer, NotSent
from database import Database, after_commit
from errors import NotFound
from models import Mail, now
from services import cursors
from services.mails import QUEUED, in_its_line

PER_PAGE = 50
# Longer than any server may take; afterwards the claim of a process that died is void.
CLAIMED_FOR = timedelta(minutes=10)
# After so long it is tried again; after the last, almost three days in all, it is given up.
PAUSES = [timedelta(minutes=m) for m in (1, 5, 30)] + [
    timedelta(hours=h) for h in (2, 6, 12, 24, 24)
]


@dataclass(frozen=True)
class Page:
    """Mails, newest first, and the cursor of the page with older ones."""

    mails: Sequence[Mail]
    older: str | None


def deliver(database: Database, mailer: Mailer) -> datetime | None:
    """Send what is due; when the next one will be, None if nothing waits.

    Any number of processes may do this at once: a mail is claimed by one of them before it is
    sent, and no transaction is open meanwhile. When the server serves nobody, the others wait
    their turn.
    """
    while (due_at := next_due(database)) and due_at <= now():
        with database.writing() as db:
            mail = claim(db)
        if mail is None or not hand_over(database, mailer, mail):
            break
    return due_at


def next_due(database: Database) -> datetime | None:
    with database.reading() as db:
        return db.exec(select(func.min(Mail.next_try_at))).one()


def claim(db: Session) -> Mail | None:
    """The mail that is due longest: nobody else gets it until the claim ends. None if none is."""
    moment, due_at = now(), col(Mail.next_try_at)
    free = select(Mail.id).where(due_at <= moment).order_by(due_at).limit(1)
    mine = col(Mail.id) == free.with_for_update(skip_locked=True).scalar_subquery()
    values = {"next_try_at": moment + CLAIMED_FOR, "tries": col(Mail.tries) + 1, "error": ""}
    return db.scalars(update(Mail).where(mine).values(values).returning(Mail)).one_or_none()


def hand_over(database: Database, mailer: Mailer, mail: Mail) -> bool:
    """Send a claimed mail and note what came of it; False if others would fare no better now."""
    try:
        mailer.send(mail.recipient, mail.subject, mail.body, str(mail.id))
    except NotSent as problem:
        with database.writing() as db:
            mark_failed(db, mail, problem)
        return not problem.is_general
    with database.writing() as db:
        mark_sent(db, mail, keeps_text=not mailer.reaches_people)
    return True


def mark_sent(db: Session, mail: Mail, *, keeps_text: bool) -> None:
    """Its text goes: a link in it may still be worth as much as a password."""
    text = {} if keeps_text else {"body": ""}
    mark(db, mail, {"sent_at": now(), "next_try_at": None, **text})


def mark_failed(db: Session, mail: Mail, problem: NotSent) -> None:
    is_given_up = problem.is_final or mail.tries > len(PAUSES)
    next_try_at = None if is_given_up else now() + PAUSES[mail.tries - 1]
    error = str(in_its_line(str(problem)))[:300] or "It could not be sent."
    mark(db, mail, {"next_try_at": next_try_at, "error": error})


def mark(db: Session, mail: Mail, values: dict[str, object]) -> None:
    """Unless the claim has ended meanwhile and another process has the mail now."""
    is_mine = col(Mail.id) == mail.id, col(Mail.tries) == mail.tries
    db.execute(update(Mail).where(*is_mine).values(values))


def retry(db: Session, mail_id: UUID) -> None:
    """Try a mail again at once that failed before. No effect if it is being sent, or was.

    Raises:
        NotFound: there is no such mail.
    """
    if db.get(Mail, mail_id) is None:
        raise NotFound
    has_failed = col(Mail.sent_at).is_(None), col(Mail.error) != ""
    db.execute(update(Mail).where(col(Mail.id) == mail_id, *has_failed).values(next_try_at=now()))
    after_commit(db, QUEUED)


def latest(db: Session, before: str = "") -> Page:
    """The newest mails, or those older than a cursor. Raises NotFound: it is none of ours."""
    key = (col(Mail.created_at), col(Mail.id))
    query = select(Mail).order_by(*(part.desc() for part in key)).limit(PER_PAGE + 1)
    if before:
        query = query.where(tuple_(*key) < cursors.position(before))
    found = db.exec(query).all()
    shown = found[:PER_PAGE]
    older = None
    if len(found) > PER_PAGE:
        older = cursors.cursor_of(shown[-1].created_at, shown[-1].id)
    return Page(shown, older)
