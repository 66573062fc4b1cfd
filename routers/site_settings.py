"""How the blog presents itself: what its owner chooses, and the style sheet that comes of it."""

from functools import lru_cache
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentUser, guarded, public
from database import Db
from errors import NotFound
from languages import _
from routers.media import as_id
from services import audit, media, site_settings
from services.permissions import MANAGE_SITE
from web.assets import Asset, respond
from web.forms import Form, form_of
from web.templating import page, redirect, redirect_to

router = guarded("/admin/settings", MANAGE_SITE)
readable = public("/style")

SettingsForm = Annotated[Form[site_settings.Chosen], Depends(form_of(site_settings.Chosen))]
LogoForm = Annotated[Form[site_settings.Logo], Depends(form_of(site_settings.Logo))]


@router.get("", name="site_settings.edit")
def edit(request: Request, db: Db) -> Response:
    form: Form[site_settings.Chosen] = Form(site_settings.as_typed(site_settings.find(db)))
    return page(request, "site_settings/edit.html", form=form, **around(request))


@router.post("", name="site_settings.update")
def update(
    request: Request, user: CurrentUser, client: CurrentClient, form: SettingsForm, db: Db
) -> Response:
    with form.or_show("site_settings/edit.html", **around(request)):
        changed = site_settings.change(db, form.data)
    if changed:
        what = ", ".join(changed)
        audit.record(db, audit.SITE_CHANGED, user, client=client, changed=what)
    return redirect(request, "site_settings.edit", say=_("Saved. Readers see it from now on."))


@router.get("/logo", name="site_settings.logo")
def logo(
    request: Request,
    user: CurrentUser,
    db: Db,
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    found = media.latest(db, user, before=before, of_all=True)
    chosen = site_settings.find(db).logo_id
    return page(request, "site_settings/logo.html", found=found, before=before, chosen=chosen)


@router.post("/logo", name="site_settings.choose_logo")
def choose_logo(
    request: Request, user: CurrentUser, client: CurrentClient, form: LogoForm, db: Db
) -> Response:
    wanted = form.data.image
    site_settings.show_logo(db, media.get(db, as_id(wanted)) if wanted else None)
    audit.record(db, audit.SITE_CHANGED, user, client=client, changed="logo")
    return redirect(request, "site_settings.edit", say=_("Saved. Readers see it from now on."))


@readable.get("/{digest}.css", name="style.show")
def style(request: Request, digest: Annotated[str, Path(max_length=64)]) -> Response:
    """The owner's colours and rules. A page that was kept for a while may ask for older ones, or
    another process for newer: it gets what is there now."""
    site, path = request.app.state.site, f"/style/{digest}.css"
    if path not in site.now().sheets:
        site.forget()
    here = site.now()
    if not here.css:
        raise NotFound
    if path not in here.sheets:
        return redirect_to(request, here.css_url("/"))
    return respond(sheet(here.sheets[path]), request.scope)


@lru_cache(maxsize=4)
def sheet(css: str) -> Asset:
    return Asset(css.encode(), ".css", hashed=True)


def around(request: Request) -> dict[str, Any]:
    return {"defaults": request.app.state.settings, "dates": site_settings.dates()}
