"""What an open editor holds: a text that may be half a text, sent without its author's doing."""

from typing import Annotated

from pydantic import AfterValidator, Field

from languages import _
from services.tags import LONGEST_LINE
from services.text import check_characters
from services.texts import LONGEST_SERIES, LONGEST_TITLE, MOST_BYTES, FromEditor, Text, checked_key

LONGEST_TAB = 64
TEXT = {"title", "content", "tags", "slug", "series", "kind"}


def up_to(longest: int) -> AfterValidator:
    """For what is still being typed: it may be anything that can be stored, and empty."""

    def check(value: str) -> str:
        check_characters(value)
        if len(value) > longest:
            raise ValueError(
                _(
                    "At most %(most)s characters, please; these are %(size)s.",
                    most=longest,
                    size=len(value),
                )
            )
        return value

    return AfterValidator(check)


def as_long(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    check_characters(value)
    if len(value.encode()) > MOST_BYTES:
        raise ValueError(_("At most %(most)s KB of text, please.", most=MOST_BYTES // 1024))
    return value


class Typed(FromEditor):
    """What an open editor holds. Fields that it does not have are left out.

    `base_version` is the version of the post that the editor began with, `account` the id of the
    person it was opened for.
    """

    title: Annotated[str, up_to(LONGEST_TITLE)] = ""
    content: Annotated[str, AfterValidator(as_long)] = ""
    tags: Annotated[str, up_to(LONGEST_LINE)] = ""
    slug: Annotated[str, up_to(LONGEST_TITLE)] | None = None
    series: Annotated[str, up_to(LONGEST_SERIES)] | None = None
    kind: Annotated[str, up_to(10)] | None = None
    tab: Annotated[str, up_to(LONGEST_TAB)] = ""
    base_version: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    account: str = ""

    @classmethod
    def of(cls, text: Text) -> "Typed":
        """The same, of a text that was to be saved, and could not be."""
        fields = {name: getattr(text, name) for name in TEXT}
        base = getattr(text, "version", 1)  # a new post begins with its first
        return cls.model_construct(
            **fields, tab=getattr(text, "tab", "")[:LONGEST_TAB], base_version=base
        )

    @property
    def text(self) -> dict[str, str]:
        found: dict[str, str] = self.model_dump(include=TEXT, exclude_none=True)
        return found


class TypedNew(Typed):
    """The same for a post that is not there yet; the key is that of its form."""

    idempotency_key: Annotated[str, AfterValidator(checked_key), Field(min_length=1)]
