"""Connections to other services. http.client's own, since a request or two needs no more."""

import http.client
import ssl
import time
from functools import cache
from urllib.parse import urlsplit

MOST_BYTES = 1024 * 1024


def connect(url: str, seconds: float) -> http.client.HTTPConnection:
    """A connection to the host of an http(s) URL, to be closed by the caller; certificates are
    verified, and no step takes longer than `seconds`."""
    parts = urlsplit(url)
    assert parts.hostname
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=seconds, context=tls()
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)


@cache
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def whole(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, up to a megabyte and until a moment of the monotonic clock. Raises ValueError."""
    body = b""
    while chunk := response.read1(64 * 1024):
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > deadline:
            raise ValueError("the answer is too large, or takes too long")
    return body
