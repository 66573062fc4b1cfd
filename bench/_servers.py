"""Servers for measurements: the blog as people start it, and a bare application beside it.

Each is pinned to one core, and whoever asks them to another, where the system can do that.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests import servers
from tests.processes import Serving, serving

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
PRODUCTION = {
    "ENVIRONMENT": "production",
    "BASE_URL": "http://127.0.0.1",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "BCRYPT_COST": 12,
}
SERVER_CORE, LOAD_CORE = (CORES[0], CORES[-1]) if CORES else (None, None)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started in the block stays on this core, with all its threads and children."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def blog(folder: Path, **settings: Any) -> Iterator[Serving]:
    """`python -m cli serve` as in production, but for HTTPS."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(serving(folder, **{**PRODUCTION, **settings}))
        yield server


@contextmanager
def bare(folder: Path, kind: str = "bare", **settings: Any) -> Iterator[Serving]:
    """bench/_bare.py on the same uvicorn with the same options."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ("-m", "bench._bare", kind)
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(serving(folder, command=command, ready="/", **settings))
        yield server


@contextmanager
def databases(*, durable: bool = False) -> Iterator[tuple[servers.Postgres, servers.Redis]]:
    """PostgreSQL and Redis, on the core of those who ask."""
    with ExitStack() as stack:
        with on_core(LOAD_CORE):
            postgres = stack.enter_context(servers.postgres(durable=durable))
            redis = stack.enter_context(servers.redis())
        yield postgres, redis
