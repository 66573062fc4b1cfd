"""The name that passkeys are bound to: that of this blog, or in development that of the request."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from services.relying_parties import RelyingParty, relying_party
from web.csrf import own_origin


async def get_relying_party(request: Request) -> RelyingParty | None:
    """None where passkeys cannot be used."""
    state = request.app.state
    return relying_party(state.settings, own_origin(request.scope), state.site.latest.site_name)


ThisBlog = Annotated[RelyingParty | None, Depends(get_relying_party)]


def as_json(options: str) -> Response:
    """What navigator.credentials is to be asked for."""
    return Response(options, media_type="application/json")


def passkey_context(request: Request) -> dict[str, Any]:
    """For every template: `passkeys_work()` says whether they can be used here at all."""

    def work() -> bool:
        return relying_party(request.app.state.settings, own_origin(request.scope)) is not None

    return {"passkeys_work": work}
