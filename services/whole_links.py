"""Links that lead to the same place wherever a text is read: in a feed reader, far from its page."""

import re
from html import escape, unescape
from urllib.parse import urljoin

# As the sanitiser writes tags: attributes in double quotes, without a bare "<" in any text.
TAG = re.compile(r'<(?:a|img|video|audio|source)(?: [a-z-]+="[^"]*")+>')
ADDRESS = re.compile(r' (href|src|poster|srcset)="([^"]*)"')
# They show on hovering over a heading, by a style that feed readers do not have.
ANCHOR = re.compile(r'<a class="anchor" [^<>]*></a>')


def absolute(html: str, base: str, path: str) -> str:
    """Sanitised HTML of the page at `base` and `path`, with every address in it absolute."""

    def whole(match: re.Match[str]) -> str:
        name, value = match.groups()
        if name == "srcset":  # those of our own images alone, see sanitiser.py
            return f' srcset="{", ".join(base + each for each in value.split(", "))}"'
        return f' {name}="{joined(base, path, value)}"'

    def with_whole_addresses(tag: re.Match[str]) -> str:
        return ADDRESS.sub(whole, tag.group())

    return TAG.sub(with_whole_addresses, ANCHOR.sub("", html))


def joined(base: str, path: str, value: str) -> str:
    """The usual ones by hand: there may be ten thousand, and `urljoin` takes its time."""
    if value.startswith(("https://", "http://", "mailto:")):
        return value
    if value.startswith("#"):
        return f"{base}{path}{value}"
    if value.startswith("/") and not value.startswith("//"):
        return base + value
    try:
        return escape(urljoin(base + path, unescape(value)))
    except ValueError:  # it leads nowhere, as it did
        return value
