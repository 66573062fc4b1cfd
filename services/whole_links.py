"""Links that lead to the same place wherever a text is read: in a feed reader, far from its page."""

import re
from html import escape, unescape
from urllib.parse import urljoin

# As the sanitiser writes tags: attributes in double quotes, without a bare "<" in any text.
TAG = re.compile(r'<(?:a|img|video|audio|source)(?: [a-z-]+="[^"]*")+>')
ADDRESS = re.compile(r' (href|src|poster|srcset)="([^"]*)"')
# They show on hovering over a heading, by a style that feed readers do not have.
ANCHOR = re.compile(r'<a class="anchor" [^<>]*></a>')


def absolute(html: str, url: str) -> str:
    """Sanitised HTML of the page at `url`, with every address in it absolute."""

    def whole(match: re.Match[str]) -> str:
        name, value = match.groups()
        return f' {name}="{escape(joined(name, url, unescape(value)))}"'

    def with_whole_addresses(tag: re.Match[str]) -> str:
        return ADDRESS.sub(whole, tag.group())

    return TAG.sub(with_whole_addresses, ANCHOR.sub("", html))


def joined(name: str, url: str, value: str) -> str:
    try:
        if name == "srcset":  # those of our own images alone, see sanitiser.py
            return ", ".join(urljoin(url, candidate) for candidate in value.split(", "))
        return urljoin(url, value)
    except ValueError:  # it leads nowhere, as it did
        return value
