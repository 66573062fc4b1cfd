"""Where to go after logging in: a path of this site, whatever the address bar was made to say."""

from urllib.parse import unquote

LONGEST = 2000


def safe_next(wanted: str | None) -> str:
    """`wanted` if it is a plain local path with its query, else "/"."""
    if not wanted or len(wanted) > LONGEST or not wanted.startswith("/"):
        return "/"
    path, _, query = wanted.partition("?")
    forms = (path, unquote(path), unquote(unquote(path)))
    is_local = not any("//" in form for form in forms)
    return wanted if is_local and all(map(is_plain, (*forms, query))) else "/"


def is_plain(text: str) -> bool:
    """Nothing that browsers drop, or read as a slash or a new line, in the middle of an address."""
    return text.isprintable() and " " not in text and "\\" not in text
