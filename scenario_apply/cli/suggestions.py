"""Where there is no manifest: those in subfolders, for the hint of the error."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.data_guard import DataGuard

_ENDINGS = (".yaml", ".yml", ".yaml.j2", ".yml.j2")
_DEFAULTS = ("scenario.yaml", "scenario.yml", "scenario.yaml.j2")
_DECLARES = re.compile(rb"^(models|compositions):", re.MULTILINE)
_DEEPEST = 2
_NAMED = 6
_ENTRIES_READ = 2000


def with_nearby(error: ManifestError, given: str | None, cwd: str) -> ManifestError:
    """The same error, which names the manifests below the folder that holds none. given: as asked for."""
    folder = given if given is not None else "manifests" if os.path.isdir(os.path.join(cwd, "manifests")) else "."
    if [problem.code for problem in error.problems] != ["no-manifest"] or not os.path.isdir(os.path.join(cwd, folder)):
        return error
    found = manifests_below(folder, cwd)
    if not found:
        return error
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    hint = f"name one of these: {', '.join(map(shlex.quote, found[:_NAMED]))}{more}"
    return ManifestError(error.message, problems=[replace(error.problems[0], hint=hint)])


def manifests_below(folder: str, cwd: str) -> list[str]:
    """Files that declare models or compositions, nearest first; a folder's name where that is what one would give."""
    found: dict[str, int] = {}
    whole = os.path.abspath(os.path.join(cwd, folder))
    for path in _files(whole):
        relative = os.path.relpath(path, whole)
        home = os.path.dirname(relative)
        shown = home if home and os.path.basename(relative) in _DEFAULTS else relative
        found.setdefault(os.path.normpath(os.path.join(folder, shown)), shown.count(os.sep))
    return sorted(found, key=lambda name: (found[name], name))


def _files(whole: str) -> Iterator[str]:
    left = _ENTRIES_READ
    guard = DataGuard(whole)
    for home, folders, names in os.walk(whole):
        depth = 0 if home == whole else os.path.relpath(home, whole).count(os.sep) + 1
        folders[:] = sorted(name for name in folders if not name.startswith(".") and depth < _DEEPEST)
        for name in sorted(names):
            left -= 1
            if (
                left > 0
                and name.endswith(_ENDINGS)
                and not name.startswith(".")
                and _declares(guard, os.path.join(home, name))
            ):
                yield os.path.join(home, name)


def _declares(guard: DataGuard, path: str) -> bool:
    try:
        with guard.opened(path) as file:
            return _DECLARES.search(file.read(65536)) is not None
    except OSError:
        return False  # what cannot be read is nothing to propose
