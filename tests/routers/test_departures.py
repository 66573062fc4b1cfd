"""Leaving: what goes, what stays, and who may not go yet."""

from datetime import timedelta

import httpx2
import pytest

from models import (
    AuditEvent,
    Identity,
    Login,
    Passkey,
    Post,
    PostTag,
    RecoveryCode,
    RetiredName,
    Revision,
    Slug,
    User,
    now,
)
from services import audit
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once
from tests.sockets import end_of, ready
from web.live import LOGIN_ENDED

LEAVE = "/settings/delete"


def leave(person: Person, posts: str = "delete", password: str = PASSWORD) -> httpx2.Response:
    return person.post(LEAVE, {"posts": posts, "password": password})


def names(blog: Blog) -> set[str]:
    return {user.username for user in blog.rows(User)}


def test_the_page_says_what_will_happen(bob: Person) -> None:
    page = bob.get(LEAVE)
    assert page.status_code == 200
    for words in ("cannot be undone", "Deleted user", "90 days", "Drafts", "/settings/export"):
        assert words in page.text
    assert 'name="password"' in page.text


def test_an_account_goes_with_its_posts(bob: Person, stranger: Person, blog: Blog) -> None:
    """Posts that were public answer 410, all else 404."""
    public = bob.write("Public", "Words that everybody read.", tags="tides")
    draft = bob.draft("Secret draft")
    thrown = bob.write("Thrown away")
    bob.post(f"/posts/{thrown}/delete")
    taken_back = bob.write("Taken back")
    bob.edit(taken_back, action="unpublish")

    response = leave(bob)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "Your account is deleted." in bob.get("/").text
    assert names(blog) == {ALICE, "deleted"}
    assert stranger.get(f"/posts/{public}").status_code == 410
    assert stranger.get(f"/posts/{thrown}").status_code == 410
    assert stranger.get(f"/posts/{draft}").status_code == 404
    assert stranger.get(f"/posts/{taken_back}").status_code == 404
    assert stranger.get("/tags/tides").status_code == 404
    assert "Public" not in stranger.get("/").text
    assert not any(post.content or post.html or post.title for post in blog.rows(Post))
    assert blog.rows(PostTag) == []
    assert {row.slug for row in blog.rows(Slug)} == {public, thrown, taken_back}


def test_posts_may_stay_without_the_name(bob: Person, stranger: Person, blog: Blog) -> None:
    public = bob.write("Public", "Words that everybody read.", tags="tides")
    bob.edit(public, content="Words that nobody was to read yet.")
    draft = bob.draft("Secret draft")
    bob.write("Another", idempotency_key="the-same-key")
    assert leave(bob, "keep").status_code == 303

    page = stranger.get(f"/posts/{public}")
    assert page.status_code == 200
    assert "Words that everybody read." in page.text
    assert "Deleted user" in page.text
    assert BOB not in page.text
    assert "/users/deleted" not in page.text + stranger.get("/").text
    assert "Public" in stranger.get("/tags/tides").text
    assert stranger.get("/users/deleted").status_code == 404
    assert stranger.get(f"/posts/{draft}").status_code == 404
    assert not any(post.staged for post in blog.rows(Post))


def test_texts_that_nobody_saw_go_and_what_was_published_keeps_its_history(
    bob: Person, alice: Person, blog: Blog
) -> None:
    slug = bob.draft("Public", "A secret first thought.")
    bob.edit(slug, content="Words that everybody read.", action="publish")
    bob.edit(slug, content="Words that nobody was to read yet.")
    bob.draft("Secret draft", "A secret for ever.")
    leave(bob, "keep")
    kept = [revision.text["content"] for revision in blog.rows(Revision)]
    assert kept == ["Words that everybody read."]
    assert "somebody who has left" in alice.get(f"/posts/{slug}/revisions").text


def test_no_revision_outlives_what_is_deleted(bob: Person, blog: Blog) -> None:
    slug = bob.write()
    bob.edit(slug, content="More.")
    bob.draft()
    leave(bob)
    assert blog.rows(Revision) == []


def test_two_who_leave_may_have_used_the_same_key(bob: Person, blog: Blog) -> None:
    mallory = blog.person("mallory")
    for person in (bob, mallory):
        person.write("A post", idempotency_key="the-same-key")
        assert leave(person, "keep").status_code == 303
    assert len(blog.rows(Post)) == 2
    assert names(blog) == {ALICE, "deleted"}


def test_what_was_erased_does_not_come_back(bob: Person, alice: Person, blog: Blog) -> None:
    slug = bob.write("A post")
    leave(bob)
    for verb in ("restore", "delete"):
        assert alice.post(f"/posts/{slug}/{verb}").status_code == 410
    edit = {"title": "Mine now", "content": "Words.", "version": "2", "action": "publish"}
    assert alice.post(f"/posts/{slug}", edit).status_code == 410
    assert alice.get(f"/posts/{slug}/edit").status_code == 410
    assert alice.write("A post") != slug
    assert alice.get("/trash").text.count('class="row"') == 0


def test_all_their_devices_are_logged_out_at_once(bob: Person, blog: Blog) -> None:
    """On another process too, whatever cookies they kept."""
    phone = Person(blog, BOB)
    phone.log_in(remember="on")
    copied = bob.copy()
    with blog.beside() as other:
        elsewhere = Person(other, BOB)
        elsewhere.client.cookies.update(bob.client.cookies)
        assert elsewhere.get("/drafts").status_code == 200
        response = leave(bob)
        for person in (bob, copied, phone, elsewhere) * 12:
            assert person.get("/drafts").status_code == 303
    phone.lose_session()
    assert phone.get("/drafts").status_code == 303
    assert "inkstand_session" not in bob.client.cookies
    assert 'inkstand_session=""' in str(response.headers.get_list("set-cookie")) or any(
        line.startswith("inkstand_session=;") for line in response.headers.get_list("set-cookie")
    )
    assert Person(blog, BOB).log_in().status_code == 401
    assert len(blog.rows(Login)) == 1  # Alice's


