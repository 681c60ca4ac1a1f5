"""apply.git_lfs.checkouts: the checkout around a folder, and none that belongs to somebody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scenario_apply.apply.git_lfs.checkouts import checkout_around
from tests.apply.git_lfs.checkouts import lfs_checkout


def git(*words: str, folder: Path) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def test_linked_worktrees_and_submodules_are_checkouts_of_their_own(tmp_path: Path) -> None:
    made = lfs_checkout(tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "first", folder=made.top)
    git("worktree", "add", "-q", str(tmp_path / "linked"), folder=made.top)
    git("submodule", "add", "-q", "--name", "part", str(made.top), "part", folder=made.top)
    for folder, git_folder in (
        (made.top / "art", made.git),
        (tmp_path / "linked", made.git),
        (made.top / "part", made.git / "modules" / "part"),
    ):
        folder.mkdir(exist_ok=True)
        found = checkout_around(str(folder))
        assert found is not None
        assert found.git == str(git_folder)
    assert checkout_around(str(tmp_path)) is None


def test_the_repository_of_somebody_else_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    """`.git` as a link, and as a file that names a folder: an archive can hold both."""
    theirs = lfs_checkout(tmp_path)
    linked, named, forged = (tmp_path / name for name in ("linked", "named", "forged"))
    for folder in (linked, named, forged / "fake"):
        folder.mkdir(parents=True)
    (linked / ".git").symlink_to(theirs.git)
    (named / ".git").write_text(f"gitdir: {theirs.git}\n")
    (forged / ".git").write_text("gitdir: fake\n")
    (forged / "fake" / "commondir").write_text(f"{theirs.git}\n")
    (forged / "fake" / "gitdir").write_text(f"{forged}/.git\n")
    for folder in (linked, named, forged):
        assert checkout_around(str(folder)) is None
