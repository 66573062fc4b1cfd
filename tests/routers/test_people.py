"""The people of the blog, and what its owner may do with them; nobody else may."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from models import AuditEvent, Login, MailToken, User, now
from services import audit, people
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, CAROL, PASSWORD
from tests.sockets import end_of, ready
from web.live import LOGIN_ENDED

USERS = "/admin/users"
OWNERS_PAGES = ["/admin", USERS, "/admin/users/bob", "/admin/audit"]
OWNERS_FRESH_PAGES = ["/admin/invitations", "/admin/invitations/new", "/admin/owner"]


def user_named(blog: Blog, username: str) -> User:
    found: User = next(user for user in blog.rows(User) if user.username == username)
    return found


def give(blog: Blog, username: str, **values: object) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=username).values(**values))


@pytest.fixture
def editor(alice: Person, blog: Blog) -> Person:
    """Edits what others write; logged in."""
    return blog.person("edith", role="editor")


@pytest.mark.parametrize("path", OWNERS_PAGES + OWNERS_FRESH_PAGES)
def test_the_owners_pages_are_the_owners(
    alice: Person, bob: Person, carol: Person, editor: Person, stranger: Person, path: str
) -> None:
    """A reader is refused without a redirect; so are an author and an editor."""
    assert alice.get(path).status_code == 200
    for person in (bob, carol, editor):
        response = person.get(path)
        assert response.status_code == 403
        assert "Nothing was changed." in response.text
    assert stranger.get(path).headers["location"].startswith("/auth/login?next=%2Fadmin")


def test_another_spelling_opens_no_door(carol: Person, stranger: Person) -> None:
    for path in ("/admin/", "/ADMIN", "/admin;x", "/%61dmin", "/./admin", "/admin/users/"):
        for person in (carol, stranger):
            response = person.get(path, follow_redirects=True)
            assert "/admin/audit" not in response.text, path


def test_nobody_but_the_owner_changes_anybody(
    bob: Person, carol: Person, editor: Person, stranger: Person, blog: Blog
) -> None:
    """An editor cannot make themselves more than they are."""
    before = [(user.username, user.role, user.disabled_at) for user in blog.rows(User)]
    for person in (stranger, carol, bob, editor):
        for name in (ALICE, BOB, CAROL, "edith", "nobody-here"):
            for verb in ("role", "suspend", "unsuspend", "logins/delete"):
                response = person.post(f"{USERS}/{name}/{verb}", {"role": "editor"})
                assert response.status_code == (303 if person is stranger else 403)
        handover = {"username": person.username, "password": PASSWORD}
        assert person.post("/admin/owner", handover).status_code in (303, 403)
    assert [(user.username, user.role, user.disabled_at) for user in blog.rows(User)] == before
    assert {person.get("/drafts").status_code for person in (bob, editor)} == {200}


def test_the_list_says_who_is_here(alice: Person, bob: Person, carol: Person, blog: Blog) -> None:
    give(blog, CAROL, disabled_at=now())
    give(blog, BOB, display_name="<Bob & friends>")
    page = alice.get(USERS).text
    assert (
        page.index("carol") < page.index("&lt;Bob &amp; friends&gt;") < page.index(f"{USERS}/alice")
    )
    for words in ("suspended", "author", "reader", "owner", "last login"):
        assert words in page


def test_somebody_is_found_by_name_or_address(alice: Person, blog: Blog) -> None:
    for username, display_name, email in (
        ("maren", "Maren Holt", "m@example.org"),
        ("under_score", "A", "a@example.org"),
        ("underxscore", "B", "b@example.org"),
    ):
        Person(blog, username).register(email=email)
        give(blog, username, display_name=display_name)
    for typed, expected in (
        ("mar", {"maren"}),
        ("HOLT", {"maren"}),
        ("M@Example.org", {"maren"}),
        ("example", set()),
        ("r_s", {"under_score"}),
        ("%", set()),
        ("\\", set()),
        ("\0", set()),
        (" ", {"maren", "under_score", "underxscore"}),
    ):
        page = alice.get(USERS, params={"q": typed})
        assert page.status_code == 200
        names = {
            name
            for name in ("maren", "under_score", "underxscore")
            if f"{USERS}/{name}" in page.text
        }
        assert names == expected, typed


def test_a_long_list_comes_in_pages(
    alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PER_PAGE", 3)
    with blog.database.writing() as db:
        for number in range(7):
            joined = now() - timedelta(days=number // 2)  # some at the same moment
            user = User(
                username=f"u{number}", display_name="U", password_hash="", created_at=joined
            )
            db.add(user)
    seen: list[str] = []
    path = USERS
    while path:
        page = alice.get(path).text
        seen += [part.split('"')[0] for part in page.split(f'href="{USERS}/')[1:]]
        path = page.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in page else ""
    assert sorted(seen) == sorted(["alice", *(f"u{number}" for number in range(7))])
    assert alice.get(f"{USERS}?before=nonsense").status_code == 404
    assert 'rel="prev"' in alice.get(f"{USERS}?before=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").text


def test_a_role_counts_from_the_next_request_on(alice: Person, bob: Person, blog: Blog) -> None:
    assert bob.get("/posts/new").status_code == 200
    response = alice.post(f"{USERS}/bob/role", {"role": "reader"})
    assert (response.status_code, response.headers["location"]) == (303, f"{USERS}/bob")
    assert "bob is reader now." in alice.get(f"{USERS}/bob").text
    assert bob.get("/posts/new").status_code == 403
    alice.post(f"{USERS}/BOB/role", {"role": "editor"})
    assert bob.get("/posts/new").status_code == 200
    assert user_named(blog, BOB).role == "editor"


@pytest.mark.parametrize("role", ["owner", "", "admin", "Editor"])
def test_other_roles_are_not_given(alice: Person, bob: Person, blog: Blog, role: str) -> None:
    response = alice.post(f"{USERS}/bob/role", {"role": role})
    assert response.status_code == 422
    assert "not one of the choices" in response.text
    assert user_named(blog, BOB).role == "author"


def test_the_owner_stays_the_owner(alice: Person, blog: Blog) -> None:
    """Not even by their own hand, but for handing it over."""
    for verb in ("role", "suspend", "unsuspend"):
        response = alice.post(f"{USERS}/alice/{verb}", {"role": "reader"})
        assert response.status_code == 403
        assert "handed over" in response.text
    assert (user_named(blog, ALICE).role, alice.is_logged_in()) == ("owner", True)


def test_who_is_suspended_is_out_at_once_and_told_nothing(
    alice: Person, bob: Person, blog: Blog
) -> None:
    """Also on another process, also by the right password."""
    phone = Person(blog, BOB)
    phone.log_in(remember="on")
    slug = bob.write("Still here")
    with blog.database.writing() as db:
        bobs = user_named(blog, BOB).id
        db.add(
            MailToken(user_id=bobs, digest="x" * 64, purpose="reset", binding="", expires_at=now())
        )
    with blog.beside() as other:
        elsewhere = Person(other, BOB)
        elsewhere.client.cookies.update(bob.client.cookies)
        assert elsewhere.get("/drafts").status_code == 200
        assert alice.post(f"{USERS}/bob/suspend").status_code == 303
        for person in (bob, phone, elsewhere) * 17:
            assert person.get("/drafts").status_code == 303
    phone.lose_session()
    assert phone.get("/drafts").status_code == 303
    right, wrong = (Person(blog, BOB).log_in(typed) for typed in (PASSWORD, "not this"))
    assert (right.status_code, right.text) == (401, wrong.text)
    assert blog.rows(MailToken) == []
    assert alice.get(f"/posts/{slug}").status_code == 200
    assert "Suspended since" in alice.get(f"{USERS}/bob").text

    assert alice.post(f"{USERS}/bob/unsuspend").status_code == 303
    assert bob.get("/drafts").status_code == 303  # the old logins stay ended
    assert Person(blog, BOB).log_in().status_code == 303


def test_a_deleted_row_is_a_login_ended(alice: Person, carol: Person, blog: Blog) -> None:
    """Whoever's row is gone is a stranger, and the cookie goes."""
    with blog.database.writing() as db:
        db.delete(db.get_one(User, user_named(blog, CAROL).id))
    response = carol.get("/settings")
    assert response.headers["location"] == "/auth/login?next=%2Fsettings"
    assert "inkstand_session" not in carol.client.cookies


