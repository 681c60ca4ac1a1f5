"""state.stores.git_head: the commit of a checkout, without git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scenario_apply.state.stores.git_head import commit_of

ID = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *AUTHOR, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A real repository with one commit."""
    here = tmp_path / "checkout"
    here.mkdir()
    git(here, "init", "-q")
    (here / "scenario.yaml").write_text("version: 1\n")
    git(here, "add", ".")
    git(here, "commit", "-q", "-m", "first")
    return here


def hand_made(folder: Path, head: str = "ref: refs/heads/main\n", **files: str) -> Path:
    """A folder with a `.git` of these files; a double underscore in a name means a slash."""
    inside = folder / ".git"
    (inside / "refs" / "heads").mkdir(parents=True)
    (inside / "HEAD").write_text(head)
    for name, text in files.items():
        path = inside / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_commit_is_that_of_git_in_any_folder_of_the_checkout(checkout: Path) -> None:
    """A reviewer finds the commit a model was made from."""
    below = checkout / "manifests" / "winter"
    below.mkdir(parents=True)
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert commit_of(str(checkout)) == commit_of(str(below)) == commit
    (checkout / "link").symlink_to(below)
    assert commit_of(str(checkout / "link")) == commit


@pytest.mark.parametrize("words", [("pack-refs", "--all"), ("checkout", "-q", "--detach"), ("checkout", "-qb", "a/b")])
def test_packed_references_detached_heads_and_nested_branches_are_read(checkout: Path, words: tuple[str, ...]) -> None:
    git(checkout, *words)
    assert commit_of(str(checkout)) == git(checkout, "rev-parse", "HEAD")[:12]


def test_a_linked_worktree_has_its_own_commit(checkout: Path, tmp_path: Path) -> None:
    """Its `.git` is a file, and its references lie in the repository it belongs to."""
    git(checkout, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    git(tmp_path / "side", "commit", "-q", "--allow-empty", "-m", "second")
    commit = git(tmp_path / "side", "rev-parse", "HEAD")[:12]
    assert commit_of(str(tmp_path / "side")) == commit
    assert commit_of(str(checkout)) != commit


def test_a_submodule_has_its_own_commit(checkout: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(checkout), "inner")
    assert commit_of(str(outer / "inner")) == git(checkout, "rev-parse", "HEAD")[:12]


def test_a_repository_of_sha_256_is_read(tmp_path: Path) -> None:
    assert commit_of(str(hand_made(tmp_path, head="ab" * 32 + "\n"))) == "abababababab"


@pytest.mark.parametrize(
    "make",
    [
        lambda at: at,
        lambda at: hand_made(at),  # before the first commit
        lambda at: hand_made(at, head=""),
        lambda at: hand_made(at, head="ref: refs/heads/main", refs__heads__main="ghp_a_secret\n"),
        lambda at: hand_made(at, head="ref: ../../secret", secret=ID),
        lambda at: hand_made(at, head="ref: refs/../secret", secret=ID),
        lambda at: hand_made(at, head="ref: /etc/hostname"),
        lambda at: hand_made(at, head="ref: refs/heads/main", refs__heads__main="ref: refs/heads/main"),
        lambda at: hand_made(at, head=ID + "0" * 5000),
        lambda at: hand_made(at, head="ref: refs/heads/\x00"),
        lambda at: hand_made(at, **{"packed-refs": ID}),
    ],
)
def test_text_that_is_not_a_commit_gives_none(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """Nothing but an id of 40 or 64 digits is recorded, whatever the files hold."""
    assert commit_of(str(make(tmp_path))) is None


@pytest.mark.parametrize("name", ["HEAD", "refs/heads/main", "packed-refs"])
def test_a_link_or_a_pipe_among_gits_files_is_not_read(tmp_path: Path, name: str) -> None:
    """A link leads to a file of the machine, and a pipe never answers."""
    secret = tmp_path / "token"
    secret.write_text(f"{ID} refs/heads/main\n" if name == "packed-refs" else ID)
    for number, make in enumerate((lambda at: at.symlink_to(secret), os.mkfifo)):
        here = tmp_path / str(number)
        hand_made(here)
        (here / ".git" / name).unlink(missing_ok=True)
        make(here / ".git" / name)
        assert commit_of(str(here)) is None


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: .", "gitdir: /nowhere", "\x00", "gitdir: \x00", "x" * 5000])
def test_a_git_file_that_leads_nowhere_gives_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    assert commit_of(str(tmp_path)) is None


def test_a_folder_that_looks_like_a_bare_repository_is_not_a_checkout(checkout: Path) -> None:
    """Git would take its configuration; here the checkout around it is named."""
    bare = checkout / "manifests"
    (bare / "refs").mkdir(parents=True)
    (bare / "objects").mkdir()
    (bare / "HEAD").write_text(OTHER)
    (bare / "config").write_text("[core]\n\tfsmonitor = false\n")
    assert commit_of(str(bare)) == git(checkout, "rev-parse", "HEAD")[:12]
