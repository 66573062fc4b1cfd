"""What a text will look like: the same as when it is published, for those who may write, bounded."""

import re
import time
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import update
from websockets.sync.client import ClientConnection

from models import User
from services import audit, markdown, previews, texts
from services.previews import MOST_BYTES, Previews
from settings import Role
from tests.blog import Blog, Person
from tests.people import BOB
from tests.sockets import end_of, listening, refused
from web.live import LOGIN_ENDED, MESSAGE_TOO_BIG, NOT_ALLOWED, NOT_UNDERSTOOD, TRY_AGAIN_LATER

ADDRESS = "/live/preview"
PAGE = {"Sec-Fetch-Dest": "document"}
TEXT = """A *heron*[^1] -- "grey".\r\n\r\n## Tides\r\n
| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n\n```python\nprint("x")\n```\n
$a^2$ <b onclick="x">bold</b> https://example.org\n\n[^1]: Ardea.\n"""
HOSTILE = {
    "a script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a link that runs": "[x](javascript:alert(1)) <a href='jAvascript:alert(1)'>y</a>",
    "the end of a page": "</div></section></main></body></html><form action=//evil.example>",
    "a style": "<style>*{display:none}</style><p style='position:fixed'>x</p>",
    "control characters": "nul \x00 bell \x07 override \u202e",
    "nothing": "",
    "open brackets": "[" * 50_000,
    "deep quotes": ">" * 50_000,
}


def answer(socket: ClientConnection) -> str:
    return str(socket.recv(timeout=20))


def published(person: Person, text: str) -> str:
    """What readers get of it."""
    page = person.get(f"/posts/{person.write(content=text)}").text
    found = re.search(
        r'<div class="prose e-content" dir="auto">(.*)</div>\s*</div>\s*<footer class="after-text">',
        page,
        re.S,
    )
    assert found
    return found[1]


# By a form


def test_a_preview_is_what_the_published_page_shows(bob: Person) -> None:
    shown = bob.post("/preview", {"content": TEXT})
    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "no-store" in shown.headers["Cache-Control"]
    assert "<em>heron</em>" in shown.text
    assert shown.text == published(bob, TEXT)


def test_nothing_is_stored_and_nothing_written(bob: Person, blog: Blog) -> None:
    bob.post("/preview", {"content": "A canary in a mine."})
    assert "canary" not in bob.get("/drafts").text


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_becomes_harmless(bob: Person, kind: str) -> None:
    text = HOSTILE[kind]
    if kind != "control characters":
        shown = bob.post("/preview", {"content": text})
        assert shown.status_code == 200
        assert_harmless(shown.text)
    with listening(bob, ADDRESS) as socket:
        socket.send(text)
        assert_harmless(answer(socket))


def assert_harmless(html: str) -> None:
    for danger in ("<script", "onerror", "javascript:", "<style", "style=", "<form", "</body"):
        assert danger not in html.lower().replace("&lt;", "")


