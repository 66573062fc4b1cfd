"""Images for tests, good and bad, made when they are asked for."""

import io
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image

GPS = 0x8825
ORIENTATION = 0x0112


@cache
def photo(width: int = 640, height: int = 480, kind: str = "JPEG", seed: int = 0) -> bytes:
    """A picture with as many colours as a photograph; red on its left, blue on its right."""
    ramp = Image.linear_gradient("L").rotate(90).resize((width, height))
    noise = Image.effect_noise((max(width // 8, 1), max(height // 8, 1)), 20 + seed)
    image = Image.merge("RGB", (ramp, noise.resize((width, height)), ramp.point(negative)))
    return as_file(image, kind)


def negative(value: float) -> float:
    return 255 - value


def noise(width: int, height: int) -> bytes:
    """What no format makes small, squeezed until little of it is left; it becomes larger as WebP."""
    return as_file(Image.effect_noise((width, height), 250), "JPEG", quality=20)


def drawing(width: int = 300, height: int = 200, kind: str = "PNG") -> bytes:
    """Three colours, one of them transparent."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    image.paste((200, 30, 30, 255), (0, 0, width // 2, height))
    image.paste((255, 255, 255, 255), (0, 0, width, height // 4))
    return as_file(image, kind)


def animation(frames: int = 3, kind: str = "GIF", size: tuple[int, int] = (600, 400)) -> bytes:
    shades = [round(each * 255 / max(frames - 1, 1)) for each in range(frames)]
    images = [Image.new("RGB", size, (shade, 255 - shade, 80)) for shade in shades]
    rest = {"save_all": True, "append_images": images[1:], "duration": 120, "loop": 0}
    return as_file(images[0], kind, **rest)


def from_a_phone() -> bytes:
    """Lying on its side, with all that a phone writes into it; 400 x 300 once it is upright."""
    ramp = Image.linear_gradient("L").resize((300, 400))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "Pocket Camera"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (54.0, 30.0, 0.0)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">secret place</x:xmpmeta>'
    return as_file(ramp.convert("RGB"), "JPEG", exif=exif, xmp=xmp, comment=b"secret comment")


def as_file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def chunks_of(webp: bytes) -> set[bytes]:
    """The kinds of chunks in a WebP file."""
    found, place = set(), 12
    while place < len(webp):
        kind, size = struct.unpack_from("<4sI", webp, place)
        found.add(kind)
        place += 8 + size + size % 2
    return found


# What must not get in.


def png(width: int, height: int, *chunks: tuple[bytes, bytes], rows: bytes = bytes(1000)) -> bytes:
    """A PNG that says it is so large, whatever it really has."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in body)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_bomb(kind: bytes) -> bytes:
    """A small picture beside a hundred megabytes of text or of a profile, squeezed."""
    squeezed = zlib.compress(bytes(100 * 1024 * 1024), 9)
    compression = b"name\0\0" if kind != b"iTXt" else b"name\0\1\0\0\0"
    return png(8, 8, (kind, compression + squeezed), rows=b"\0" + bytes(24) * 8 + bytes(8))


def gif_of_many(frames: int, side: int = 1) -> bytes:
    """Frames of one pixel, on a screen that is said to be so large."""
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\0"
    return screen + frame * frames + b";"


def damaged() -> dict[str, bytes]:
    whole = {kind: photo(320, 240, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")}
    cut = {f"half a {kind}": data[: len(data) // 2] for kind, data in whole.items()}
    return cut | {
        "no pixel in a PNG": png(10, 10, rows=b""),
        "a PNG with a wrong check sum": whole["PNG"][:40] + b"x" + whole["PNG"][41:],
        "a JPEG of noise": whole["JPEG"][:200] + bytes(range(256)) * 8 + b"\xff\xd9",
        "only the head of a GIF": whole["GIF"][:13],
    }


def too_much() -> dict[str, bytes]:
    return {
        "a PNG of 50,000 by 50,000": png(50_000, 50_000),
        "a PNG of 65,000 by 1": png(65_000, 1),
        "a PNG of 7,000 by 6,000": png(7_000, 6_000),
        "a GIF of a million frames": gif_of_many(1_000_000),
        "a GIF of 201 frames": gif_of_many(201),
        "a GIF that hides all but two": gif_of_many(2, 8)[:-1] + b"\1" + gif_of_many(999)[19:],
        "a GIF of 65,535 by 65,535": gif_of_many(1, 65_535),
    }


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def no_images() -> dict[str, bytes]:
    small = Image.new("RGB", (20, 20))
    return {
        "SVG": SVG,
        "SVG with a declaration": b'<?xml version="1.0"?>' + SVG,
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "PDF": as_file(small, "PDF"),
        "TIFF": as_file(small, "TIFF"),
        "BMP": as_file(small, "BMP"),
        "ICO": as_file(small, "ICO"),
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "PPM": b"P6 1 1 255\n123",
        "text": b"Just words.",
        "JavaScript that begins as a GIF": b"GIF89a=1;alert(1)//",
        "a ZIP": b"PK\x05\x06" + bytes(18),
        "zeros": bytes(1000),
    }
