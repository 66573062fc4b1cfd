"""Every error as a page: what happened, what is safe, what to do next. For the API as RFC 9457."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from anyio import from_thread, to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import errors
from backends import Unavailable
from languages import N_, _
from web.error_words import WORDS
from web.forms import MULTIPART, STATUS, UNUSABLE, Form, ShowAgain, printable, read_pairs
from web.headers import state
from web.live import Refused
from web.speech import speak_in
from web.templating import page, redirect_to

log = logging.getLogger("inkstand.errors")
RETRY_AFTER_SECONDS = 5
UNTOUCHED = N_("Nothing was overwritten.")
UNKNOWN_SOCKET = 1000  # how the router closes a WebSocket that it has no route for


def error_page(
    request: Request,
    status: int,
    sentence: str = "",
    headers: dict[str, str] | None = None,
    kind: str = "about:blank",
    is_late: bool = False,
    **members: Any,
) -> Response:
    """The page for a status, or the JSON problem for a program.

    A page that `is_late` shows the text again that came for a post after it was gone, or was no
    longer theirs. `kind` and other `members` are for the problem (RFC 9457, section 3). A 404 is
    the same bytes for whatever is missing or hidden, so it carries no request id.
    """
    words = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    kept = kept_text(request) if status == 503 else late_text(request) if is_late else {}
    sentence = _(sentence or words.sentence)
    request_id = state(request.scope).get("request_id", "")
    if wants_json(request) or sends_json(request):
        problem = {
            "type": kind,
            "title": _(words.title),
            "status": status,
            "detail": sentence,
            **members,
        }
        response: Response = JSONResponse(problem, status, media_type="application/problem+json")
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        response = page(
            request,
            "errors/error.html",
            status_code=status,
            status=status,
            title=_(words.title),
            sentence=sentence,
            error_id="" if status in (404, 410) else request_id,
            kept=kept,
        )
    response.headers.update(headers or {})
    response.headers.setdefault("Cache-Control", "no-store")
    if status == 503:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return response


def wants_json(request: Request) -> bool:
    """A program of the API, or a script of one of our pages, which says so."""
    accepted = request.headers.get("accept", "")
    is_script = "application/json" in accepted and "text/html" not in accepted
    return is_script or request.scope["path"].startswith("/api/")


def sends_json(request: Request) -> bool:
    """No form does; so whoever has made a mistake in it is a program too."""
    kind = request.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "application/json"


def kept_text(request: Request) -> dict[str, str]:
    """What a person had typed, so that a fault behind us costs nobody a text; no passwords."""
    form = state(request.scope).get("form")
    values: dict[str, str] = form.values if form else {}
    if form is None and request.method == "POST":  # the fault came before the form was read
        sent = state(request.scope).get("request", request)
        with suppress(HTTPException, ClientDisconnect, RuntimeError):
            values = {name: printable(value) for name, value in from_thread.run(read_pairs, sent)}
    if any("password" in name for name in values):
        return {}
    return values


def late_text(request: Request) -> dict[str, str]:
    """The same, but only of a post: other forms are soon filled in again. Files that nobody may
    send are not received for it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kept = {} if kind == MULTIPART else kept_text(request)
    return kept if kept.get("content") else {}


def answering(status: int, sentence: str = "") -> ASGIApp:
    """An ASGI app that answers with an error page, for middleware outside the router.

    A WebSocket is refused with the sentence alone: nobody sees pages there.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        speak_in(scope)
        if scope["type"] == "websocket":
            response = refusal(status, sentence)
        else:
            request = Request(scope, receive)
            response = await to_thread.run_sync(error_page, request, status, sentence)
        await response(scope, receive, send)

    return answer


def refusal(status: int, sentence: str = "") -> Response:
    """The answer to a WebSocket that is not opened."""
    words = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    headers = {"Cache-Control": "no-store"}
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return PlainTextResponse(f"{_(sentence or words.sentence)}\n", status, headers)


class Faults:
    """Whatever nobody caught becomes a 500 page here, inside the layers that log and add headers.

    A WebSocket that ends before it was accepted, such as one that no route knows, is refused with
    an answer like any other.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def sending(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "websocket.close" and not has_started:
                is_unknown = message.get("code") == UNKNOWN_SOCKET
                await answering(404 if is_unknown else 403)(scope, receive, sending)
            else:
                has_started = True
                await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            if scope["type"] == "lifespan" or (scope["type"] == "http" and has_started):
                raise
            log.exception(
                "unhandled", extra={"fields": {"request_id": state(scope).get("request_id")}}
            )
            if has_started:
                await send({"type": "websocket.close", "code": 1011})
            else:
                await answering(500)(scope, receive, send)


def handle_errors(app: FastAPI) -> None:
    """Register a page for every error that routes, services and backends raise.

    The handlers are plain functions, so Starlette runs them in a thread: they render pages.
    """
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)


def show_http(request: Request, error: HTTPException) -> Response:
    return error_page(request, error.status_code, headers=dict(error.headers or {}))


