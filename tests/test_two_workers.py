"""Several processes serve one blog: what one of them does counts for all, and nothing is done twice."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

import migrations
from tests.conftest import fresh_database
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import Answer, Serving, ask, at_once, rows, serving

WORKERS = 2
BACKENDS = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"two workers on {name}"))
    for name in ("sqlite", "postgres")
]


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest, worker: int) -> dict[str, Any]:
    """Settings for an empty database: SQLite alone, or PostgreSQL with Redis."""
    if request.param == "sqlite":
        return {}
    return {
        "DATABASE_URL": fresh_database(f"inkstand_processes_{worker}"),
        "REDIS_URL": request.getfixturevalue("redis_url"),
    }


@pytest.fixture(scope="module")
def server(database: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("two")
    with serving(folder, WEB_CONCURRENCY=WORKERS, TRUSTED_PROXIES=1, **database) as server:
        wait_for_workers(server)
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def alice(server: Serving) -> str:
    """Her cookies."""
    return server.register(ALICE)


def test_of_fifty_who_want_one_name_exactly_one_gets_it(server: Serving, alice: str) -> None:
    def register(number: int) -> int:
        form = {"username": "the-one", "password": PASSWORD}
        return insist(server.post, "/users/register", form, **network(number)).status

    assert Counter(at_once(50, register)) == {303: 1, 409: 49}


def test_fifty_posts_of_one_title_get_fifty_addresses(server: Serving, alice: str) -> None:
    def send(number: int) -> Answer:
        return insist(write, server, alice, "One title", idempotency_key=f"one-title-{number}")

    answers = at_once(50, send)
    assert Counter(answer.status for answer in answers) == {303: 50}
    addresses = {answer.location for answer in answers}
    assert len(addresses) == 50
    assert all(server.status(address) == 200 for address in addresses)


def test_of_fifty_who_want_one_address_exactly_one_gets_it(server: Serving, alice: str) -> None:
    def send(number: int) -> int:
        key = f"one-address-{number}"
        return insist(
            write, server, alice, f"Post {number}", slug="wanted", idempotency_key=key
        ).status

    assert Counter(at_once(50, send)) == {303: 1, 409: 49}


def test_restoring_at_both_workers_gives_every_revision_a_number(
    server: Serving, alice: str, database: dict[str, Any]
) -> None:
    page = write(server, alice, "Restored", action="draft").location
    [action] = re.findall(r'action="(/posts/[0-9a-f-]+)"', server.get(page, alice).text)
    for number in range(1, 4):
        form = {"title": "Restored", "content": f"Text {number}.", "version": f"{number}"}
        assert server.post(action, form, alice).status == 303

    def restore(number: int) -> int:
        path = f"/posts/restored/revisions/{number % 4 + 1}/restore"
        return insist(server.post, path, {}, alice).status

    assert Counter(at_once(20, restore)) == {303: 20}
    listed = server.get("/posts/restored/revisions", alice).text
    numbers = [int(each) for each in re.findall(r">Revision (\d+)</a>", listed)]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))


def test_one_form_sent_twenty_times_makes_one_post(server: Serving, alice: str) -> None:
    answers = at_once(20, lambda _: write(server, alice, "Only once", idempotency_key="one-form"))
    assert {(answer.status, answer.location) for answer in answers} == {(303, "/posts/only-once")}
    assert server.status("/posts/only-once-2") == 404


def test_new_tags_in_any_order_do_not_stand_in_each_others_way(server: Serving, alice: str) -> None:
    def send(number: int) -> int:
        names = [f"Tag {letter}" for letter in "abcdef"]
        tags = ", ".join(names if number % 2 else reversed(names))
        return write(server, alice, f"Tagged {number}", tags=tags).status

    assert Counter(at_once(20, send)) == {303: 20}


def test_of_twenty_edits_of_one_version_one_wins(server: Serving, alice: str) -> None:
    page = write(server, alice, "Untitled", action="draft").location
    [action] = re.findall(r'action="(/posts/[0-9a-f-]+)"', server.get(page, alice).text)

    def edit(number: int) -> int:
        form = {"title": f"A better title {number}", "content": "Words.", "version": "1"}
        return server.post(action, form, alice).status

    assert Counter(at_once(20, edit)) == {303: 1, 409: 19}


def test_what_is_taken_back_is_gone_at_both_workers(server: Serving, alice: str) -> None:
    lists = ("/", "/users/alice", "/tags/taken-back", "/api/v1/posts", "/api/v1/tags")
    ways = [{"action": "unpublish"}, {"action": "schedule", "publish_at": "2030-01-01T10:00"}, {}]
    here, there = connections(server)
    with closing(here), closing(there):
        for way in ways:
            page = write(server, alice, "Taken back", tags="taken back").location
            for worker in (here, there):
                assert all("aken" in ask(worker, "GET", path).text for path in lists)
            form = {"title": "Taken back", "content": "Words.", "version": "1", **way}
            address = page if way else f"{page}/delete"
            assert ask(here, "POST", address, form, alice).status == 303
            for worker in (here, there):  # at once where it was done, and elsewhere in a second
                assert ask(worker, "GET", page).status in (404, 410)
                assert not any("aken" in ask(worker, "GET", path).text for path in lists)
                time.sleep(1)


def test_a_tag_that_is_merged_while_posts_get_it_leaves_no_post_without(
    server: Serving, alice: str
) -> None:
    """Some save with the old name while it goes: nothing is lost, doubled or refused."""
    write(server, alice, "The old one", tags="merged-a")
    write(server, alice, "The new one", tags="merged-b")

    def send(number: int) -> int:
        if number == 10:
            form = {"name": "merged-b", "into": "merged-b"}
            return insist(server.post, "/tags/merged-a", form, alice).status
        names = ("merged-a, merged-b", "merged-b, merged-a", "merged-a")[number % 3]
        return insist(write, server, alice, f"While {number}", tags=names).status

    assert Counter(at_once(21, send)) == {303: 21}
    tagged = server.get("/tags/merged-b").text
    assert "22 posts about" in tagged
    assert server.get("/tags/merged-a").location == "/tags/merged-b"


def test_two_merges_that_cross_make_one_tag(server: Serving, alice: str) -> None:
    for number in range(4):
        one, two = f"cross-{number}-a", f"cross-{number}-b"
        write(server, alice, f"Crossing {one}", tags=one)
        write(server, alice, f"Crossing {two}", tags=two)
        ways = ((one, two), (two, one))

        def merge(way: int, ways: tuple[tuple[str, str], ...] = ways) -> int:
            tag, into = ways[way]
            form = {"name": into, "into": into}
            return insist(server.post, f"/tags/{tag}", form, alice).status

        assert at_once(2, merge) == [303, 303]
        pages = [server.get(f"/tags/{name}") for name in (one, two)]
        assert sorted(page.status for page in pages) == [200, 301]
        [left] = [page for page in pages if page.status == 200]
        assert "2 posts about" in left.text


def test_twenty_posts_of_one_new_series_make_one(server: Serving, alice: str) -> None:
    def send(number: int) -> int:
        return insist(write, server, alice, f"Part {number}", series="Begun at once").status

    assert Counter(at_once(20, send)) == {303: 20}
    assert "in 20 parts" in server.get("/series/begun-at-once").text
    assert server.status("/series/begun-at-once-2") == 404


def test_of_eight_pins_at_once_five_are_taken(server: Serving, alice: str) -> None:
    places = [write(server, alice, f"To pin {number}").location for number in range(8)]

    def pin(number: int) -> int:
        return insist(server.post, f"{places[number]}/pin", {}, alice).status

    assert Counter(at_once(8, pin)) == {303: 5, 409: 3}
    assert server.get("/").text.count(">Pinned<") == 5


def test_twenty_renames_at_once_leave_one_tag_with_all_its_names(
    server: Serving, alice: str
) -> None:
    write(server, alice, "Named often", tags="name-0")

    def rename(number: int) -> int:
        form = {"name": f"name-{number + 1}"}
        return insist(server.post, "/tags/name-0", form, alice).status

    assert Counter(at_once(20, rename)) == {303: 20}
    answers = [server.get(f"/tags/name-{number}") for number in range(21)]
    assert Counter(answer.status for answer in answers) == {200: 1, 301: 20}
    assert len({answer.location for answer in answers if answer.location}) == 1


def test_a_login_and_a_logout_count_for_both_workers(server: Serving, alice: str) -> None:
    here, there = connections(server)
    with closing(here), closing(there):
        form = {"username": ALICE, "password": PASSWORD}
        cookies = ask(here, "POST", "/auth/login", form).cookies
        for worker in (here, there):
            assert ask(worker, "GET", "/drafts", cookies=cookies).status == 200
        assert ask(there, "POST", "/auth/logout", {}, cookies).status == 303
        for worker in (here, there):
            assert ask(worker, "GET", "/drafts", cookies=cookies).status == 303


def test_a_device_that_is_logged_out_is_out_at_both_workers(server: Serving, alice: str) -> None:
    here, there = connections(server)
    with closing(here), closing(there):
        form = {"username": ALICE, "password": PASSWORD, "remember": "on"}
        phone = ask(there, "POST", "/auth/login", form).cookies
        laptop = ask(here, "POST", "/auth/login", form).cookies
        assert ask(there, "GET", "/drafts", cookies=phone).status == 200
        kept = ask(here, "POST", "/settings/sessions/delete", {}, laptop).cookies
        answers = [ask(worker, "GET", "/drafts", cookies=phone) for worker in (here, there) * 10]
        assert {answer.status for answer in answers} == {303}
        for worker in (here, there):
            assert ask(worker, "GET", "/drafts", cookies=kept).status == 200


def test_of_twenty_who_show_one_remember_cookie_at_once_one_at_most_is_let_in(
    server: Serving, alice: str
) -> None:
    """And the others are taken for what they may be: thieves, who end the one as well."""
    form = {"username": ALICE, "password": PASSWORD, "remember": "on"}
    cookies = server.post("/auth/login", form).cookies.split("; ")
    [remembered] = [cookie for cookie in cookies if cookie.startswith("inkstand_remember=")]
    answers = at_once(20, lambda _: server.get("/drafts", remembered))
    counted = Counter(answer.status for answer in answers)
    assert counted[200] <= 1
    assert counted[303] >= 19
    assert all(server.get("/drafts", answer.cookies).status == 303 for answer in answers)


def test_guesses_at_both_workers_are_counted_together(server: Serving, alice: str) -> None:
    server.register(BOB)

    def guess(number: int) -> int:
        form = {"username": BOB, "password": f"a wrong guess {number}"}
        return insist(server.post, "/auth/login", form, **network(number)).status

    assert Counter(at_once(30, guess)) == {401: 10, 429: 20}


def test_a_killed_worker_is_replaced_while_the_other_serves(server: Serving) -> None:
    victim, survivor = workers(server)
    os.kill(victim.pid, signal.SIGKILL)
    killed_at = time.monotonic()
    while len(workers(server)) < WORKERS:
        assert server.status("/") == 200
        assert time.monotonic() < killed_at + 15  # uvicorn may wait 5 s for the dead one's pong
    assert survivor in workers(server)


@pytest.mark.timeout(60)
def test_four_first_starts_at_once_make_one_schema(
    database: dict[str, Any], tmp_path: Path, worker: int
) -> None:
    if "DATABASE_URL" in database:
        url = fresh_database(f"inkstand_four_{worker}")
        database = {**database, "DATABASE_URL": url}
    else:
        database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'inkstand.db'}"}
    folders = [tmp_path / str(number) for number in range(4)]
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
        servers = [stack.enter_context(serving(folder, ready="", **database)) for folder in folders]
        for server in servers:
            server.wait_for("/readyz")
            assert "warning" not in server.log
            assert "Traceback" not in server.log
        assert server.register(ALICE)
        found = rows(database["DATABASE_URL"], "SELECT version_num FROM alembic_version")
        assert found == [(migrations.head(),)]


def write(server: Serving, cookies: str, title: str, **fields: str) -> Answer:
    return server.post("/posts", {"title": title, "content": "Words.", **fields}, cookies)


def network(number: int) -> dict[str, str]:
    """As somebody from an address of their own: the limits count by it."""
    return {"X-Forwarded-For": f"10.0.0.{number}"}


def workers(server: Serving) -> list[psutil.Process]:
    """The processes that have asked the kernel for connections, which is the last step of a start."""
    children = psutil.Process(server.pid).children()
    return [child for child in children if child.is_running() and listens(child)]


def listens(process: psutil.Process) -> bool:
    """Whether it waits for connections: before that, it has the socket but no event loop."""
    try:
        return process.num_threads() > 1 and "anon_inode:[eventpoll]" in {
            os.readlink(f"/proc/{process.pid}/fd/{fd}")
            for fd in os.listdir(f"/proc/{process.pid}/fd")
        }
    except (psutil.Error, OSError):
        return False


def wait_for_workers(server: Serving) -> None:
    deadline = time.monotonic() + 20
    while len(workers(server)) < WORKERS:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def insist(ask: Callable[..., Answer], *args: Any, **options: Any) -> Answer:
    """Ask again when it says that it is too busy, as it may on a machine that is."""
    for _ in range(5):
        answer = ask(*args, **options)
        if answer.status != 503:
            break
        time.sleep(int(answer.headers["Retry-After"]) / 5)
    return answer


def connections(server: Serving) -> list[HTTPConnection]:
    """One to each worker, kept open."""
    found: dict[int, HTTPConnection] = {}
    for _ in range(200):
        connection = server.http()
        ask(connection, "GET", "/healthz")
        pid = worker_of(server, connection)
        if found.setdefault(pid, connection) is not connection:
            connection.close()
        if len(found) == WORKERS:
            return list(found.values())
    raise AssertionError("one worker takes all connections")


def worker_of(server: Serving, connection: HTTPConnection) -> int:
    own = connection.sock.getsockname()[:2]
    return next(
        worker.pid
        for worker in psutil.Process(server.pid).children()
        for open_one in worker.net_connections("tcp")
        if tuple(open_one.raddr) == own
    )
