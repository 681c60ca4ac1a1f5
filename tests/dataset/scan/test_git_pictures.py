"""Pictures that are gone are found in the commits at hand, by their path and the digest that was recorded of them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from scenario_apply.dataset.scan import git_pictures
from scenario_apply.dataset.scan.git_objects import GitObjects
from scenario_apply.dataset.scan.git_pictures import OldPicture, old_pictures
from tests.dataset.scan.test_git_objects import git

OLD, NEW = b"the old picture", b"the new picture"


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The manifest's folder in a checkout whose first commit has the old picture, and whose second has another one."""
    git(tmp_path, "init", "-q")
    here = tmp_path / "sets" / "winter"
    (here / "kael").mkdir(parents=True)
    for data in (OLD, NEW):
        (here / "kael" / "a.png").write_bytes(data)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", "one")
    return here


def found(root: Path, *wanted: tuple[bytes, str]) -> dict[str, bytes]:
    return dict(old_pictures(str(root), [OldPicture(digest(data), file) for data, file in wanted]))


def test_a_picture_that_changed_in_the_checkout_is_that_of_the_last_commit(root: Path) -> None:
    (root / "kael" / "a.png").unlink()
    assert found(root, (NEW, "kael/a.png")) == {digest(NEW): NEW}


@pytest.mark.parametrize("packed", [False, True])
def test_a_picture_that_was_replaced_by_a_commit_is_that_of_its_first_parent(root: Path, packed: bool) -> None:
    """As in the review of a pull request, whose checkout is merged into the base."""
    if packed:
        git(root, "gc", "-q")
    assert found(root, (OLD, "kael/a.png"), (NEW, "kael/a.png")) == {digest(OLD): OLD, digest(NEW): NEW}


def test_only_bytes_with_the_recorded_digest_are_taken(root: Path) -> None:
    """Nothing else of the repository is shown, whatever path a state names."""
    assert found(root, (b"another", "kael/a.png"), (OLD, "kael/b.png"), (OLD, "../../../a.png")) == {}


def test_a_git_lfs_pointer_leads_to_the_picture_that_git_lfs_keeps(root: Path) -> None:
    sha = digest(OLD)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(OLD)}\n"
    (root / "kael" / "b.png").write_text(pointer)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "pointer")
    assert found(root, (OLD, "kael/b.png")) == {}
    kept = root.parents[1] / ".git" / "lfs" / "objects" / sha[:2] / sha[2:4] / sha
    kept.parent.mkdir(parents=True)
    kept.write_bytes(OLD)
    assert found(root, (OLD, "kael/b.png")) == {sha: OLD}


def test_where_there_is_no_checkout_nothing_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, (OLD, "kael/a.png")) == {}


def test_a_damaged_repository_shows_nothing(root: Path) -> None:
    for path in (root.parents[1] / ".git" / "objects").rglob("??/*"):
        path.chmod(0o600)
        path.write_bytes(b"damaged")
    assert found(root, (OLD, "kael/a.png")) == {}


def test_a_search_is_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_pictures, "_MOST_READS", 3)
    assert found(root, (OLD, "kael/a.png")) == {}


def test_of_large_folders_only_the_names_that_are_looked_for_are_kept(root: Path) -> None:
    """A history of folders with many files, each other by one, would else fill the memory."""
    for number in range(20):
        (root / "kael" / f"other{number}.png").write_bytes(b"another")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "many")
    commit = git(root, "rev-parse", "HEAD")
    missing = {"sets/winter/kael/a.png": {digest(OLD)}}
    with GitObjects(str(root.parents[1] / ".git")) as objects:
        search = git_pictures._Search(objects, "", frozenset((b"sets", b"winter", b"kael", b"a.png")))
        assert dict(search.run(commit, missing)) == {digest(OLD): OLD}
    assert {len(folder) for folder in search._folders.values()} == {1}
