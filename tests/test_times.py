"""Every time on every page is that of clocks at the blog's place."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models import Post
from services import mails, zones
from tests.blog import Blog, Person
from tests.clocks import next_change
from tests.programs import new_token, program

TIME = re.compile(r'<time(?: class="[a-z-]+")? datetime="([^"]+)">([^<]+)</time>')
# Places without half an hour of one date in common, most of the day.
FARTHEST = ("Pacific/Kiritimati", "Pacific/Pago_Pago")
PAGES = [
    "/",
    "/drafts",
    "/trash",
    "/users/alice",
    "/posts/shown",
    "/settings/security",
    "/settings/sessions",
    "/settings/tokens",
    "/admin/audit",
    "/admin/invitations",
    "/admin/mail",
    "/admin/users",
    "/admin/users/alice",
]


@pytest.fixture
def busy(alice: Person) -> Person:
    """Alice, who has done something of everything."""
    alice.write("Shown")
    alice.draft("Drafted")
    alice.write("Scheduled", action="schedule", publish_at="2030-01-01T12:00")
    alice.post(f"/posts/{alice.draft('Thrown away')}/delete")
    program(alice.blog, new_token(alice)).get("/api/v1/me")
    alice.post("/admin/invitations", {"email": "dora@example.org", "role": "author"})
    return alice


@pytest.mark.parametrize("zone", FARTHEST)
def test_every_time_is_that_of_the_place(busy: Person, zone: str) -> None:
    with busy.blog.beside(time_zone=zone) as there:
        alice = busy.at(there)
        for path in PAGES:
            page = html.unescape(alice.get(path).text)
            found = list(times_in(page))
            assert found, path
            for when, words in found:
                assert when.utcoffset() == ZoneInfo(zone).utcoffset(when), path
                assert words.startswith(f"{when.day} {when:%B %Y}"), path
                if ":" in words:
                    assert f", {when:%H:%M} " in words, path
            assert "UTC<" not in page


def times_in(page: str) -> Iterator[tuple[datetime, str]]:
    for machine, words in TIME.findall(page):
        yield datetime.fromisoformat(machine), words


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("forward", [True, False])
def test_clocks_on_pages_are_set_forward_and_back(
    alice: Person, blog: Blog, zone: str, forward: bool
) -> None:
    change, step = next_change(zone, forward=forward)
    alice.write("Across")
    with blog.beside(time_zone=zone) as there:
        offsets = []
        for moment in (change - timedelta(minutes=1), change):
            blog.put(Post, published_at=moment)
            page = html.unescape(alice.at(there).get("/posts/across").text)
            [(when, words), *_] = times_in(page)
            assert when == moment
            local = moment.astimezone(ZoneInfo(zone))
            assert words == f"{local.day} {local:%B %Y, %H:%M} ({zone})"
            offset = when.utcoffset()
            assert offset is not None
            offsets.append(offset)
    assert offsets[1] - offsets[0] == (step if forward else -step)


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(1850, 1, 1, tzinfo=UTC),  # when clocks of a place were minutes and seconds apart
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", *FARTHEST])
def test_no_time_that_is_stored_spoils_a_page(
    alice: Person, blog: Blog, zone: str, moment: datetime
) -> None:
    alice.write("Old")
    blog.put(Post, published_at=moment, first_published_at=moment)
    with blog.beside(time_zone=zone) as there:
        page = alice.at(there).get("/posts/old")
        assert page.status_code == 200
        for machine, _ in TIME.findall(page.text):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", machine)


def test_mails_say_the_time_of_the_place_too() -> None:
    moment = datetime(2026, 11, 4, 16, 5, tzinfo=UTC)
    for zone, words in {
        "Europe/Berlin": "4 November 2026, 17:05 CET",
        "Australia/Lord_Howe": "5 November 2026, 03:05 UTC+11:00",
        "UTC": "4 November 2026, 16:05 UTC",
    }.items():
        template = mails.environment(ZoneInfo(zone)).from_string("{{ when|moment }}")
        assert template.render(when=moment) == words
        assert zones.moment(moment.astimezone(ZoneInfo(zone))) == words