def test_who_may_not_write_gets_no_preview(stranger: Person, carol: Person) -> None:
    answer = stranger.post("/preview", {"content": "x"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/auth/login")
    assert carol.post("/preview", {"content": "x"}).status_code == 403


def test_too_much_text_is_refused(bob: Person) -> None:
    assert bob.post("/preview", {"content": "x" * MOST_BYTES}).status_code == 200
    assert bob.post("/preview", {"content": "x" * (MOST_BYTES + 1)}).status_code == 422
    assert bob.post("/preview", {"content": "x" * 3_000_000}).status_code == 413


def test_forms_that_are_none_are_refused(bob: Person) -> None:
    assert bob.post("/preview").status_code == 422
    assert bob.client.post("/preview", json={"content": "x"}).status_code == 415
    assert bob.client.post("/preview", content=b"content=%FF%FE", headers=FORM).status_code == 422


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_forms_have_a_limit(bob: Person, alice: Person, blog: Blog) -> None:
    for _ in range(previews.FORMS_OF_PERSON.most):
        blog.app.state.previews.take_form(id_of(blog, BOB))
    refusal = bob.post("/preview", {"content": "x"})
    assert refusal.status_code == 429
    assert int(refusal.headers["Retry-After"]) > 0
    assert alice.post("/preview", {"content": "x"}).status_code == 200


# Without a script


def test_a_browser_that_goes_there_gets_the_editor_with_everything_kept(bob: Person) -> None:
    typed = {
        "title": 'Half "a" thought',
        "content": "A *heron*.\n\n<b>",
        "tags": "birds, tides",
        "slug": "my-own",
        "idempotency_key": "k" * 22,
    }
    page = bob.post("/preview", typed, headers=PAGE)
    assert page.status_code == 200
    assert "<em>heron</em>" in page.text
    for value in ("Half &#34;a&#34; thought", "A *heron*.\n\n&lt;b&gt;", "birds, tides", "my-own"):
        assert value in page.text
    assert 'action="/posts"' in page.text
    assert f'name="idempotency_key" value="{"k" * 22}"' in page.text


def test_older_browsers_are_known_by_what_they_accept(bob: Person) -> None:
    accepts = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert "<!doctype html>" in bob.post("/preview", {"content": "x"}, headers=accepts).text
    by_script = accepts | {"Sec-Fetch-Dest": "empty"}
    assert "<!doctype" not in bob.post("/preview", {"content": "x"}, headers=by_script).text


def test_the_preview_of_a_post_leads_back_to_that_post(bob: Person, blog: Blog) -> None:
    post = bob.stored(bob.draft())
    typed = {"title": "New", "content": "Words.", "version": "1"}
    page = bob.post(f"/preview?post={post.id}", typed, headers=PAGE)
    assert f'action="/posts/{post.id}"' in page.text
    assert 'name="version" value="1"' in page.text
    assert bob.stored(post.slug).title == post.title


def test_nobody_gets_the_editor_of_a_post_of_others(bob: Person, mallory: Person) -> None:
    post = bob.stored(bob.draft("A secret"))
    for address, status in OTHERS.items():
        path = f"/preview?post={address or post.id}"
        answer = mallory.post(path, {"content": "x"}, headers=PAGE)
        assert answer.status_code == status
        assert "A secret" not in answer.text


OTHERS = {"": 404, "00000000-0000-0000-0000-000000000000": 404, "%00": 422, "x" * 5000: 422}


def test_too_much_text_comes_back_with_a_sentence(bob: Person) -> None:
    text = "x" * (MOST_BYTES + 1)
    page = bob.post("/preview", {"title": "Long", "content": text}, headers=PAGE)
    assert page.status_code == 422
    assert "At most 512 KB" in page.text
    assert text in page.text


# Over a socket


def test_a_socket_shows_what_the_published_page_shows(bob: Person) -> None:
    with listening(bob, ADDRESS) as socket:
        socket.send(TEXT)
        assert answer(socket) == published(bob, TEXT)
        socket.send("Another.")
        assert answer(socket) == "<p>Another.</p>\n"


def test_who_may_not_write_gets_no_socket(stranger: Person, carol: Person) -> None:
    assert refused(stranger, ADDRESS).status_code == 403
    assert refused(carol, ADDRESS).status_code == 403


def test_a_page_of_another_site_gets_no_socket(bob: Person) -> None:
    assert refused(bob, ADDRESS, origin="https://evil.example").status_code == 403
    assert refused(bob, ADDRESS, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_newest_of_many_texts_is_answered(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = counted(monkeypatch)
    with listening(bob, ADDRESS) as socket:
        for number in range(30):
            socket.send(f"Text {number}.")
        last = answer(socket)
        while "Text 29." not in last:
            last = answer(socket)
    assert len(rendered) < 30  # those in between were overtaken
    assert rendered[-1] == "Text 29."


def counted(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.02) -> list[str]:
    """Rendering takes a while, and what was rendered is written down."""
    rendered: list[str] = []
    really = markdown.render

    def render(source: str) -> str:
        rendered.append(source)
        time.sleep(seconds)
        return really(source)

    monkeypatch.setattr(markdown, "render", render)
    return rendered


def test_two_sockets_show_each_its_own(bob: Person, alice: Person) -> None:
    with ExitStack() as opened:
        sockets = [opened.enter_context(listening(who, ADDRESS)) for who in (bob, bob, alice)]
        for number, socket in enumerate(sockets):
            socket.send(f"{number}")
        assert [answer(socket) for socket in sockets] == [f"<p>{n}</p>\n" for n in range(3)]


def test_many_sockets_of_one_person_leave_others_their_turn(
    bob: Person, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = counted(monkeypatch, seconds=0.2)
    with ExitStack() as opened, listening(alice, ADDRESS) as hers:
        for _ in range(10):
            opened.enter_context(listening(bob, ADDRESS)).send("flood")
        hers.send("hers")
        assert answer(hers) == "<p>hers</p>\n"
        assert rendered.count("flood") < 5


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 2_000_000])
def test_a_text_that_is_too_long_closes_it(bob: Person, size: int) -> None:
    with listening(bob, ADDRESS) as socket:
        socket.send("x" * MOST_BYTES)
        assert answer(socket)
        socket.send("x" * size)
        assert end_of(socket) == MESSAGE_TOO_BIG


def test_bytes_close_it(bob: Person) -> None:
    with listening(bob, ADDRESS) as socket:
        socket.send(b"\xff\xfe")
        assert end_of(socket) == NOT_UNDERSTOOD


def test_frames_have_a_limit(bob: Person, blog: Blog) -> None:
    person = id_of(blog, BOB)
    with listening(bob, ADDRESS) as socket:
        for _ in range(previews.FRAMES_OF_PERSON.most):
            blog.app.state.previews.take_frame(person)
        socket.send("one more")
        assert end_of(socket) == TRY_AGAIN_LATER


def test_it_closes_when_the_login_ends(bob: Person) -> None:
    with listening(bob, ADDRESS) as socket:
        socket.send("x")
        assert answer(socket)
        bob.log_out()
        assert end_of(socket) == LOGIN_ENDED


def test_it_closes_when_the_person_may_not_write_any_more(bob: Person, blog: Blog) -> None:
    with listening(bob, ADDRESS) as socket:
        socket.send("x")
        assert answer(socket)
        with blog.database.writing() as db:
            db.execute(update(User).filter_by(username=BOB).values(role=Role.reader))
            user = db.get_one(User, blog_user(blog, BOB))
            audit.record(db, "role changed", user)
        assert end_of(socket) == NOT_ALLOWED


def test_no_connection_is_held_while_it_renders(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def render(_: str) -> str:
        held.append(checked_out(blog))
        return "<p>x</p>"

    monkeypatch.setattr(markdown, "render", render)
    with listening(bob, ADDRESS) as socket:
        socket.send("x")
        assert answer(socket) == "<p>x</p>"
    assert bob.post("/preview", {"content": "x"}).status_code == 200
    assert bob.post("/preview", {"content": "x"}, headers=PAGE).status_code == 200
    assert held == [0, 0, 0]


def checked_out(blog: Blog) -> int:
    pool: Any = blog.database.engine.pool
    return int(pool.checkedout())


def test_a_fault_closes_it(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> str:
        raise RuntimeError("no memory")

    monkeypatch.setattr(markdown, "render", fail)
    with listening(bob, ADDRESS) as socket:
        socket.send("x")
        assert end_of(socket) == 1011


def test_too_large_a_page_is_told_so(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LONGEST_PAGE", 10)
    assert bob.post("/preview", {"content": "Many words."}).status_code == 422
    with listening(bob, ADDRESS) as socket:
        socket.send("Many words.")
        assert "too large a page" in answer(socket)


@pytest.fixture(autouse=True)
def fresh_counters(blog: Blog) -> None:
    blog.app.state.previews = Previews()


def id_of(blog: Blog, username: str) -> str:
    return str(blog_user(blog, username))


def blog_user(blog: Blog, username: str) -> Any:
    return next(user.id for user in blog.rows(User) if user.username == username)
