"""Finds the files that the paths of a manifest mean: backslashes, the other form of Unicode, braces."""

from __future__ import annotations

import os
from collections.abc import Callable

from msgspec.structs import replace

from scenario_apply.manifest.loader.listing import identity_of
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import nfc
from scenario_apply.model.globs import alternatives, has_magic


class WrittenPaths:
    """Paths below one root, as the disk spells them. may_list: whether the names in a folder may be looked at."""

    def __init__(self, root: str, may_list: Callable[[str], bool]) -> None:
        self._root = root
        self._may_list = may_list
        self._names: dict[str, dict[str, str]] = {}  # by folder: name in NFC -> as on the disk

    def resolved(self, spec: DatasetSpec) -> DatasetSpec:
        """The dataset with its paths as they are on the disk, except `images:`, which may have alternatives."""
        pairs, captions = spec.pairs, spec.captions
        written = [spec.before, spec.after, captions.path]
        if pairs is not None:
            written += [pairs.folder, pairs.table]
        if all(path is None or _is_plain(path) for path in written):
            return spec
        if pairs is not None:
            pairs = replace(pairs, folder=self._one(pairs.folder), table=self._one(pairs.table))
        return replace(
            spec,
            before=self._one(spec.before),
            after=self._one(spec.after),
            captions=replace(captions, path=self._one(captions.path)),
            pairs=pairs,
        )

    def meant(self, written: str) -> tuple[str, ...]:
        """The paths and globs that a path or glob with braces stands for, as they are on the disk."""
        if "{" not in written or os.path.lexists(os.path.join(self._root, written)):
            return (self._one(written) or written,)
        return tuple(self._one(path) or path for path in alternatives(written))

    def _one(self, written: str | None) -> str | None:
        return None if written is None else self.on_disk(written)

    def on_disk(self, written: str) -> str:
        """The path as the disk spells it; as written where there is no such file."""
        if _is_plain(written):
            return written
        try:
            if os.path.lexists(os.path.join(self._root, written)):
                return written
        except ValueError:  # a NUL byte, which is reported where the path is used
            return written
        return self._as_on_disk(written.replace("\\", "/"))

    def _as_on_disk(self, written: str) -> str:
        """Each part that does not exist is replaced by the one that differs only in its Unicode form."""
        here, found = "/" if written.startswith("/") else self._root, []
        for part in written.split("/"):
            name = part
            if not (part.isascii() or has_magic(part) or os.path.lexists(os.path.join(here, part))):
                name = self._names_in(here).get(nfc(part), part)
            found.append(name)
            here = os.path.normpath(os.path.join(here, name))
        return "/".join(found)

    def _names_in(self, folder: str) -> dict[str, str]:
        names = self._names.get(folder)
        if names is None:
            names = {}
            if self._may_list(folder):
                try:
                    names = {nfc(name): name for name in os.listdir(folder) if not name.isascii()}
                except OSError:  # nothing there: the path is reported as missing
                    names = {}
            self._names[folder] = names
        return names


def _is_plain(path: str) -> bool:
    return path.isascii() and "\\" not in path and "{" not in path


def identities_below(root: str) -> Callable[[str], int | None]:
    """The identity of a file, relative to the root; None where there is none. Nothing is opened."""

    def identity(file: str) -> int | None:
        try:
            return identity_of(os.stat(os.path.join(root, file)))
        except (OSError, ValueError):  # ValueError: a NUL byte
            return None

    return identity
