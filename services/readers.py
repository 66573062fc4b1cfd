"""Who reads: views and visitors by day, and where they came from. For pages of those who wrote."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, true
from sqlmodel import Session, col

from models import Post, PostReferrer, PostViews, User, now
from services.permissions import EDIT_ANY, has_scopes
from services.tallies import OTHERS
from services.visitors import day_of

PERIODS = {"30": 30, "90": 90, "365": 364}  # in days; the last one in whole weeks
DAYS_OF_A_BAR = {"365": 7}
MOST_POSTS, MOST_SHOWN = 50, 20


@dataclass(frozen=True)
class Span:
    """A day, or a week that ends with `until`: moments in the middle of its first and last day."""

    since: datetime
    until: datetime
    views: int
    visitors: int


@dataclass(frozen=True)
class Source:
    """Where views came from; `host` is empty for nowhere that is known."""

    host: str
    views: int

    @property
    def is_rest(self) -> bool:
        return self.host == OTHERS


@dataclass(frozen=True)
class Read:
    """A post of a list, and how often it was read."""

    title: str
    slug: str
    path: str
    views: int
    visitors: int


@dataclass(frozen=True)
class Report:
    spans: Sequence[Span]
    sources: Sequence[Source]

    @property
    def views(self) -> int:
        return sum(span.views for span in self.spans)

    @property
    def visitors(self) -> int:
        return sum(span.visitors for span in self.spans)


def of_post(db: Session, post: Post, period: str, zone: ZoneInfo) -> Report:
    """How often one post was read in a period of PERIODS, which ends today."""
    return report(db, lambda table: col(table.post_id) == post.id, period, zone)


def of_all(db: Session, user: User, period: str, zone: ZoneInfo) -> Report:
    """The same for all that this person looks after: own posts, or everybody's."""
    if has_scopes(user, EDIT_ANY):
        return report(db, lambda _: true(), period, zone)
    own = select(col(Post.id)).where(col(Post.author_id) == user.id)
    return report(db, lambda table: col(table.post_id).in_(own), period, zone)


def most_read(db: Session, user: User, period: str, zone: ZoneInfo) -> list[Read]:
    """Those of them that were read most."""
    views, visitors = func.sum(col(PostViews.views)), func.sum(col(PostViews.visitors))
    found = (
        select(col(PostViews.post_id), views.label("views"), visitors.label("visitors"))
        .where(col(PostViews.day) >= first_day(period, zone))
        .group_by(col(PostViews.post_id))
        .order_by(views.desc(), col(PostViews.post_id))
        .limit(MOST_POSTS)
    )
    if not has_scopes(user, EDIT_ANY):
        own = select(col(Post.id)).where(col(Post.author_id) == user.id)
        found = found.where(col(PostViews.post_id).in_(own))
    top = found.subquery()
    columns: tuple[Any, ...] = (Post.title, Post.slug, Post.is_page, top.c.views, top.c.visitors)
    rows = db.execute(
        select(*columns)
        .join(top, top.c.post_id == col(Post.id))
        .where(col(Post.trashed_at).is_(None))
        .order_by(top.c.views.desc(), col(Post.id))
    )
    return [
        Read(title, slug, f"/{slug}" if is_page else f"/posts/{slug}", int(views), int(visitors))
        for title, slug, is_page, views, visitors in rows
    ]


def report(db: Session, which: Any, period: str, zone: ZoneInfo) -> Report:
    first = first_day(period, zone)
    sums = func.sum(col(PostViews.views)), func.sum(col(PostViews.visitors))
    by_day = {
        day: (int(views), int(visitors))
        for day, views, visitors in db.execute(
            select(col(PostViews.day), *sums)
            .where(which(PostViews), col(PostViews.day) >= first)
            .group_by(col(PostViews.day))
        )
    }
    days = [first + timedelta(days=number) for number in range(PERIODS[period])]
    spans = list(spans_of(days, by_day, DAYS_OF_A_BAR.get(period, 1), zone))
    return Report(spans, sources(db, which(PostReferrer), first, sum(s.views for s in spans)))


def spans_of(
    days: Sequence[date], by_day: dict[date, tuple[int, int]], size: int, zone: ZoneInfo
) -> Iterable[Span]:
    for start in range(0, len(days), size):
        some = days[start : start + size]
        counts = [by_day.get(day, (0, 0)) for day in some]
        views, visitors = (sum(each) for each in zip(*counts, strict=True))
        yield Span(noon(some[0], zone), noon(some[-1], zone), views, visitors)


def sources(db: Session, which: ColumnElement[bool], first: date, views: int) -> list[Source]:
    """The hosts that led to most views, then the rest together, then those that came from nowhere
    that is known."""
    total, host = func.sum(col(PostReferrer.views)), col(PostReferrer.host)
    theirs = which, col(PostReferrer.day) >= first
    known = int(db.scalar(select(total).where(*theirs)) or 0)
    named = select(host, total).where(*theirs, host != OTHERS).group_by(host)
    found = db.execute(named.order_by(total.desc(), host).limit(MOST_SHOWN))
    shown = [Source(each, int(count)) for each, count in found]
    if rest := known - sum(source.views for source in shown):
        shown.append(Source(OTHERS, rest))
    return shown + ([Source("", views - known)] if views > known else [])


def first_day(period: str, zone: ZoneInfo) -> date:
    return day_of(now(), zone) - timedelta(days=PERIODS[period] - 1)


def noon(day: date, zone: ZoneInfo) -> datetime:
    """For whoever writes dates: a moment that is on this day there, whatever clocks do at night."""
    return datetime.combine(day, time(12), zone)
