"""manifest.loader.archives: a zip file gives what it honestly holds, and nothing of what leads out of it."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from scenario_apply.manifest.loader import archives as archives_module
from scenario_apply.manifest.loader.archives import Archive, Archives, BadArchive
from scenario_apply.manifest.loader.data_guard import DataGuard


def make_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def listed(path: Path) -> Archive:
    return Archives().read(str(path), DataGuard(str(path.parent)))


def bytes_of(root: Path, file: str) -> bytes:
    with DataGuard(str(root), others=Archives()).opened(file) as opened:
        return opened.read()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_is_read_as_it_was_packed(tmp_path: Path, method: int) -> None:
    make_zip(tmp_path / "Set.ZIP", {"a/1.txt": b"one" * 1000, "2.txt": b""}, method)
    assert bytes_of(tmp_path, "Set.ZIP/a/1.txt") == b"one" * 1000
    assert bytes_of(tmp_path, "Set.ZIP/2.txt") == b""


@pytest.mark.parametrize("file", ["set.zip/3.txt", "set.zip/a", "set.zip/1.txt/x", "other.txt/1.txt"])
def test_what_is_not_there_does_not_exist(tmp_path: Path, file: str) -> None:
    make_zip(tmp_path / "set.zip", {"a/1.txt": b"one", "1.txt": b"one"})
    (tmp_path / "other.txt").write_bytes(b"")
    with pytest.raises(FileNotFoundError):
        bytes_of(tmp_path, file)


def test_a_guard_of_manifests_opens_no_zip(tmp_path: Path) -> None:
    make_zip(tmp_path / "set.zip", {"1.yaml": b"version: 1"})
    with pytest.raises(NotADirectoryError):
        DataGuard(str(tmp_path)).open("set.zip/1.yaml")


def test_a_folder_may_be_called_like_a_zip(tmp_path: Path) -> None:
    (tmp_path / "old.zip").mkdir()
    make_zip(tmp_path / "old.zip" / "new.zip", {"1.txt": b"one"})
    assert bytes_of(tmp_path, "old.zip/new.zip/1.txt") == b"one"


def test_a_link_to_a_zip_elsewhere_is_refused(tmp_path: Path) -> None:
    """The zip itself is judged like any other file."""
    (tmp_path / "root").mkdir()
    make_zip(tmp_path / "outside.zip", {"1.txt": b"secret"})
    (tmp_path / "root" / "set.zip").symlink_to(tmp_path / "outside.zip")
    with pytest.raises(PermissionError, match="outside"):
        bytes_of(tmp_path / "root", "set.zip/1.txt")


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "C:\\evil.png", "..\\evil.png"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    archive = listed(make_zip(tmp_path / "set.zip", {name: b"x", "1.png": b"x"}))
    assert list(archive.members) == ["1.png"]
    assert "lead out of the zip file" in archive.refused[0]


def test_junk_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    """Those that macOS adds are not even mentioned."""
    files = {"__MACOSX/._1.png": b"", "._1.png": b"", ".git/config": b"", "set/.DS_Store": b"", "set/1.png": b"x"}
    archive = listed(make_zip(tmp_path / "set.zip", files))
    assert (list(archive.members), archive.refused, archive.top()) == (["set/1.png"], (), "set")


def test_links_and_encrypted_files_and_zips_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("inner.zip", b"PK")
        made.writestr("locked.png", b"x")
    whole = bytearray((tmp_path / "set.zip").read_bytes())
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the last file in the list
    (tmp_path / "set.zip").write_bytes(whole)
    archive = listed(tmp_path / "set.zip")
    assert not archive.members
    assert archive.nested == ("inner.zip",)
    assert [text.partition(":")[0] for text in archive.refused] == [
        "files in it are links",
        "files in it are encrypted",
    ]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives_module, "_FREE_BYTES", 1 << 16)
    make_zip(tmp_path / "set.zip", {"1.bmp": b"\0" * (1 << 20)})
    with pytest.raises(BadArchive, match="bomb"):
        listed(tmp_path / "set.zip")


def test_files_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A second entry for the same bytes: a few kilobytes would unpack to gigabytes."""
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as made:
        made.writestr("1.txt", b"one")
        twin = made.infolist()[0]
        again = zipfile.ZipInfo("2.txt")
        again.file_size = again.compress_size = 3
        again.CRC, again.header_offset, again.external_attr = twin.CRC, twin.header_offset, twin.external_attr
        made.filelist.append(again)
    with pytest.raises(BadArchive, match="overlap"):
        listed(tmp_path / "set.zip")


@pytest.mark.parametrize("size", [2, 4])
def test_a_file_of_another_size_than_claimed_is_damaged(tmp_path: Path, size: int) -> None:
    whole = bytearray(make_zip(tmp_path / "set.zip", {"1.txt": b"one"}).read_bytes())
    at = whole.index(b"PK\x01\x02") + 24
    whole[at : at + 4] = size.to_bytes(4, "little")
    (tmp_path / "set.zip").write_bytes(whole)
    with pytest.raises(BadArchive, match="damaged"):
        bytes_of(tmp_path, "set.zip/1.txt")


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives_module, "_MOST_DIRECTORY_BYTES", 300)
    make_zip(tmp_path / "set.zip", {f"{at}.txt": b"" for at in range(20)})
    with pytest.raises(BadArchive, match="too long"):
        listed(tmp_path / "set.zip")


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "not a zip"), (b"PK\x03\x04 broken", "not a zip"), (b"version https://git-lfs.github.com/spec/v1\n", "LFS")],
)
def test_no_zip_is_named_as_such(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(BadArchive, match=why):
        listed(tmp_path / "set.zip")


def test_a_name_of_macos_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """UTF-8 without the mark that says so."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("été.png", b"x")
    whole = buffer.getvalue().replace(b"\x14\x00\x00\x08\x00\x00", b"\x14\x00\x00\x00\x00\x00")
    (tmp_path / "set.zip").write_bytes(whole)
    assert list(listed(tmp_path / "set.zip").members) == ["été.png"]


def test_a_zip_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    guard = DataGuard(str(tmp_path), others=(zips := Archives()))
    make_zip(tmp_path / "set.zip", {"1.txt": b"one"})
    os.close(zips.open(f"{tmp_path}/set.zip/1.txt", guard))
    make_zip(tmp_path / "set.zip", {"0.txt": b"more and longer", "1.txt": b"two"})
    with guard.opened("set.zip/1.txt") as opened:
        assert opened.read() == b"two"
