"""Clocks of the places that tests need: when they are set forward and back next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def next_change(zone: str, *, forward: bool) -> tuple[datetime, timedelta]:
    """When clocks there are set forward or back next, and by how much."""
    place = ZoneInfo(zone)
    moment = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    while True:
        later = moment + timedelta(minutes=30)
        step = offset(later, place) - offset(moment, place)
        if step and (step > timedelta(0)) == forward:
            return later, abs(step)
        moment = later


def offset(moment: datetime, place: ZoneInfo) -> timedelta:
    found = moment.astimezone(place).utcoffset()
    assert found is not None
    return found


def in_field(moment: datetime, zone: str = "UTC") -> str:
    """As a browser sends it: “2026-11-04T17:05”, what clocks there show."""
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return local.isoformat(timespec="minutes")
