"""Taking one's data along."""

from collections.abc import Iterator
from datetime import timedelta
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth_dependencies import CurrentClient, CurrentUser, guarded
from backends.limits import Limit, take_one
from database import Db, release
from services import audit, exports

router = guarded("/settings/export", fresh=True)

EXPORTS_OF_PERSON = Limit("export of person", 10, timedelta(hours=1))
BLOCK = 64 * 1024


@router.get("", name="exports.show")
def show(request: Request, user: CurrentUser, client: CurrentClient, db: Db) -> Response:
    """A zip; nothing is held while it is sent, however slow they are who take it."""
    state = request.app.state
    take_one(state.limits, EXPORTS_OF_PERSON, str(user.id))
    file = exports.write(db, user, state.settings, state.storage)
    release(db)
    audit.record_apart(state.database, audit.EXPORTED, user, client=client)
    named = f'attachment; filename="{user.username}.zip"'
    headers = {"Content-Disposition": named, "Content-Length": str(size_of(file))}
    return StreamingResponse(blocks(file), media_type="application/zip", headers=headers)


def size_of(file: IO[bytes]) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block
