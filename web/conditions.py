"""Whether a client has the newest copy already (RFC 9110, section 13)."""

import re
from email.utils import parsedate_to_datetime

TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
MOST_BYTES = 4096


def is_known(tags: bytes | None, since: bytes | None, etag: bytes, modified: int) -> bool:
    """By If-None-Match, a list or `*`; by If-Modified-Since only where there is none.

    `modified` are seconds since 1970, or 0 if nothing was said of it.
    """
    if tags is not None:
        return tags == etag or names(tags, etag)
    return since is not None and modified > 0 and is_since(since, modified)


def names(tags: bytes, etag: bytes) -> bool:
    if tags.strip() == b"*":
        return True
    found = TAG.findall(tags[:MOST_BYTES].decode("latin-1"))
    return etag.decode("latin-1") in found


def is_since(since: bytes, modified: int) -> bool:
    try:
        return parsedate_to_datetime(since.decode("latin-1")).timestamp() >= modified
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
