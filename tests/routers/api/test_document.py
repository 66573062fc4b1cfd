"""The API described: the OpenAPI document, and the page that is made of it."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from services.permissions import MEANING
from tests.blog import Blog, Person, fill
from tests.people import ALICE
from tests.programs import program
from tests.test_routes import dependencies_of

GUARDS = {
    "any_login": {"sessionCookie", "bearerToken", "oauth2"},
    "session_required": {"sessionCookie"},
    "jwt_required": {"oauth2"},
}
HIDDEN = {("GET", "/api/v1/auth/me")}  # another address of /api/v1/me


@pytest.fixture
def document(stranger: Person) -> dict[str, Any]:
    found: dict[str, Any] = stranger.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, of_path in document["paths"].items():
        for method, operation in of_path.items():
            yield method.upper(), path, operation


def test_the_document_has_the_three_schemes(document: dict[str, Any], blog: Blog) -> None:
    assert document["openapi"].startswith("3.1")
    schemes = document["components"]["securitySchemes"]
    cookie, bearer, oauth = (schemes[name] for name in ("sessionCookie", "bearerToken", "oauth2"))
    assert (cookie["type"], cookie["in"], cookie["name"]) == (
        "apiKey",
        "cookie",
        "inkstand_session",
    )
    assert (bearer["type"], bearer["scheme"]) == ("http", "bearer")
    password = oauth["flows"]["password"]
    assert (oauth["type"], password["tokenUrl"]) == ("oauth2", "/api/v1/token")
    assert password["scopes"] == MEANING


def test_the_document_names_the_cookie_of_these_settings(blog: Blog) -> None:
    with blog.beside(session_cookie="harbour", cookie_secure=True) as other:
        schemes = other.visitor().get("/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["sessionCookie"]["name"] == "__Host-harbour"


def test_every_operation_tells_how_it_is_guarded(document: dict[str, Any], blog: Blog) -> None:
    """As its dependencies are, and what is public has no security."""
    described = {(method, path): operation for method, path, operation in operations(document)}
    routes = {
        (method, context.path or ""): set(dependencies_of(context.dependant))
        for context in iter_route_contexts(blog.app.routes)
        for method in context.methods or ()
    }
    ours = {key: names for key, names in routes.items() if key[1].startswith("/api/")}
    assert set(described) == set(ours) - HIDDEN
    for key, names in ours.items():
        if key in HIDDEN:
            continue
        security = described[key].get("security", [])
        schemes = {name for way in security for name in way}
        [expected] = [GUARDS[name] for name in GUARDS if name in names] or [set()]
        assert schemes == expected, key
        assert bool(expected) == ("api_login_required" in names), key
        assert bool(expected) != ("for_everybody" in names), key


def test_what_the_document_guards_is_guarded(
    document: dict[str, Any], alice: Person, blog: Blog
) -> None:
    slug = alice.write()
    for method, path, operation in operations(document):
        filled = path.replace("{slug}", slug).replace("{token_id}", slug)
        response = program(blog).client.request(method, filled, json={})
        assert (response.status_code == 401) == ("security" in operation), (method, path)


def test_writing_names_its_scope(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        scopes = {
            scope
            for way in operation.get("security", [])
            for each in way.values()
            for scope in each
        }
        writes = ("/posts" in path or "/media" in path) and "security" in operation
        assert scopes == ({"posts:write"} if writes else set())


def test_pages_are_no_part_of_it(document: dict[str, Any]) -> None:
    assert all(path.startswith("/api/v1/") for path in document["paths"])


def test_the_document_is_whole(document: dict[str, Any]) -> None:
    """Every reference leads somewhere, every operation has an id, an answer and its errors."""
    schemas = document["components"]["schemas"]
    found = re.findall(r"'\$ref': '([^']+)'", str(document))
    assert {name.removeprefix("#/components/schemas/") for name in found} <= set(schemas)
    ids = [operation["operationId"] for *_, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert "application/problem+json" in operation["responses"]["4XX"]["content"]
        assert any(status.startswith("2") for status in operation["responses"])
        declared = {
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"
        }
        assert declared == set(re.findall(r"{(\w+)}", path)), path
        if method in ("POST", "PUT", "PATCH") and "logout" not in path:
            if method == "POST" and path.endswith("/restore"):  # the address says it all
                continue
            for content in operation["requestBody"]["content"].values():
                assert content["schema"]["$ref"]
                assert content["example"]


def test_answers_are_what_the_document_says(
    document: dict[str, Any], alice: Person, blog: Blog
) -> None:
    """Field by field, for each GET."""
    slug, image = alice.write(tags="tides"), alice.image()
    for method, path, operation in operations(document):
        if method != "GET":
            continue
        known = fill(path, {"slug": slug, "media_id": image["id"], "number": "1"})
        found = alice.get(known).json()
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        fits(found, schema, document["components"]["schemas"])


def fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        assert set(value) == set(schema["properties"])
        for name, of_field in schema["properties"].items():
            fits(value[name], of_field, schemas)
    elif "anyOf" in schema:
        kinds = [
            each for each in schema["anyOf"] if (each.get("type") == "null") == (value is None)
        ]
        assert kinds, value
        if value is not None:
            fits(value, kinds[0], schemas)
    else:
        types = {"array": list, "string": str, "integer": int, "boolean": bool, "object": dict}
        assert isinstance(value, types[schema["type"]])
        if isinstance(value, list):
            for each in value:
                fits(each, schema["items"], schemas)


# The page.


def test_the_page_documents_every_operation(stranger: Person, document: dict[str, Any]) -> None:
    response = stranger.get("/docs")
    assert response.status_code == 200
    for method, path, operation in operations(document):
        assert f"<b>{method}</b> <code>{path}</code>" in response.text
        assert operation["summary"] in response.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in response.text
    anchors = set(re.findall(r'href="#([^"]+)"', response.text))
    assert anchors <= set(re.findall(r'id="([^"]+)"', response.text))


def test_the_page_asks_nobody_else_and_runs_only_the_switch_of_its_colours(
    stranger: Person,
) -> None:
    text = stranger.get("/docs").text
    assert re.findall(r'<script src="/static/js/theme\.\w+\.js">', text) == re.findall(
        "<script[^>]*>", text
    )
    assert "<style" not in text
    assert "style=" not in text
    sources = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', text)
    assert sources
    named = {"/feed.xml", "/rss.xml", "/feed.json", f"{stranger.blog.settings.link_base}/docs"}
    assert all(each.startswith("/static/") for each in sources if each not in named)


def test_the_examples_of_the_page_work(alice: Person, stranger: Person, blog: Blog) -> None:
    """Each body that it shows is taken as it is."""
    document = stranger.get("/openapi.json").json()
    created = 0
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content and "/posts" in path:
            slug = alice.draft("A post to change")
            response = alice.client.request(
                method, path.replace("{slug}", slug), json=content["example"]
            )
            assert response.status_code in (200, 201), response.text
            created += 1
    assert created == 3


def test_the_page_knows_who_reads_it(alice: Person, stranger: Person) -> None:
    assert "Log out" in alice.get("/docs").text
    assert ALICE not in is_shared(stranger.get("/docs")).text.partition("<main")[0]


def is_shared(response: httpx2.Response) -> httpx2.Response:
    assert response.headers["cache-control"] == "no-cache"
    return response
