"""Series of posts: read in their order, and kept in order by their authors."""

from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, OptionalUser, get_user_from_session, guarded, public
from database import Db
from errors import NotFound
from languages import _
from routers.loading import OwnSeries
from services import heads, series, series_order
from services.permissions import EDIT_ANY, WRITE, can_edit
from web.forms import Form, form_of
from web.templating import page, public_page, redirect, redirect_to

readable = public("/series", Depends(get_user_from_session))
router = guarded("/series", WRITE)

Cursor = Annotated[str, Query(max_length=140)]
About = Annotated[Form[series_order.About], Depends(form_of(series_order.About))]
Move = Annotated[Form[series_order.Move], Depends(form_of(series_order.Move))]


@readable.get("", name="series.index")
def index(request: Request, db: Db, after: Cursor = "", before: Cursor = "") -> Response:
    listing = series.index(db, after, before)
    head = heads.of_listing(request.app.state.site.now(), "/series", listing, before, after)
    return public_page(request, "series/index.html", differs_for=(), listing=listing, head=head)


@readable.get("/{slug}", name="series.show")
def show(request: Request, slug: str, user: OptionalUser, db: Db) -> Response:
    found = series.by_slug(db, slug.lower())
    parts = series_order.parts(db, found)
    may = can_edit(user, found)
    if not parts and not may:
        raise NotFound  # a series of drafts would give them away
    if slug != found.slug:
        return redirect(request, "series.show", slug=found.slug, permanent=True)
    author = series.author_of(db, found)
    known: dict[str, Any] = {"series": found, "parts": parts, "author": author, "can_edit": may}
    if parts:
        known["head"] = heads.of_page(request.app.state.site.now(), f"/series/{found.slug}")
    return public_page(
        request,
        "series/show.html",
        differs_for=[found.author_id],
        differs_for_scopes=[EDIT_ANY],
        **known,
    )


@router.get("/{slug}/edit", name="series.edit")
def edit(request: Request, user: CurrentUser, found: OwnSeries, db: Db) -> Response:
    form: Form[series_order.About] = Form({"title": found.title, "description": found.description})
    parts = series_order.parts(db, found, user)
    return page(request, "series/edit.html", series=found, parts=parts, form=form)


@router.post("/{slug}", name="series.update")
def update(request: Request, user: CurrentUser, found: OwnSeries, form: About, db: Db) -> Response:
    parts = series_order.parts(db, found, user)
    with form.or_show("series/edit.html", series=found, parts=parts):
        series_order.describe(db, found, form.data)
    return redirect(request, "series.edit", slug=found.slug, say=_("Saved."))


@router.post("/{slug}/parts", name="series.arrange")
def arrange(
    request: Request, user: CurrentUser, found: OwnSeries, change: Move, db: Db
) -> Response:
    series_order.arrange(db, found, change.data, user)
    address = str(request.app.url_path_for("series.edit", slug=found.slug))
    return redirect_to(request, f"{address}#parts")


@router.get("/{slug}/delete", name="series.delete")
def delete(request: Request, found: OwnSeries) -> Response:
    return page(request, "series/delete.html", series=found)


@router.post("/{slug}/delete", name="series.destroy")
def destroy(request: Request, found: OwnSeries, db: Db) -> Response:
    title = found.title
    series_order.delete_all(db, found)
    return redirect(
        request,
        "series.index",
        say=_("The series “%(title)s” is gone. Its posts stay.", title=title),
    )
