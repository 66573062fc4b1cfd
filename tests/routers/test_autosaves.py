"""What an open editor sends by itself: never public, never in the way, never lost."""

import re
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx2
import pytest
import redis

from backends.limits import RedisLimits
from models import Autosave, Post, Revision, Throttle, User
from services import autosaves
from tests.blog import Blog, Person, slug_in
from tests.people import PASSWORD
from tests.processes import at_once

WORDS = "Words that nobody has saved."


def autosave(who: Person, address: str, /, content: str = WORDS, **fields: Any) -> httpx2.Response:
    typed = {"title": "A title", "content": content, "tags": "", **fields}
    return who.client.put(f"/posts/{address}/autosave", json=typed)


def begin(who: Person, key: str = "k" * 22, **fields: Any) -> httpx2.Response:
    return autosave(who, "new", idempotency_key=key, **fields)


def kept(blog: Blog) -> list[dict[str, str]]:
    return [row.text for row in blog.rows(Autosave)]


def contents(blog: Blog, kind: str = "autosaved") -> list[str]:
    """Of the revisions of a kind, in order."""
    found = sorted(blog.rows(Revision), key=lambda row: row.number)
    return [row.text["content"] for row in found if row.kind == kind]


def in_form(who: Person, slug: str) -> str:
    page = who.get(f"/posts/{slug}/edit").text
    [text] = re.findall(r'name="content"[^>]*>\n(.*?)</textarea>', page, re.S)
    return str(text)


# What is typed is kept.


def test_what_was_typed_is_in_the_form_and_nowhere_else(
    alice: Person, bob: Person, stranger: Person
) -> None:
    slug = bob.write("Public", "Old words.")
    answer = autosave(bob, slug, title="Another title", tags="tides")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    told = answer.json()
    assert (told["version"], told["base_version"], told["elsewhere"]) == (1, 1, False)
    page = bob.get(f"/posts/{slug}/edit").text
    assert WORDS in page
    assert 'value="Another title"' in page
    assert 'value="tides"' in page
    assert "not saved in the post yet" in page
    for who in (bob, alice, stranger):
        for address in (f"/posts/{slug}", "/", "/users/bob", "/tags/tides"):
            assert WORDS not in who.get(address).text
            assert "Another title" not in who.get(address).text
    assert WORDS not in alice.get(f"/posts/{slug}/edit").text


def test_autosaves_change_neither_the_post_nor_its_version(alice: Person, blog: Blog) -> None:
    slug = alice.write("Public", "Old words.")
    before = blog.rows(Post)[0].model_dump()
    for n in range(5):
        assert autosave(alice, slug, f"Words {n}").json()["version"] == 1
    assert blog.rows(Post)[0].model_dump() == before
    assert len(blog.rows(Revision)) == 1
    assert [text["content"] for text in kept(blog)] == ["Words 4"]


