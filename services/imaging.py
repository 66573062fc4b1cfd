"""From whatever file was sent to images that are safe to serve: WebP, without metadata, upright, in
several widths. Decoding happens in a process of its own, see imaging_child.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from backends import Unavailable
from errors import Invalid, NotAnImage, Rejected
from languages import N_
from services.media_names import WIDTHS

CONTENT_TYPE = "image/webp"
CHILD = Path(__file__).with_name("imaging_child.py")
LONGEST_SECONDS = 60
MOST_HEAD_BYTES = 4096
DISK_FULL = 3
# All that a child gets of our environment, which holds secrets.
KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")

REFUSALS = {
    "unknown": N_("This is not an image that the blog knows: JPEG, PNG, WebP, GIF or AVIF."),
    "pixels": N_("This image is too large: at most 40 megapixels, and 16,383 pixels each way."),
    "frames": N_("This animation is too long: at most 200 frames, and 100 megapixels together."),
    "heavy": N_("This image becomes too heavy. A smaller one will do better."),
    "damaged": N_("This image is damaged, or cut off on the way. Please try another copy of it."),
}


@dataclass(frozen=True)
class Converted:
    """An image in all its widths: `sizes` are bytes by width, the whole image's first; `files`
    has the WebP files themselves in that order."""

    width: int
    height: int
    sizes: dict[int, int]
    files: IO[bytes]

    def each(self) -> Iterator[tuple[int, bytes]]:
        """Width and file, one at a time."""
        for width, size in self.sizes.items():
            yield width, self.files.read(size)


@contextmanager
def converted(source: IO[bytes]) -> Iterator[Converted]:
    """The image in a file on the disk. Takes up to a minute: hold nothing meanwhile.

    Raises:
        NotAnImage: it is none of the kinds that we take.
        Invalid: it cannot be decoded, or is too much.
        Unavailable: the disk is full.
    """
    source.seek(0)
    with TemporaryFile() as output:
        is_over = run(source, output)
        output.seek(0)
        head = head_of(output.readline(MOST_HEAD_BYTES)) if is_over else {}
        if "sizes" not in head:
            raise refusal(str(head.get("refused", "damaged")))
        sizes = {int(width): int(size) for width, size in head["sizes"].items()}
        yield Converted(int(head["width"]), int(head["height"]), sizes, output)


def run(source: IO[bytes], output: IO[bytes]) -> bool:
    """Whether the child came to its end by itself."""
    command = [sys.executable, "-I", str(CHILD), *map(str, WIDTHS)]
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            command,
            stdin=source,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=kept,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode == DISK_FULL:
        raise Unavailable("There is no room on the disk for temporary files.")
    return done.returncode == 0


def head_of(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refusal(word: str) -> Rejected:
    sentence = {"file": REFUSALS.get(word, REFUSALS["damaged"])}
    return NotAnImage(sentence) if word == "unknown" else Invalid(sentence)
