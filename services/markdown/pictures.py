"""Images, videos and sound: sizes, captions, and players for files that are no image."""

import re
from html import unescape
from urllib.parse import urlsplit

from services import media_names

VIDEO = ("mp4", "webm", "ogv")
AUDIO = ("mp3", "ogg", "oga", "m4a", "wav", "flac", "opus")
PLAYERS = dict.fromkeys(VIDEO, "video") | dict.fromkeys(AUDIO, "audio")
MOST_PLAYERS = 100  # each asks for the beginning of its file

# As comrak writes them, perhaps alone in a paragraph; and those that authors write themselves.
IMAGE = re.compile(
    r'(<p>)?<img src="([^"<>]*)" alt="([^"<>]*)"(?: title="([^"<>]*)")? />(</p>)?'
    r"|(<img\b)",
    re.I,
)


def with_media(body: str) -> str:
    """An image alone in a paragraph that has a title becomes a figure, with it as the caption."""
    players = 0

    def shown(match: re.Match[str]) -> str:
        nonlocal players
        opens, src, alt, title, closes, raw = match.groups()
        if raw:
            return f'{raw} decoding="async"'
        player = player_for(unescape(src))
        players += player is not None
        is_figure = bool(opens and closes and title)
        if player:
            medium = played(player if players <= MOST_PLAYERS else "", src, alt)
        else:
            medium = image(src, alt, title, is_figure)
        if is_figure:
            return f"<figure>{medium}<figcaption>{title}</figcaption></figure>"
        return f"{opens or ''}{medium}{closes or ''}"

    return IMAGE.sub(shown, body)


def image(src: str, alt: str, title: str | None, is_figure: bool) -> str:
    picture = media_names.picture_of(src)
    sizes = media_names.ALONE if is_figure else media_names.IN_TEXT
    measures = ""
    if picture:
        measures = (
            f' width="{picture.width}" height="{picture.height}"'
            f' srcset="{media_names.srcset(picture)}" sizes="{sizes}"'
        )
    named = f' title="{title}"' if title and not is_figure else ""
    return f'<img src="{src}" alt="{alt}"{named}{measures} loading="lazy" decoding="async">'


def player_for(url: str) -> str | None:
    """The element that plays a file, by the end of its name; None for all others."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return PLAYERS.get(path.rpartition(".")[2].lower()) if "." in path else None


def played(element: str, src: str, label: str) -> str:
    """A player with a link for those whose browser plays no such file; too many are links only."""
    link = f'<a href="{src}">{label or "Play"}</a>'
    if not element:
        return link
    named = f' aria-label="{label}"' if label else ""
    return f'<{element} src="{src}"{named} preload="metadata" controls>{link}</{element}>'
