"""A program of its own, started by imaging.py for each image: decoders are written in C, and what
somebody sends them may take all memory, all time, or the process over. Here there is nothing to
take: no secrets, no files, no network to speak of, and limits for the rest.

Reads an image from standard input, which must be a file. Writes a line of JSON, and the WebP files
that it announces, one after another.
"""

import copy  # noqa: F401
import io
import json
import os
import sys
from typing import Any, BinaryIO

# What is not used here, and `copy`, Pillow would import when no file can be opened any more.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    Image,
    ImageChops,
    ImageCms,
    ImageColor,
    ImageFile,
    ImageFilter,
    ImageOps,
    ImagePalette,
    ImageSequence,
    MpoImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 16_383  # of a WebP
MOST_FRAMES = 200
MOST_MOVING_PIXELS = 100_000_000  # of all frames together
QUALITY = 82
FEW_COLOURS = 256
LARGE_PIXELS = 8_000_000  # from here on speed counts for more than a few per cent

MEMORY_BYTES = 1536 * 1024 * 1024
PROCESSOR_SECONDS = 40
MOST_OUTPUT_BYTES = 64 * 1024 * 1024
DISK_FULL = 3  # the exit code


class Refused(Exception):
    """Not to be decoded; says why in a word that imaging.py knows."""


def main() -> None:
    limit()
    widths = tuple(int(width) for width in sys.argv[1:])
    try:
        head, files = convert(sys.stdin.buffer, widths)
    except Refused as refused:
        head, files = {"refused": str(refused)}, []
    except UnidentifiedImageError:
        head, files = {"refused": "unknown"}, []
    except Image.DecompressionBombError:
        head, files = {"refused": "pixels"}, []
    except Exception:  # decoders raise whatever comes to their mind
        head, files = {"refused": "damaged"}, []
    try:
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
        sys.stdout.buffer.writelines(files)
        sys.stdout.flush()
    except OSError:
        os._exit(DISK_FULL)


