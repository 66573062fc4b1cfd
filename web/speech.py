"""In which language sentences are said: the blog's own to people, English to programs."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from languages import ENGLISH, Speech, speak


class Speaking:
    """For all that happens inside. It is the blog that has a language, not the visitor: everybody
    gets the same page, whatever their browser prefers."""

    def __init__(self, app: ASGIApp, speaker: Callable[[], Speech]) -> None:
        self.app = app
        self.speaker = speaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            speak(english if scope["path"].startswith("/api/") else self.speaker)
        await self.app(scope, receive, send)


def english() -> Speech:
    return ENGLISH
