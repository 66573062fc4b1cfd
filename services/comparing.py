"""What differs between two texts of a post, in all that an edit can change."""

from languages import N_, _
from services import diffs
from services.diffs import Line

HEAD = {
    "title": N_("Title"),
    "tags": N_("Tags"),
    "slug": N_("Address"),
    "series": N_("Series"),
    "kind": N_("Kind"),
}


def difference(old: dict[str, str], new: dict[str, str]) -> list[Line]:
    """As lines: first what changed of title, tags and the like, then the text. Nothing for equals.

    What one of them does not have, as texts of another time may not, is no difference.
    """
    both = [name for name in (*HEAD, "content") if name in old and name in new]
    changed = [name for name in both if old[name] != new[name]]
    if not changed:
        return []
    return diffs.for_page(as_one(old, changed), as_one(new, changed))


def as_one(text: dict[str, str], changed: list[str]) -> str:
    head = [f"{_(HEAD[name])}: {text[name]}" for name in changed if name in HEAD]
    if "content" not in changed:
        return "\n".join(head)
    return "\n".join([*head, *([""] if head else []), *text["content"].splitlines()])
