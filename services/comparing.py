"""What differs between two texts of a post, in all that an edit can change."""

from services import diffs
from services.diffs import Line

HEAD = {"title": "Title", "tags": "Tags", "slug": "Address", "series": "Series", "kind": "Kind"}


def difference(old: dict[str, str], new: dict[str, str]) -> list[Line]:
    """As lines: title, tags and the like first, then the text. Nothing for equal texts.

    What one of them does not have, as texts of another time or from elsewhere may not, is no
    difference.
    """
    both = old.keys() & new.keys()
    shown = [name for name in HEAD if name in both and (old[name] or new[name])]
    if "content" in both:
        shown.append("content")
    if all(old[name] == new[name] for name in shown):
        return []
    return diffs.for_page(as_one(old, shown), as_one(new, shown))


def as_one(text: dict[str, str], shown: list[str]) -> str:
    head = [f"{HEAD[name]}: {text[name]}" for name in shown if name in HEAD]
    return "\n".join([*head, "", *text.get("content", "").splitlines()])