def limit() -> None:
    """Give up what is not needed. Where the system has no such limits, those below must do."""
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow warns at this, and refuses at the double
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, most in {
        "RLIMIT_AS": MEMORY_BYTES,
        "RLIMIT_CPU": PROCESSOR_SECONDS,
        "RLIMIT_FSIZE": MOST_OUTPUT_BYTES,
        "RLIMIT_NOFILE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }.items():
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (AttributeError, OSError, ValueError):  # macOS lacks some
            continue


def convert(source: BinaryIO, widths: tuple[int, ...]) -> tuple[dict[str, Any], list[bytes]]:
    """The image as WebP without metadata, upright, in sRGB: first whole, then in those of `widths`
    that are narrower.

    Raises:
        Refused, or whatever a decoder raises.
    """
    image = opened(source)
    moves = count_frames(image, source) > 1
    pictures = moving(image) if moves else still(image)
    full_width, height = pictures.size
    smaller = [width for width in widths if width < full_width]
    files = [pictures.encoded()]
    for width in smaller:
        size = (width, max(round(height * width / full_width), 1))
        files.append(pictures.resized(size).encoded())
    if sum(map(len, files)) > MOST_OUTPUT_BYTES - 4096:
        raise Refused("heavy")
    sizes = dict(zip([full_width, *smaller], map(len, files), strict=True))
    return {"width": full_width, "height": height, "sizes": sizes}, files


def opened(source: BinaryIO) -> Image.Image:
    """Only its head is read here."""
    image = Image.open(source, formats=FORMATS)
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Refused("pixels")
    return image


def count_frames(image: Image.Image, source: BinaryIO) -> int:
    """Raises Refused if there are too many."""
    if image.format in ("JPEG", "MPO"):
        return 1  # phones hide more behind the first; it is the one that they show
    frames = gif_frames(source) if image.format == "GIF" else getattr(image, "n_frames", 1)
    check_frames(frames, image)
    return int(frames)


def check_frames(frames: int, image: Image.Image) -> None:
    """Raises Refused if these are too many."""
    width, height = image.size
    if frames > MOST_FRAMES or (frames > 1 and frames * width * height > MOST_MOVING_PIXELS):
        raise Refused("frames")


def gif_frames(source: BinaryIO) -> int:
    """The frames of a GIF, as soon as they are too many; Pillow would decode or seek them all."""
    place = source.tell()
    source.seek(10)
    flags = source.read(3)[0]
    source.seek(colours(flags), io.SEEK_CUR)
    frames = 0
    while frames <= MOST_FRAMES:
        kind = source.read(1)
        if kind == b"!":  # an extension
            source.read(1)
        elif kind == b",":  # a frame
            frames += 1
            flags = source.read(9)[-1]
            source.seek(colours(flags) + 1, io.SEEK_CUR)
        else:  # the end, or what Pillow may judge
            break
        while length := source.read(1):
            if length == b"\0":
                break
            source.seek(length[0], io.SEEK_CUR)
    source.seek(place)
    return frames


def colours(flags: int) -> int:
    """The bytes of the table of colours that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


class Still:
    """One picture, kept without loss or not."""

    def __init__(self, image: Image.Image, *, lossless: bool) -> None:
        self.image = image
        self.lossless = lossless
        self.size = image.size

    def resized(self, size: tuple[int, int]) -> "Still":
        return Still(self.image.resize(size, Image.Resampling.LANCZOS), lossless=self.lossless)

    def encoded(self) -> bytes:
        if self.lossless:
            return as_webp(self.image, lossless=True, quality=50, method=4)
        width, height = self.size
        return as_webp(
            self.image, quality=QUALITY, method=2 if width * height > LARGE_PIXELS else 4
        )


class Moving:
    """Pictures that follow each other, each shown for so many milliseconds."""

    def __init__(self, images: list[Image.Image], durations: list[int], loop: int) -> None:
        self.images = images
        self.durations = durations
        self.loop = loop
        self.size = images[0].size

    def resized(self, size: tuple[int, int]) -> "Moving":
        smaller = [image.resize(size, Image.Resampling.BILINEAR) for image in self.images]
        return Moving(smaller, self.durations, self.loop)

    def encoded(self) -> bytes:
        return as_webp(
            self.images[0],
            save_all=True,
            append_images=self.images[1:],
            duration=self.durations,
            loop=self.loop,
            allow_mixed=True,
            quality=75,
            method=2,
        )


def still(image: Image.Image) -> Still:
    drawn = image.format in ("PNG", "GIF")
    ImageOps.exif_transpose(image, in_place=True)
    upright = in_srgb(image)
    is_plain = upright.getcolors(FEW_COLOURS) is not None
    return Still(upright, lossless=is_plain or (drawn and is_smaller_without_loss(upright)))


def is_smaller_without_loss(image: Image.Image) -> bool:
    """By a quick try: with more effort the one without loss only becomes smaller."""
    quick = as_webp(image, lossless=True, quality=0, method=0)
    return len(quick) < len(as_webp(image, quality=QUALITY, method=0))


def moving(image: Image.Image) -> Moving:
    images, durations = [], []
    loop = int(image.info.get("loop", 1 if image.format == "GIF" else 0))
    for frame in ImageSequence.Iterator(image):
        images.append(in_srgb(ImageOps.exif_transpose(frame)))
        durations.append(max(int(frame.info.get("duration", 0) or 100), 20))
        check_frames(len(images), image)  # a file that says otherwise is found out here
    return Moving(images, durations, loop)


def in_srgb(image: Image.Image) -> Image.Image:
    """As RGB or RGBA, without a profile of its own."""
    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")  # the upper eight bits
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ours = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, theirs, ours, outputMode=mode) or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that is none
    return image if image.mode == mode else image.convert(mode)


def as_webp(image: Image.Image, **options: Any) -> bytes:
    """Pillow would copy what it knows of an image into the file: all of it is left out by name."""
    file = io.BytesIO()
    image.save(file, "WEBP", exif=b"", xmp=b"", icc_profile=b"", **options)
    return file.getvalue()


if __name__ == "__main__":
    main()
