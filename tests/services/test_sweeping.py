"""What is over goes, and nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import SQLModel, col

from models import (
    AuditEvent,
    Invitation,
    Login,
    Mail,
    MailToken,
    RefreshToken,
    RetiredName,
    Series,
    StoredSession,
    Tag,
    Throttle,
    User,
    now,
)
from services import sweeping
from tests.blog import Blog, Person

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def rows_of(owner: UUID, ago: timedelta) -> list[SQLModel]:
    """One row of each kind that was over so long ago."""
    at = now() - ago
    return [
        Login(user_id=owner, expires_at=at),
        MailToken(digest=f"{at}", user_id=owner, purpose="x", binding="x", expires_at=at),
        RefreshToken(user_id=owner, digest="x", expires_at=at),
        RetiredName(username=f"{at}", until=at),
        StoredSession(key=f"{at}", data="{}", expires_at=at, ends_at=at),
        Throttle(key=f"{at}", tries=1, expires_at=at),
        Invitation(digest=f"a {at}", invited_by=owner, expires_at=at - 30 * DAY),
        Invitation(
            digest=f"b {at}", invited_by=owner, expires_at=now() + DAY, used_at=at - 30 * DAY
        ),
        Mail(recipient="sent", subject="x", body="x", created_at=at - 30 * DAY),
        AuditEvent(at=at - 365 * DAY, action="x"),
    ]


def stored(blog: Blog) -> int:
    kinds = {type(row) for row in rows_of(UUID(int=0), SECOND)}
    return sum(len(blog.rows(kind)) for kind in kinds)


def test_what_is_over_goes_and_nothing_else(blog: Blog, alice: Person) -> None:
    owner = blog.rows(User)[0].id
    before = stored(blog)
    waiting = Mail(recipient="waits", subject="x", body="x", created_at=now() - 90 * DAY)
    with blog.database.writing() as db:
        db.add_all([*rows_of(owner, SECOND), *rows_of(owner, -DAY), waiting])
        db.flush()
        db.execute(update(Mail).where(col(Mail.recipient) == "sent").values(next_try_at=None))
    swept = sweeping.sweep(blog.database, blog.settings)
    assert swept == len(rows_of(owner, SECOND))
    assert stored(blog) == before + len(rows_of(owner, -DAY)) + 1
    assert blog.mails_to("waits")
    assert sweeping.sweep(blog.database, blog.settings) == 0
    assert alice.is_logged_in()


def test_much_is_swept_in_small_steps(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 4)
    monkeypatch.setattr(sweeping, "MOST_BATCHES", 3)
    past = now() - SECOND
    with blog.database.writing() as db:
        db.add_all(RetiredName(username=f"old-{n}", until=past) for n in range(15))
    assert sweeping.sweep(blog.database, blog.settings) == 12
    assert sweeping.sweep(blog.database, blog.settings) == 3


def test_tags_that_no_post_carries_go_but_not_those_that_had_another_name(
    blog: Blog, alice: Person
) -> None:
    """Texts that wait may still say the old name."""
    slug = alice.draft(tags="mistyped, renamed, carried")
    alice.post("/tags/renamed", {"name": "newer"})
    alice.edit(slug, tags="carried")
    assert sweeping.sweep(blog.database, blog.settings) == 1
    assert {tag.slug for tag in blog.rows(Tag)} == {"newer", "carried"}


def test_a_series_that_nobody_needs_goes_after_a_day(blog: Blog, alice: Person) -> None:
    alice.draft("One", series="With a part")
    left = alice.draft("Two", series="Mistyped")
    alice.edit(left, series="Described")
    alice.post("/series/described", {"title": "Described", "description": "To be filled."})
    alice.edit(left, series="")
    assert sweeping.sweep(blog.database, blog.settings) == 0
    blog.put(Series, created_at=now() - 2 * DAY)
    assert sweeping.sweep(blog.database, blog.settings) == 1
    assert {series.title for series in blog.rows(Series)} == {"With a part", "Described"}
