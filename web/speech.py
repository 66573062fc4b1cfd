"""In which language sentences are said: the blog's own to people, English to programs."""

from starlette.types import ASGIApp, Receive, Scope, Send

from languages import ENGLISH, Speech, speak


class Speaking:
    """For all that happens inside. It is the blog that has a language, not the visitor: everybody
    gets the same page, whatever their browser prefers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            speak_in(scope)
        await self.app(scope, receive, send)


def speak_in(scope: Scope) -> None:
    is_program = scope["path"].startswith("/api/")
    speak(english if is_program else scope["app"].state.site.speech)


def english() -> Speech:
    return ENGLISH
