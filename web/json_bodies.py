"""JSON bodies, read after it is known who asks. Our own: FastAPI reads a body before anything
else, takes any content type for a try, and of a field that was sent twice it keeps the last."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from anyio import to_thread
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from errors import Invalid
from web.forms import FORM, LARGE_BYTES, MULTIPART, printable, read_pairs, sentences

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
WHOLE = ""  # the field of what is wrong with all of it


def body_of(model: type[M], **example: Any) -> Callable[[Request], Awaitable[M]]:
    """A dependency that reads the request's JSON object into `model`; other fields are ignored.

    The `example` is for the documentation.

    Raises:
        HTTPException: 415, it is said to be something else.
        Invalid: it is no JSON object, or fields of it are wrong.
    """

    async def read(request: Request) -> M:
        return checked(model, await read_object(request))

    read.body_model, read.example = model, example  # type: ignore[attr-defined]
    return read


def checked(model: type[M], values: dict[str, Any]) -> M:
    """Strictly: "1" is no number and 1 is no text."""
    try:
        return model.model_validate(values, strict=True)
    except ValidationError as error:
        raise Invalid(sentences(error)) from None


async def read_object(request: Request) -> dict[str, Any]:
    if kind_of(request) != JSON:
        raise HTTPException(415)
    body = await request.body()
    if len(body) > LARGE_BYTES:
        return await to_thread.run_sync(object_in, body)
    return object_in(body)


async def read_fields(request: Request) -> dict[str, Any]:
    """From a form or from JSON, whichever was sent."""
    if kind_of(request) in (FORM, MULTIPART):
        return each_once(await read_pairs(request))
    return await read_object(request)


def kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def object_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode(), object_pairs_hook=each_once)
    except Invalid:
        raise
    except (ValueError, RecursionError):
        raise Invalid({WHOLE: "The body is not JSON (UTF-8)."}) from None
    if not isinstance(found, dict):
        raise Invalid({WHOLE: "The body must be a JSON object."})
    return found


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid({printable(name): "This field was sent twice."})
        found[name] = value
    return found
