"""Connections and threads under load, and what the review of a release must not find again."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sqlalchemy import event

from models import Post
from services import passwords
from services.waiting_room import MOST_WAITING
from tests.blog import Blog, Person


def test_a_hundred_requests_at_once_are_all_answered(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    cookies = dict(alice.client.cookies)

    def ask(number: int) -> int:
        browser = Person(blog)
        browser.client.cookies.update(cookies)
        if number % 3 == 0:
            return browser.post("/posts", {"title": "Many", "content": "Words."}).status_code
        return browser.get("/drafts" if number % 3 == 1 else f"/posts/{slug}").status_code

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(ask, range(100)))
    assert sorted(set(answers)) == [200, 303]
    assert len(blog.rows(Post)) == 1 + answers.count(303)


def test_connections_that_requests_use_at_once_are_not_opened_anew(blog: Blog) -> None:
    database, opened = blog.app.state.database, 0

    def note(_connection: object, _record: object) -> None:
        nonlocal opened
        opened += 1

    def read_at_once(number: int) -> None:
        with ExitStack() as at_once:
            for _ in range(number):
                at_once.enter_context(database.reading()).connection()

    most = database.turns._value
    read_at_once(most)
    event.listen(database.engine, "connect", note)
    for _ in range(3):
        read_at_once(most)
    assert opened == 0


def test_people_who_wait_to_log_in_leave_the_database_to_the_readers(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    def hash_for_long() -> None:
        with passwords.ROOM.turn(is_known=True):
            time.sleep(1.5)

    with ThreadPoolExecutor(1 + MOST_WAITING) as pool:
        held = pool.submit(hash_for_long)
        logins = [pool.submit(Person(blog, "alice").log_in) for _ in range(MOST_WAITING)]
        answers = [stranger.get("/") for _ in range(20)]
        assert not held.done(), "the readers waited for the passwords"
        assert {answer.status_code for answer in answers} == {200}
        assert {login.result().status_code for login in logins} <= {303, 429}
