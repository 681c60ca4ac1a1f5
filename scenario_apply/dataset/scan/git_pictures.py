"""Pictures that were replaced or removed, from the commits at hand: HEAD and, one after the other, its first parents.

A picture is taken only if its bytes have the digest that is recorded of it: whatever else a repository holds, it is not
shown. Git LFS pointers are followed to the objects that git-lfs keeps in the same repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from scenario_apply.dataset.scan.git_objects import GitObjects, GitUnreadable, open_within
from scenario_apply.model.git_content import pointed_at
from scenario_apply.state.stores.git_head import checkout_of

_MOST_COMMITS = 200
_MOST_READS = 20_000  # objects: a few seconds
_MOST_BYTES = 512 << 20  # of pictures that are compared
_LARGEST_BYTES = 100 << 20
_TREE = re.compile(rb"tree ([0-9a-f]{40})\n")
_PARENT = re.compile(rb"\nparent ([0-9a-f]{40})\n")
_FOLDER_MODE = b"40000"


class OldPicture(NamedTuple):
    """sha256: of the file's bytes, in hex. file: where it was, relative to the root."""

    sha256: str
    file: str


def old_pictures(
    root: str, wanted: Iterable[OldPicture], *, commits: int = _MOST_COMMITS
) -> Iterator[tuple[str, bytes]]:
    """Digest and bytes of those that a commit at hand still has, one at a time. Never raises.

    root: the manifest's folder, in the checkout. commits: how many are looked into; 1: HEAD alone.
    """
    checkout = checkout_of(root)
    if checkout is None or checkout.commit is None or len(checkout.commit) != 40:
        return
    missing: dict[str, set[str]] = {}  # path in the repository -> digests
    for picture in wanted:
        path = os.path.relpath(os.path.join(os.path.realpath(root), picture.file), checkout.top)
        if not path.startswith(".."):
            missing.setdefault(path.replace(os.sep, "/"), set()).add(picture.sha256)
    if missing:
        with GitObjects(checkout.common) as objects:
            names = frozenset(os.fsencode(part) for path in missing for part in path.split("/"))
            yield from _Search(objects, checkout.common, names, commits).run(checkout.commit, missing)


class _Search:
    def __init__(self, objects: GitObjects, common: str, names: frozenset[bytes], commits: int = _MOST_COMMITS) -> None:
        """names: every part of the paths that are looked for; of all others in a folder, nothing is kept."""
        self._commits = commits
        self._objects = objects
        self._common = common
        self._names = names
        self._folders: dict[str, Mapping[bytes, tuple[bytes, str]]] = {}
        self._reads = self._bytes = 0
        self._compared: set[tuple[str, str]] = set()

    def run(self, commit: str, missing: dict[str, set[str]]) -> Iterator[tuple[str, bytes]]:
        try:
            for tree in self._trees(commit):
                for path in list(missing):
                    for digest, data in self._found(tree, path, missing[path]):
                        missing[path].discard(digest)
                        yield digest, data
                    if not missing[path]:
                        del missing[path]
                if not missing:
                    return
        except GitUnreadable:
            return  # damaged, shallow or too large: what was found until then stands

    def _trees(self, commit: str) -> Iterator[str]:
        for _ in range(self._commits):
            found = self._read(commit, "commit")
            tree = None if found is None else _TREE.match(found)
            if found is None or tree is None:
                return
            yield tree[1].decode()
            parent = _PARENT.search(found.partition(b"\n\n")[0] + b"\n")
            if parent is None:
                return
            commit = parent[1].decode()

    def _found(self, tree: str, path: str, digests: set[str]) -> Iterator[tuple[str, bytes]]:
        """The picture at a path of a tree, where it is one of those."""
        *folders, name = path.split("/")
        for folder in folders:
            mode, tree = self._entries(tree).get(os.fsencode(folder), (b"", ""))
            if mode != _FOLDER_MODE:
                return
        mode, blob = self._entries(tree).get(os.fsencode(name), (b"", ""))
        if not mode.startswith(b"100") or (path, blob) in self._compared:
            return
        self._compared.add((path, blob))
        data = self._read(blob, "blob")
        if data is None:
            return
        pointed = pointed_at(data)
        if pointed is not None:
            data = self._pulled(pointed[0]) if pointed[0] in digests else None
        if data is None:
            return
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            raise GitUnreadable("too many bytes")
        digest = sha256(data).hexdigest()
        if digest in digests:
            yield digest, data

    def _pulled(self, digest: str) -> bytes | None:
        """The content of a Git LFS pointer, where git-lfs keeps it here."""
        handle = open_within(self._common, f"lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}")
        if handle is None:
            return None
        with open(handle, "rb") as file:
            return file.read(_LARGEST_BYTES)

    def _entries(self, tree: str) -> Mapping[bytes, tuple[bytes, str]]:
        """Mode and id by name, of the names that are looked for."""
        if tree not in self._folders:
            data, at = self._read(tree, "tree") or b"", 0
            found: dict[bytes, tuple[bytes, str]] = {}
            while (end := data.find(b"\0", at)) >= 0:
                mode, _, name = data[at:end].partition(b" ")
                if name in self._names:
                    found[name] = mode, data[end + 1 : end + 21].hex()
                at = end + 21
            self._folders[tree] = found
        return self._folders[tree]

    def _read(self, name: str, kind: str) -> bytes | None:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise GitUnreadable("too many objects")
        found = self._objects.read(name)
        return found.data if found is not None and found.kind == kind else None
