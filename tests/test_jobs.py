"""Background work: in the web process or in a worker, whatever dies or is away meanwhile."""

import logging
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from backends.queue import MOST_WAITING, Names, Queue, open_queue
from database import Database
from jobs import Jobs
from models import Mail, now
from services import mails
from settings import Settings
from tests.blog import Blog, blog_settings
from tests.conftest import fresh_database
from tests.mailbox import Mailbox
from tests.processes import free_port, serving
from tests.servers import Redis

WORK = ("-m", "cli", "worker")


def environment(mailbox: Mailbox, **settings: str) -> dict[str, Any]:
    return {"SMTP_URL": mailbox.url, "MAIL_FROM": "blog@example.org", **settings}


def queue(database_url: str) -> None:
    """A committed mail, from a process that ends before it told anybody."""
    settings = blog_settings(database_url=database_url)
    database = Database(settings.database_url)
    with database.writing() as db:
        mails.queue(db, settings, "bob@example.org", "test")
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, worker: int, tmp_path: Path) -> dict[str, str]:
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'inkstand.db'}"}
    return {
        "DATABASE_URL": fresh_database(f"inkstand_jobs_{worker}"),
        "REDIS_URL": request.getfixturevalue("redis_url"),
    }


def test_a_committed_mail_survives_kill_9(tmp_path: Path, mailbox: Mailbox) -> None:
    """Whoever starts next sends it, without being told."""
    url = f"sqlite:///{tmp_path / 'inkstand.db'}"
    with serving(tmp_path) as server:
        queue(url)
        server.kill()
    with serving(tmp_path, **environment(mailbox)) as server:
        mailbox.wait_for(1)
        assert server.stop() == 0
    assert mailbox.recipients == ["bob@example.org"]


def test_a_worker_sends_what_the_web_process_queues(
    stores: dict[str, str], tmp_path: Path, mailbox: Mailbox
) -> None:
    settings = environment(mailbox, JOBS="worker", **stores)
    with (
        serving(tmp_path, **settings),
        serving(tmp_path, command=WORK, ready="", **settings) as worker,
    ):
        for count in (1, 2):
            tell(stores)
            mailbox.wait_for(count, seconds=20)
        started_at = time.monotonic()
        assert worker.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started_at < 4
    assert "Traceback" not in worker.log


def tell(stores: dict[str, str]) -> None:
    """As a web process does it: commit, then a hint to the worker."""
    settings = blog_settings(
        database_url=stores["DATABASE_URL"], redis_url=stores.get("REDIS_URL", ""), jobs="worker"
    )
    database = Database(settings.database_url)
    jobs = Jobs(settings, database)
    jobs.start()
    with database.writing() as db:
        mails.queue(db, settings, "bob@example.org", "test")
    jobs.stop()
    database.close()


def test_no_worker_where_the_web_process_does_it(tmp_path: Path) -> None:
    with serving(tmp_path, command=WORK, ready="") as worker:
        assert worker.wait() == 1
    assert "JOBS=worker" in worker.log


def test_a_mail_is_queued_whether_redis_is_there_or_not(
    tmp_path: Path, mortal_redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    mortal_redis.stop()
    settings = blog_settings(
        database_url=f"sqlite:///{tmp_path / 'inkstand.db'}", redis_url=mortal_redis.url
    )
    database = Database(settings.database_url)
    jobs = Jobs(settings, database)
    started_at = time.perf_counter()
    for _ in range(20):
        jobs.deliver_soon()
    assert time.perf_counter() - started_at < 1
    assert "the worker will find a mail by itself" in caplog.text
    jobs.stop()
    database.close()


def test_jobs_that_nobody_does_do_not_pile_up(tmp_path: Path) -> None:
    settings = blog_settings(database_url=f"sqlite:///{tmp_path / 'inkstand.db'}")
    database = Database(settings.database_url)
    jobs = Jobs(settings, database)
    for _ in range(MOST_WAITING + 20):
        jobs.deliver_soon()
    assert jobs.queue.pending_count() == MOST_WAITING
    jobs.stop()
    database.close()


def test_threads_that_tell_the_worker_at_once_share_one_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_slowly(settings: Settings, *, works: bool) -> Queue:
        time.sleep(0.2)
        opened.append(open_queue(settings, works=works))
        return opened[-1]

    opened: list[Queue] = []
    monkeypatch.setattr("backends.queue.open_queue", open_slowly)
    settings = blog_settings(database_url=f"sqlite:///{tmp_path / 'inkstand.db'}")
    jobs = Jobs(settings, Database(settings.database_url))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: jobs.deliver_soon(), range(4)))
    jobs.stop()
    assert len(opened) == 1
    assert opened[0].pending_count() == 4
    opened[0].storage.close()


def test_a_listener_that_fails_spoils_no_request(
    blog: Blog, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(blog.database.listeners, mails.QUEUED, fail)
        with blog.database.writing() as db:
            mails.queue(db, blog.settings, "bob@example.org", "test")
    assert blog.mails_to("bob@example.org")
    assert "nobody could be told" in caplog.text


def test_an_idle_blog_leaves_its_database_alone(blog: Blog) -> None:
    jobs = Jobs(blog.settings, blog.database)
    statements = []

    def note(*args: object) -> None:
        statements.append(args)

    event.listen(blog.database.engine, "before_cursor_execute", note)
    try:
        jobs.tick()
        asked = len(statements)
        for _ in range(10):
            jobs.tick()
    finally:
        event.remove(blog.database.engine, "before_cursor_execute", note)
    assert 1 <= asked <= 4  # mails, and texts without an index; each may have a BEGIN
    assert len(statements) == asked


def test_jobs_outlive_a_database_that_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = blog_settings(database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    jobs = Jobs(settings, Database(settings.database_url))
    with caplog.at_level(logging.WARNING):
        jobs.sweep_at = now()
        jobs.tick()
        jobs.tick()
    assert caplog.text.count("deliver waits for the database") == 2
    assert caplog.text.count("sweep waits for the database") == 1


def test_a_job_in_the_queue_is_a_name_and_never_code() -> None:
    """huey would unpickle what it finds, and run what somebody put there."""
    with pytest.raises(ValueError, match="codec"):
        Names().deserialize(pickle.dumps(["x", "y"]))


def test_the_mail_queued_is_the_one_committed(blog: Blog) -> None:
    """The outbox row and what caused it are one transaction, also for the database itself."""
    with blog.database.writing() as db:
        mails.queue(db, blog.settings, "bob@example.org", "test")
        db.flush()
        with blog.database.reading() as other:
            assert not other.exec(select(Mail)).all()
        db.execute(text("SELECT 1"))
    assert blog.mails_to("bob@example.org")
