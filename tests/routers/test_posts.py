"""Writing, reading, changing and throwing away posts."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx2 import Response

from models import Post, PostTag, Slug
from tests.blog import Blog, Person, slug_in


def test_a_published_post_is_seen_by_strangers(alice: Person, stranger: Person) -> None:
    slug = alice.write("What the tide tables leave out", "They are *right* to the minute.")
    assert slug == "what-the-tide-tables-leave-out"
    page = stranger.get(f"/posts/{slug}")
    assert page.status_code == 200
    assert "They are <em>right</em> to the minute." in page.text
    for address in ("/", "/posts", "/users/alice"):
        assert "What the tide tables leave out" in stranger.get(address).text


def test_publishing_is_what_a_form_does_unless_it_says_otherwise(alice: Person) -> None:
    response = alice.post("/posts", {"title": "Plain", "content": "Words."})
    assert (response.status_code, response.headers["location"]) == (303, "/posts/plain")


def test_a_draft_leads_back_to_the_desk(alice: Person) -> None:
    response = alice.post("/posts", {"title": "Later", "content": "Words.", "action": "draft"})
    assert (response.status_code, response.headers["location"]) == (303, "/posts/later/edit")
    assert "Later" in alice.get("/drafts").text


def test_nobody_but_its_author_finds_a_draft(
    alice: Person, bob: Person, mallory: Person, stranger: Person
) -> None:
    slug = bob.draft("Heliotrope plans", "A heliotrope secret.", tags="heliotrope")
    assert bob.get(f"/posts/{slug}").status_code == 200
    for somebody in (mallory, stranger):
        missing = somebody.get("/posts/never-was-here")
        for address in (f"/posts/{slug}", f"/posts/{bob.stored(slug).id}"):
            hidden = somebody.get(address)
            assert (hidden.status_code, hidden.content) == (404, missing.content)
        for address in ("/", "/posts", "/users/bob", "/tags/heliotrope", "/drafts", "/trash"):
            assert "eliotrope" not in somebody.get(address).text
        assert somebody.get("/tags/HELIOTROPE").status_code == 404
        assert somebody.get("/tags/heliotrope").status_code in (404, 303)
    assert mallory.get(f"/posts/{slug}/edit").content == mallory.get("/posts/no/edit").content


def test_only_the_author_and_editors_change_a_post(
    alice: Person, bob: Person, carol: Person, mallory: Person, stranger: Person, blog: Blog
) -> None:
    slug = bob.write("Mine", "Hands off.")
    asks: list[Callable[[Person], Response]] = [
        lambda who: who.get(f"/posts/{slug}/edit"),
        lambda who: who.edit(slug, content="Changed.", action="publish"),
        lambda who: who.edit(slug, action="unpublish"),
        lambda who: who.post(f"/posts/{slug}/delete"),
        lambda who: who.post(f"/posts/{slug}/restore"),
    ]
    for ask in asks:
        assert ask(mallory).status_code == 403
        assert ask(carol).status_code == 403
        assert ask(stranger).headers["location"].startswith("/auth/login?next=%2Fposts%2Fmine")
    stored = blog.rows(Post)[0]
    assert (stored.content, stored.version, stored.is_public) == ("Hands off.", 1, True)
    assert alice.edit(slug, content="Mended by the owner.", action="publish").status_code == 303
    assert "Mended by the owner." in stranger.get(f"/posts/{slug}").text


def test_a_reader_may_not_write(carol: Person, blog: Blog) -> None:
    assert carol.get("/posts/new").status_code == 403
    assert carol.post("/posts", {"title": "No", "content": "No."}).status_code == 403
    assert blog.rows(Post) == []
    assert "New post" not in carol.get("/").text


def test_somebody_elses_draft_cannot_be_touched(bob: Person, mallory: Person, blog: Blog) -> None:
    slug = bob.draft()
    for ask in ("", "/delete", "/restore"):
        answer = mallory.post(f"/posts/{slug}{ask}", {"title": "x", "content": "x", "version": 1})
        assert answer.status_code == 404
    assert blog.rows(Post)[0].version == 1


def test_saving_a_published_post_changes_nothing_public_until_update(
    alice: Person, stranger: Person
) -> None:
    slug = alice.write("Public", "Old words.")
    saved = alice.edit(slug, title="Renamed", content="New words.", tags="new", action="save")
    assert saved.headers["location"] == f"/posts/{slug}/edit"
    page = stranger.get(f"/posts/{slug}").text
    assert "Old words." in page
    assert "New words." not in page + stranger.get("/").text
    assert "New words." in alice.get(f"/posts/{slug}/edit").text
    assert "Renamed" in alice.get("/drafts").text
    update = alice.edit(slug, title="Renamed", content="New words.", tags="new", action="publish")
    assert update.headers["location"] == f"/posts/{slug}"
    page = stranger.get(f"/posts/{slug}").text
    assert "New words." in page
    assert "/tags/new" in page
    assert "Renamed" not in alice.get("/drafts").text


def test_a_post_is_revised_when_readers_get_another_text(alice: Person) -> None:
    slug = alice.write("Public", "Old words.", tags="One, Two")
    same = {"title": "Public", "content": "Old words."}
    published_at = alice.stored(slug).published_at
    alice.edit(slug, **same, tags="one, two", action="publish")
    alice.edit(slug, **same, tags="one", action="save")
    alice.edit(slug, **same, tags="one, two", slug="elsewhere", action="publish")
    assert (alice.stored("elsewhere").revised_at, alice.stored("elsewhere").changed_at) == (
        None,
        published_at,
    )
    alice.edit("elsewhere", **same, tags="one", action="publish")
    first = alice.stored("elsewhere").revised_at
    assert first
    alice.edit("elsewhere", title="Public", content="New words.", tags="one", action="publish")
    post = alice.stored("elsewhere")
    assert post.changed_at == post.revised_at
    assert post.revised_at
    assert post.revised_at > first


def test_what_readers_have_never_seen_is_not_revised(alice: Person) -> None:
    slug = alice.draft("Draft", "One.")
    alice.edit(slug, title="Draft", content="Two.", action="save")
    alice.edit(slug, title="Draft", content="Three.", action="publish")
    post = alice.stored(slug)
    assert (post.revised_at, post.changed_at) == (None, post.published_at)
    alice.edit(slug, title="Draft", content="Three.", action="unpublish")
    assert alice.stored(slug).changed_at is None


def test_an_unpublished_post_is_gone_for_strangers_and_keeps_its_date(
    alice: Person, stranger: Person
) -> None:
    slug = alice.write()
    published_at = alice.stored(slug).published_at
    alice.edit(slug, action="unpublish")
    assert stranger.get(f"/posts/{slug}").status_code == 404
    assert slug not in stranger.get("/").text
    alice.edit(slug, action="publish")
    assert stranger.get(f"/posts/{slug}").status_code == 200
    assert alice.stored(slug).published_at == published_at


def test_a_deleted_post_answers_410_and_can_be_restored(alice: Person, stranger: Person) -> None:
    slug = alice.write("Regretted", "Words.")
    assert "Delete “Regretted”?" in alice.get(f"/posts/{slug}/delete").text
    assert alice.post(f"/posts/{slug}/delete").status_code == 303
    assert stranger.get(f"/posts/{slug}").status_code == 410
    assert alice.get(f"/posts/{slug}").status_code == 410
    assert "Regretted" not in stranger.get("/").text
    assert "Regretted" in alice.get("/trash").text
    assert alice.get(f"/posts/{slug}/edit").status_code == 404
    assert alice.post(f"/posts/{slug}/restore").status_code == 303
    assert stranger.get(f"/posts/{slug}").status_code == 200


def test_a_deleted_draft_never_was(alice: Person, stranger: Person) -> None:
    slug = alice.draft()
    alice.post(f"/posts/{slug}/delete")
    assert stranger.get(f"/posts/{slug}").content == stranger.get("/posts/nothing").content


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Ünïcödé & Straße", "unicode-strasse"),
        ("日本語の題名", "ri-ben-yu-noti-ming"),
        ("Привет, мир", "privet-mir"),
        ("!!! 🌊 !!!", "post"),
        ("New", "post-new"),
        ("9f8d0a52-5d1c-4d5e-8f5e-0d8a1c2b3d4e", "post-9f8d0a52-5d1c-4d5e-8f5e-0d8a1c2b3d4e"),
        ("word " * 40, "-".join(["word"] * 16)),
    ],
)
def test_every_title_gets_a_readable_address(
    alice: Person, stranger: Person, title: str, slug: str
) -> None:
    assert alice.write(title) == slug
    assert stranger.get(f"/posts/{slug}").status_code == 200


def test_equal_titles_get_different_addresses(alice: Person, bob: Person) -> None:
    assert [who.write("Twins") for who in (alice, bob, alice)] == ["twins", "twins-2", "twins-3"]


def test_fifty_posts_of_one_title_at_once_get_fifty_addresses(alice: Person, blog: Blog) -> None:
    with ThreadPoolExecutor(10) as pool:
        slugs = set(pool.map(lambda _: alice.write("At once"), range(50)))
    assert len(slugs) == len(blog.rows(Post)) == len(blog.rows(Slug)) == 50


def test_a_slug_of_ones_own_is_taken_as_typed(alice: Person) -> None:
    assert alice.write("Some title", slug="My Own: Ädress") == "my-own-adress"


def test_old_addresses_lead_straight_to_the_newest(alice: Person, stranger: Person) -> None:
    first = alice.write("First title")
    for slug, wanted in ((first, "second"), ("second", "third")):
        assert slug_in(alice.edit(slug, slug=wanted, action="publish")) == wanted
    post_id = alice.stored("third").id
    for old in (first, "second", str(post_id), "THIRD", "First-Title"):
        answer = stranger.get(f"/posts/{old}")
        assert (answer.status_code, answer.headers["location"]) == (301, "/posts/third")
    assert alice.get("/posts/second/edit").headers["location"] == "/posts/third/edit"
    assert alice.write("Second") == "second-2"


def test_a_post_can_have_an_older_address_back(alice: Person) -> None:
    alice.write("First")
    alice.edit("first", slug="second", action="publish")
    assert slug_in(alice.edit("second", slug="first", action="publish")) == "first"


def test_the_address_of_a_draft_follows_its_title_and_leaves_nothing_behind(
    alice: Person, blog: Blog
) -> None:
    slug = alice.draft("Untitled")
    assert slug_in(alice.edit(slug, title="The real title")) == "the-real-title"
    assert [row.slug for row in blog.rows(Slug)] == ["the-real-title"]


def test_old_addresses_of_a_hidden_post_tell_nothing(alice: Person, stranger: Person) -> None:
    alice.write("Known")
    alice.edit("known", slug="secret-name", action="publish")
    alice.edit("secret-name", action="unpublish")
    assert stranger.get("/posts/known").content == stranger.get("/posts/nothing").content


def test_a_stale_edit_keeps_both_texts(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    assert alice.edit(slug, content="first tab", version=1).status_code == 303
    response = alice.edit(slug, content="second tab", title="My title", version=1)
    assert response.status_code == 409
    for kept in ("first tab", "second tab", "My title"):
        assert kept in response.text
    assert blog.rows(Post)[0].content == "first tab"
    assert 'name="version" value="2"' in response.text


def test_of_many_simultaneous_edits_one_wins(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    with ThreadPoolExecutor(8) as pool:
        texts = [f"text {n}" for n in range(8)]
        answers = list(pool.map(lambda text: alice.edit(slug, content=text, version=1), texts))
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 7
    assert blog.rows(Post)[0].version == 2


def test_a_form_sent_twice_makes_one_post(alice: Person, blog: Blog) -> None:
    form = {"title": "Once", "content": "Words.", "tags": "a, b", "idempotency_key": "k" * 20}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alice.post("/posts", form), range(20)))
    assert {(a.status_code, a.headers["location"]) for a in answers} == {(303, "/posts/once")}
    assert len(blog.rows(Post)) == 1
    assert len(blog.rows(PostTag)) == 2


def test_a_key_belongs_to_one_author(alice: Person, bob: Person, blog: Blog) -> None:
    form = {"title": "Same key", "content": "Words.", "idempotency_key": "shared"}
    assert alice.post("/posts", form).headers["location"] == "/posts/same-key"
    assert bob.post("/posts", form).headers["location"] == "/posts/same-key-2"


def test_the_empty_form_brings_a_fresh_key(alice: Person) -> None:
    forms = {
        alice.get("/posts/new").text.partition('idempotency_key" value="')[2][:22] for _ in "ab"
    }
    assert len(forms) == 2


def test_a_key_that_comes_again_with_another_text_overwrites_nothing(
    alice: Person, blog: Blog
) -> None:
    form = {"title": "Once", "content": "First chapter.", "idempotency_key": "again"}
    alice.post("/posts", form)
    answer = alice.post("/posts", {**form, "content": "Second chapter."})
    assert answer.status_code == 409
    assert "First chapter." in answer.text
    assert "Second chapter." in answer.text
    assert [post.content for post in blog.rows(Post)] == ["First chapter."]


def test_an_address_of_ones_own_survives_saving_and_publishing(alice: Person) -> None:
    slug = alice.draft("Rust", slug="rust-for-cooks")
    alice.edit(slug, slug=slug)
    assert slug_in(alice.edit(slug, slug=slug, action="publish")) == "rust-for-cooks"


def test_the_address_of_a_draft_with_a_taken_title_stays(alice: Person) -> None:
    alice.write("Twins")
    slug = alice.draft("Twins")
    assert [slug_in(alice.edit(slug, content=f"{n}")) for n in range(3)] == ["twins-2"] * 3


def test_an_address_that_is_taken_is_refused(alice: Person, bob: Person, blog: Blog) -> None:
    alice.write("Mine")
    answer = bob.post("/posts", {"title": "T", "content": "Kept words.", "slug": "mine"})
    assert answer.status_code == 409
    assert "That address is taken." in answer.text
    assert "Kept words." in answer.text
    slug = bob.draft("Other")
    assert bob.edit(slug, slug="mine").status_code == 409
    assert len(blog.rows(Post)) == 2


def test_a_post_that_was_hidden_when_it_was_trashed_tells_nothing(
    alice: Person, stranger: Person
) -> None:
    alice.write("Known")
    alice.edit("known", slug="secret-merger", action="unpublish")
    alice.post("/posts/secret-merger/delete")
    for slug in ("known", "secret-merger"):
        assert stranger.get(f"/posts/{slug}").content == stranger.get("/posts/no").content


def test_deleting_and_restoring_twice_is_once(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    for verb in ("delete", "restore"):
        with ThreadPoolExecutor(6) as pool:
            asks = [pool.submit(alice.post, f"/posts/{slug}/{verb}") for _ in range(6)]
        assert {ask.result().status_code for ask in asks} == {303}
    assert not blog.rows(Post)[0].is_trashed


def test_saving_a_post_that_was_trashed_elsewhere_keeps_the_text(alice: Person) -> None:
    slug = alice.draft()
    alice.post(f"/posts/{slug}/delete")
    answer = alice.edit(slug, content="Typed for an hour.", version=2)
    assert answer.status_code == 409
    assert "Typed for an hour." in answer.text
    assert "in the trash" in answer.text


def test_a_conflict_shows_a_changed_title_too(alice: Person) -> None:
    slug = alice.draft("Old title", "Same.")
    alice.edit(slug, title="New title", slug=slug, version=1)
    answer = alice.post(
        f"/posts/{alice.stored('new-title').id}",
        {"title": "Old title", "content": "Same.", "version": "1", "action": "save"},
    )
    assert answer.status_code == 409
    difference = re.sub("</?mark>", "", answer.text)
    assert "Title: New title" in difference
    assert "Title: Old title" in difference


def test_an_address_like_that_of_the_list_is_redirected_rightly(alice: Person) -> None:
    slug = alice.write("!!!")
    assert slug == "post"
    alice.edit(slug, slug="renamed", action="publish")
    assert alice.get("/posts/post/edit").headers["location"] == "/posts/renamed/edit"


def test_the_login_leads_back_to_the_page_of_the_form(alice: Person, stranger: Person) -> None:
    slug = alice.write()
    asked = stranger.post(
        f"/posts/{slug}/restore", headers={"Referer": f"{stranger.blog.url}/trash"}
    )
    assert asked.headers["location"] == "/auth/login?next=%2Ftrash"
    elsewhere = stranger.post("/posts", headers={"Referer": "https://evil.example/trash"})
    assert elsewhere.headers["location"] == "/auth/login?next=%2Fposts"


def test_tags_are_shown_in_order_each_once(alice: Person, stranger: Person) -> None:
    slug = alice.write(tags=" Wood, #Boats ,wood,,C++, C#")
    page = stranger.get(f"/posts/{slug}").text
    places = [page.index(f'"/tags/{tag}"') for tag in ("wood", "boats", "c-plus-plus", "c-sharp")]
    assert places == sorted(places)
    assert page.count("/tags/wood") == 1
    assert "A post" in stranger.get("/tags/boats").text
    assert stranger.get("/tags/Boats").headers["location"] == "/tags/boats"
    assert 'value="Wood, Boats, C++, C#"' in alice.get(f"/posts/{slug}/edit").text


def test_the_excerpt_is_the_beginning_without_markup(alice: Person, stranger: Person) -> None:
    text = "# Heading\n\nA *first* paragraph with a [link](/x).[^1]\n\n" + "word " * 100
    alice.write(content=text + "\n\n[^1]: A note.")
    home = stranger.get("/").text
    assert ">A first paragraph with a link. word word" in home
    assert "word…</p>" in home
    assert "Heading" not in home
    assert "A note." not in home


def test_lists_are_paged_both_ways(alice: Person, stranger: Person) -> None:
    for number in range(45):
        alice.write(f"Number {number:02}", tags="counted")
    for start in ("/", "/users/alice", "/tags/counted"):
        seen, pages, address = [], [], start
        while address:
            pages.append(stranger.get(address).text)
            seen += titles_in(pages[-1])
            address = linked(pages[-1], "next")
        assert seen == [f"Number {n:02}" for n in reversed(range(45))]
        assert [len(titles_in(page)) for page in pages] == [20, 20, 5]
        back = stranger.get(linked(pages[2], "prev")).text
        assert titles_in(back) == titles_in(pages[1])
        first = stranger.get(linked(back, "prev")).text
        assert titles_in(first) == titles_in(pages[0])
        assert linked(first, "prev") == ""


@pytest.mark.parametrize("cursor", ["x", "AAAA", "_" * 32, "-1", "10" * 20, "é", "%00", "A" * 32])
def test_a_cursor_that_is_not_ours_is_a_404(stranger: Person, cursor: str) -> None:
    for name in ("before", "after"):
        assert stranger.get(f"/?{name}={cursor}").status_code in (200, 404)
    assert stranger.get("/?before=nonsense!").status_code == 404
    assert stranger.get("/?before=" + "A" * 5000).status_code == 422


def titles_in(page: str) -> list[str]:
    return [
        part.partition(">")[2].partition("<")[0]
        for part in page.split('<h2 class="p-name" dir="auto"><a ')[1:]
    ]


def linked(page: str, rel: str) -> str:
    return page.partition(f'rel="{rel}" href="')[2].partition('"')[0]
