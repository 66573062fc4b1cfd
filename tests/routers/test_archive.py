"""The archive: all posts by year and month."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from models import Post
from services import archive
from tests.blog import Blog, Person


def at(blog: Blog, slug: str, moment: str) -> None:
    """Let a post be published at another time."""
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    with blog.database.writing() as db:
        db.execute(
            update(Post).filter_by(slug=slug).values(published_at=when, first_published_at=when)
        )


def titles(page: str) -> list[str]:
    return re.findall(r'<a href="/posts/[^"]+"><bdi>([^<]+)</bdi></a></li>', page)


@pytest.fixture
def years(blog: Blog, alice: Person) -> Blog:
    """Posts of three years; one year between them has none."""
    for title, moment in {
        "First": "2019-12-31T23:30",
        "Second": "2020-01-01T00:30",
        "Third": "2022-05-04T10:00",
        "Fourth": "2022-05-05T10:00",
        "Fifth": "2022-07-01T10:00",
    }.items():
        at(blog, alice.write(title), moment)
    return blog


def test_posts_stand_by_year_and_month_newest_first(years: Blog, stranger: Person) -> None:
    page = stranger.get("/archive").text
    assert titles(page) == ["Fifth", "Fourth", "Third", "Second", "First"]
    months = re.findall(r'<h2 id="m-([^"]+)">([^<]+)</h2>', page)
    assert months == [
        ("2022-07", "July 2022"),
        ("2022-05", "May 2022"),
        ("2020-01", "January 2020"),
        ("2019-12", "December 2019"),
    ]
    assert re.findall(r'<a href="/archive/(\d+)"', page) == ["2022", "2020", "2019"]


def test_a_year_has_an_address(years: Blog, stranger: Person) -> None:
    assert titles(stranger.get("/archive/2022").text) == ["Fifth", "Fourth", "Third"]
    assert titles(stranger.get("/archive/2019").text) == ["First"]


def test_years_are_those_of_the_place_of_the_blog(years: Blog, stranger: Person) -> None:
    with years.beside(time_zone="Pacific/Auckland") as there:
        assert titles(there.visitor().get("/archive/2020").text) == ["Second", "First"]
        assert there.visitor().get("/archive/2019").status_code == 404


@pytest.mark.parametrize("year", ["2021", "0000", "9999", "22", "20222", "２０２２", "x", "2022.0"])
def test_a_year_without_posts_is_missing(years: Blog, stranger: Person, year: str) -> None:
    answer = stranger.get(f"/archive/{year}")
    assert answer.status_code == 404


def test_an_empty_archive_says_so(stranger: Person) -> None:
    assert "No posts yet." in stranger.get("/archive").text


def test_a_long_archive_has_pages(
    years: Blog, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PER_PAGE", 2)
    for start, all_titles in {
        "/archive": ["Fifth", "Fourth", "Third", "Second", "First"],
        "/archive/2022": ["Fifth", "Fourth", "Third"],
    }.items():
        seen, path, pages = list[str](), start, 0
        while path:
            page = stranger.get(path).text
            found = titles(page)
            seen, pages = [*seen, *found], pages + 1
            older = re.search(r'rel="next" href="([^"]+)"', page)
            newer = re.search(r'rel="prev" href="([^"]+)"', page)
            assert bool(newer) is (pages > 1)
            if newer:
                before = titles(stranger.get(newer[1]).text)
                assert before == all_titles[2 * (pages - 2) : 2 * (pages - 1)]
            path = older[1] if older else ""
        assert (seen, pages) == (all_titles, -(-len(all_titles) // 2))


@pytest.mark.parametrize("cursor", ["x", "A" * 32, "ä", ""])
def test_a_cursor_that_is_none_is_missing_or_ignored(
    years: Blog, stranger: Person, cursor: str
) -> None:
    expected = (404,) if cursor in ("x", "ä") else (200, 404)
    assert stranger.get("/archive", params={"before": cursor}).status_code in expected


def test_drafts_and_pages_are_not_in_it(years: Blog, alice: Person, stranger: Person) -> None:
    alice.draft("A secret")
    alice.write("About", kind="page")
    page = stranger.get("/archive").text
    assert "A secret" not in page
    assert "About" not in titles(page)
