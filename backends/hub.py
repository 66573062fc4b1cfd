"""A WebSub hub: it is told that a feed has changed. Our own, since it is one POST."""

import http.client
from contextlib import closing
from urllib.parse import urlencode, urlsplit

from backends.http import connect

SECONDS = 5
TOO_MANY = 429
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NotTold(Exception):
    """The hub did not take it; the words say why."""


class Refused(NotTold):
    """It listens, but does not want to hear of this feed."""


def tell(hub: str, topic: str) -> None:
    """Raises NotTold, Refused; also for a redirect, since nobody but the hub is to be told."""
    body = urlencode({"hub.mode": "publish", "hub.url": topic})
    try:
        with closing(connect(hub, SECONDS)) as connection:
            connection.request("POST", urlsplit(hub).path or "/", body, FORM)
            with connection.getresponse() as response:
                status = response.status
    except (OSError, http.client.HTTPException) as error:
        raise NotTold(type(error).__name__) from None
    if 400 <= status < 500 and status != TOO_MANY:
        raise Refused(f"it answered {status}")
    if not 200 <= status < 300:
        raise NotTold(f"it answered {status}")
