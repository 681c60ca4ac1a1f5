"""The manifests that a fleet's globs mean: files and folders below the fleet's folder, none hidden, none twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.fleet.fleet_file import Entry, Glob
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.globs import alternatives, any_glob, glob_pattern, has_magic

MOST_MANIFESTS = 10_000
MOST_ENTRIES = 500_000
"""Names that are looked at for the globs of a fleet."""

_ENDINGS = (".yaml", ".yml", ".yaml.j2", ".yml.j2")
_TOO_MANY = "too-many-files"


class _TooMany(Exception):
    """More names than are looked at."""


class ManifestGlobs(Struct):
    """Finds manifests below root. own: the fleet file's name, which is no manifest. problems: what is wrong."""

    root: str
    own: str
    problems: list[Diagnostic] = field(default_factory=list)
    _found: dict[str, Glob] = field(default_factory=dict)
    _inside: dict[str, Glob] = field(default_factory=dict)  # folders, by what was found in them
    _looked_at: int = 0

    def of(self, entry: Entry) -> tuple[str, ...]:
        """The entry's manifests, relative to root with slashes, in order. Problems are noted, not raised."""
        left_out = tuple(part for text in entry.exclude for part in alternatives(text.removeprefix("./")))
        found: list[str] = []
        for glob in entry.globs:
            try:
                mine = [path for path in self._of_glob(glob) if not (left_out and any_glob(left_out).fullmatch(path))]
            except _TooMany:
                what = f"the globs of the fleet look at more than {MOST_ENTRIES:,} names"
                self._problem(_TOO_MANY, what, glob, "write narrower globs, e.g. teams/*/scenario.yaml")
                return tuple(found)
            if not mine and not any(problem.location == glob.place for problem in self.problems):
                self._nothing(glob)
            found += [path for path in mine if self._is_first(path, glob)]
            if len(self._found) > MOST_MANIFESTS:
                what = f"the fleet has more than {MOST_MANIFESTS:,} manifests"
                self._problem(_TOO_MANY, what, glob, "split it into several fleet files")
                return tuple(found)
        return tuple(found)

    def _is_first(self, path: str, glob: Glob) -> bool:
        """Whether no glob found it before, nor a folder that it is a part of, nor a part of it."""
        above = [path[:at] for at, sign in enumerate(path) if sign == "/"]
        other = next((self._found[p] for p in (path, *above) if p in self._found), self._inside.get(path))
        if other is None:
            self._found[path] = glob
            self._inside |= dict.fromkeys(above, glob)
            return True
        line = "" if other.place.line is None else f" (line {other.place.line})"
        what = f"{path} is found twice: by {other.text!r}{line} and by {glob.text!r}"
        self._problem("duplicate-manifest", what, glob, "each manifest belongs to one entry: narrow one, or `exclude:`")
        return False

    def _of_glob(self, glob: Glob) -> list[str]:
        text = glob.text if "\\" not in glob.text else glob.text.replace("\\", "/")
        found: dict[str, None] = {}
        for written in alternatives(text):
            parts = [part for part in written.split("/") if part not in ("", ".")]
            if written.startswith(("/", "~")) or ".." in parts or "\0" in written or "://" in written:
                what = f"{glob.text!r} leaves the folder of the fleet file"
                self._problem("outside-root", what, glob, "name manifests below it, or put the fleet file further up")
                continue
            if any(part.startswith(".") for part in parts):
                what = f"{glob.text!r} names something hidden"
                self._problem("hidden-path", what, glob, "hidden files are not read")
                continue
            if parts and parts[-1] == "**":
                parts.append("*")
            is_deep = "**" in parts
            for path in self._paths("", parts):
                if self._is_manifest(path, glob, files_only=is_deep):
                    found[path] = None
        return sorted(found)

    def _paths(self, folder: str, parts: list[str]) -> Iterator[str]:
        """What the parts of a glob mean below a folder that is relative to root."""
        if not parts:
            yield folder
            return
        first, rest = parts[0], parts[1:]
        if first == "**":
            yield from self._paths(folder, rest)
            for name in self._names(folder, folders_only=True):
                yield from self._paths(_joined(folder, name), parts)
        elif has_magic(first):
            pattern = glob_pattern(first)
            for name in self._names(folder, folders_only=bool(rest)):
                if pattern.fullmatch(name):
                    yield from self._paths(_joined(folder, name), rest)
        else:
            self._count(1)
            here = _joined(folder, first)
            if os.path.lexists(os.path.join(self.root, here)):
                yield from self._paths(here, rest)

    def _names(self, folder: str, *, folders_only: bool) -> list[str]:
        """Names in a folder, without hidden ones. No link to a folder is followed."""
        names = []
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for entry in entries:
                    self._count(1)
                    if entry.name.startswith(".") or (folders_only and not entry.is_dir(follow_symlinks=False)):
                        continue
                    names.append(entry.name)
        except OSError:
            return []
        return sorted(names)

    def _count(self, more: int) -> None:
        self._looked_at += more
        if self._looked_at > MOST_ENTRIES:
            raise _TooMany

    def _is_manifest(self, path: str, glob: Glob, *, files_only: bool) -> bool:
        """A file by its ending, or a folder with such a file. Links that lead outside are an error."""
        whole = os.path.join(self.root, path)
        if path == self.own:
            return False
        if os.path.isdir(whole):
            is_one = not files_only and any(name.endswith(_ENDINGS) for name in self._names(path, folders_only=False))
        else:
            is_one = path.endswith(_ENDINGS) and os.path.isfile(whole)
        barrier = DataGuard(self.root).barrier(os.path.realpath(whole)) if is_one else None
        if barrier is not None:
            what = f"{path} leads outside of the folder of the fleet file, or to something hidden"
            self._problem("outside-root", what, glob, "put the manifest itself there")
            return False
        return is_one

    def _nothing(self, glob: Glob) -> None:
        names: Iterable[str] = ()
        folder = os.path.dirname(glob.text)
        if not has_magic(glob.text):
            names = self._names(folder, folders_only=False)
        hint = did_you_mean(os.path.basename(glob.text), names) or "globs are relative to the folder of the fleet file"
        self._problem("no-manifest", f"{glob.text!r} finds no manifest", glob, hint)

    def _problem(self, code: str, what: str, glob: Glob, hint: str) -> None:
        self.problems.append(Diagnostic(code=code, message=what, location=glob.place, hint=hint))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
