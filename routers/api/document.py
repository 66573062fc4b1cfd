"""The OpenAPI document: what FastAPI finds in the routes, and what it cannot know."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel

from services.permissions import MEANING
from settings import Settings
from web.json_bodies import JSON

VERSION = "1"
OPENAPI = "3.1.0"
REFERENCE = "#/components/schemas/{model}"


class Mistake(BaseModel):
    """What is wrong with one field: `pointer` is where it is in the body (RFC 6901)."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(BaseModel):
    """RFC 9457. `type` tells apart what the status does not: `reauth_required` wants a new login,
    `second_factor_required` a code. Otherwise it is `about:blank`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] = []


def document_of(app: FastAPI) -> dict[str, Any]:
    """The document, made when it is first asked for."""
    if app.openapi_schema is None:
        app.openapi_schema = build(app)
    return app.openapi_schema


def build(app: FastAPI) -> dict[str, Any]:
    settings: Settings = app.state.settings
    routes = api_routes(app)
    document = get_openapi(
        title=f"{settings.site_name}: API",
        version=VERSION,
        openapi_version=OPENAPI,
        description=ABOUT,
        routes=routes,
        servers=[{"url": settings.base_url}] if settings.base_url else None,
    )
    schemas = document["components"]["schemas"]
    add_schema(schemas, Problem)
    for route in routes:
        for method in route.methods or ():
            add_body(document["paths"][route.path][method.lower()], schemas, route)
    describe_security(document["components"]["securitySchemes"], app.state.cookies.session_name)
    return document


ABOUT = (
    "Times are RFC 3339 with an offset. Errors are problems as in RFC 9457. Lists have 20 items a "
    "page and links to the pages beside them, in the body and as Link headers."
)


def api_routes(app: FastAPI) -> list[RouteContext]:
    """What is below /api/: pages are no part of the API."""
    found = iter_route_contexts(app.routes)
    return [each for each in found if (each.path or "").startswith("/api/") and is_shown(each)]


def is_shown(route: RouteContext) -> bool:
    return bool(getattr(route, "include_in_schema", False))


def add_body(operation: dict[str, Any], schemas: dict[str, Any], route: RouteContext) -> None:
    """Bodies are read by our own dependencies, which say by what model: `body_of`."""
    for call in calls_of(route.dependant):
        if model := getattr(call, "body_model", None):
            add_schema(schemas, model)
            kinds = getattr(call, "media_types", (JSON,))
            schema = {"$ref": REFERENCE.format(model=model.__name__)}
            content = {"schema": schema, "example": call.example}
            operation["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, content)}


def calls_of(dependant: Any) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from calls_of(each)


def add_schema(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template=REFERENCE)
    schemas |= schema.pop("$defs", {})
    schemas[model.__name__] = schema


def describe_security(schemes: dict[str, Any], cookie: str) -> None:
    """What only the settings know: the cookie's name, and what the scopes mean."""
    schemes["sessionCookie"] |= {
        "name": cookie,
        "description": "A login in a browser, or by /api/v1/auth/login.",
    }
    schemes["bearerToken"] |= {
        "bearerFormat": "ink_...",
        "description": "A personal access token, made under Settings or by /api/v1/tokens.",
    }
    schemes["oauth2"]["description"] = "A JWT from /api/v1/token, good for 15 minutes."
    password = schemes["oauth2"]["flows"]["password"]
    password |= {"scopes": dict(MEANING), "refreshUrl": password["tokenUrl"]}
