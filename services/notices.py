"""Mails to people about their accounts, and to addresses of which nobody knows yet whose they are."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from models import Mail, User, now
from services import mails
from settings import Settings

# Whoever gives somebody else's address as their own sends them no more than so many.
MOST_UNASKED = 10
UNASKED_WITHIN = timedelta(days=1)


def tell(db: Session, settings: Settings, user: User, template: str, /, **context: Any) -> None:
    """Mail somebody about their account, if it has an address."""
    if user.email and user.email_is_verified:
        mails.queue(db, settings, user.email, template, user=user, **context)
    elif user.email:
        ask(db, settings, user.email, template, user=user, **context)


def ask(db: Session, settings: Settings, address: str, template: str, /, **context: Any) -> None:
    """Mail an address that somebody gave, unless it has had many mails of ours today."""
    if has_room(db, address):
        mails.queue(db, settings, address, template, **context)


def has_room(db: Session, address: str) -> bool:
    """Whether an address may get one more mail that its owner did not ask for."""
    today = col(Mail.created_at) > now() - UNASKED_WITHIN
    theirs = func.lower(Mail.recipient) == func.lower(address)
    count = select(func.count()).select_from(Mail).where(today, theirs)
    return db.exec(count).one() < MOST_UNASKED
