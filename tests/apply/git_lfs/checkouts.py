"""Checkouts with Git LFS pointers in place of pictures, and a remote on this machine that has the pictures."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tests.dataset.build import picture

needs_git_lfs = pytest.mark.skipif(
    shutil.which("git-lfs") is None or shutil.which("git") is None, reason="git-lfs is not installed"
)


def pointer_text(data: bytes) -> str:
    digest = sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"


def keep_object(lfs: Path, data: bytes, digest: str | None = None) -> Path:
    """Put an object into a folder of Git LFS, as git-lfs does. digest: another name than its own."""
    name = digest or sha256(data).hexdigest()
    path = lfs / "objects" / name[:2] / name[2:4] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@dataclass(frozen=True)
class LfsCheckout:
    """A checkout below a folder of its own, and its remote beside it."""

    top: Path
    remote: Path

    @property
    def git(self) -> Path:
        return self.top / ".git"

    def add(self, path: str, data: bytes) -> None:
        """A pointer in the checkout, and its picture on the remote."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(pointer_text(data))
        keep_object(self.remote / "lfs", data)

    def configure(self, key: str, value: str, file: str = ".git/config") -> None:
        subprocess.run(["git", "config", "-f", str(self.top / file), key, value], check=True)

    def is_pointer(self, path: str) -> bool:
        return (self.top / path).read_bytes().startswith(b"version https://git-lfs")


def lfs_checkout(folder: Path) -> LfsCheckout:
    top, remote = folder / "work tree", folder / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    made = LfsCheckout(top.resolve(), remote.resolve())
    made.configure("remote.origin.url", f"file://{made.remote}")
    return made


def pictures(count: int) -> list[bytes]:
    return [picture(seed=seed, kind="JPEG") for seed in range(1, count + 1)]