def test_pages_that_are_open_hear_of_it_at_once(bob: Person) -> None:
    with ready(bob.copy()) as socket:
        leave(bob)
        assert end_of(socket, seconds=3) == LOGIN_ENDED


def test_all_that_belonged_to_the_account_goes(bob: Person, blog: Blog) -> None:
    user = next(user for user in blog.rows(User) if user.username == BOB)
    with blog.database.writing() as db:
        db.add(RecoveryCode(user_id=user.id, digest="x"))
        db.add(Identity(user_id=user.id, provider="p", issuer="i", subject="s"))
        db.add(Passkey(user_id=user.id, credential_id=b"x", public_key=b"x", name="Key"))
    leave(bob)
    assert not blog.rows(RecoveryCode) + blog.rows(Identity) + blog.rows(Passkey)


def test_a_wrong_password_deletes_nothing(bob: Person, blog: Blog) -> None:
    response = leave(bob, password="not this")
    assert response.status_code == 422
    assert "That is not your password." in response.text
    assert leave(bob, password="").status_code == 422
    assert bob.post(LEAVE, {"posts": "delete"}).status_code == 422
    assert BOB in names(blog)
    assert [e.action for e in blog.rows(AuditEvent)].count(audit.CONFIRMATION_FAILED) == 1


def test_who_does_not_choose_is_asked_again(bob: Person, blog: Blog) -> None:
    for fields in ({}, {"posts": "burn"}):
        assert bob.post(LEAVE, {"password": PASSWORD, **fields}).status_code == 422
    assert BOB in names(blog)


def test_an_account_without_a_password_types_its_name(bob: Person, blog: Blog) -> None:
    blog.put(User, password_hash="")
    assert 'name="password"' not in bob.get(LEAVE).text
    refused = bob.post(LEAVE, {"posts": "keep", "username": "alice"})
    assert refused.status_code == 422
    assert "That is not your username." in refused.text
    assert bob.post(LEAVE, {"posts": "keep", "username": " Bob"}).status_code == 303
    assert BOB not in names(blog)


def test_leaving_needs_a_fresh_login(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    bob.lose_session()
    assert bob.get(LEAVE).headers["location"] == "/auth/confirm?next=%2Fsettings%2Fdelete"
    assert leave(bob).headers["location"].startswith("/auth/confirm")
    assert BOB in names(blog)


def test_the_owner_hands_the_blog_over_first(alice: Person, blog: Blog) -> None:
    """The last owner cannot delete the account."""
    assert "Hand it over" in alice.get(LEAVE).text
    response = leave(alice)
    assert response.status_code == 409
    assert "You own this blog" in response.text
    assert alice.is_logged_in()
    assert names(blog) == {ALICE}


def test_the_name_is_kept_from_others_for_90_days(
    bob: Person, stranger: Person, blog: Blog
) -> None:
    """For registering and for changing one's name."""
    leave(bob)
    carol = blog.person("carol")
    for name in ("bob", "BOB"):
        response = Person(blog, name).register()
        assert response.status_code == 409
        assert "That name is taken." in response.text
        assert carol.post("/settings/username", {"username": name}).status_code == 409
    assert stranger.get("/users/bob").status_code == 410
    [kept] = blog.rows(RetiredName)
    assert now() + timedelta(days=89) < kept.until < now() + timedelta(days=91)
    blog.put(RetiredName, until=now())
    assert stranger.get("/users/bob").status_code == 404
    assert Person(blog, BOB).register().status_code == 303


def test_the_name_of_nobody_is_nobodys(bob: Person, alice: Person, blog: Blog) -> None:
    leave(bob, "keep")
    assert Person(blog, "deleted").register().status_code == 422
    for password in (PASSWORD, ""):
        assert Person(blog, "deleted").log_in(password).status_code in (401, 422)
    assert ">deleted<" not in alice.get("/admin/users").text
    assert alice.get("/admin/users/deleted").status_code == 404
    for verb in ("unsuspend", "suspend", "role", "logins/delete"):
        answer = alice.post(f"/admin/users/deleted/{verb}", {"role": "editor"})
        assert answer.status_code == 404
    handover = {"username": "deleted", "password": PASSWORD}
    assert alice.post("/admin/owner", handover).status_code == 422


def test_a_mail_says_goodbye(blog: Blog, alice: Person) -> None:
    bob = Person(blog, BOB)
    bob.register(email="bob@example.org")
    leave(bob, "keep")
    mail = blog.mails_to("bob@example.org")[-1]
    assert "deleted" in mail.subject
    assert "What you had published stays" in mail.body


def test_what_happened_stays_in_the_log(bob: Person, alice: Person, blog: Blog) -> None:
    leave(bob)
    events = [e for e in blog.rows(AuditEvent) if e.username == BOB]
    assert [e.action for e in events][-1] == audit.DELETED
    assert {audit.REGISTERED, audit.LOGGED_IN} <= {e.action for e in events}
    assert "bob deleted their account" in alice.get("/admin/audit?who=bob").text


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_twice_is_once(bob: Person, blog: Blog, choice: str) -> None:
    bob.write()
    twins = [bob.copy() for _ in range(4)]
    statuses = at_once(4, lambda number: leave(twins[number], choice).status_code)
    assert 303 in statuses
    assert set(statuses) <= {303, 404}
    assert names(blog) == {ALICE, "deleted"}
    assert len(blog.rows(Post)) == 1
