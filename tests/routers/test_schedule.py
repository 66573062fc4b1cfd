"""Publishing later: the time that was typed is the time at which readers see it, and not before."""

import html
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from httpx2 import Response

from models import AuditEvent, Post, Slug
from services import audit
from tests.blog import Blog, Person, slug_in
from tests.clocks import in_field, next_change
from tests.programs import is_problem

POSTS = "/api/v1/posts"
SURFACES = ("/", "/posts", "/users/alice", "/tags/tides", "/api/v1/posts", "/api/v1/tags")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
TOMORROW = timedelta(days=1)


def soon(**ahead: float) -> str:
    """A moment that is still to come, with its offset."""
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def schedule(person: Person, title: str = "Spring tide", at: str = "", **fields: str) -> str:
    """The slug of a post that goes live tomorrow, or at that time."""
    response = person.post(
        "/posts",
        {
            "title": title,
            "content": "Higher than ever.",
            "action": "schedule",
            "publish_at": at or soon(days=1),
            **fields,
        },
    )
    assert response.status_code == 303, response.text
    assert response.headers["location"].endswith("/edit")
    return slug_in(response)


def be_due(blog: Blog) -> None:
    """Let the time come."""
    moment = datetime.now(UTC) - timedelta(seconds=1)
    blog.put(Post, published_at=moment, first_published_at=moment)


def is_hidden(person: Person, slug: str) -> bool:
    """Whether nothing tells this person of a post, whichever way they look."""
    pages = [person.get(path) for path in SURFACES]
    post, missing = person.get(f"/posts/{slug}"), person.get("/posts/never-was")
    api, none = person.get(f"{POSTS}/{slug}"), person.get(f"{POSTS}/never-was")
    return (
        not any("pring" in page.text for page in pages)
        and (post.status_code, post.content) == (404, missing.content)
        and (api.status_code, api.content) == (404, none.content)
    )


# When it is seen.


