"""What a post said before: kept, compared, brought back."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update
from sqlmodel import col

from models import Post, Revision, User
from services import revisions
from tests.blog import Blog, Person, slug_in
from tests.routers.test_posts import linked


def kinds(blog: Blog) -> list[tuple[int, str]]:
    found = sorted(blog.rows(Revision), key=lambda each: each.number)
    return [(each.number, each.kind) for each in found]


def texts(blog: Blog) -> list[str]:
    found = sorted(blog.rows(Revision), key=lambda each: each.number)
    return [each.text["content"] for each in found]


def revise(blog: Blog, post: Post, content: str, kind: str = revisions.SAVED) -> None:
    """A revision that no form makes, or many of them at little cost."""
    with blog.database.writing() as db:
        text = {"title": post.title, "content": content, "tags": "", "slug": post.slug}
        revisions.add(db, post, text, None, kind)


def numbers_on(page: str) -> list[int]:
    return [int(number) for number in re.findall(r">Revision (\d+)</a>", page)]


def test_every_text_that_is_saved_is_a_revision(alice: Person, blog: Blog) -> None:
    slug = alice.draft(content="One.")
    alice.edit(slug, content="Two.")
    alice.edit(slug, content="Three.", action="publish")
    alice.edit(slug, content="Four.")
    assert texts(blog) == ["One.", "Two.", "Three.", "Four."]
    assert kinds(blog) == [(1, "saved"), (2, "saved"), (3, "published"), (4, "saved")]


def test_saving_without_a_change_adds_none_and_publishing_is_noted(
    alice: Person, blog: Blog
) -> None:
    slug = alice.draft(tags="Wood")
    for _ in range(2):
        alice.edit(slug, tags="wood")
    assert kinds(blog) == [(1, "saved")]
    alice.edit(slug, tags="wood", action="publish")
    assert kinds(blog) == [(1, "published")]
    alice.edit(slug, tags="wood")
    alice.edit(slug, tags="wood", action="unpublish")
    assert kinds(blog) == [(1, "published")]


def test_a_revision_has_the_address_that_the_post_really_got(alice: Person, blog: Blog) -> None:
    alice.write("Twins")
    slug = alice.draft("Twins")
    alice.edit(slug, title="The real title", slug=slug)
    found = [each.text["slug"] for each in blog.rows(Revision)]
    assert sorted(found) == ["the-real-title", "twins", "twins-2"]


def test_the_list_tells_who_when_what_and_the_difference(
    alice: Person, bob: Person, blog: Blog
) -> None:
    slug = bob.write("Ropes", "First line.\n\nA rope is long.", tags="harbour")
    alice.edit(slug, content="First line.\n\nA rope is short.", tags="harbour, wood", title="Ropes")
    page = bob.get(f"/posts/{slug}/revisions").text
    assert numbers_on(page) == [2, 1]
    assert page.index("alice") < page.index("What readers see") < page.index("The first text")
    assert ">Published</span>" in page
    assert "Tags: harbour" in page
    assert "Title: " not in page
    assert "<mark>short</mark>" in page
    assert page.count("<details open>") == 1
    assert 'datetime="' in page
    assert " UTC</time>" in page


def test_times_are_those_of_the_blog(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    with blog.beside(time_zone="Asia/Tokyo") as other:
        person = Person(other, "alice")
        person.client.cookies.update(alice.client.cookies)
        assert " JST</time>" in person.get(f"/posts/{slug}/revisions").text


def test_a_title_and_an_address_that_changed_are_told(alice: Person) -> None:
    slug = alice.draft("Old name", "Same.")
    alice.edit(slug, title="New name", content="Same.")
    page = alice.get("/posts/new-name/revisions").text
    for line in ("Title: ", "Address: "):
        assert page.count(line) == 2
    assert "Same." not in page


def test_the_list_is_paged(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    post = alice.stored(slug)
    for number in range(2, 46):
        revise(blog, post, f"Text {number}")
    seen, pages, address = [], [], f"/posts/{slug}/revisions"
    while address:
        pages.append(alice.get(address).text)
        seen += numbers_on(pages[-1])
        address = linked(pages[-1], "next")
    assert seen == list(range(45, 0, -1))
    assert "<mark>25</mark>" in pages[0]  # what the last one of the page is compared with
    back = alice.get(linked(pages[2], "prev")).text
    assert numbers_on(back) == numbers_on(pages[1])
    assert numbers_on(alice.get(linked(back, "prev")).text) == numbers_on(pages[0])
    assert linked(pages[0], "prev") == ""


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 9, "9" * 30, "1.5", "%00", "é"])
def test_a_number_that_is_none_is_an_error_of_the_asker(alice: Person, number: str) -> None:
    slug = alice.draft()
    for address in (f"/{number}", f"?before={number}", f"?after={number}", f"/1?with={number}"):
        assert alice.get(f"/posts/{slug}/revisions{address}").status_code in (200, 404, 422)
    assert alice.get(f"/posts/{slug}/revisions/2").status_code == 404
    assert alice.get(f"/posts/{slug}/revisions/1?with=2").status_code == 404
    assert alice.post(f"/posts/{slug}/revisions/{number}/restore").status_code in (404, 422)


def test_a_page_of_long_texts_stays_small(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    post = alice.stored(slug)
    for number in range(22):
        revise(blog, post, f"{number}\n" + "\n".join(f"{number} line {n}" * 3 for n in range(9000)))
    page = alice.get(f"/posts/{slug}/revisions")
    assert page.status_code == 200
    assert len(page.content) < 200_000
    assert "And more: look at the whole of it" in page.text
    assert "This is a long text." in page.text


def test_a_revision_is_shown_whole_and_as_a_page(alice: Person) -> None:
    slug = alice.draft("Then", "Some *early* words.", tags="wood")
    alice.edit(slug, title="Now", content="Later.")
    page = alice.get("/posts/now/revisions/1").text
    assert "Some *early* words.</textarea>" in page
    assert "Some <em>early</em> words." in page
    assert "<dd>Then</dd>" in page
    assert "<dd>wood</dd>" in page


def test_a_revision_is_compared_with_any_other_and_with_what_readers_see(alice: Person) -> None:
    slug = alice.write(content="Alpha rope.")
    alice.edit(slug, content="Beta rope.")
    alice.edit(slug, content="Gamma rope.")
    here = f"/posts/{slug}/revisions"
    assert "<mark>Beta</mark>" in alice.get(f"{here}/3?with=2").text
    for pair in ("3?with=1", "1?with=3", "3?with=readers"):
        page = alice.get(f"{here}/{pair}").text
        assert page.index("<mark>Alpha</mark>") < page.index("<mark>Gamma</mark>")
    assert "There is no difference." in alice.get(f"{here}/1?with=readers").text
    draft = alice.draft("Hidden")
    assert alice.get(f"/posts/{draft}/revisions/1?with=readers").status_code == 404


def test_restoring_adds_a_revision_and_nothing_public_changes(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = alice.write("Title", "Alpha.", tags="first")
    alice.edit(slug, title="Other title", content="Beta.", tags="second", action="publish")
    before = stranger.get(f"/posts/{slug}").content
    version = alice.stored(slug).version
    answer = alice.post(f"/posts/{slug}/revisions/1/restore")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{slug}/edit")
    assert stranger.get(f"/posts/{slug}").content == before
    assert kinds(blog)[-1] == (3, "restored")
    post = alice.stored(slug)
    expected = {"title": "Title", "content": "Alpha.", "tags": "first", "slug": slug}
    assert expected.items() <= (post.staged or {}).items()
    assert post.version == version + 1
    page = alice.get(f"/posts/{slug}/edit").text
    assert "Readers see it once you update" in page
    assert "Alpha.</textarea>" in page
    alice.edit(slug, title="Title", content="Alpha.", tags="first", action="publish")
    assert "Alpha." in stranger.get(f"/posts/{slug}").text
    assert kinds(blog)[-1] == (3, "published")


def test_restoring_a_draft_changes_it_at_once(alice: Person) -> None:
    slug = alice.draft("First", "Alpha.")
    alice.edit(slug, title="Second", content="Beta.")
    alice.post("/posts/second/revisions/1/restore")
    assert alice.stored("first").content == "Alpha."


def test_what_was_typed_elsewhere_meanwhile_meets_a_conflict_and_is_not_lost(
    alice: Person,
) -> None:
    slug = alice.draft(content="Alpha.")
    alice.edit(slug, content="Beta.")
    alice.post(f"/posts/{slug}/revisions/1/restore")
    answer = alice.edit(slug, content="Gamma, typed for an hour.", version=2)
    assert answer.status_code == 409
    assert "Gamma, typed for an hour." in answer.text


@pytest.mark.parametrize("ask", ["revisions/1/restore", "staged/delete"])
@pytest.mark.parametrize("tab", ["", "a-tab"])
def test_what_was_typed_and_not_saved_becomes_a_revision_first(
    alice: Person, blog: Blog, ask: str, tab: str
) -> None:
    slug = alice.write(content="Alpha.")
    alice.edit(slug, content="Beta.")
    typed = {"title": "A post", "content": "Typed and not saved.", "tags": "", "tab": tab}
    assert alice.client.put(f"/posts/{slug}/autosave", json=typed).status_code == 200
    assert alice.post(f"/posts/{slug}/{ask}").status_code == 303
    assert texts(blog) == ["Alpha.", "Beta.", "Typed and not saved.", "Alpha."]
    assert [kind for _, kind in kinds(blog)][2:] == ["autosaved", "restored"]
    assert "Alpha.</textarea>" in alice.get(f"/posts/{slug}/edit").text
    assert "is-calm" in alice.get(f"/posts/{slug}/revisions").text


def test_a_restored_text_does_not_take_its_old_address_along(alice: Person, bob: Person) -> None:
    slug = alice.draft("Name", "Alpha.", slug="mine")
    alice.edit(slug, slug="other", content="Beta.")
    assert bob.draft("Something", slug="mine") == "mine"
    assert slug_in(alice.post("/posts/other/revisions/1/restore")) == "other"
    assert alice.stored("other").content == "Alpha."


def test_restoring_what_is_there_adds_nothing(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    for _ in range(2):
        assert alice.post(f"/posts/{slug}/revisions/1/restore").status_code == 303
    assert kinds(blog) == [(1, "published")]
    assert alice.stored(slug).staged is None


def test_half_a_text_comes_back_into_the_form(alice: Person, blog: Blog) -> None:
    slug = alice.draft(content="Alpha.")
    with blog.database.writing() as db:
        half = {"title": "", "content": "Half a thought", "tags": "!!!", "slug": ""}
        revisions.add(db, alice.stored(slug), half, None, revisions.AUTOSAVED)
    assert alice.get(f"/posts/{slug}/revisions").status_code == 200
    assert alice.get(f"/posts/{slug}/revisions/2?with=1").status_code == 200
    answer = alice.post(f"/posts/{slug}/revisions/2/restore")
    assert answer.status_code == 422
    assert "Half a thought" in answer.text
    assert "Please fill this in." in answer.text
    assert alice.stored(slug).content == "Alpha."


def test_many_at_once_get_numbers_of_their_own(alice: Person, blog: Blog) -> None:
    slug = alice.draft(content="0")
    for number in range(1, 9):
        alice.edit(slug, content=f"{number}")
    with ThreadPoolExecutor(8) as pool:
        asks = [
            pool.submit(alice.post, f"/posts/{slug}/revisions/{number}/restore")
            for number in range(1, 9)
        ]
    assert {ask.result().status_code for ask in asks} == {303}
    found = [number for number, _ in kinds(blog)]
    assert found == list(range(1, len(found) + 1))
    assert texts(blog)[-1] == alice.stored(slug).content


def test_of_more_than_a_thousand_the_least_worth_go(
    alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST", 4)
    slug = alice.write(content="1")
    post = alice.stored(slug)
    for number, kind in enumerate(["autosaved", "saved", "autosaved", "published", "saved"], 2):
        revise(blog, post, f"{number}", kind)
    assert kinds(blog) == [(1, "published"), (3, "saved"), (5, "published"), (6, "saved")]
    for number in range(7, 11):
        revise(blog, post, f"{number}", "published")
    assert kinds(blog) == [(number, "published") for number in (7, 8, 9, 10)]
    revise(blog, post, "11", "autosaved")
    assert kinds(blog)[-1] == (11, "autosaved")
    revise(blog, post, "12", "autosaved")
    assert [number for number, _ in kinds(blog)] == [8, 9, 10, 12]


def test_only_who_may_edit_sees_them(
    bob: Person, mallory: Person, carol: Person, stranger: Person
) -> None:
    public, draft = bob.write(content="Alpha."), bob.draft()
    for ask in ("", "/1"):
        assert mallory.get(f"/posts/{public}/revisions{ask}").status_code == 403
        assert carol.get(f"/posts/{public}/revisions{ask}").status_code == 403
        hidden = mallory.get(f"/posts/{draft}/revisions{ask}")
        assert hidden.status_code == 404
        assert hidden.content == mallory.get(f"/posts/never-was/revisions{ask}").content
        assert stranger.get(f"/posts/{public}/revisions{ask}").status_code == 303
    for verb in ("revisions/1/restore", "staged/delete"):
        assert mallory.post(f"/posts/{public}/{verb}").status_code == 403
        assert mallory.post(f"/posts/{draft}/{verb}").status_code == 404


def test_a_number_belongs_to_its_post(bob: Person, mallory: Person) -> None:
    secret, own = bob.draft("Secret", "Heliotrope."), mallory.draft("Own")
    bob.edit(secret, content="Heliotrope again.")
    assert mallory.get(f"/posts/{own}/revisions/2").status_code == 404
    assert mallory.get(f"/posts/{own}/revisions/1?with=2").status_code == 404
    assert mallory.post(f"/posts/{own}/revisions/2/restore").status_code == 404


def test_old_addresses_lead_on_with_their_query(alice: Person) -> None:
    alice.write("First")
    alice.edit("first", slug="second", action="publish")
    answer = alice.get("/posts/first/revisions/1?with=2")
    assert answer.status_code == 301
    assert answer.headers["location"] == "/posts/second/revisions/1?with=2"


def test_who_has_left_is_nobody(alice: Person, bob: Person, blog: Blog) -> None:
    slug = bob.write()
    [bobs] = [user.id for user in blog.rows(User) if user.username == "bob"]
    with blog.database.writing() as db:
        db.execute(update(Revision).values(editor_id=None).where(col(Revision.editor_id) == bobs))
    assert "somebody who has left" in alice.get(f"/posts/{slug}/revisions").text


def test_a_page_of_them_costs_few_queries(alice: Person, blog: Blog) -> None:
    from tests.test_costs import statements

    slug = alice.draft()
    post = alice.stored(slug)
    for number in range(2, 23):
        revise(blog, post, f"Text {number}")
    with statements(blog) as found:
        alice.get(f"/posts/{slug}/revisions")
    about = [each for each in found if "revisions" in each]
    assert len(about) == 2


def test_programs_list_read_and_restore_them(alice: Person, stranger: Person, blog: Blog) -> None:
    slug = alice.write("Title", "Alpha.", tags="wood")
    alice.edit(slug, title="Title", content="Beta.", tags="wood", action="publish")
    for number in range(3, 26):
        revise(blog, alice.stored(slug), f"Text {number}")
    base = f"/api/v1/posts/{slug}/revisions"
    listed = alice.get(base)
    items = listed.json()["items"]
    assert [each["number"] for each in items] == list(range(25, 5, -1))
    assert listed.headers["link"] == f'<{listed.json()["next"]}>; rel="next"'
    older = alice.get(listed.json()["next"]).json()
    assert [each["number"] for each in older["items"]] == [5, 4, 3, 2, 1]
    assert older["items"][-1]["author"]["username"] == "alice"
    assert older["items"][0]["author"] is None
    assert [each["number"] for each in alice.get(older["prev"]).json()["items"]][-1] == 6
    one = alice.get(f"{base}/1").json()
    assert (one["kind"], one["text"]["content"], one["text"]["tags"]) == (
        "published",
        "Alpha.",
        "wood",
    )
    answer = alice.client.post(f"{base}/1/restore", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["working"]["staged"]["content"] == "Alpha."
    assert answer.json()["content"] == "Beta."
    assert "Beta." in stranger.get(f"/posts/{slug}").text
    assert stranger.get(base).status_code == 401
    assert alice.get(f"{base}/99").status_code == 404
