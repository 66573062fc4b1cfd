"""Archives that mean harm, or came to harm: refused with a sentence, before anything is touched."""

import io
import stat
import struct
import warnings
import zlib
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from errors import Invalid
from services.archives import containers
from services.archives.containers import Folder, Zip

TEXT = b"---\ntitle: Fine\n---\n\nWords.\n"


def zipped(*entries: tuple[str | ZipInfo, bytes], method: int = ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # two of one name
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def opened(data: bytes) -> Zip:
    return Zip(io.BytesIO(data))


def refused(data: bytes) -> str:
    """The sentence, whether it is refused at once or when it is read."""
    with pytest.raises(Invalid) as caught:
        read_all(data)
    return " ".join(f"{name} {sentence}" for name, sentence in caught.value.fields.items())


def read_all(data: bytes) -> dict[str, bytes]:
    archive = opened(data)
    return {name: archive.read(name, 10_000_000) for name in archive.sizes}


@pytest.mark.parametrize(
    "name",
    [
        "../out.md",
        "posts/../../out.md",
        "/etc/passwd",
        "C:\\out.md",
        "C:out.md",
        "posts\\out.md",
        "posts//out.md",
        "./out.md",
        "posts/\x1b[2Jout.md",
        "posts/\r\nout.md",
        "p" * 501,
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    info = ZipInfo("x")
    info.filename = name
    assert "cannot have this name" in refused(zipped((info, TEXT)))


def test_a_name_that_is_cut_at_nul_is_refused() -> None:
    data = zipped(("posts/a.mdXX.exe", TEXT)).replace(b"a.mdXX.exe", b"a.md\0X.exe")
    assert "cannot have this name" in refused(data)


def test_a_name_in_another_code_is_refused() -> None:
    data = zipped(("posts/aaaa.md", TEXT)).replace(b"aaaa", b"\xe4\xf6\xfc\xdf")
    assert "not in UTF-8" in refused(data)


def test_a_name_that_claims_to_be_utf8_and_is_not_is_refused() -> None:
    data = zipped(("posts/ää.md", TEXT)).replace("ää".encode(), b"\xff\xfe\xff\xfe")
    assert "no zip file" in refused(data)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int) -> None:
    info = ZipInfo("posts/link.md")
    info.external_attr = (kind | 0o777) << 16
    assert "no file" in refused(zipped((info, b"/etc/passwd")))


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
def test_what_is_encrypted_is_refused(flag: int) -> None:
    data = bytearray(zipped(("posts/a.md", TEXT)))
    central = data.index(b"PK\x01\x02")
    for place in (6, central + 8):
        data[place : place + 2] = struct.pack("<H", struct.unpack_from("<H", data, place)[0] | flag)
    assert "encrypted" in refused(bytes(data))


def test_other_compressions_are_refused() -> None:
    assert "compressed in a way" in refused(zipped(("a.md", TEXT), method=ZIP_BZIP2))


def test_two_files_of_one_name_are_refused() -> None:
    assert "same name" in refused(zipped(("a.md", TEXT), ("a.md", b"other")))


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_ENTRIES", 10)
    many = zipped(*((f"{number}.md", b"") for number in range(11)))
    assert "At most 10 files" in refused(many)
    opened(zipped(*((f"{number}.md", b"") for number in range(10))))


def test_a_directory_that_lies_about_their_number_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(containers, "MOST_ENTRIES", 10)
    data = bytearray(zipped(*((f"{number}.md", b"") for number in range(11))))
    data[-14:-10] = struct.pack("<2H", 1, 1)
    assert "At most 10 files" in refused(bytes(data))


def test_a_bomb_is_refused_by_what_it_declares() -> None:
    bomb = zipped(*((f"{number}.md", bytes(9_000_000)) for number in range(8)))
    assert len(bomb) < 100_000
    assert "far more than it is" in refused(bomb)


def test_a_file_over_its_limit_is_refused_unread() -> None:
    archive = opened(zipped(("a.md", bytes(3_000_000))))
    with pytest.raises(Invalid, match="At most 976 KB"):
        archive.read("a.md", 1_000_000)


@pytest.mark.parametrize("claimed", [5, 9_999_999, 1_000_000])
def test_a_size_that_is_not_true_is_refused(claimed: int) -> None:
    data = bytearray(zipped(("a.md", bytes(2_000_000))))
    central = data.index(b"PK\x01\x02")
    data[22:26] = data[central + 24 : central + 28] = struct.pack("<L", claimed)
    assert refused(bytes(data))


def test_files_that_lie_over_each_other_are_refused() -> None:
    """As in "A better zip bomb" (Fifield, 2019): one body, and many names for it."""
    data = zipped(("a.md", bytes(50_000)), ("b.md", b"x" * 50))
    central = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", central + 4)
    overlapping = bytearray(data)
    overlapping[second + 42 : second + 46] = struct.pack("<L", 0)
    assert "lies over another" in refused(bytes(overlapping))


def test_a_text_that_was_damaged_on_the_way_is_refused() -> None:
    data = zipped(("a.md", TEXT), method=ZIP_STORED).replace(b"Words.", b"W0rds.", 1)
    assert "broken" in refused(data)


def test_an_archive_that_is_cut_off_is_refused_wherever_it_is_cut() -> None:
    data = zipped(("a.md", TEXT), ("b.md", TEXT * 50))
    for length in range(len(data)):
        assert refused(data[:length])


def test_an_archive_with_any_byte_changed_is_read_right_or_refused() -> None:
    data = zipped(("a.md", TEXT), ("b.md", TEXT * 3))
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x5A
        try:
            read = read_all(bytes(broken))
        except Invalid:
            continue
        assert set(read.values()) <= {TEXT, TEXT * 3, b""}


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06", b"\x1f\x8b" + zlib.compress(b"x")])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    assert "no zip file" in refused(data)


def test_a_zip_with_a_comment_is_read() -> None:
    file = io.BytesIO(zipped(("a.md", TEXT)))
    with ZipFile(file, "a") as archive:
        archive.comment = b"made by hand"
    assert opened(file.getvalue()).read("a.md", 1000) == TEXT


def test_links_and_hidden_files_of_a_folder_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("posts/a.md", ".git/b.md", ".c.md"):
        (tmp_path / name).write_bytes(TEXT)
    (tmp_path / "posts/link.md").symlink_to("/etc/passwd")
    (tmp_path / "elsewhere").symlink_to("/etc")
    assert list(Folder(tmp_path).sizes) == ["posts/a.md"]


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(TEXT)
    folder = Folder(tmp_path)
    (tmp_path / "a.md").write_bytes(TEXT * 1000)
    with pytest.raises(Invalid):
        folder.read("a.md", 100)


def test_what_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"), containers.opened(tmp_path / "no.zip"):
        pass
