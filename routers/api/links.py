"""From a page of a list to those beside it."""

from urllib.parse import urlencode

from starlette.responses import Response


def linked(
    response: Response,
    path: str,
    asked: dict[str, str],
    following: str | int | None,
    previous: str | int | None,
    names: tuple[str, str] = ("before", "after"),
) -> dict[str, str]:
    """To the neighbours of a page of a list, for the body and as headers (RFC 8288); `names` are
    those of the two cursors in an address."""
    places = {"next": (names[0], following), "prev": (names[1], previous)}
    links = {
        rel: f"{path}?{urlencode(asked | {name: cursor})}"
        for rel, (name, cursor) in places.items()
        if cursor
    }
    if links:
        response.headers["Link"] = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items())
    return links
