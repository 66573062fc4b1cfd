"""Images, videos and sound: sizes, captions, and players for files that are no image."""

import re
from html import unescape
from urllib.parse import urlsplit

from services import media_names

VIDEO = ("mp4", "webm", "ogv")
AUDIO = ("mp3", "ogg", "oga", "m4a", "wav", "flac", "opus")
PLAYERS = dict.fromkeys(VIDEO, "video") | dict.fromkeys(AUDIO, "audio")
MOST_PLAYERS = 100  # each asks for the beginning of its file

# As comrak writes them; `decoding` is there already.
IMAGE = r'<img decoding="async" src="([^"<>]*)" alt="([^"<>]*)"(?: title="([^"<>]*)")? />'
ANYWHERE = re.compile(IMAGE)
ALONE = re.compile(rf"<p>{IMAGE}</p>")


def with_media(body: str) -> str:
    """Images with their sizes, players for videos and sound. Those that stand alone in a paragraph
    and have a title become figures, with it as the caption."""
    players = iter([True] * MOST_PLAYERS)

    def figure(match: re.Match[str]) -> str:
        src, alt, caption = match.groups()
        if not caption:
            opened = opening_large(src, alt, shown(src, alt, "", media_names.IN_TEXT))
            return f"<p>{opened}</p>"
        medium = opening_large(src, alt, shown(src, alt, "", media_names.ALONE))
        return f"<figure>{medium}<figcaption>{caption}</figcaption></figure>"

    def in_text(match: re.Match[str]) -> str:
        src, alt, title = match.groups()
        return shown(src, alt, title or "", media_names.IN_TEXT)

    def shown(src: str, alt: str, title: str, sizes: str) -> str:
        if player := player_for(unescape(src)):
            return played(player if next(players, False) else "", src, alt)
        return image(src, alt, title, sizes)

    asynchronous = body.replace("<img ", '<img decoding="async" ')  # also those in raw HTML
    return ANYWHERE.sub(in_text, ALONE.sub(figure, asynchronous))


def image(src: str, alt: str, title: str, sizes: str) -> str:
    attributes = f'src="{src}" alt="{alt}" loading="lazy" decoding="async"'
    if title:
        attributes += f' title="{title}"'
    if picture := media_names.picture_of(src):
        attributes += f' width="{picture.width}" height="{picture.height}"'
        attributes += f' srcset="{media_names.srcset(picture)}" sizes="{sizes}"'
    elif size := media_names.size_in(src):
        attributes += f' width="{size[0]}" height="{size[1]}"'
    return f"<img {attributes}>"


def opening_large(src: str, alt: str, medium: str) -> str:
    """An image of this blog that stands alone, in a link to the whole of it. What it shows names the
    link, so one without a description is left as it is; and it is no link already, or it would not
    be alone."""
    is_ours = src.startswith("/") and not src.startswith("//")
    if not (alt and is_ours and media_names.size_in(src)):
        return medium
    return f'<a href="{src}" class="large">{medium}</a>'


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
