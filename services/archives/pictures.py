"""Images in archives: out byte for byte, and in again as they are, if they are what we would make."""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from backends.storage import Storage
from errors import Invalid, Rejected
from models import Media
from services import imaging, media, media_names
from services.archives import shapes

# What a picture consists of. Everything else in a WebP says where it was taken, and the like.
CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
FRAME = b"ANMF"
FRAME_HEAD = 16  # bytes, then chunks again


@dataclass(frozen=True)
class Stored:
    """Where an image's files are now, and how many bytes they have."""

    keys: list[str]
    bytes: int


def read(storage: Storage, image: Media) -> bytes | None:
    """The whole image as it is stored; None if its file is missing."""
    return storage.get(media.key(image.id, image.width))


def take(storage: Storage | None, about: shapes.Picture, data: bytes) -> Stored:
    """Decode an image, and store it in all its widths; without a storage only the former. Takes up
    to a minute: hold nothing meanwhile.

    Raises:
        Invalid: it is no image, or not of the size that its name says.
        Unavailable: the storage does not answer.
    """
    with TemporaryFile() as file:
        file.write(data)
        try:
            with imaging.converted(file) as found:
                if (found.width, found.height) != size_of(about):
                    size = f"{found.width}x{found.height}"
                    raise Invalid({"": f"This image is {size}, and its name says otherwise."})
                return stored(storage, about.id, found, data if is_clean(data) else None)
        except Rejected as rejected:
            raise Invalid({"": str(rejected)}) from None


def stored(
    storage: Storage | None, media_id: UUID, found: imaging.Converted, whole: bytes | None
) -> Stored:
    keys, total = [], 0
    for width, made in found.each():
        data = whole if whole and width == found.width else made
        keys.append(media.key(media_id, width))
        total += len(data)
        if storage:
            storage.put(keys[-1], data)
    return Stored(keys, total)


def size_of(about: shapes.Picture) -> tuple[int, int]:
    picture = media_names.picture_of(f"/media/{about.id}/{about.name}")
    assert picture  # the name was checked
    return picture.width, picture.height


def columns(about: shapes.Picture) -> dict[str, Any]:
    """What its name says about an image."""
    width, height = size_of(about)
    return {"width": width, "height": height, "content_type": imaging.CONTENT_TYPE}


def is_clean(data: bytes) -> bool:
    """Whether this is a WebP with a picture in it, or several that follow each other, and nothing
    else (RFC 9649, section 2)."""
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    size = int.from_bytes(data[4:8], "little") + 8
    return is_webp and size == len(data) and all(name in CHUNKS for name in chunks(data[12:]))


def chunks(data: bytes, *, in_frame: bool = False) -> Iterator[bytes]:
    """The names of all of them, those within frames too; an empty one where the data breaks off, or
    a frame stands in a frame."""
    place = 0
    while place < len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        start, end = place + 8, place + 8 + size
        is_whole = end <= len(data) and not (in_frame and name == FRAME)
        yield name if is_whole else b""
        if name == FRAME and is_whole:
            yield from chunks(data[start + FRAME_HEAD : end], in_frame=True)
        place = end + size % 2