def show_missing(request: Request, error: HTTPException) -> Response:
    """A 404 of the router: a trailing slash is forgiven, everything else is missing."""
    path = request.scope["path"]
    if error.status_code == 404 and path != "/" and path.endswith("/") and request.method == "GET":
        query = request.scope["query_string"].decode("latin-1")
        return redirect_to(request, path.strip("/") + f"?{query}" * bool(query), status_code=301)
    return show_http(request, error)


def show_refused(_request: Any, error: Refused) -> Response:
    return refusal(error.status, error.sentence)


def show_invalid(request: Request, error: RequestValidationError) -> Response:
    found = [{"parameter": str(each["loc"][-1]), "detail": _(UNUSABLE)} for each in error.errors()]
    return error_page(request, 422, errors=found)


def show_again(request: Request, error: ShowAgain) -> Response:
    return page(request, error.template, status_code=error.status, **error.context)


def show_nobody(_request: Request, _error: ClientDisconnect) -> Response:
    """They hung up in mid-sentence. Nobody reads this but the access log; 499 is nginx's word."""
    return Response(status_code=499)


def show_bad_credentials(request: Request, error: errors.BadCredentials) -> Response:
    """RFC 6750, section 3.1."""
    return error_page(
        request, 401, str(error), headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )


def show_second_factor(request: Request, error: errors.SecondFactorRequired) -> Response:
    return error_page(request, 401, str(error), kind="second_factor_required")


def show_not_found(request: Request, _error: errors.NotFound) -> Response:
    return error_page(request, 404, is_late=True)


def show_gone(request: Request, _error: errors.Gone) -> Response:
    return error_page(request, 410, is_late=True)


def show_forbidden(request: Request, error: errors.Forbidden) -> Response:
    return error_page(request, error.status, str(error), is_late=True)


def show_rejected(request: Request, error: errors.Rejected) -> Response:
    found = [{"pointer": pointer(name), "detail": said} for name, said in error.fields.items()]
    return error_page(request, STATUS.get(type(error), 422), str(error), errors=found)


def pointer(field: str) -> str:
    """Where a field is in the body, as a JSON pointer (RFC 6901, section 6)."""
    return "#/" + quote(field.replace("~", "~0").replace("/", "~1")) if field else "#"


def show_provider_away(request: Request, error: errors.ProviderAway) -> Response:
    return error_page(request, 503, str(error), headers={"Retry-After": "60"})


def show_not_proven(request: Request, error: errors.NotProven) -> Response:
    return error_page(request, 400, str(error))


def show_bad_link(request: Request, _error: errors.BadLink) -> Response:
    """Used, too old, changed, somebody else's: one page for all, with the way to a new one."""
    return page(request, "errors/bad_link.html", status_code=400, form=Form())


def show_stale(request: Request, error: errors.StaleVersion) -> Response:
    return error_page(request, 409, f"{error} {_(UNTOUCHED)}")


def show_too_often(request: Request, error: errors.TooOften) -> Response:
    wait = {"Retry-After": str(max(int(error.seconds), 1))}
    return error_page(request, 429, str(error), headers=wait)


def show_busy(request: Request, error: errors.Busy) -> Response:
    return error_page(request, 503, str(error), headers={"Retry-After": "2"})


def show_unavailable(request: Request, error: Exception) -> Response:
    log.warning("unavailable: %s", reason_of(error.__cause__ or error))
    return error_page(request, 503)


def show_database_error(request: Request, error: DBAPIError) -> Response:
    """The database is down, locked, full or read-only; a broken rule is a race that was lost."""
    log.warning("database: %s", reason_of(error))
    return error_page(request, 409 if isinstance(error, IntegrityError) else 503)


def reason_of(error: BaseException) -> str:
    """A line for the log: what a service said, but nothing that a person had sent."""
    cause = getattr(error, "orig", None) or error
    name, said = type(cause).__name__, str(cause).splitlines()
    return f"{name}: {said[0]}" if said and not isinstance(error, DataError) else name


HANDLERS: dict[type[Exception], Callable[[Request, Any], Response]] = {
    HTTPException: show_missing,
    RequestValidationError: show_invalid,
    ClientDisconnect: show_nobody,
    ShowAgain: show_again,
    Refused: show_refused,
    errors.BadCredentials: show_bad_credentials,
    errors.SecondFactorRequired: show_second_factor,
    errors.NotFound: show_not_found,
    errors.Gone: show_gone,
    errors.Forbidden: show_forbidden,
    errors.Rejected: show_rejected,
    errors.ProviderAway: show_provider_away,
    errors.NotProven: show_not_proven,
    errors.BadLink: show_bad_link,
    errors.StaleVersion: show_stale,
    errors.TooOften: show_too_often,
    errors.Busy: show_busy,
    Unavailable: show_unavailable,
    PoolTimeout: show_unavailable,
    DBAPIError: show_database_error,
}
