"""Pages that are the same for everybody but for the account part: what is known of one."""

from collections.abc import Collection
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.headers import state

SHARED, KIND = "shared page", "kind of shared page"  # in the state of a request


@dataclass(frozen=True)
class Shared:
    """What a route says of the page that it has just made for a stranger.

    `slots` are where the account parts stand in the body, as pairs of offsets. Of those who are
    logged in, people with an id in `differs_for` or one of `differs_for_scopes` see more than
    that; everybody does if it is None. A document has no account parts, and differs for nobody.
    """

    slots: tuple[tuple[int, int], ...] = ()
    differs_for: frozenset[str] | None = None
    differs_for_scopes: frozenset[str] = field(default_factory=frozenset)
    is_document: bool = False

    def is_for(self, user_id: str, scopes: Collection[str]) -> bool:
        """Whether somebody sees it as strangers do, but for the account parts."""
        return (
            (self.is_document or bool(self.slots))
            and self.differs_for is not None
            and user_id not in self.differs_for
            and self.differs_for_scopes.isdisjoint(scopes)
        )


@dataclass(frozen=True)
class Kind:
    """A route of shared pages: its paths, and the names that it knows in a query."""

    paths: Pattern[str]
    names: frozenset[str]


class SharedResponse(Response):
    """An answer that says, once it is sent, that it is the same for everybody."""

    shared = Shared()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state(scope)[SHARED], state(scope)[KIND] = self.shared, kind_of(scope)
        await super().__call__(scope, receive, send)


def kind_of(scope: Scope) -> Kind | None:
    """Of the route that has answered; None if there was none that we understand."""
    route = scope.get("route")
    paths, dependant = getattr(route, "path_regex", None), getattr(route, "dependant", None)
    if paths is None or dependant is None or not paths.match(scope["path"]):
        return None
    return Kind(paths, frozenset(names_of(dependant)))


def names_of(dependant: Any) -> set[str]:
    """What a route and its dependencies read of a query."""
    names = {str(each.alias) for each in dependant.query_params}
    return names.union(*(names_of(each) for each in dependant.dependencies))


def cut(parts: list[bytes]) -> tuple[tuple[int, int], ...]:
    """Where the account parts are, every other one of these, in all of them together."""
    slots, at = [], 0
    for number, part in enumerate(parts):
        if number % 2:
            slots.append((at, at + len(part)))
        at += len(part)
    return tuple(slots)


def spliced(body: bytes, slots: tuple[tuple[int, int], ...], parts: list[bytes]) -> bytes:
    """The same page with other account parts."""
    pieces, at = [], 0
    for (start, end), part in zip(slots, parts, strict=True):
        pieces += [body[at:start], part]
        at = end
    return b"".join((*pieces, body[at:]))
