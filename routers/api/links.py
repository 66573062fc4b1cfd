"""From a page of a list to those beside it."""

from urllib.parse import urlencode

from starlette.responses import Response


def linked(
    response: Response,
    path: str,
    asked: dict[str, str],
    older: str | int | None,
    newer: str | int | None,
) -> dict[str, str]:
    """To the neighbours of a page of a list, for the body and as headers (RFC 8288)."""
    places = {"next": ("before", older), "prev": ("after", newer)}
    links = {
        rel: f"{path}?{urlencode(asked | {name: cursor})}"
        for rel, (name, cursor) in places.items()
        if cursor
    }
    if links:
        response.headers["Link"] = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items())
    return links
