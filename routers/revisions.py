"""What a post said before: every text that was saved, what each changed, and back to one of them."""

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db, release
from languages import _
from models import Post
from routers.loading import OwnPost
from services import comparing, histories, markdown, restoring, texts
from services.permissions import WRITE
from web.forms import Form
from web.json_bodies import checked
from web.templating import page, redirect

router = guarded("/posts/{slug}/revisions", WRITE)

LARGEST = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Cursor = Annotated[int | None, Query(ge=0, le=LARGEST)]
# Its address is a matter of now, and may be another post's by now; so is whether it is a page.
BROUGHT_BACK = ("title", "content", "tags", "series")


@router.get("", name="revisions.index")
def index(
    request: Request, post: OwnPost, db: Db, before: Cursor = None, after: Cursor = None
) -> Response:
    history = histories.page(db, post, before, after)
    release(db)  # comparing takes a while: hold nothing meanwhile
    entries = histories.compared(history)
    return page(request, "revisions/index.html", post=post, history=history, entries=entries)


@router.get("/{number}", name="revisions.show")
def show(
    request: Request,
    post: OwnPost,
    db: Db,
    number: Number,
    other: Annotated[str, Query(alias="with", max_length=9)] = "",
) -> Response:
    entry = histories.find(db, post, number)
    compared_with = histories.find_other(db, post, number, other)
    before = histories.one_before(db, post, number)
    release(db)
    text = entry.revision.text
    difference = []
    if compared_with:
        pair = (compared_with.text, text) if compared_with.is_older else (text, compared_with.text)
        difference = comparing.difference(*pair)
    return page(
        request,
        "revisions/show.html",
        post=post,
        entry=entry,
        before=before,
        other=compared_with,
        difference=difference,
        html=markdown.said(markdown.render(text.get("content", ""))),
    )


@router.post("/{number}/restore", name="revisions.restore")
def restore(request: Request, user: CurrentUser, post: OwnPost, db: Db, number: Number) -> Response:
    text = histories.find(db, post, number).revision.text
    form: Form[Any] = Form(text | {"slug": post.slug, "version": str(post.version)})
    with form.or_show("posts/edit.html", post=post):  # half a text, that nobody saved by hand
        again = text_of(text, post)
        release(db)
        columns = texts.rendered(again)
        post = restoring.restore(db, post, again, user, columns)
    say = _("Revision %(number)s is back: it is what you edit now.", number=number)
    if post.staged:
        say += " " + _("Readers see it once you update the post.")
    return redirect(request, "posts.edit", slug=post.slug, say=say)


def text_of(revision: dict[str, str], post: Post) -> texts.Text:
    """What a revision brings back. Raises Invalid: it is not fit to be saved as it is."""
    fields = {name: revision[name] for name in BROUGHT_BACK if name in revision}
    return checked(texts.Text, fields | {"slug": post.slug})
