"""The outbox, for whoever owns the blog: what was sent, what waits, and why."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from languages import _
from services import mails, outbox
from services.permissions import MANAGE_SITE
from web.templating import page, redirect

# A text shown here may hold a link into another's account: only for a fresh login.
router = guarded("/admin/mail", MANAGE_SITE, fresh=True)


@router.get("", name="mails.index")
def index(request: Request, db: Db, before: str = "") -> Response:
    found = outbox.latest(db, before)
    can_send = bool(request.app.state.settings.smtp_url)
    return page(request, "mails/index.html", found=found, can_send=can_send)


@router.post("", name="mails.create")
def create(request: Request, user: CurrentUser, db: Db) -> Response:
    """A mail to oneself, to see whether they arrive."""
    if not user.email:
        say = _("Your account has no e-mail address yet, so there is nobody to send it to.")
        return redirect(request, "mails.index", say=say)
    mails.queue(db, request.app.state.settings, user.email, "test")
    return redirect(
        request, "mails.index", say=_("A test is on its way to %(email)s.", email=user.email)
    )


@router.post("/{mail_id}/retry", name="mails.update")
def update(request: Request, mail_id: UUID, db: Db) -> Response:
    outbox.retry(db, mail_id)
    return redirect(request, "mails.index", say=_("It is being tried again."))
