"""sample_store.py: copies are named by their digest, and nothing else in the folder is touched."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from scenario_apply.state.stores.own_files import UnsafeFile
from scenario_apply.state.stores.sample_store import SampleStore, copy_name


def test_copies_are_found_measured_and_deleted_and_other_files_are_left_alone(tmp_path: Path) -> None:
    store = SampleStore(str(tmp_path))
    assert store.sizes() == {}
    digests = [store.keep(data) for data in (b"one", b"two!")]
    (tmp_path / ".scenario" / "samples" / "notes.txt").write_text("mine")
    assert store.sizes() == dict(sorted(zip(digests, (3, 4), strict=True)))
    assert Path(store.path_of(digests[0])).read_bytes() == b"one"
    store.delete([digests[0], digests[0]])
    assert [*store.sizes()] == [digests[1]]
    assert (tmp_path / ".scenario" / "samples" / "notes.txt").exists()


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_digest_names_no_file(digest: str, tmp_path: Path) -> None:
    """A state may have anything in its place."""
    with pytest.raises(ValueError, match="no SHA-256"):
        copy_name(digest)
    assert SampleStore(str(tmp_path)).read(digest) is None


def test_a_link_in_the_place_of_a_copy_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    store = SampleStore(str(tmp_path))
    secret = tmp_path / "secret"
    secret.write_bytes(b"one")
    digest = sha256(b"one").hexdigest()
    folder = tmp_path / ".scenario" / "samples"
    folder.mkdir(parents=True)
    (folder / f"{digest}.webp").symlink_to(secret)
    assert not store.has(digest)
    with pytest.raises(UnsafeFile):
        store.keep(b"one")
    assert secret.read_bytes() == b"one"


def test_copies_behind_a_link_are_neither_listed_nor_deleted(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / ".scenario").mkdir(parents=True)
    outside.mkdir()
    name = copy_name("a" * 64)
    (outside / name).write_bytes(b"of others")
    (root / ".scenario" / "samples").symlink_to(outside)
    store = SampleStore(str(root))
    with pytest.raises(UnsafeFile):
        store.sizes()
    with pytest.raises(UnsafeFile):
        store.delete(["a" * 64])
    assert (outside / name).exists()
