"""Times as people at the blog's place read and type them: `TIME_ZONE` says where that is."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache, partial

from languages import ENGLISH, N_, Speech, _, spoken

# RFC 3339, section 5.6; seconds and offset may be missing, as in what browsers send for a field
# of type "datetime-local".
TYPED = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def read(typed: str, zone: tzinfo) -> datetime:
    """The moment that is meant, in this zone; a time without an offset is one there.

    One that comes twice, when clocks are set back, is the earlier one.

    Raises:
        ValueError: it cannot be read, or clocks skip it; with a sentence.
    """
    if not TYPED.fullmatch(typed):
        raise ValueError(_(UNREADABLE))
    try:
        found = datetime.fromisoformat(typed.upper())
        if found.tzinfo:
            return found.astimezone(zone)
        there = found.replace(tzinfo=zone)
        again = there.astimezone(UTC).astimezone(zone)
    except (ValueError, OverflowError):
        raise ValueError(_(UNREADABLE)) from None
    if again.replace(tzinfo=None) != found:
        sentence = _(
            "There is no %(time)s on %(day)s in %(zone)s: clocks are set forward then. "
            "%(other)s would be the time that you may mean.",
            time=clock(found),
            day=day(found),
            zone=zone,
            other=clock(again),
        )
        raise ValueError(sentence)
    return there


UNREADABLE = N_("This is not a date with a time, such as 2026-11-04T17:05.")
LOCALES = {"en": "en_GB", "de": "de"}  # the English of the blog is British


def words(zone: tzinfo) -> dict[str, Callable[[datetime], str]]:
    """How templates write a moment, as filters by their names."""
    return {
        name: partial(said, write, zone)
        for name, write in {
            "day": day,
            "day_of_month": day_of_month,
            "month": month,
            "moment": moment,
            "appointment": appointment,
            "clock": clock,
            "machine_time": machine_time,
            "field_time": field_time,
        }.items()
    }


def said(write: Callable[[datetime], str], zone: tzinfo, when: datetime) -> str:
    return write(local(when, zone))


def local(when: datetime, zone: tzinfo) -> datetime:
    """The same moment as clocks there show it. At the very edges of the calendar it stays as it is."""
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def day(when: datetime) -> str:
    """“4 November 2026”, or as the blog's owner likes it."""
    speech = spoken()
    if speech == ENGLISH:
        return f"{when.day} {when:%B} {when.year}"
    return day_in(speech, when.date())


@lru_cache(maxsize=4096)
def day_in(speech: Speech, day: date) -> str:
    if speech.dates == "iso":
        return day.isoformat()
    from babel.dates import format_date  # not for those blogs that speak as they come

    return format_date(day, speech.dates, locale=LOCALES[speech.language])


def day_of_month(when: datetime) -> str:
    """“4”."""
    return str(when.day)


def month(when: datetime) -> str:
    """“November 2026”."""
    language = spoken().language
    return f"{when:%B %Y}" if language == "en" else month_in(language, when.year, when.month)


@lru_cache(maxsize=1024)
def month_in(language: str, year: int, number: int) -> str:
    from babel.dates import format_date

    return format_date(date(year, number, 1), "MMMM yyyy", locale=LOCALES[language])


def clock(when: datetime) -> str:
    """“17:05”."""
    return f"{when:%H:%M}"


def moment(when: datetime) -> str:
    """“4 November 2026, 17:05 CET”."""
    return f"{day(when)}, {clock(when)} {abbreviation(when)}"


def appointment(when: datetime) -> str:
    """“4 November 2026, 17:05 (Europe/Berlin)”."""
    return f"{day(when)}, {clock(when)} ({when.tzinfo})"


def abbreviation(when: datetime) -> str:
    """“CET”; where people have no letters for it “UTC+10:30”."""
    name = when.tzname() or ""
    return f"UTC{when.isoformat()[-6:]}" if name.startswith(("+", "-")) else name


def machine_time(when: datetime) -> str:
    """RFC 3339; before the age of railways offsets had seconds, which it cannot say."""
    offset = when.utcoffset()
    exact = local(when, UTC) if offset and offset.seconds % 60 else when
    return exact.isoformat(timespec="seconds")


def field_time(when: datetime) -> str:
    """As a field of type "datetime-local" wants it: “2026-11-04T17:05”."""
    return when.replace(tzinfo=None).isoformat(timespec="minutes")
