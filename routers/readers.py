"""How often posts are read, for those who wrote them."""

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from routers.loading import OwnPost
from services import charts, readers
from services.permissions import EDIT_ANY, WRITE, has_scopes
from web.templating import page

router = guarded("", WRITE)

Period = Annotated[Literal["30", "90", "365"], Query(alias="days")]


@router.get("/readers", name="readers.index")
def index(request: Request, user: CurrentUser, db: Db, period: Period = "30") -> Response:
    zone = request.app.state.settings.zone
    report = readers.of_all(db, user, period, zone)
    return page(
        request,
        "readers/index.html",
        report=report,
        chart=charts.of(report),
        most_read=readers.most_read(db, user, period, zone),
        period=period,
        of_everybody=has_scopes(user, EDIT_ANY),
    )


@router.get("/posts/{slug}/readers", name="readers.show")
def show(request: Request, post: OwnPost, db: Db, period: Period = "30") -> Response:
    report = readers.of_post(db, post, period, request.app.state.settings.zone)
    chart = charts.of(report)
    return page(request, "readers/show.html", post=post, report=report, chart=chart, period=period)
