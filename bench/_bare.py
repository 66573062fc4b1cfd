"""The applications that the blog is measured by: as little as an answer takes.

bare    12 KB, always the same
insert  one row like that of a post, in a transaction of its own, through the blog's own engine
"""

import os
import sys
from typing import Any

import uvicorn
from sqlalchemy import insert

from database import Database
from models import Post, now

BODY = b"x" * 12 * 1024
HEADERS = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(BODY))]


async def bare(scope: Any, _: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})


def inserting() -> Any:
    """A FastAPI route in a thread, as the blog's are: what any program would do to store a post."""
    from urllib.parse import parse_qs
    from uuid import UUID, uuid4

    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from sqlmodel import select
    from starlette.responses import RedirectResponse, Response

    from models import User
    from settings import load_settings

    app = FastAPI(openapi_url=None)
    database = Database(load_settings().database_url)

    def author() -> UUID:
        with database.reading() as db:
            return db.exec(select(User.id).limit(1)).one()

    def store(form: dict[str, str]) -> None:
        made, moment = uuid4(), now()
        row = {
            "id": made,
            "author_id": author(),
            "slug": str(made),
            "title": form["title"],
            "content": form["content"],
            "html": form["content"],
            "renderer": 1,
            "excerpt": form["content"][:300],
            "word_count": 900,
            "version": 1,
            "created_at": moment,
            "updated_at": moment,
            "published_at": moment,
            "first_published_at": moment,
        }
        with database.writing() as db:
            db.execute(insert(Post).values(row))

    @app.post("/posts")
    async def create(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        await run_in_threadpool(store, {name: values[0] for name, values in form.items()})
        return RedirectResponse("/", 303)

    @app.get("/")
    async def ready() -> None: ...

    return app


if __name__ == "__main__":
    uvicorn.run(
        inserting() if sys.argv[1] == "insert" else bare,
        port=int(os.environ["PORT"]),
        http="web.receive_deadline:DeadlineProtocol" if sys.argv[1] != "plain" else "auto",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=1_000,
    )
