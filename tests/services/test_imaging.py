"""Decoding: what comes out is upright, bare and small; what is no image, or too much, stays out."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any

import psutil
import pytest
from PIL import Image, ImageCms

from errors import Invalid, NotAnImage
from services import imaging
from tests import pictures

pytestmark = pytest.mark.xdist_group("imaging")


def convert(data: bytes) -> dict[int, Any]:
    """The images by width, the whole first."""
    return {width: pictures.opened(file) for width, file in files_of(data).items()}


def files_of(data: bytes) -> dict[int, bytes]:
    with TemporaryFile() as file:
        file.write(data)
        with imaging.converted(file) as found:
            files = dict(found.each())
            assert files
            assert found.files.read() == b""
            assert next(iter(files)) == found.width
            return files


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_each_kind_becomes_webp_in_the_widths_that_are_narrower(kind: str) -> None:
    found = convert(pictures.photo(1000, 750, kind))
    assert [(width, image.size) for width, image in found.items()] == [
        (1000, (1000, 750)),
        (480, (480, 360)),
        (960, (960, 720)),
    ]
    assert {image.format for image in found.values()} == {"WEBP"}


def test_nothing_is_made_larger() -> None:
    assert [*convert(pictures.photo(480, 100))] == [480]


def test_what_a_phone_wrote_is_gone_and_the_image_stands_upright() -> None:
    [data] = files_of(pictures.from_a_phone()).values()
    image: Any = pictures.opened(data)
    assert image.size == (400, 300)
    bright, dark = image.convert("L").getpixel((10, 150)), image.convert("L").getpixel((390, 150))
    assert bright > 200 > 50 > dark  # the bottom of the file is the left of the picture
    assert pictures.chunks_of(data) == {b"VP8L"}
    assert not image.getexif()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_metadata_of_other_kinds_is_gone_too(kind: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(pictures.GPS)[1] = "N"
    source = pictures.opened(pictures.photo(100, 100))
    data = pictures.as_file(source, kind, exif=exif, icc_profile=wide_profile())
    for file in files_of(data).values():
        assert not pictures.chunks_of(file) & {b"EXIF", b"XMP ", b"ICCP"}


def wide_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def test_colours_of_another_profile_are_translated() -> None:
    """In a profile whose red and green have changed places, pure red is green."""
    swapped = swap_red_and_green(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    source = pictures.as_file(Image.new("RGB", (50, 50), "red"), "PNG", icc_profile=swapped)
    red, green, _ = convert(source)[50].convert("RGB").getpixel((25, 25))
    assert green > 200 > 50 > red


def swap_red_and_green(profile: bytes) -> bytes:
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def test_a_profile_that_is_none_does_no_harm() -> None:
    source = pictures.opened(pictures.photo(100, 100))
    assert convert(pictures.as_file(source, "PNG", icc_profile=b"no profile at all"))


def test_drawings_are_kept_without_loss_and_photographs_small() -> None:
    whole = convert(pictures.drawing())[300]
    assert whole.convert("RGBA").tobytes() == pictures.opened(pictures.drawing()).tobytes()
    assert whole.getpixel((250, 150))[3] == 0
    as_png = files_of(pictures.photo(800, 600, "PNG"))[800]
    assert len(as_png) < len(pictures.photo(800, 600, "PNG")) / 3
    assert b"VP8 " in pictures.chunks_of(as_png)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animations_keep_moving_in_all_widths(kind: str) -> None:
    found = convert(pictures.animation(3, kind))
    assert [*found] == [600, 480]
    for image in found.values():
        image.load()
        assert image.n_frames == 3
        assert image.info["duration"] == 120
        assert image.info["loop"] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "I;16", "CMYK", "YCbCr"])
def test_every_mode_is_understood(mode: str) -> None:
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    if mode == "I;16":
        source = Image.frombytes(
            "I;16", (64, 1), b"".join(n.to_bytes(2, "little") for n in range(0, 65536, 1024))
        )
    else:
        source = pictures.opened(pictures.photo(64, 64, "PNG")).convert(mode)
    if mode == "PA":
        source = source.convert("P")
    image = convert(pictures.as_file(source, kind))[64]
    assert image.mode in ("RGB", "RGBA")
    if mode == "I;16":
        assert image.convert("L").getpixel((32, 0)) == pytest.approx(128, abs=3)


@pytest.mark.parametrize("name", pictures.no_images())
def test_what_is_no_image_is_refused(name: str) -> None:
    with pytest.raises(NotAnImage):
        files_of(pictures.no_images()[name])


@pytest.mark.parametrize("name", pictures.damaged())
def test_what_is_damaged_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        files_of(pictures.damaged()[name])


BOMBS = pictures.too_much()


@pytest.mark.parametrize("name", BOMBS)
def test_too_much_is_refused_from_its_head(name: str) -> None:
    started_at = time.perf_counter()
    with pytest.raises(Invalid, match=r"too large|too long"):
        files_of(BOMBS[name])
    assert time.perf_counter() - started_at < 2  # a fraction of it is the start of the process


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_what_is_squeezed_beside_the_pixels_is_not_blown_up(kind: bytes) -> None:
    started_at = time.perf_counter()
    with suppress(Invalid):
        assert [*files_of(pictures.png_with_bomb(kind))] == [8]
    assert time.perf_counter() - started_at < 2


def test_scripts_behind_a_picture_do_not_come_along() -> None:
    data = pictures.photo(100, 100) + b"<script>alert(1)</script>"
    assert all(b"script" not in file for file in files_of(data).values())


def test_the_largest_image_is_done_in_bounded_memory() -> None:
    source = pictures.as_file(Image.new("RGB", (7700, 5190), "teal"), "JPEG")
    found = convert(source)
    assert [*found] == [7700, 480, 960, 1440, 1920, 2880]


# Where it happens.


def in_child(code: str) -> str:
    """What this prints in a process that has given up what the child gives up."""
    script = f"import runpy, sys\nmodule = runpy.run_path({str(imaging.CHILD)!r})\nmodule['limit']()\n{code}"
    command = [sys.executable, "-I", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()


def tried(code: str) -> str:
    return in_child(
        f"try:\n    {code}\n    print('done')\nexcept BaseException as error:\n    print(type(error).__name__)"
    )


def test_the_child_can_open_nothing_start_nothing_and_take_little_memory(tmp_path: Path) -> None:
    assert tried("pass") == "done"
    assert tried("open('/etc/passwd')") == "OSError"
    assert tried(f"open({str(tmp_path / 'new')!r}, 'w')") == "OSError"
    assert tried("import socket; socket.socket()") in ("OSError", "ImportError")
    assert tried("bytearray(3 * 1024 ** 3)") == "MemoryError"


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import json, os; print(json.dumps({'refused': ' '.join(os.environ)}))")
    monkeypatch.setattr(imaging, "CHILD", spy)
    monkeypatch.setenv("SECRET_KEY", "secret")
    with TemporaryFile() as output, TemporaryFile() as source:
        assert imaging.run(source, output)
        output.seek(0)
        names = set(json.loads(output.read())["refused"].split())
    assert names <= {*imaging.KEPT_ENVIRONMENT, "LC_CTYPE"}


@pytest.mark.parametrize(
    "end",
    [
        "while True: pass",
        "import os; os.kill(os.getpid(), 11)",
        "print('{\"sizes\": 1}'); 1 / 0",
        "print('[]')",
    ],
    ids=["never ends", "crashes", "fails late", "talks nonsense"],
)
def test_a_decoder_that_goes_wrong_is_a_damaged_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(end)
    monkeypatch.setattr(imaging, "CHILD", broken)
    monkeypatch.setattr(imaging, "LONGEST_SECONDS", 1)
    with pytest.raises(Invalid, match="damaged"):
        files_of(pictures.photo(50, 50))
    assert not [
        each for each in psutil.Process().children() if "broken" in " ".join(each.cmdline())
    ]


def test_bytes_of_the_source_do_not_matter_where_the_file_stands() -> None:
    with TemporaryFile() as file:
        file.write(pictures.photo(50, 50))
        file.read()
        with imaging.converted(file) as found:
            assert found.width == 50


def test_the_source_may_be_in_memory_still() -> None:
    with SpooledTemporaryFile(max_size=1024 * 1024) as file:
        file.write(pictures.photo(50, 50))
        with imaging.converted(file) as found:
            assert found.height == 50
