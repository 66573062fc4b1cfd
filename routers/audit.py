"""What happened on the blog, for whoever owns it."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import guarded
from database import Db
from services import audit, audit_sentences, usernames
from services.permissions import MANAGE_SITE
from services.text import printable
from web.templating import page

router = guarded("/admin/audit", MANAGE_SITE)

Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Wanted = Annotated[str, Query(max_length=usernames.LONGEST)]


@router.get("", name="audit.index")
def index(
    request: Request, db: Db, before: Before = None, who: Wanted = "", action: Wanted = ""
) -> Response:
    """Fifty at a time, by or to one person or all, one kind or all."""
    who, action = usernames.canonical(printable(who)), printable(action)
    events = audit.everything(db, before, who=who, action=action)
    return page(
        request,
        "audit/index.html",
        events=[(event, audit_sentences.sentence(event)) for event in events],
        actions=audit_sentences.ACTIONS,
        who=who,
        action=action,
    )
