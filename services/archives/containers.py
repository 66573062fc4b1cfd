"""A zip or a folder, opened so that nothing in it can do harm: it is looked through before anything
is read, read in memory up to a limit, and nothing is ever written to a disk.

Written here because zipfile believes what an archive says of itself.
"""

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from errors import Invalid

MOST_ENTRIES = 100_000
MOST_BYTES = 64 * 1024**3  # of all files together
# Somebody's archive is as large as its images. What grows to a hundred times its size is a trap.
MOST_TIMES, SMALL = 100, 64 * 1024**2
LONGEST_NAME = 500
STRANGE = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")
UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000  # flags: encrypted in some way, or a patch to another file
LOCAL_HEADER = 30  # bytes, at least, before the data of each entry
END = b"PK\x05\x06"


class Container(Protocol):
    """Files with names such as `posts/first.md`."""

    sizes: dict[str, int]

    def read(self, name: str, most: int) -> bytes:
        """A whole file. Raises Invalid if it is larger, or broken."""


@contextmanager
def opened(path: Path) -> Iterator[Container]:
    """A zip or a folder.

    Raises:
        Invalid: it is neither, it is cut off, or something in it is not as it should be.
    """
    if path.is_dir():
        yield Folder(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise Invalid({str(path): f"This cannot be read: {error.strerror}."}) from None
    with file:
        yield Zip(file)


class Zip:
    def __init__(self, file: IO[bytes]) -> None:
        try:
            if count_entries(file) > MOST_ENTRIES:
                raise Invalid({"": f"At most {MOST_ENTRIES:,} files, please."})
            self.zip = ZipFile(file)
        except (BadZipFile, UnicodeDecodeError, struct.error, ValueError, NotImplementedError):
            raise Invalid({"": "This is no zip file, or only a part of one."}) from None
        entries = self.zip.infolist()
        for entry in entries:
            check_entry(entry)
        check_sizes(entries, file.seek(0, os.SEEK_END), self.zip.start_dir)
        files = [entry for entry in entries if not entry.is_dir()]
        self.entries = {entry.filename: entry for entry in files}
        self.sizes = {entry.filename: entry.file_size for entry in files}
        if len(self.entries) < len(files):
            raise Invalid({"": "Two files in it have the same name."})

    def read(self, name: str, most: int) -> bytes:
        check_size(name, self.sizes[name], most)
        try:
            with self.zip.open(self.entries[name]) as file:
                data = file.read(most + 1)
        except (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
            raise Invalid({name: "This file is broken."}) from None
        if len(data) != self.sizes[name]:
            raise Invalid({name: "This file is not as large as the archive says."})
        return data


class Folder:
    """What begins with a dot, and links, are left out: people keep such things beside their texts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        for folder, below, names in os.walk(path):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(names):
                self.add(Path(folder) / name)

    def add(self, file: Path) -> None:
        status = file.lstat()
        if file.name.startswith(".") or not stat.S_ISREG(status.st_mode):
            return
        name = file.relative_to(self.path).as_posix()
        check_name(name)
        self.sizes[name] = status.st_size
        if len(self.sizes) > MOST_ENTRIES:
            raise Invalid({"": f"At most {MOST_ENTRIES:,} files, please."})

    def read(self, name: str, most: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise Invalid({name: f"This cannot be read: {error.strerror}."}) from None
        check_size(name, len(data), most)
        return data


def check_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise Invalid({name: f"At most {most // 1024:,} KB, please."})


def check_entry(entry: ZipInfo) -> None:
    name = entry.orig_filename
    if not name.isascii() and not entry.flag_bits & 0x800:
        raise Invalid(
            {name: "This name is not in UTF-8. Unpack the archive, and import the folder instead."}
        )
    check_name(name.removesuffix("/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Invalid({name: "This is a link or something else that is no file."})
    if entry.flag_bits & UNREADABLE:
        raise Invalid({name: "This file is encrypted."})
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Invalid({name: "This file is compressed in a way that is not taken here."})


def check_name(name: str) -> None:
    parts = name.split("/")
    is_utf8 = name == name.encode("utf-8", "replace").decode()
    if (
        len(name) > LONGEST_NAME
        or not is_utf8
        or STRANGE.search(name)
        or {"", ".", ".."} & set(parts)
    ):
        raise Invalid({shown(name): "A file in an archive cannot have this name."})


def shown(name: str) -> str:
    """A name that may be anything, fit for a terminal."""
    return name[:60].encode("unicode_escape").decode()


def check_sizes(entries: list[ZipInfo], archive: int, end: int) -> None:
    """Each entry has bytes of its own: others would be read many times over."""
    total = sum(entry.file_size for entry in entries)
    if total > min(max(archive * MOST_TIMES, SMALL), MOST_BYTES):
        raise Invalid({"": "This would unpack to far more than it is."})
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [entry.header_offset for entry in entries[1:]] + [end]
    for entry, after in zip(entries, starts, strict=False):
        if entry.header_offset + LOCAL_HEADER + entry.compress_size > after:
            raise Invalid({entry.filename: "This file lies over another one in the archive."})


def count_entries(file: IO[bytes]) -> int:
    """How many there are: ZipFile would first make an object of each. Raises BadZipFile.

    Counted one by one, since the number that the archive gives may be a lie (APPNOTE.TXT, 4.3).
    """
    size = file.seek(0, os.SEEK_END)
    tail_size = min(size, 65_536 + 22)
    file.seek(size - tail_size)
    tail = file.read()
    end = tail_size - 22
    if end < 0 or tail[end : end + 4] != END or tail[-2:] != b"\0\0":
        end = tail.rfind(END)  # there is a comment behind it
    if not 0 <= end <= tail_size - 22:
        raise BadZipFile
    length = struct.unpack_from("<L", tail, end + 12)[0]
    position = size - tail_size + end
    if tail[max(end - 20, 0) : end].startswith(b"PK\x06\x07"):  # ZIP64
        position -= 20 + 56
        file.seek(position)
        length = struct.unpack_from("<Q", file.read(56), 40)[0]
    return count_headers(file, position - length, position)


def count_headers(file: IO[bytes], start: int, end: int) -> int:
    if start < 0:
        raise BadZipFile
    count = 0
    while start < end and count <= MOST_ENTRIES:
        file.seek(start)
        header = file.read(46)
        if not header.startswith(b"PK\x01\x02"):
            raise BadZipFile
        start += 46 + sum(struct.unpack_from("<3H", header, 28))
        count += 1
    return count
