"""The API for people and for programs: its documentation, and the OpenAPI document."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth_dependencies import OptionalUser, public
from routers.api.document import document_of
from services import heads
from web.templating import public_page

router = public()


@router.get("/docs", name="documentation")
def show(request: Request, _: OptionalUser) -> Response:
    site, api = request.app.state.site.now(), document_of(request.app)
    head = heads.of_page(site, "/docs")
    return public_page(
        request,
        "documentation/show.html",
        differs_for=(),
        api=api,
        base=site.link_base,
        head=head,
    )


@router.get("/openapi.json", name="openapi")
def openapi(request: Request) -> Response:
    return JSONResponse(document_of(request.app), headers={"Cache-Control": "no-cache"})
