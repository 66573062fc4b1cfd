"""A WebSub hub hears of every change of a feed, and of nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from backends.hub import NotTold, tell
from jobs import Jobs
from models import Announcement, Post, PostTag, Tag, now
from services import announcements, hubs
from tests import feed_rules
from tests.blog import Blog, Person
from tests.hub import LocalHub
from tests.people import BOB
from tests.routers.test_feeds import FORMATS

BASE = "http://blog.example"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as found:
        yield found


@pytest.fixture
def told(blog: Blog, bob: Person, hub: LocalHub) -> Iterator[Person]:
    """Bob, at a blog that has a hub."""
    changes = {"websub_hub": hub.url, "base_url": BASE, "allowed_hosts": "127.0.0.1"}
    with blog.beside(**changes) as beside:
        yield bob.at(beside)


def announce(blog: Blog, hub: LocalHub) -> list[str]:
    hubs.announce(blog.database, hub.url, BASE)
    return hub.heard()


def topics(*prefixes: str) -> list[str]:
    return sorted(f"{BASE}{prefix}/{name}" for prefix in prefixes for name in FORMATS)


def move_clock(blog: Blog, by: timedelta) -> None:
    for each in blog.rows(Announcement):
        blog.put(Announcement, next_try_at=each.next_try_at - by, since=each.since - by)


HERE = ("", f"/users/{BOB}")


def test_the_hub_hears_of_all_that_changes_for_readers(
    blog: Blog, told: Person, hub: LocalHub
) -> None:
    slug = told.write("Tides", "Words.", tags="one, two")
    assert announce(blog, hub) == topics(*HERE, "/tags/one", "/tags/two")
    told.write("Moons", tags="one, two")
    announce(blog, hub)
    told.edit(slug, content="Other words.", tags="two, three", action="publish")
    assert announce(blog, hub) == topics(*HERE, "/tags/one", "/tags/three", "/tags/two")
    told.edit(slug, tags="two", action="unpublish")
    assert announce(blog, hub) == topics(*HERE, "/tags/two"), "/tags/three is no feed any more"
    told.edit(slug, tags="two", action="publish")
    assert announce(blog, hub) == topics(*HERE, "/tags/two")
    told.post(f"/posts/{slug}/delete")
    assert announce(blog, hub) == topics(*HERE, "/tags/two")
    told.post(f"/posts/{slug}/restore")
    assert announce(blog, hub) == topics(*HERE, "/tags/two")
    assert blog.rows(Announcement) == []


def test_the_hub_hears_of_nothing_that_readers_do_not_see(
    blog: Blog, told: Person, hub: LocalHub
) -> None:
    slug = told.write("Tides", "Words.", tags="one")
    announce(blog, hub)
    told.edit(slug, content="Not yet.", tags="two", action="save")
    draft = told.draft("Draft", tags="three")
    told.edit(draft, content="More.", tags="three", action="save")
    told.post(f"/posts/{draft}/delete")
    assert announce(blog, hub) == []
    assert blog.rows(Announcement) == []


def test_what_is_scheduled_is_told_when_it_is_due(blog: Blog, told: Person, hub: LocalHub) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    slug = told.write("Tides", tags="one", action="schedule", publish_at=ahead)
    assert announce(blog, hub) == []
    due_at = hubs.announce(blog.database, hub.url, BASE)
    assert due_at == told.stored(slug).published_at
    blog.put(Post, published_at=now())
    move_clock(blog, timedelta(hours=4))
    assert announce(blog, hub) == topics(*HERE, "/tags/one")


@pytest.mark.parametrize("then", ["retag", "unpublish", "trash", "behind our back"])
def test_the_hub_never_hears_of_a_tag_that_readers_never_saw(
    blog: Blog, told: Person, hub: LocalHub, then: str
) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    schedule = {"action": "schedule", "publish_at": ahead}
    slug = told.write("Tides", tags="acquisition", **schedule)
    told.write("Moons", tags="other", **schedule)
    if then == "retag":
        told.edit(slug, tags="one", **schedule)
    elif then == "unpublish":
        told.edit(slug, tags="acquisition", action="unpublish")
    elif then == "trash":
        told.post(f"/posts/{slug}/delete")
    else:
        blog.put(PostTag, tag_id=next(tag.id for tag in blog.rows(Tag) if tag.slug == "other"))
    assert announce(blog, hub) == []
    blog.put(Post, published_at=now())
    move_clock(blog, timedelta(hours=4))
    of_tags = ["/tags/other", *["/tags/one"] * (then == "retag")]
    assert announce(blog, hub) == topics(*HERE, *of_tags)


def test_what_is_scheduled_no_more_is_told_to_nobody(
    blog: Blog, told: Person, hub: LocalHub
) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    slug = told.write("Tides", tags="one", action="schedule", publish_at=ahead)
    late = datetime.now(UTC) + timedelta(days=9)
    told.edit(slug, tags="one", action="schedule", publish_at=late.isoformat())
    assert len(blog.rows(Announcement)) == len((*HERE, "/tags/one"))
    assert all(each.since > now() + timedelta(days=8) for each in blog.rows(Announcement))
    told.post(f"/posts/{slug}/delete")
    assert blog.rows(Announcement) == []


def test_what_is_hidden_until_later_is_told_twice(blog: Blog, told: Person, hub: LocalHub) -> None:
    slug = told.write("Tides")
    announce(blog, hub)
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    told.edit(slug, action="schedule", publish_at=ahead)
    assert announce(blog, hub) == topics(*HERE)
    move_clock(blog, timedelta(hours=4))
    assert announce(blog, hub) == topics(*HERE)


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_what_the_hub_does_not_take_is_tried_again_for_a_day(
    blog: Blog, told: Person, hub: LocalHub, status: int
) -> None:
    told.write("Tides")
    hub.status = status
    asked = [f"{BASE}{prefix}/feed.xml" for prefix in HERE][: 2 if status == 404 else 1]
    assert announce(blog, hub) == asked, "a hub that does not listen is asked once"
    assert announce(blog, hub) == [], "it waits"
    for _ in range(3):
        move_clock(blog, timedelta(hours=2))
        assert announce(blog, hub) == asked
    assert len(blog.rows(Announcement)) == len(HERE)
    move_clock(blog, timedelta(hours=20))
    announce(blog, hub)
    assert blog.rows(Announcement) == []


def test_a_feed_that_the_hub_refuses_keeps_no_other_from_it(
    blog: Blog, told: Person, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "AT_ONCE", 2)
    told.write("Tides", tags="one, two")
    hub.refused = f"/users/{BOB}/"
    heard = announce(blog, hub)
    assert heard == sorted([*topics("", "/tags/one", "/tags/two"), f"{BASE}/users/{BOB}/feed.xml"])
    assert [each.prefix for each in blog.rows(Announcement)] == [f"/users/{BOB}"]


def test_a_hub_that_is_back_hears_of_everything(blog: Blog, told: Person, hub: LocalHub) -> None:
    told.write("Tides", tags="one")
    hub.status = 503
    announce(blog, hub)
    hub.status = 202
    move_clock(blog, timedelta(minutes=2))
    assert announce(blog, hub) == topics(*HERE, "/tags/one")


def test_many_changes_of_a_feed_are_one(blog: Blog, told: Person, hub: LocalHub) -> None:
    for number in range(3):
        told.write(f"Post {number}")
    assert announce(blog, hub) == topics(*HERE)


def test_a_hub_that_is_away_harms_nobody(blog: Blog, told: Person, hub: LocalHub) -> None:
    told.write("Tides")
    with LocalHub() as gone:
        address = gone.url
    with pytest.raises(NotTold):
        tell(address, f"{BASE}/feed.xml")
    assert hubs.announce(blog.database, address, BASE)
    assert len(blog.rows(Announcement)) == len(HERE)


def test_who_publishes_wakes_the_job(blog: Blog, told: Person, hub: LocalHub) -> None:
    woken = []
    listeners = told.blog.database.listeners
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(listeners, announcements.NOTED, lambda: woken.append(1))
        told.write("Tides")
    assert woken == [1]
    jobs = Jobs(told.blog.settings, blog.beside().database)
    jobs.tick()
    assert hub.heard() == topics(*HERE)
    assert jobs.announce_at > now()
    jobs.database.close()


def test_where_no_hub_is_set_nothing_is_noted(blog: Blog, bob: Person) -> None:
    slug = bob.write("Tides")
    bob.edit(slug, content="Other words.", action="publish")
    assert blog.rows(Announcement) == []
    assert blog.rows(Post)


@pytest.mark.parametrize("name", FORMATS)
def test_feeds_name_the_hub(told: Person, hub: LocalHub, name: str) -> None:
    told.write("Tides", tags="one")
    reader = told.blog.visitor()
    for prefix in (*HERE, "/tags/one"):
        response = reader.get(f"{prefix}/{name}")
        read = feed_rules.check(response.content, response.headers["content-type"])
        assert (read.hub, read.self) == (hub.url, f"{BASE}{prefix}/{name}")
        found = response.headers["link"]
        assert found == f'<{hub.url}>; rel="hub", <{BASE}{prefix}/{name}>; rel="self"'
