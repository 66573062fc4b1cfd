"""Searching: what is found, in which order, and that nothing else is; on both databases alike."""

import asyncio
import json
import re
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest
from httpx2 import Response
from sqlmodel import col

from jobs import Jobs
from models import Post, SearchEntry, now
from services import search
from services.search import index, queries
from services.search.turns import MOST_AT_ONCE, SEARCHES
from tests.blog import Blog, Person

TITLE = re.compile(r'<h2[^>]*><a href="([^"]+)">(.*?)</a></h2>', re.S)


def ask(person: Person, typed: str, more: str = "") -> Response:
    return person.get(f"/search?q={quote(typed)}{more}")


def found(person: Person, typed: str) -> list[str]:
    """The titles of what is found, the best first."""
    response = ask(person, typed)
    assert response.status_code == 200, response.text
    return titles(response)


def titles(response: Response) -> list[str]:
    return [unescape(re.sub("<.*?>", "", title)) for _, title in TITLE.findall(response.text)]


def suggested(person: Person, typed: str) -> list[str]:
    response = person.get(f"/search/suggestions?q={quote(typed)}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    return [each["title"] for each in json.loads(response.text)["suggestions"]]


def test_a_title_comes_before_a_tag_a_tag_before_many_mentions_and_those_before_one(
    bob: Person, stranger: Person
) -> None:
    bob.write("In the title: heron")
    bob.write("In the tags", tags="heron")
    bob.write("In a heading", "## The heron\n\nIt stands.")
    bob.write("Often", "A heron, a heron. And a heron.")
    bob.write("Once", "There was a heron.")
    bob.write("Never", "There was a gull.")
    bob.write("Once, and later", "There was a heron again.")
    assert found(stranger, "heron") == [
        "In the title: heron",
        "In the tags",
        "Often",
        "In a heading",
        "Once, and later",
        "Once",
    ]


def test_the_newest_of_one_rank_comes_first(bob: Person, stranger: Person) -> None:
    for name in ("one", "two", "three"):
        bob.write(f"Part {name}", "About knots.")
    assert found(stranger, "knots") == ["Part three", "Part two", "Part one"]


def test_all_words_must_be_there_wherever_they_stand(bob: Person, stranger: Person) -> None:
    bob.write("Tides", "The moon and the wind.", tags="weather")
    bob.write("Moons", "Only those.")
    assert found(stranger, "moon weather TIDE") == ["Tides"]
    assert found(stranger, "moon sun") == []


PHRASES = [
    ('"four ropes hold"', True),
    ("“four ropes”", True),
    ('"ropes four"', False),
    ('"four hold"', False),
    ('"four ropes', True),  # the mark at the end is missing
    ('"first line second"', True),  # paragraphs follow each other
    ('"harbour life four"', False),  # a title and a text do not
]


def test_a_phrase_is_found_as_it_stands(bob: Person, stranger: Person) -> None:
    bob.write("Harbour life", "Four ropes hold a boat. First line.\n\nSecond line.")
    for typed, is_found in PHRASES:
        assert found(stranger, typed) == ["Harbour life"] * is_found, typed


def test_a_phrase_is_looked_for_in_the_newest_posts_that_have_its_words(
    bob: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However frequent its words are, and however seldom they stand side by side."""
    bob.write("Old", "Four ropes hold it.")
    bob.write("Without", "Nothing of that.")
    for number in range(4):
        bob.write(f"Apart {number}", "Ropes and four.")
    search.mark_all(bob.blog.database)
    search.catch_up(bob.blog.database)  # PostgreSQL counts words when it is over
    assert found(stranger, '"four ropes"') == ["Old"]
    assert found(stranger, 'four -"four ropes"') == [f"Apart {n}" for n in (3, 2, 1, 0)]
    monkeypatch.setattr(queries, "MOST_PROVED", 3)
    assert found(stranger, '"four ropes" ') == []
    assert found(stranger, "four ropes") == [*(f"Apart {n}" for n in (3, 2, 1, 0)), "Old"]
    monkeypatch.setattr(queries, "MOST_PROVED", 6)
    assert found(stranger, ' "four ropes"') == ["Old"]


def test_what_has_a_minus_is_left_out(bob: Person, stranger: Person) -> None:
    bob.write("Sun", "sea and sun and light", tags="summer")
    bob.write("Moon", "sea and moon and light")
    assert found(stranger, "sea -sun") == ["Moon"]
    assert found(stranger, 'sea -"moon and light"') == ["Sun"]
    assert found(stranger, "sea -tag:summer") == ["Moon"]
    assert found(stranger, "sea - sun") == ["Sun"]  # a dash is no minus
    only = ask(stranger, "-sun")
    assert (only.status_code, titles(only)) == (200, [])
    assert "what is to be found, too" in only.text


def test_a_tag_is_found_by_its_name(bob: Person, stranger: Person) -> None:
    bob.write("One", "words", tags="Wooden boats")
    bob.write("Two", "words of wooden boats", tags="wooden")
    assert found(stranger, 'tag:"wooden boats"') == ["One"]
    assert found(stranger, "tag:wooden-boats words") == ["One"]
    assert found(stranger, "tag:Wooden") == ["Two"]


SAME = [
    ("Café à la crème", "cafe creme"),
    ("cafe", "CAFÉ"),
    ("Straße", "STRASSE"),
    ("naïve", "nai\u0308ve"),
    ("nai\u0308ve", "naïve"),
    ("Ελλάδα", "ελλαδα"),
    ("мёд", "МЕД"),
    ("boats and berries", "boat berry"),
    ("a boat", "boats"),
    ("don’t", "don't"),
    ("snake_case_name", '"case name"'),
    ("東京の天気", "東京"),
    ("東京の天気", "天"),
    ("ภาษาไทย", "ไทย"),
    ("हिन्दी में", "हिन्दी"),
    ("ﬁne ligatures", "fine"),
    ("2026-11-29", "2026"),
]


def test_words_are_the_same_however_they_are_written(bob: Person, stranger: Person) -> None:
    for number, (written, _) in enumerate(SAME):
        bob.write(f"{written} {number}a", f"Of number{number}.")
        bob.write(f"Text {number}", f"Before. {written}. After. Of number{number}.")
    for number, (written, typed) in enumerate(SAME):
        expected = [f"Text {number}", unicodedata.normalize("NFC", f"{written} {number}a")]
        assert sorted(found(stranger, f"{typed} number{number}")) == sorted(expected), typed


def test_other_words_are_not(bob: Person, stranger: Person) -> None:
    bob.write("A text", "東京 हिन्दी boating")
    for typed in ("京東", "हिन्दू", "boat", "boa", "ating"):
        assert found(stranger, typed) == [], typed


def test_code_captions_and_footnotes_are_found_and_markup_is_not(
    bob: Person, stranger: Person
) -> None:
    bob.write("Code", "```python\nfrobnicate(x)\n```\n\nA note[^1].\n\n[^1]: Hidden below.")
    assert found(stranger, "frobnicate") == ["Code"]
    assert found(stranger, "hidden below") == ["Code"]
    for word in ("span", "class", "href", "section", "footnotes"):
        assert found(stranger, word) == [], word


def test_pages_are_found_too(alice: Person, stranger: Person) -> None:
    slug = alice.write("About us", "We build boats.", kind="page")
    response = ask(stranger, "boats")
    assert TITLE.findall(response.text) == [(f"/{slug}", "About us")]


def test_words_are_marked_in_plain_text_and_nothing_of_it_is_markup(
    bob: Person, stranger: Person
) -> None:
    bob.write("A <b>bold</b> & heron", "x < y, `<script>alert(1)</script>` and a **her**on & *co*.")
    text = ask(stranger, "heron").text
    assert "A &lt;b&gt;bold&lt;/b&gt; &amp; <mark>heron</mark>" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and a <mark>heron</mark> &amp; co." in text
    assert "<script>alert" not in text


def test_the_part_of_a_text_is_shown_that_has_most_of_the_words(
    bob: Person, stranger: Person
) -> None:
    filler = "Nothing of it here. " * 60
    bob.write("Long", f"The tide. {filler} Then the tide met the moon. {filler}")
    text = ask(stranger, "tide moon").text
    assert "Then the <mark>tide</mark> met the <mark>moon</mark>." in text
    assert text.count("Nothing of it here.") < 15


def test_only_whole_phrases_are_marked(bob: Person, stranger: Person) -> None:
    bob.write("Ropes", "Ropes are four. Four ropes hold it.")
    text = ask(stranger, '"four ropes"').text
    assert "Ropes are four. <mark>Four ropes</mark> hold it." in text


def test_results_are_paged_without_gaps_in_both_directions(bob: Person, stranger: Person) -> None:
    for number in range(12):
        bob.write(f"Knot {number}")
        bob.write(f"Text {number}", "With a knot.")
    one = ask(stranger, "knot")
    forward = link(one, "next")
    assert forward
    assert link(one, "prev") is None
    two = stranger.get(forward)
    back = link(two, "prev")
    assert back
    assert link(two, "next") is None
    expected = [f"{kind} {n}" for kind in ("Knot", "Text") for n in range(11, -1, -1)]
    assert titles(one) + titles(two) == expected
    again = stranger.get(back)
    assert titles(again) == titles(one)
    assert link(again, "prev") is None
    assert link(again, "next") == forward
    for wrong in ("x", "AAAA", "é", "9" * 12, "_____________"):
        assert ask(stranger, "knot", f"&before={quote(wrong)}").status_code == 404, wrong


def link(response: Response, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', response.text)
    return unescape(found[1]) if found else None


def test_the_index_follows_what_readers_see(bob: Person, stranger: Person) -> None:
    slug = bob.write("First", "alpha")
    bob.edit(slug, content="beta")
    assert (found(stranger, "alpha"), found(stranger, "beta")) == (["First"], [])  # staged
    bob.edit(slug, content="beta", action="publish")
    assert (found(stranger, "alpha"), found(stranger, "beta")) == ([], ["First"])
    bob.edit(slug, content="gamma")
    bob.post(f"/posts/{slug}/staged/delete")
    assert (found(stranger, "gamma"), found(stranger, "beta")) == ([], ["First"])
    bob.edit(slug, action="unpublish")
    assert found(stranger, "beta") == []
    bob.edit(slug, title="Second", action="publish")
    assert found(stranger, "second") == ["Second"]
    bob.post(f"/posts/{slug}/delete")
    assert found(stranger, "second") == []
    bob.post(f"/posts/{slug}/restore")
    assert found(stranger, "second") == ["Second"]
    bob.post(f"/posts/{slug}/delete")
    bob.post(f"/trash/{slug}/delete")
    assert found(stranger, "second") == []
    assert bob.blog.rows(SearchEntry) == []


def test_what_is_scheduled_appears_by_itself(bob: Person, stranger: Person) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    bob.write("Tomorrow", "delta", tags="soon", action="schedule", publish_at=ahead)
    assert (found(stranger, "delta"), suggested(stranger, "tomorrow")) == ([], [])
    assert suggested(stranger, "soon") == []
    bob.blog.put(Post, published_at=now() - timedelta(minutes=1))
    bob.blog.put(Post, indexer=0)
    search.catch_up(bob.blog.database)
    assert (found(stranger, "delta"), suggested(stranger, "tomo")) == (["Tomorrow"], ["Tomorrow"])


def test_whatever_the_index_says_only_what_is_public_is_shown(
    bob: Person, stranger: Person
) -> None:
    bob.write("Left behind", "epsilon")
    bob.blog.put(Post, published_at=None)
    assert found(stranger, "epsilon") == []
    assert suggested(stranger, "left") == []


def test_a_renamed_tag_is_found_by_its_new_name(alice: Person, stranger: Person) -> None:
    alice.write("One", tags="wood")
    alice.write("Two", tags="timber")
    alice.post("/tags/wood", {"name": "Oak"})
    assert (found(stranger, "wood"), found(stranger, "oak")) == ([], ["One"])
    assert found(stranger, "tag:oak") == ["One"]
    alice.post("/tags/oak", {"name": "timber", "into": "timber"})
    assert (found(stranger, "oak"), found(stranger, "tag:timber")) == ([], ["Two", "One"])


def test_a_tag_of_many_posts_is_renamed_at_once_and_found_soon(
    alice: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        alice.write(f"Post {number}", tags="wood")
    monkeypatch.setattr("services.search.index.AT_ONCE", 1)
    alice.post("/tags/wood", {"name": "Oak"})
    assert len(found(stranger, "oak")) == 1
    assert search.catch_up(alice.blog.database) == 2
    assert (len(found(stranger, "oak")), found(stranger, "wood")) == (3, [])


def test_a_worker_looks_for_what_is_left_of_a_rename(
    alice: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Jobs(alice.blog.settings, alice.blog.beside().database, is_worker=True)
    for number in range(3):
        alice.write(f"Post {number}", tags="wood")
    worker.tick()
    monkeypatch.setattr("services.search.index.AT_ONCE", 1)
    alice.post("/tags/wood", {"name": "Oak"})
    assert len(found(stranger, "oak")) == 1
    worker.tick()
    assert len(found(stranger, "tag:oak")) == 3
    worker.database.close()


def test_a_rename_does_not_meet_the_job_that_indexes(alice: Person, stranger: Person) -> None:
    database = alice.blog.database
    alice.write("One", tags="wood")
    other = alice.write("Other", "theta")
    search.mark_all(database)
    with database.writing() as db:
        if not database.is_sqlite:  # who writes there is alone
            its = col(Post.id) == alice.stored(other).id
            index.index_some(db, index.outdated(1).where(its).with_for_update())
            assert alice.post("/tags/wood", {"name": "Oak"}).status_code == 303
    if database.is_sqlite:
        alice.post("/tags/wood", {"name": "Oak"})
    search.catch_up(database)
    assert (found(stranger, "oak"), found(stranger, "theta")) == (["One"], ["Other"])


def test_what_the_job_indexes_during_a_rename_is_found_by_the_new_name(
    alice: Person, stranger: Person
) -> None:
    database = alice.blog.database
    its = col(Post.id) == alice.stored(alice.write("One", tags="wood")).id
    search.mark_all(database)
    with ThreadPoolExecutor() as pool:
        with database.writing() as db:
            index.index_some(db, index.outdated(1).where(its).with_for_update())
            renaming = pool.submit(alice.post, "/tags/wood", {"name": "Oak"})
            time.sleep(0.3)  # it waits, or it has not begun; both are well
        assert renaming.result().status_code == 303
    search.catch_up(database)
    assert (found(stranger, "oak"), found(stranger, "wood")) == (["One"], [])


def test_posts_that_appear_at_the_same_moment_are_all_found(bob: Person, stranger: Person) -> None:
    for number in range(5):
        bob.write(f"Post {number}", "zeta")
    bob.blog.put(Post, published_at=now() - timedelta(days=1))
    search.mark_all(bob.blog.database)
    assert search.catch_up(bob.blog.database) == 5
    assert len(found(stranger, "zeta")) == 5


def test_nothing_and_nothing_found_are_friendly_pages(stranger: Person) -> None:
    empty = stranger.get("/search")
    assert empty.status_code == 200
    assert 'role="search"' in empty.text
    assert "side by side" in empty.text
    nothing = ask(stranger, "xyzzy <b>")
    assert nothing.status_code == 200
    assert "Nothing here has all of “xyzzy &lt;b&gt;”." in nothing.text
    assert 'value="xyzzy &lt;b&gt;"' in nothing.text
    for page in (empty, nothing):
        assert '<meta name="robots" content="noindex">' in page.text
    assert "There is no word in that" in ask(stranger, "?!, …").text


def test_a_long_question_is_cut_and_says_so(bob: Person, stranger: Person) -> None:
    bob.write("Long", "boat")
    response = ask(stranger, "boat " * 2_000)
    assert titles(response) == ["Long"]
    assert "Only its first words" in response.text
    assert len(response.content) < 20_000
    assert "Only its first words" in ask(stranger, " ".join(f"boat{n}" for n in range(11))).text


ANYTHING = [
    *('"', '""', "'", "\\", "%", "_", "*", "boat*", "^boat", "{boat}", "(", ")", "((("),
    *("AND", "OR", "NOT", "NEAR(boat, 2)", "boat AND NOT", "title:boat", "words:boat", ":"),
    *("-", "--", '-"', "tag:", 'tag:"', "-tag:", "boat:*", "a <-> b", "a & !b", "| &", "a:b"),
    *("=boat", "#boat", "@boat", "¦", "'boat'", "boat'; DROP TABLE posts; --", "$1", ":said"),
    *("\x00", "boat\x00", "\ud800", "\ufffe", "\U0001f6f6", "e\u0301" * 90, "a" * 5_000),
    *("\u202eboat", "\u200b", "½", "ﷺ" * 30, "İ", "ß", "ŉ", "\u0345"),
]


def test_any_input_is_safe(bob: Person, stranger: Person) -> None:
    bob.write("Boats", "A boat.")
    for typed in ANYTHING:
        sent = quote(typed.encode("utf-8", "surrogatepass"))
        for path in ("/search", "/search/suggestions"):
            assert stranger.get(f"{path}?q={sent}").status_code == 200, typed
    assert stranger.get("/search?q=%ff%fe%00%c3%28").status_code == 200
    assert found(stranger, "boat") == ["Boats"]


def test_tags_and_titles_are_suggested_by_what_they_begin_with(
    bob: Person, stranger: Person
) -> None:
    bob.write("The lighthouse at night", tags="Lights, harbour")
    bob.write("Light reading", action="draft")
    bob.write("Ünder light")
    assert suggested(stranger, "ligh") == ["Lights", "Ünder light", "The lighthouse at night"]
    assert suggested(stranger, "lighthouse at n") == ["The lighthouse at night"]
    assert suggested(stranger, "UNDER") == ["Ünder light"]
    assert suggested(stranger, "l") == suggested(stranger, "") == suggested(stranger, "%") == []
    assert suggested(stranger, "reading") == []


def test_suggestions_lead_to_what_they_say(alice: Person, stranger: Person) -> None:
    alice.write("Harbour office", tags="harbour")
    alice.write("Harbour rules", kind="page")
    response = stranger.get("/search/suggestions?q=harb")
    for each in response.json()["suggestions"]:
        assert stranger.get(each["path"]).status_code == 200
    kinds = [each["kind"] for each in response.json()["suggestions"]]
    assert kinds == ["tag", "post", "post"]


def test_whoever_searches_without_end_is_asked_to_wait(bob: Person, stranger: Person) -> None:
    for _ in range(SEARCHES.most):
        stranger.blog.app.state.searches.limits.take(SEARCHES, "127.0.0.1")
    response = ask(stranger, "boat")
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    assert "no-store" in response.headers["cache-control"]
    assert stranger.get("/search").status_code == 200
    assert stranger.get("/").status_code == 200


def test_too_many_searches_at_once_are_sent_away_and_other_pages_are_not(
    blog: Blog, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(blog.app.state.searches, "places", asyncio.Semaphore(0))
        response = ask(stranger, "boat")
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert stranger.get("/").status_code == 200
    for _ in range(MOST_AT_ONCE + 1):
        assert ask(stranger, "boat").status_code == 200


def test_who_waits_for_a_search_holds_nothing_that_other_pages_need(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where there are few connections."""
    monkeypatch.setattr("services.search.turns.LONGEST_WAIT_SECONDS", 5)
    with blog.beside(database_connections=2) as small, ThreadPoolExecutor() as pool:
        small.app.state.searches.places = places = asyncio.Semaphore(0)
        waiting = [pool.submit(ask, small.visitor(), "boat") for _ in range(3)]
        try:
            while places._waiters is None or len(places._waiters) < len(waiting):
                time.sleep(0.01)
                assert not any(each.done() for each in waiting)
            assert small.visitor().get("/archive").status_code == 200
            assert not any(each.done() for each in waiting)
        finally:
            for _ in waiting:
                small.server.servers[0].get_loop().call_soon_threadsafe(places.release)
        assert [each.result().status_code for each in waiting] == [200] * 3
