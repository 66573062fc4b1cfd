"""Where to go after logging in: a path of this site, whatever the address bar was made to say."""

import re
from urllib.parse import unquote

LONGEST = 2000
# What a browser drops, or reads as a slash or as a new line, in the middle of an address.
TRICKS = re.compile(
    r"[\x00-\x20\x7f-\xa0\\\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]"
)


def safe_next(wanted: str | None) -> str:
    """`wanted` if it is a plain local path with its query, else "/"."""
    if not wanted or len(wanted) > LONGEST or not wanted.startswith("/"):
        return "/"
    path = wanted.partition("?")[0]
    for form in (path, unquote(path), unquote(unquote(path))):
        if form.startswith("//") or TRICKS.search(form):
            return "/"
    return "/" if TRICKS.search(wanted) else wanted