@pytest.mark.parametrize("verb", ["suspend", "logins/delete"])
def test_pages_that_are_open_hear_of_it_at_once(alice: Person, bob: Person, verb: str) -> None:
    with ready(bob) as socket:
        alice.post(f"{USERS}/bob/{verb}")
        assert end_of(socket, seconds=3) == LOGIN_ENDED


def test_somebody_is_logged_out_everywhere(alice: Person, bob: Person, blog: Blog) -> None:
    assert alice.post(f"{USERS}/bob/logins/delete").status_code == 303
    assert bob.get("/drafts").status_code == 303
    assert alice.get("/drafts").status_code == 200
    assert len(blog.rows(Login)) == 1
    assert bob.log_in().status_code == 303


def test_nobody_is_changed_who_is_not_there(alice: Person) -> None:
    assert alice.get(f"{USERS}/nobody-here").status_code == 404
    for verb in ("role", "suspend", "unsuspend", "logins/delete"):
        assert alice.post(f"{USERS}/nobody-here/{verb}", {"role": "reader"}).status_code == 404


def test_changing_somebody_needs_a_fresh_login(alice: Person, bob: Person, blog: Blog) -> None:
    alice.log_in_again(remember="on")
    alice.lose_session()
    assert alice.get(f"{USERS}/bob").status_code == 200
    headers = {"Referer": f"{blog.url}{USERS}/bob"}
    response = alice.post(f"{USERS}/bob/suspend", headers=headers)
    assert response.headers["location"] == "/auth/confirm?next=%2Fadmin%2Fusers%2Fbob"
    assert user_named(blog, BOB).is_active


def test_what_the_owner_did_is_in_the_log_of_both(alice: Person, bob: Person, blog: Blog) -> None:
    alice.post(f"{USERS}/bob/role", {"role": "reader"})
    alice.post(f"{USERS}/bob/suspend")
    alice.post(f"{USERS}/bob/unsuspend")
    alice.post(f"{USERS}/bob/logins/delete")
    log = alice.get("/admin/audit?who=bob").text
    for sentence in (
        "alice changed bob’s role from author to reader.",
        "alice suspended bob.",
        "alice let bob in again.",
        "alice logged bob out everywhere.",
    ):
        assert sentence in log
    events = {event.action: event for event in blog.rows(AuditEvent)}
    assert events[audit.SUSPENDED].user_id == user_named(blog, BOB).id
    assert events[audit.SUSPENDED].actor_id == user_named(blog, ALICE).id