def test_nobody_sees_it_before_its_time_and_everybody_from_then_on(
    alice: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    slug = schedule(alice, tags="tides")
    for somebody in (stranger, mallory):
        assert is_hidden(somebody, slug)
    assert alice.get(f"/posts/{slug}").status_code == 200
    be_due(blog)
    for somebody in (stranger, mallory):
        for path in (*SURFACES[:-1], f"/posts/{slug}"):
            assert "pring" in somebody.get(path).text, path


@pytest.mark.timeout(30)
def test_it_goes_live_on_the_second_without_a_worker(alice: Person, stranger: Person) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    slug = schedule(alice, at=at.isoformat())
    while True:
        before = datetime.now(UTC)
        status = stranger.get(f"/posts/{slug}").status_code
        after = datetime.now(UTC)
        assert status == (200 if before >= at else 404) or before < at <= after
        if before >= at:
            break
        time.sleep(0.02)
    assert slug in stranger.get("/").text


def test_a_clock_that_goes_back_publishes_nothing_early(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    """The rows move here, since the clock of a test cannot: an hour back, then a day ahead."""
    slug = schedule(alice, at=soon(minutes=30))
    at = alice.stored(slug).published_at
    assert at
    later = at + timedelta(hours=1)
    blog.put(Post, published_at=later, first_published_at=later)
    assert is_hidden(stranger, slug)
    assert alice.edit(slug, content="Still mine.").headers["location"] == f"/posts/{slug}/edit"
    earlier = at - timedelta(days=1)
    blog.put(Post, published_at=earlier, first_published_at=earlier)
    assert stranger.get(f"/posts/{slug}").status_code == 200


def test_a_public_post_that_is_scheduled_again_is_hidden_until_then(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = alice.write("Spring tide", tags="tides")
    assert stranger.get(f"/posts/{slug}").status_code == 200
    alice.edit(slug, action="schedule", publish_at=soon(days=1), tags="tides")
    assert is_hidden(stranger, slug)
    be_due(blog)
    assert stranger.get(f"/posts/{slug}").status_code == 200


@pytest.mark.parametrize(
    "take_away",
    [
        lambda person, slug: person.edit(slug, action="unpublish"),
        lambda person, slug: person.edit(slug, action="schedule", publish_at=soon(days=1)),
    ],
    ids=["unpublished", "scheduled again"],
)
def test_what_went_live_by_itself_can_be_taken_back(
    alice: Person, stranger: Person, blog: Blog, take_away: Callable[[Person, str], Response]
) -> None:
    slug = schedule(alice, tags="tides")
    be_due(blog)
    etag = stranger.get(f"/posts/{slug}").headers.get("etag", '"none"')
    assert take_away(alice, slug).status_code == 303
    assert is_hidden(stranger, slug)
    assert stranger.get(f"/posts/{slug}", headers={"If-None-Match": etag}).status_code == 404


# What is typed.


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Please say when it is to appear."),
        ("tomorrow", "not a date with a time"),
        ("2030-02-30T10:00", "not a date with a time"),
        ("2030-02-03", "not a date with a time"),
        ("2030-W07-1T10:00", "not a date with a time"),
        ("1900000000", "not a date with a time"),
        ("٢٠٣٠-٠٢-٠٣T10:00", "not a date with a time"),
        ("9999-12-31T23:59-23:59", "not a date with a time"),
        ("2030-02-03T10:00+99:00", "not a date with a time"),
        ("2030-02-03T10:00\0", "not a date with a time"),
        ("2020-02-03T10:00", "3 February 2020, 10:00 is over: it is"),
        ("0001-01-01T00:00", "is over"),
        ("2099-01-01T00:00", "more than ten years away"),
        ("9999-12-31T23:59", "more than ten years away"),
        ("2" * 65, "not a value we can use"),
    ],
)
def test_a_time_that_is_none_gets_a_sentence_and_the_text_stays(
    alice: Person, blog: Blog, typed: str, sentence: str
) -> None:
    fields = {"title": "Kept", "content": "Kept words.", "publish_at": typed, "action": "schedule"}
    answer = alice.post("/posts", fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Kept words." in answer.text
    assert blog.rows(Post) == []
    slug = alice.draft()
    answer = alice.edit(slug, content="Kept words.", action="schedule", publish_at=typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Kept words." in answer.text
    assert alice.stored(slug).version == 1
    api = alice.client.patch(
        f"{POSTS}/{slug}", json={"version": 1, "action": "schedule", "publish_at": typed}
    )
    assert is_problem(api, 422)
    assert api.json()["errors"][0]["pointer"] == "#/publish_at"
    assert sentence in api.json()["detail"]


def test_the_time_counts_only_for_what_is_scheduled(alice: Person, stranger: Person) -> None:
    slug = alice.write(publish_at="nonsense")
    assert stranger.get(f"/posts/{slug}").status_code == 200


def test_the_minute_that_has_begun_is_now(alice: Person, stranger: Person, blog: Blog) -> None:
    answer = alice.post(
        "/posts",
        {
            "title": "At once",
            "content": "Words.",
            "action": "schedule",
            "publish_at": soon(seconds=-2),
        },
    )
    assert answer.headers["location"] == "/posts/at-once"
    assert stranger.get("/posts/at-once").status_code == 200
    assert blog.rows(AuditEvent)[-1].action == audit.POST_PUBLISHED


def test_a_time_without_an_offset_is_one_in_the_zone_of_the_blog(alice: Person, blog: Blog) -> None:
    for zone in ZONES:
        at = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
        with blog.beside(time_zone=zone) as there:
            person = alice.at(there)
            slug = schedule(person, at=in_field(at, zone))
            assert person.stored(slug).published_at == at
            written = at.astimezone(ZoneInfo(zone))
            page = html.unescape(person.get(f"/posts/{slug}/edit").text)
            assert f'Goes live on <time datetime="{written.isoformat(timespec="seconds")}">' in page
            assert f"{written.day} {written:%B %Y, %H:%M} ({zone})" in page
            assert f'value="{in_field(at, zone)}"' in page
            found = person.client.post(
                POSTS,
                json={
                    "title": "By a program",
                    "content": "x",
                    "action": "schedule",
                    "publish_at": in_field(at, zone),
                },
            ).json()
            assert datetime.fromisoformat(found["published_at"]) == at
            assert found["state"] == "scheduled"


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_clocks_skip_is_none(alice: Person, blog: Blog, zone: str) -> None:
    change, step = next_change(zone, forward=True)
    skipped = datetime.fromisoformat(in_field(change, zone)) - step + timedelta(minutes=15)
    with blog.beside(time_zone=zone) as there:
        person = alice.at(there)
        fields = {"title": "Skipped", "content": "Kept.", "action": "schedule"}
        answer = person.post("/posts", {**fields, "publish_at": skipped.isoformat("T", "minutes")})
        assert answer.status_code == 422
        assert f"There is no {skipped:%H:%M} on" in answer.text
        assert f"{skipped + step:%H:%M} would be the time" in answer.text
        # The minute before the gap and the first one after it are next to each other.
        before = schedule(person, "Before", (skipped - timedelta(minutes=16)).isoformat())
        after = schedule(person, "After", in_field(change, zone))
        assert person.stored(after).published_at == change
        assert person.stored(before).published_at == change - timedelta(minutes=1)


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_comes_twice_is_the_earlier_one(alice: Person, blog: Blog, zone: str) -> None:
    change, step = next_change(zone, forward=False)
    second_time = change + timedelta(minutes=15)
    with blog.beside(time_zone=zone) as there:
        person = alice.at(there)
        slug = schedule(person, "Twice", in_field(second_time, zone))
        assert person.stored(slug).published_at == second_time - step
        exact = schedule(person, "Exactly", second_time.astimezone(ZoneInfo(zone)).isoformat())
        assert person.stored(exact).published_at == second_time


# The desk.


def test_the_desk_says_when_and_offers_what_can_be_done(alice: Person, blog: Blog) -> None:
    new = alice.get("/posts/new").text
    assert 'type="datetime-local"' in new
    assert "The time in UTC, where it is" in new
    slug = schedule(alice)
    page = alice.get(f"/posts/{slug}/edit").text
    for button in ("Update schedule", "Publish now", "Save for later", "Back to draft"):
        assert f">{button}</button>" in page
    assert "Goes live on" in alice.get("/drafts").text
    assert "Until then readers cannot see this page." in alice.get(f"/posts/{slug}").text
    be_due(blog)
    page = alice.get(f"/posts/{slug}/edit").text
    assert "Update schedule" not in page
    assert ">Unpublish</button>" in page


def test_a_scheduled_post_is_published_now_or_becomes_a_draft_again(
    alice: Person, stranger: Person
) -> None:
    slug = schedule(alice, "Now")
    assert alice.edit(slug, action="publish").headers["location"] == f"/posts/{slug}"
    post = alice.stored(slug)
    assert post.published_at == post.first_published_at
    assert stranger.get(f"/posts/{slug}").status_code == 200
    slug = schedule(alice, "Never")
    assert alice.edit(slug, action="unpublish").headers["location"] == f"/posts/{slug}/edit"
    assert (alice.stored(slug).state, alice.stored(slug).first_published_at) == ("draft", None)


def test_saving_a_scheduled_post_keeps_what_was_scheduled(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = schedule(alice)
    alice.edit(slug, content="Not this.")
    be_due(blog)
    page = stranger.get(f"/posts/{slug}").text
    assert "Higher than ever." in page
    assert "Not this." not in page


def test_a_schedule_is_changed_with_its_text(alice: Person, stranger: Person, blog: Blog) -> None:
    slug = schedule(alice)
    at = (datetime.now(UTC) + timedelta(days=3)).replace(second=0, microsecond=0)
    alice.edit(slug, content="Better words.", action="schedule", publish_at=at.isoformat())
    post = alice.stored(slug)
    assert (post.published_at, post.first_published_at, post.content) == (at, at, "Better words.")


def test_a_stale_schedule_changes_nothing_and_keeps_the_time(alice: Person) -> None:
    slug = alice.draft()
    alice.edit(slug, content="Meanwhile.")
    at = in_field(datetime.now(UTC) + TOMORROW)
    answer = alice.edit(slug, content="Mine.", action="schedule", publish_at=at, version=1)
    assert answer.status_code == 409
    assert f'name="publish_at" value="{at}"' in answer.text
    assert 'name="action" value="schedule"' in answer.text
    assert alice.stored(slug).published_at is None


def test_the_same_form_twice_schedules_one_post(alice: Person, blog: Blog) -> None:
    at = soon(days=1)
    first = schedule(alice, at=at, idempotency_key="once")
    assert schedule(alice, at=at, idempotency_key="once") == first
    blog.put(Post, published_at=datetime.now(UTC), first_published_at=datetime.now(UTC))
    again = {"title": "Spring tide", "content": "Higher than ever.", "action": "schedule"}
    answer = alice.post(
        "/posts", {**again, "publish_at": "2020-01-01T10:00", "idempotency_key": "once"}
    )
    assert answer.headers["location"] == f"/posts/{first}"
    assert len(blog.rows(Post)) == 1


def test_a_new_post_that_was_kept_while_it_was_typed_is_scheduled(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    typed = {"title": "Typed", "content": "Kept by itself.", "idempotency_key": "typed-once"}
    kept = alice.client.put("/posts/new/autosave", json={**typed, "tab": "one"})
    assert kept.status_code in (200, 201), kept.text
    answer = alice.post("/posts", {**typed, "action": "schedule", "publish_at": soon(days=1)})
    assert answer.status_code == 303
    [post] = blog.rows(Post)
    assert (post.state, post.title) == ("scheduled", "Typed")
    assert is_hidden(stranger, post.slug)


def test_only_those_who_may_edit_schedule(bob: Person, mallory: Person, blog: Blog) -> None:
    slug = bob.write()
    assert mallory.edit(slug, action="schedule", publish_at=soon(days=1)).status_code == 403
    assert blog.rows(Post)[0].is_public


def test_the_log_tells_a_schedule_from_a_publication(alice: Person, blog: Blog) -> None:
    at = (datetime.now(UTC) + TOMORROW).replace(hour=17, minute=5, second=0, microsecond=0)
    with blog.beside(time_zone="Europe/Berlin") as berlin:
        schedule(alice.at(berlin), "Noted", in_field(at, "Europe/Berlin"))
    assert [e.action for e in blog.rows(AuditEvent)][-1] == audit.POST_SCHEDULED
    local = at.astimezone(ZoneInfo("Europe/Berlin"))
    said = f"for {local.day} {local:%B %Y, %H:%M} (Europe/Berlin), at /posts/noted."
    assert f"alice scheduled “Noted” {said}" in alice.get("/admin/audit").text


# Addresses.


def test_the_address_of_a_scheduled_post_leaves_nothing_behind(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = schedule(alice, "Working title")
    moved = alice.edit(
        slug, title="Title", slug="title", action="schedule", publish_at=soon(days=2)
    )
    assert slug_in(moved) == "title"
    assert [row.slug for row in blog.rows(Slug)] == ["title"]
    be_due(blog)
    assert stranger.get("/posts/working-title").status_code == 404


def test_old_addresses_of_what_was_public_lead_on_once_it_is_public_again(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    alice.write("Known")
    alice.edit("known", slug="renamed", action="unpublish")
    alice.edit("renamed", slug="renamed", action="schedule", publish_at=soon(days=1))
    missing = stranger.get("/posts/never-was")
    for slug in ("known", "renamed"):
        assert stranger.get(f"/posts/{slug}").content == missing.content
    be_due(blog)
    assert stranger.get("/posts/known").headers["location"] == "/posts/renamed"


# The trash, and leaving.


def test_a_scheduled_post_in_the_trash_never_was_and_comes_back_as_a_draft(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = schedule(alice, tags="tides")
    alice.post(f"/posts/{slug}/delete")
    assert is_hidden(stranger, slug)
    alice.post(f"/posts/{slug}/restore")
    post = alice.stored(slug)
    assert (post.state, post.published_at, post.first_published_at) == ("draft", None, None)


def test_what_was_public_before_answers_410_only_if_it_was_when_it_was_deleted(
    alice: Person, stranger: Person
) -> None:
    alice.write("Hidden again")
    alice.edit("hidden-again", action="schedule", publish_at=soon(days=1))
    alice.post("/posts/hidden-again/delete")
    assert is_hidden(stranger, "hidden-again")
    assert alice.stored("hidden-again").was_published


def test_a_scheduled_post_goes_with_its_author(bob: Person, stranger: Person, blog: Blog) -> None:
    slug = schedule(bob)
    bob.post("/settings/delete", {"password": "a quay in the north", "posts": "keep"})
    assert is_hidden(stranger, slug)
    assert blog.rows(Post) == []
