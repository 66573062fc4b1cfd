"""Links in posts, as search engines are to take them."""

import re

# A whole tag, with attributes as the sanitiser writes them: in double quotes, and without "<" or ">".
LINK = re.compile(r'<a (?:[a-z-]+="[^"<>]*" )*href="[^<>]*>')
REL = re.compile(r' rel="([^"<>]*)"')


def of_strangers(html: str) -> str:
    """Sanitised HTML whose links vouch for nothing: their `rel` says "nofollow ugc" too.

    For texts of people whom nobody at the blog knows; see `permissions.is_stranger`.
    """
    return LINK.sub(lambda link: REL.sub(r' rel="\1 nofollow ugc"', link.group(), count=1), html)
