"""What files of other programs say about a text, each in its own way."""

import posixpath
import re
from collections.abc import Iterable
from typing import Any

from errors import Invalid
from services import tags

DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-(.+)")
HEADING = re.compile(r"^# +(\S.{0,300})$", re.M)


def name_of(name: str) -> tuple[str, str]:
    """The name of a text and its day, by that of its file or, for an index, of its folder."""
    folder, file = posixpath.split(name)
    stem = file.rpartition(".")[0]
    if stem == "index":
        stem = posixpath.basename(folder) or "index"
    dated = DATED.fullmatch(stem)
    return (dated[2], dated[1]) if dated else (stem, "")


def one(value: Any) -> str:
    """A plain value; of several the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def heading(content: str) -> str:
    found = HEADING.search(content)
    return found[1].rstrip(" #") if found else ""


def is_hidden(known: dict[str, Any]) -> bool:
    says_so = one(known.get("draft")).lower() in ("true", "yes")
    return says_so or one(known.get("published")).lower() in ("false", "no")


def tag_names(known: dict[str, Any]) -> list[str]:
    """Tags and categories: lists, or words in a line. The first ten that can be tags."""
    names: dict[str, str] = {}
    for key in ("tags", "categories", "category"):
        for typed in several(known.get(key)):
            if slug := tags.slug_of(typed):
                try:
                    names.setdefault(slug, tags.check(typed))
                except ValueError as error:
                    raise Invalid({key: str(error)}) from None
    return list(names.values())[: tags.MOST]


def several(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return value.split(",") if "," in value else value.split()
    return [part for each in value or () if isinstance(each, str) for part in each.split(",")]