def test_a_save_after_ones_own_autosaves_is_no_conflict(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    for n in range(3):
        autosave(alice, slug, f"Words {n}", tab="one", base_version=1)
    assert alice.edit(slug, content="Words 3", version=1, tab="one").status_code == 303
    assert kept(blog) == []
    assert contents(blog) == []
    assert "not saved in the post" not in alice.get(f"/posts/{slug}/edit").text


def test_a_post_is_known_by_its_id_and_by_older_addresses(alice: Person, blog: Blog) -> None:
    slug = alice.write("First")
    alice.edit(slug, slug="second", action="publish")
    for address in (slug, "second", str(alice.stored("second").id)):
        assert autosave(alice, address, f"By {address}").json()["slug"] == "second"
        assert kept(blog)[0]["content"] == f"By {address}"


def test_a_title_or_a_text_may_be_missing_for_now(alice: Person, blog: Blog) -> None:
    slug = alice.draft("A title", "Words.")
    assert autosave(alice, slug, "", title="").status_code == 200
    page = alice.get(f"/posts/{slug}/edit").text
    assert 'name="title" value=""' in page
    assert in_form(alice, slug) == ""
    assert alice.client.put(f"/posts/{slug}/autosave", json={}).status_code == 200


def test_what_is_kept_is_kept_to_the_letter(alice: Person) -> None:
    slug = alice.draft()
    typed = "  \n    <b>indented</b> & kept\n\né🙂\t"
    autosave(alice, slug, typed, title=" half a ti", tags="a, b, ", slug="Not yet A slug")
    page = alice.get(f"/posts/{slug}/edit").text
    assert in_form(alice, slug) == typed.replace("&", "&amp;").replace("<", "&lt;").replace(
        ">", "&gt;"
    )
    for value in (" half a ti", "a, b, ", "Not yet A slug"):
        assert f'value="{value}"' in page


def test_typing_what_is_saved_leaves_nothing_unsaved(alice: Person, blog: Blog) -> None:
    slug = alice.draft("Same", "Words.", tags="Wood, Boats")
    autosave(alice, slug, "Other words.")
    assert autosave(alice, slug, "Words.", title=" Same ", tags="wood,boats,").status_code == 200
    assert kept(blog) == []


def test_the_page_says_what_differs_from_the_saved_text(alice: Person) -> None:
    slug = alice.draft("Kept", "The heron is grey.")
    autosave(alice, slug, "The heron is white.", title="Kept")
    page = alice.get(f"/posts/{slug}/edit").text
    assert "The heron is <mark>grey</mark>." in page
    assert "The heron is <mark>white</mark>." in page


def test_what_was_not_saved_can_be_discarded_and_is_a_revision_then(
    alice: Person, blog: Blog
) -> None:
    slug = alice.draft("Kept", "Saved words.")
    autosave(alice, slug)
    answer = alice.post(f"/posts/{slug}/autosave/delete")
    assert answer.headers["location"] == f"/posts/{slug}/edit"
    assert in_form(alice, slug) == "Saved words."
    assert contents(blog) == [WORDS]
    assert alice.post(f"/posts/{slug}/autosave/delete").status_code == 303
    assert contents(blog) == [WORDS]


def test_drafts_show_what_was_typed(alice: Person, bob: Person) -> None:
    public = bob.write("As readers know it", "Words.")
    draft = bob.draft("A draft")
    autosave(bob, public, title="As it may become")
    autosave(bob, draft, title="")
    autosave(alice, draft, title="By the owner")
    page = bob.get("/drafts").text
    assert "As it may become" in page
    assert ">A draft</a>" in page
    assert page.count("not saved yet") == 2
    assert "By the owner" not in page
    assert "By the owner" in alice.get("/drafts").text


# Tabs and people.


def test_another_tab_overwrites_nothing_without_a_trace(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    autosave(alice, slug, "From the first tab.", tab="one")
    told = autosave(alice, slug, "From the second tab.", tab="two").json()
    assert told["elsewhere"]
    assert "another tab" in told["notice"]
    assert contents(blog) == ["From the first tab."]
    assert not autosave(alice, slug, "From the second tab, on.", tab="two").json()["elsewhere"]
    assert contents(blog) == ["From the first tab."]


def test_an_editor_goes_on_with_what_it_was_opened_with(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    autosave(alice, slug, "On the phone.", tab="phone")
    page = alice.get(f"/posts/{slug}/edit").text
    seen = re.findall(r'name="seen" value="(.+?)"', page)[0]
    told = autosave(alice, slug, "On the phone, and on.", tab="desk", seen=seen).json()
    assert (told["elsewhere"], contents(blog)) == (False, [])


def test_a_save_keeps_what_another_tab_was_typing(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    autosave(alice, slug, "From the first tab.", tab="one")
    alice.edit(slug, content="From the second tab.", tab="two")
    assert kept(blog) == []
    assert contents(blog) == ["From the first tab."]


def test_an_autosave_tells_that_somebody_saved_meanwhile(alice: Person, bob: Person) -> None:
    slug = bob.draft("Shared", "Begun.")
    assert alice.edit(slug, content="By Alice.").status_code == 303
    told = autosave(bob, slug, "By Bob.", base_version=1).json()
    assert (told["version"], told["base_version"], told["elsewhere"]) == (2, 1, True)
    assert "Alice has saved this post since" in told["notice"] or "alice" in told["notice"]
    page = bob.get(f"/posts/{slug}/edit").text
    assert 'name="version" value="1"' in page
    assert "was saved elsewhere since" in page
    answer = bob.edit(slug, content="By Bob.", version=1)
    assert answer.status_code == 409
    assert "By Alice." in answer.text
    assert "By Bob." in answer.text


def test_two_who_write_at_once_know_of_each_other(alice: Person, bob: Person) -> None:
    slug = bob.draft("Shared", "Begun.")
    autosave(alice, slug, "By Alice.")
    assert "alice is writing in this post too." in autosave(bob, slug, "By Bob.").json()["notice"]
    assert in_form(alice, slug) == "By Alice."
    assert in_form(bob, slug) == "By Bob."


def test_of_many_autosaves_at_once_one_stays_and_none_fails(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    answers = at_once(12, lambda n: autosave(alice, slug, f"Words {n}", tab="one"))
    assert {answer.status_code for answer in answers} == {200}
    assert len(kept(blog)) == 1
    assert contents(blog) == []


def test_of_many_tabs_at_once_nothing_is_lost(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    answers = at_once(8, lambda n: autosave(alice, slug, f"Words {n}", tab=f"tab {n}"))
    assert {answer.status_code for answer in answers} == {200}
    texts = contents(blog) + [text["content"] for text in kept(blog)]
    assert sorted(texts) == [f"Words {n}" for n in range(8)]


# A post that is not there yet.


def test_typing_makes_a_draft_of_a_new_post(alice: Person, blog: Blog) -> None:
    first = begin(alice, title="The her", content="There is")
    assert first.status_code == 201
    second = begin(alice, title="The heron", content="There is a heron.")
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    [post] = blog.rows(Post)
    assert (post.version, post.is_published, blog.rows(Revision)) == (1, False, [])
    page = alice.get(f"/posts/{post.id}/edit", follow_redirects=True).text
    assert 'value="The heron"' in page
    assert "There is a heron." in page
    assert "The heron" in alice.get("/drafts").text


def test_a_draft_without_a_title_is_called_untitled(alice: Person, blog: Blog) -> None:
    assert begin(alice, title=" ").json()["slug"] == "untitled"
    assert begin(alice, "another", title="a\u202eb").json()["slug"] == "untitled-2"


@pytest.mark.parametrize("action", ["publish", "draft"])
def test_the_form_saves_the_draft_that_typing_made(alice: Person, blog: Blog, action: str) -> None:
    begin(alice, title="The her")
    form = {"title": "The heron", "content": "Flown.", "action": action, "tags": "birds"}
    answers = at_once(6, lambda _: alice.post("/posts", {**form, "idempotency_key": "k" * 22}))
    assert {answer.status_code for answer in answers} == {303}
    assert {slug_in(answer) for answer in answers} == {"the-heron"}
    [post] = blog.rows(Post)
    assert (post.title, post.content, post.is_public) == (
        "The heron",
        "Flown.",
        action == "publish",
    )
    assert contents(blog, "published" if action == "publish" else "saved") == ["Flown."]
    assert kept(blog) == []


def test_many_at_once_make_one_draft(alice: Person, blog: Blog) -> None:
    answers = at_once(8, lambda n: begin(alice, title=f"Title {n}", tab="one"))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len(blog.rows(Post)) == len(kept(blog)) == 1


def test_a_draft_that_was_finished_elsewhere_is_not_overwritten(alice: Person, blog: Blog) -> None:
    slug = begin(alice, title="Begun here").json()["slug"]
    alice.edit(slug, title="Begun here", content="Finished on the phone.", version=1)
    form = {"title": "Begun here", "content": WORDS, "idempotency_key": "k" * 22, "action": "draft"}
    answer = alice.post("/posts", form)
    assert answer.status_code == 409
    assert "Finished on the phone." in answer.text
    assert WORDS in answer.text
    assert blog.rows(Post)[0].content == "Finished on the phone."


def test_a_key_of_somebody_else_leads_to_nothing_of_theirs(
    alice: Person, bob: Person, blog: Blog
) -> None:
    begin(alice, "shared", title="Hers")
    assert begin(bob, "shared", title="His").status_code == 201
    assert len(blog.rows(Post)) == 2


# The form again, after it was sent: a double click, the back button, a retry.


def test_the_same_form_again_leads_to_the_same_post_whatever_became_of_it(
    alice: Person, blog: Blog
) -> None:
    form = {"title": "Once", "content": "First.", "tags": "a", "idempotency_key": "again"}
    slug = slug_in(alice.post("/posts", form))
    alice.edit(slug, content="Second.", action="publish")
    for _ in range(3):
        assert alice.post("/posts", form).headers["location"] == f"/posts/{slug}"
    [post] = blog.rows(Post)
    assert post.content == "Second."


@pytest.mark.parametrize("change", [{"content": "More."}, {"title": "T"}, {"tags": "b"}])
def test_the_form_again_with_another_text_overwrites_nothing_and_drops_nothing(
    alice: Person, blog: Blog, change: dict[str, str]
) -> None:
    form = {"title": "Once", "content": "First.", "tags": "a", "idempotency_key": "again"}
    form["action"] = "draft"
    slug = slug_in(alice.post("/posts", form))
    answer = alice.post("/posts", form | change)
    assert answer.status_code == 409
    keep_mine = {"version": "1", **form, **change, "action": button_in(answer.text, "Keep mine")}
    assert alice.post(f"/posts/{alice.stored(slug).id}", keep_mine).status_code == 303
    assert len(blog.rows(Post)) == 1


def test_the_form_again_after_the_post_was_thrown_away_keeps_the_text(alice: Person) -> None:
    form = {"title": "Once", "content": WORDS, "idempotency_key": "again"}
    alice.post(f"/posts/{slug_in(alice.post('/posts', form))}/delete")
    answer = alice.post("/posts", form)
    assert answer.status_code == 409
    assert "in the trash" in answer.text
    assert WORDS in answer.text


def button_in(page: str, label: str) -> str:
    """What a button sends as `action`."""
    [action] = re.findall(rf'name="action" value="(\w+)">{label}<', page)
    return str(action)


# A conflict.


def test_a_conflict_says_who_saved_and_when(alice: Person, bob: Person) -> None:
    slug = bob.draft("Shared", "Begun.")
    alice.edit(slug, content="By Alice.")
    page = bob.edit(slug, content="By Bob.", version=1).text
    assert "alice saved it on" in page
    assert "You saved it in another tab" in alice.edit(slug, content="Again.", version=1).text


def test_a_text_that_was_refused_is_kept_until_its_person_decides(
    alice: Person, blog: Blog
) -> None:
    slug = alice.draft("Two tabs", "Begun.")
    alice.edit(slug, content="From the first tab.", version=1)
    page = alice.edit(slug, content="From the second tab.", version=1)
    assert page.status_code == 409
    assert "From the <mark>first</mark> tab." in page.text
    assert "From the <mark>second</mark> tab." in page.text
    assert in_form(alice, slug) == "From the second tab."
    alice.post(f"/posts/{slug}/autosave/delete")  # “Keep what is stored”
    assert in_form(alice, slug) == "From the first tab."
    assert contents(blog) == ["From the second tab."]


# What is refused.


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"content": "é" * (256 * 1024 + 1)}, 422),
        ({"content": "x" * (2 * 1024 * 1024 + 1)}, 413),
        ({"title": "x" * 201}, 422),
        ({"content": "nul\0here"}, 422),
        ({"content": 5}, 422),
        ({"content": None}, 422),
        ({"tags": ["a"]}, 422),
        ({"base_version": 0}, 422),
        ({"base_version": 2**40}, 422),
        ({"tab": "x" * 65}, 422),
        ([], 422),
    ],
)
def test_what_cannot_be_kept_is_refused_as_a_problem(
    alice: Person, blog: Blog, body: Any, status: int
) -> None:
    slug = alice.draft()
    autosave(alice, slug)
    answer = alice.client.put(f"/posts/{slug}/autosave", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert [text["content"] for text in kept(blog)] == [WORDS]


def test_what_is_no_json_is_refused(alice: Person) -> None:
    slug = alice.draft()
    assert alice.client.put(f"/posts/{slug}/autosave", data={"title": "x"}).status_code == 415
    headers = {"Content-Type": "application/json"}
    answer = alice.client.put(f"/posts/{slug}/autosave", content=b"{", headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("key", ["", "k" * 65, "with space"])
def test_a_new_post_needs_a_key(alice: Person, blog: Blog, key: str) -> None:
    assert begin(alice, key).status_code == 422
    assert blog.rows(Post) == []


def test_a_script_is_told_that_the_login_is_over(alice: Person, stranger: Person) -> None:
    slug = alice.draft()
    for address in ("new", slug):
        path = f"/posts/{address}/autosave"
        page = stranger.client.put(path, json={})
        assert page.status_code == 303
        answer = stranger.client.put(path, json={}, headers={"Accept": "application/json"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 401


def test_nothing_goes_to_the_wrong_account(alice: Person, bob: Person, blog: Blog) -> None:
    """The login was over, and on the same computer somebody else has logged in since."""
    [hers] = [str(user.id) for user in blog.rows(User) if user.username == "alice"]
    assert begin(bob, account=hers).status_code == 403
    assert blog.rows(Post) == []
    assert begin(alice, account=hers).status_code == 201


def test_what_is_somebody_elses_cannot_be_touched(
    bob: Person, carol: Person, mallory: Person, blog: Blog
) -> None:
    public, draft = bob.write(), bob.draft()
    for who in (mallory, carol):
        assert autosave(who, public).status_code == 403
    assert autosave(mallory, draft).status_code == 404
    assert autosave(mallory, "no-such-post").status_code == 404
    assert mallory.post(f"/posts/{draft}/autosave/delete").status_code == 404
    assert begin(carol).status_code == 403
    assert kept(blog) == []


def test_what_is_in_the_trash_can_still_be_typed_into(alice: Person) -> None:
    slug = alice.draft()
    alice.post(f"/posts/{slug}/delete")
    assert autosave(alice, slug).status_code == 200
    assert "A title" not in alice.get("/drafts").text
    alice.post(f"/posts/{slug}/restore")
    assert in_form(alice, slug) == WORDS


def test_a_flood_is_slowed_down(alice: Person, bob: Person, blog: Blog) -> None:
    slug = alice.draft()
    autosave(alice, slug)
    exhaust(blog, alice)
    answer = autosave(alice, slug)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert begin(bob).status_code == 201


def exhaust(blog: Blog, person: Person) -> None:
    """As if the person had autosaved as often as they may."""
    limit = autosaves.AUTOSAVES_OF_PERSON
    [user_id] = [str(user.id) for user in blog.rows(User) if user.username == person.username]
    if blog.settings.redis_url:
        with redis.Redis.from_url(blog.settings.redis_url) as client:
            client.incrby(RedisLimits.name(limit, user_id), limit.most)
    else:
        blog.put(Throttle, tries=limit.most)


# Whoever leaves takes it along.


def test_what_is_not_saved_is_in_ones_own_data(alice: Person, bob: Person, blog: Blog) -> None:
    slug = bob.draft("Mine", "Saved words.")
    autosave(bob, slug, title="Mine: more")
    autosave(alice, slug, "Of the owner.")
    archive = ZipFile(BytesIO(bob.get("/settings/export").content))
    text = archive.read(f"posts/{slug}.unsaved.md").decode()
    assert WORDS in text
    assert "Mine: more" in text
    assert "Of the owner." not in str([archive.read(name) for name in archive.namelist()])


@pytest.mark.parametrize("posts", ["delete", "keep"])
def test_nothing_unsaved_stays_of_somebody_who_left(
    alice: Person, bob: Person, blog: Blog, posts: str
) -> None:
    slug = bob.write()
    autosave(bob, slug)
    autosave(alice, slug, "Of the owner.")
    assert bob.post("/settings/delete", {"password": PASSWORD, "posts": posts}).status_code == 303
    assert [text["content"] for text in kept(blog)] == ["Of the owner."] * (posts == "keep")
