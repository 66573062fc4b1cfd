"""What an image's address says about it: its id, its size, and the widths that it is served in.

So a text becomes HTML with sizes and `srcset` without a question to the database.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from slugify import slugify

# Phone, column, column on a sharp screen, and the same for images that step out of it.
WIDTHS = (480, 960, 1440, 1920, 2880)
LONGEST_STEM = 60

# How wide an image is shown, for browsers that choose among several widths; see prose.css.
IN_TEXT = "(min-width: 40rem) 38rem, 100vw"
ALONE = (
    "(min-width: 66rem) 50rem, (min-width: 54rem) calc(100vw - 16rem), "
    "(min-width: 40rem) 38rem, 100vw"
)

ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# The stem ends before the size, and can have neither a space nor a comma, which part a srcset.
PICTURE = re.compile(
    rf"/media/({ID})/([\w.-]{{1,200}}-([1-9][0-9]{{0,4}})x([1-9][0-9]{{0,4}})\.webp)", re.ASCII
)
CANDIDATE = rf"/media/{ID}/[\w.-]{{1,220}}(?:\?w=[0-9]{{1,5}})? [0-9]{{1,5}}w"
SRCSET = re.compile(rf"{CANDIDATE}(?:, {CANDIDATE}){{0,9}}", re.ASCII)
# Many give an image its size at the end of its name, as we do: “harbour-1024x768.jpg”.
SIZED = re.compile(
    r"[^?#\s]{1,500}-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.(?:webp|jpe?g|png|gif|avif)",
    re.I | re.ASCII,
)
MENTION = re.compile(rf"/media/({ID})/")


@dataclass(frozen=True)
class Picture:
    """An image of ours; `width` and `height` are those of the whole image, in pixels."""

    id: UUID
    name: str
    width: int
    height: int

    @property
    def url(self) -> str:
        return f"/media/{self.id}/{self.name}"


def name_for(stem: str, width: int, height: int) -> str:
    """The name in the address of an image, made from that of a file: "Sunset 1.JPG" gives
    "sunset-1-1600x900.webp"."""
    bare = re.sub(r"\.\w{1,5}$", "", stem[:1000])
    word = slugify(bare, max_length=LONGEST_STEM, word_boundary=True) or "image"
    return f"{word}-{width}x{height}.webp"


def picture_of(url: str) -> Picture | None:
    """What the address of an image of ours says; None for any other address."""
    match = PICTURE.fullmatch(url)
    if match is None:
        return None
    media_id, name, width, height = match.groups()
    return Picture(UUID(media_id), name, int(width), int(height))


def size_in(url: str) -> tuple[int, int] | None:
    """Width and height as the name of an image says them, wherever it is; None if it does not."""
    match = SIZED.fullmatch(url)
    return (int(match[1]), int(match[2])) if match else None


def offered_widths(width: int) -> tuple[int, ...]:
    """The widths that an image `width` pixels wide is made smaller to, narrowest first."""
    return tuple(each for each in WIDTHS if each < width)


def srcset(picture: Picture) -> str:
    """The `srcset` of an image: each width that it is offered in, and the whole."""
    smaller = [f"{picture.url}?w={width} {width}w" for width in offered_widths(picture.width)]
    return ", ".join([*smaller, f"{picture.url} {picture.width}w"])


def is_srcset(value: str) -> bool:
    """Whether a `srcset` names images of ours and nothing else."""
    return SRCSET.fullmatch(value) is not None


def ids_in(text: str) -> set[UUID]:
    """The ids of all media that a source or an HTML text names. Linear in its length."""
    return {UUID(found) for found in MENTION.findall(text)}
