"""For the machines that watch over the blog."""

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import migrations
from auth_dependencies import public
from backends import Unavailable

router = public()


@router.get("/healthz", name="healthz")
async def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", name="readyz")
async def readyz(request: Request) -> Response:
    """Database, migrations and session store: 200 if all are well, else 503 and which is not."""
    state = request.app.state
    checks = {"database": "ok", "migrations": "ok", "sessions": "ok"}
    try:
        if await run_in_threadpool(migrations.current, state.database) != migrations.head():
            checks["migrations"] = "pending"
    except SQLAlchemyError:
        checks["database"] = checks["migrations"] = "unavailable"
    try:
        await state.sessions.ping()
    except Unavailable:
        checks["sessions"] = "unavailable"
    is_ready = all(found == "ok" for found in checks.values())
    body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return JSONResponse(body, 200 if is_ready else 503, {"Cache-Control": "no-store"})
