"""HTML forms: read, checked by a pydantic model, shown again with every value and a sentence per
field. Our own: form packages render HTML, and none of them tells invalid bytes from text."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, get_origin
from urllib.parse import parse_qsl

from anyio import to_thread
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from errors import (
    Conflict,
    CopiedPasskey,
    Invalid,
    NotAnImage,
    Rejected,
    WrongCode,
    WrongPasskey,
    WrongPassword,
)
from languages import N_, _
from web.headers import state

M = TypeVar("M", bound=BaseModel)

MOST_FIELDS = 100
# Percent signs cost time, 0.3 s a megabyte: more than so many are not for the event loop.
LARGE_BYTES = 16 * 1024
STATUS: dict[type[Rejected], int] = {
    Conflict: 409,
    NotAnImage: 415,
    WrongPassword: 401,
    WrongCode: 401,
    WrongPasskey: 400,
    CopiedPasskey: 400,
}
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
UNUSABLE = N_("This is not a value we can use.")
NOT_PRINTABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "�")


class Form(Generic[M]):
    """What was sent: `values` as typed, `errors` a sentence per field, `data` if all is well."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = values or {}
        self.errors: dict[str, str] = {}
        self.checked: M | None = None

    @property
    def data(self) -> M:
        """The checked values. Raises Invalid if there is anything wrong with them."""
        if self.checked is None:
            raise Invalid(self.errors)
        return self.checked

    def value(self, name: str, otherwise: str = "") -> str:
        return self.values.get(name, otherwise)

    @contextmanager
    def or_show(self, template: str, **context: Any) -> Iterator[None]:
        """Run the block; if a field is rejected, answer with the form again and roll back."""
        try:
            yield
        except Rejected as error:
            self.errors = error.fields
            status = STATUS.get(type(error), 422)
            raise ShowAgain(template, status, {**context, "form": self}) from error


class ShowAgain(Exception):
    """The answer is this template; raised, so that the transaction is rolled back."""

    def __init__(self, template: str, status: int, context: dict[str, Any]) -> None:
        super().__init__(template)
        self.template = template
        self.status = status
        self.context = context


def form_of(model: type[M]) -> Callable[[Request], Awaitable[Form[M]]]:
    """A dependency that reads the request's form into `model`.

    What is a list there may be sent several times, as ticked boxes are; in `values` it is joined.
    """
    lists = {n for n, field in model.model_fields.items() if get_origin(field.annotation) is list}

    async def read(request: Request) -> Form[M]:
        pairs = await read_pairs(request)
        form: Form[M] = Form({name: printable(value) for name, value in pairs})
        state(request.scope)["form"] = form
        known = set(model.model_fields)
        sent = [name for name, _ in pairs if name in known - lists]
        for name in {name for name in sent if sent.count(name) > 1}:
            form.errors[name] = _("This field was sent twice.")
        several = {name: [value for n, value in pairs if n == name] for name in lists}
        form.values |= {name: printable(" ".join(values)) for name, values in several.items()}
        for name, value in pairs:
            if name in known and not is_text(value):
                form.errors[name] = _("This has bytes that are not text (UTF-8).")
        try:
            single = {n: v for n, v in pairs if n in known}
            checked = model.model_validate(single | several)
        except ValidationError as error:
            form.errors = sentences(error) | form.errors
        if not form.errors:
            form.checked = checked
        return form

    return read


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields in order. Bytes that are not UTF-8 come as lone surrogates."""
    kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if kind == MULTIPART:
        multipart = await read_multipart(request, max_fields=MOST_FIELDS, max_files=0)
        return [(name, value) for name, value in multipart.multi_items() if isinstance(value, str)]
    body = await request.body()
    if kind != FORM and body:
        raise HTTPException(415)
    try:
        if len(body) > LARGE_BYTES:
            return await to_thread.run_sync(pairs_in, body)
        return pairs_in(body)
    except ValueError:
        raise HTTPException(400) from None


async def read_multipart(request: Request, **limits: int) -> FormData:
    """The fields and files of a form. Its caller closes it, if it has files.

    Raises:
        HTTPException: 400, it cannot be read; 415, its names would be decoded as its sender says,
            and some of Python's codecs give what is no text, or fail.
    """
    _, options = parse_options_header(request.headers["content-type"])
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(415)
    return await request.form(**limits)


def pairs_in(body: bytes) -> list[tuple[str, str]]:
    text = body.decode("utf-8", "surrogateescape")
    return parse_qsl(
        text, keep_blank_values=True, errors="surrogateescape", max_num_fields=MOST_FIELDS
    )


def printable(value: str) -> str:
    """The same text without what no page can carry."""
    return value.encode(errors="replace").decode().translate(NOT_PRINTABLE)


def is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def sentences(error: ValidationError) -> dict[str, str]:
    """Pydantic's findings in words for people."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0])
        if problem["type"] == "value_error":
            found[name] = _(str(problem["ctx"]["error"]))
        elif problem["type"] == "missing":
            found[name] = _("Please fill this in.")
        elif problem["type"] == "literal_error":
            found[name] = _("This is not one of the choices.")
        else:
            found[name] = _(UNUSABLE)
    return found
