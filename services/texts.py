"""What an author types, and the columns of a post that follow from it."""

import re
import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from errors import Invalid
from languages import _
from services import markdown, slugs, tags
from services.text import many_lines, one_line, optional_line, printable

LONGEST_TITLE = 200
LONGEST_SERIES = 120
MOST_BYTES = 512 * 1024
LONGEST_PAGE = 8 * 1024 * 1024
EXCERPT_CHARACTERS = 220
WORDS_PER_MINUTE = 230
WORD = re.compile(r"\w+(?:['’\-]\w+)*")


def custom_slug(typed: str) -> str:
    """The author's own wish for an address; empty when there is none."""
    if len(typed) > LONGEST_TITLE:
        raise ValueError(_("At most %(most)s characters, please.", most=LONGEST_TITLE))
    slug = slugs.asked_for(typed)
    if typed.strip() and not slug:
        raise ValueError(_("Please use a few letters or digits."))
    return slug


def checked_key(typed: str) -> str:
    if typed and not re.fullmatch(r"[\x21-\x7e]{1,64}", typed):
        raise ValueError(_("This key is not one of ours."))
    return typed


class Text(BaseModel):
    """From a form, the API or an archive."""

    title: Annotated[str, one_line(LONGEST_TITLE)]
    content: Annotated[str, many_lines(MOST_BYTES)]
    tags: Annotated[str, AfterValidator(lambda typed: ", ".join(tags.parse(typed)))] = ""
    slug: Annotated[str, AfterValidator(custom_slug)] = ""
    # Left out, they stay as they are.
    series: Annotated[str, optional_line(LONGEST_SERIES)] | None = None
    kind: Literal["post", "page"] | None = None


# A time, read by `publishing.moment_of` once it is known that it counts.
Typed = Annotated[str, Field(max_length=64)]


class FromEditor(BaseModel):
    """Which open editor sends this, and which autosave it shows; see services/autosaves.py.

    No text is refused because of them.
    """

    tab: Annotated[str, AfterValidator(printable)] = ""
    seen: str = ""


class NewPost(Text, FromEditor):
    action: Literal["publish", "draft", "schedule"] = "publish"
    publish_at: Typed = ""
    idempotency_key: Annotated[str, AfterValidator(checked_key)] = ""


class PostEdit(Text, FromEditor):
    action: Literal["save", "publish", "schedule", "unpublish"] = "save"
    publish_at: Typed = ""
    version: Annotated[int, Field(ge=1, lt=2**31)]


def new_key() -> str:
    """A fresh idempotency key for an empty form."""
    return secrets.token_urlsafe(16)


def rendered(text: Text) -> dict[str, Any]:
    """The columns that follow from a text. Raises Invalid if its page would be too large."""
    columns = columns_of(text.content)
    check_page(columns["html"])
    return {"title": text.title, "content": text.content, **columns}


def check_page(html: str) -> None:
    """Raises Invalid if it is too large."""
    if len(html) > LONGEST_PAGE:
        raise Invalid({"content": _("This becomes too large a page. Please make two posts of it.")})


def columns_of(content: str) -> dict[str, Any]:
    """The columns that the renderer makes of a source."""
    html = markdown.render(content)
    return {
        "html": html,
        "renderer": markdown.RENDERER,
        "excerpt": shortened(markdown.opening(html)),
        "word_count": len(WORD.findall(markdown.plain_text(html))),
    }


def minutes_to_read(words: int) -> int:
    return max(words // WORDS_PER_MINUTE, 1)


def shortened(words: str) -> str:
    """At most 220 characters, cut between words where the script has spaces."""
    if len(words) <= EXCERPT_CHARACTERS:
        return words
    cut = words[: EXCERPT_CHARACTERS + 1].rpartition(" ")[0]
    if len(cut) < EXCERPT_CHARACTERS / 2:
        cut = words[:EXCERPT_CHARACTERS]
    return cut.rstrip(",;:–—- ") + "…"
