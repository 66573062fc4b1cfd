"""Trees of any depth take the parsers quadratic time; nobody reads the hundredth level."""

import re

DEEPEST = 100
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
# Elements without depth of their own: void ones, and those that the next of their kind ends.
FLAT = frozenset(
    "area base br col dd dt embed hr img input li link meta p source tbody td tfoot th thead tr "
    "track wbr".split()
)


def not_too_deep(body: str) -> str:
    """The same without the tags that are nested deeper than that."""
    depth = 0

    def shallow(match: re.Match[str]) -> str:
        nonlocal depth
        closes, name = match.groups()
        if name.lower() in FLAT:
            return match.group()
        if not closes:
            depth += 1
        keep = depth <= DEEPEST
        if closes:
            depth = max(depth - 1, 0)
        return match.group() if keep else ""

    return TAG.sub(shallow, body)
