"""Pages from templates: what every page knows, and the two ways a route ends."""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from languages import ENGLISH, speaking
from web import flash, xml
from web.fragments import Fragments
from web.shared import Shared, SharedResponse, cut
from web.spoken_templates import be_spoken

# Browsers and proxies may keep it, but must ask each time whether it is still true.
KEPT = {"Cache-Control": "no-cache"}
TEMPLATES = Path(__file__).parent.parent / "templates"
ContextProcessor = Callable[[Request], dict[str, Any]]


class QuickTemplate(Template):
    """Imported, it is always the same: all templates know the same globals, and Jinja would
    compare them at each import."""

    def _get_default_module(self, ctx: Context | None = None) -> Any:  # noqa: ARG002
        return super()._get_default_module()


class QuickEnvironment(Environment):
    """Finds what it has loaded by the name alone, unless files may change. Our own: a page imports
    half a dozen others each time, and Jinja's look-up took a fifth of its rendering."""

    template_class = QuickTemplate

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.loaded: dict[str, Template] = {}

    def get_template(self, name: str | Template, *more: Any, **options: Any) -> Template:
        if self.auto_reload or isinstance(name, Template):
            return super().get_template(name, *more, **options)
        if name not in self.loaded:
            self.loaded[name] = super().get_template(name, *more, **options)
        return self.loaded[name]


class Templates:
    """A Jinja environment and the context processors that feed every page."""

    def __init__(self, *, reload: bool, **everywhere: Any) -> None:
        self.env = QuickEnvironment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=reload,
        )
        be_spoken(self.env, "en")
        self.env.globals |= everywhere | {"made_once": Fragments()}
        self.env.filters |= {"megabytes": megabytes, "xml": xml.escaped}
        self.by_language: dict[str, Environment] = {"en": self.env}
        self.context_processors: list[ContextProcessor] = []

    def render(self, request: Request, name: str, context: dict[str, Any]) -> str:
        known: dict[str, Any] = {"request": request, "flash": flash.waiting(request), "edge": ""}
        for processor in self.context_processors:
            known |= processor(request)
        speech = known["site"].speech if "site" in known else ENGLISH
        with speaking(speech):
            return self.env_for(speech.language).get_template(name).render(known | context)

    def env_for(self, language: str) -> Environment:
        """Templates are compiled once for each language that was ever wanted."""
        if language not in self.by_language:
            env = self.env.overlay()
            env.loaded = {}
            self.by_language[language] = be_spoken(env, language)
        return self.by_language[language]


def site_context(request: Request) -> dict[str, Any]:
    """For every template: `site`, the blog as it is now."""
    return {"site": request.app.state.site.now()}


def page(request: Request, name: str, *, status_code: int = 200, **context: Any) -> Response:
    """An HTML page from a template. Nobody may keep a copy: see `public_page`."""
    templates: Templates = request.app.state.templates
    response = HTMLResponse(templates.render(request, name, context), status_code)
    flash.shown(request, response)
    return response


def public_page(
    request: Request,
    name: str,
    *,
    differs_for: Iterable[object] | None = None,
    differs_for_scopes: Iterable[str] = (),
    **context: Any,
) -> Response:
    """A page that is the same for every stranger: it is kept and shown again until something that
    readers see changes, see web/page_cache.py.

    `differs_for` are the ids of the people who see more of it than strangers do when they are
    logged in, besides those with one of `differs_for_scopes`; an empty one is nobody. Without it
    the page is rendered anew for everybody who is logged in.
    """
    templates: Templates = request.app.state.templates
    edge = secrets.token_hex(16)  # around what tells who is logged in; no text can contain it
    parts = templates.render(request, name, context | {"edge": edge}).encode().split(edge.encode())
    response = SharedResponse(b"".join(parts), media_type="text/html", headers=KEPT)
    people = None if differs_for is None else frozenset(map(str, differs_for))
    response.shared = Shared(cut(parts), people, frozenset(differs_for_scopes))
    flash.shown(request, response)
    return response


def public_document(
    body: str | bytes, media_type: str, last_modified: datetime | None = None
) -> Response:
    """The same for what is no HTML page, such as a feed: it is the same for everybody."""
    headers = dict(KEPT)
    if last_modified:
        headers["Last-Modified"] = format_datetime(last_modified, usegmt=True)
    response = SharedResponse(body, media_type=media_type, headers=headers)
    response.shared = Shared(differs_for=frozenset(), is_document=True)
    return response


def account_parts(request: Request) -> list[bytes]:
    """What tells on a shared page who is logged in, in its order."""
    templates: Templates = request.app.state.templates
    edge = secrets.token_hex(16)
    text = templates.render(request, "layouts/account.html", {"edge": edge})
    return text.encode().split(edge.encode())


def redirect(
    request: Request, name: str, *, say: str = "", permanent: bool = False, **path: Any
) -> Response:
    """303 (or 301) to a route by its name, with a sentence to show there."""
    address = str(request.app.url_path_for(name, **path))
    return redirect_to(request, address, say=say, status_code=301 if permanent else 303)


def redirect_to(request: Request, path: str, *, say: str = "", status_code: int = 303) -> Response:
    """A redirect to a path of ours; `path` is always relative to this site."""
    safe = "/" + quote(path, safe="/?#&=%+,;:@!$'()*~-._").lstrip("/")
    response = RedirectResponse(safe, status_code)
    if say:
        flash.flash(request, response, say)
    return response


def megabytes(size: int) -> str:
    """“1.4 MB”, “500 MB”, “36 KB”."""
    if size < 1024 * 1024:
        return f"{-(-size // 1024)} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"
