"""Reads manifests from disk: a file or a folder, what they include, variable files. Everything else is in manifest/."""

from __future__ import annotations

import gc
import os
import shlex
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256

from scenario_apply.errors import Location, ManifestError
from scenario_apply.manifest.build import ManifestSource, build_manifest
from scenario_apply.manifest.fields import texts
from scenario_apply.manifest.loader.data_guard import Barred, Barrier, DataGuard
from scenario_apply.manifest.positions import Map, Mark, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import Manifest
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.whole_files import WholeFiles
from scenario_apply.manifest.variables import VariableInputs
from scenario_apply.manifest.yaml.reader import read_yaml
from scenario_apply.manifest.yaml.source_bytes import LARGEST_FILE_BYTES
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.file_names import is_unicode, spelled

_DEFAULT_FILES = ("scenario.yaml", "scenario.yml", "scenario.yaml.j2")
_DEFAULT_FOLDER = "manifests"
_ENDINGS = (".yaml", ".yml", ".yaml.j2", ".yml.j2")
_MOST_FILES = 1000
_LONGEST_CHAIN = 50
_MANY_OBJECTS = 50_000
NOTHING_EDITED: Mapping[str, bytes] = {}


def load_manifest(
    path: str | None,
    *,
    variables: Mapping[str, str],
    var_files: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    allow_env: Collection[str] = (),
    edited: Mapping[str, bytes] = NOTHING_EDITED,
) -> Manifest:
    """The manifest at path, complete and checked; scenario.yaml or manifests/ in cwd when path is None.

    variables: --var as typed; var_files: --var-file, a later file wins. Paths are taken from cwd.
    env: the environment; allow_env: names that templates may read besides SCENARIO_*.
    edited: by absolute path, what files would hold that are about to be written.
    Raises ManifestError with all problems at once; warnings and notes are in Manifest.problems.
    """
    with _no_garbage_collection():
        environment = AllowedEnvironment(env, allow_env)
        return _Loader(cwd, Report(), environment, edited).load(path, variables, var_files)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Loading creates many small objects that stay alive; searching them for cycles would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_count()[0] > _MANY_OBJECTS:
                gc.freeze()  # else the first collection walks them all, for nothing
            gc.enable()


def default_manifest(cwd: str) -> str | None:
    """The manifest of a folder where none is named."""
    names = (*_DEFAULT_FILES, _DEFAULT_FOLDER)
    return next((name for name in names if os.path.exists(os.path.join(cwd, name))), None)


@lru_cache(maxsize=1)
def manifest_schema() -> bytes:
    """The schema as shipped: the file that editors read from schema/."""
    import scenario_apply.manifest as package

    folder = os.path.dirname(str(package.__file__))
    with open(os.path.join(folder, "manifest.schema.json"), "rb") as file:
        return file.read()


class _Loader:
    def __init__(
        self, cwd: str, report: Report, environment: AllowedEnvironment, edited: Mapping[str, bytes] = NOTHING_EDITED
    ) -> None:
        self._edited = edited
        self._cwd = os.path.abspath(cwd)
        self._report = report
        self._environment = environment
        self._files: dict[str, tuple[str, bytes]] = {}  # absolute path -> name shown, bytes
        self._guard = DataGuard("/")
        self._hidden_entry = ""  # the manifest, when it is a file with a dot: the caller named it with the dot
        self._whole_files: WholeFiles | None = None
        self._bytes = 0  # of all files

    def load(self, path: str | None, variables: Mapping[str, str], var_files: Sequence[str]) -> Manifest:
        shown, absolute = self._entry(path)
        is_folder = os.path.isdir(absolute)
        root = absolute if is_folder else os.path.dirname(absolute)
        self._guard = DataGuard(root)
        self._hidden_entry = absolute if not is_folder and os.path.basename(absolute).startswith(".") else ""
        self._refuse_linked_folder(shown, absolute)
        given = self._given(variables, var_files)
        waiting = [(file, None) for file in _files_of(absolute)] if is_folder else [(absolute, None)]
        if is_folder and not waiting:
            made = f"create one with `scenario-apply init {shlex.quote(shown)}`"
            hint = f"put a file that ends in {_ENDINGS[0]} there, name another folder, or {made}"
            raise ManifestError(
                f"the folder {shown} contains no manifest", location=Location(file=shown), hint=hint, code="no-manifest"
            )
        documents: list[Map] = []
        for file, mark in waiting:
            documents += self._with_includes(file, mark, (), given, documents)
        self._report.raise_errors_of_reading()
        source = ManifestSource(
            path=shown,
            root=root,
            name=_name_of(absolute),
            is_folder=is_folder,
            files=tuple(name for name, _ in self._files.values()),
            digests=tuple((_within(root, file), sha256(data).hexdigest()) for file, (_, data) in self._files.items()),
        )
        return build_manifest(
            documents,
            source,
            given=given,
            environment=self._environment,
            schema=manifest_schema(),
            report=self._report,
        )

    def _refuse_linked_folder(self, shown: str, absolute: str) -> None:
        """Raises ManifestError for a folder of manifests that links to a place outside the folder that contains it.

        A repository may hold such a link, and `manifests` is read without being named.
        """
        if not os.path.islink(absolute):
            return
        barrier = DataGuard(os.path.dirname(absolute)).barrier(os.path.realpath(absolute))
        if barrier is not None:
            self._refuse(barrier, shown, Location(file=shown), is_link=True)
            self._report.raise_errors()

    def _entry(self, path: str | None) -> tuple[str, str]:
        """The manifest as the user would type it, and where it is."""
        if path is None:
            name = default_manifest(self._cwd)
            if name is not None:
                return name, os.path.join(self._cwd, name)
            raise ManifestError(
                "no scenario.yaml and no manifests/ in this directory",
                location=Location(file="."),
                hint="name a manifest, or create one with `scenario-apply init FOLDER`",
                code="no-manifest",
            )
        absolute = os.path.abspath(os.path.join(self._cwd, path))
        if not os.path.exists(absolute):
            folder = os.path.dirname(absolute)
            names = os.listdir(folder) if os.path.isdir(folder) else []
            hint = did_you_mean(os.path.basename(absolute), [n for n in names if n.endswith(_ENDINGS)])
            if path.startswith(("model.", "composition.")):
                hint = hint or f"a manifest is expected here: --select {path} selects a resource of it"
            raise ManifestError(
                f"{path} does not exist",
                location=Location(file=path),
                hint=hint or "check the path, or create a manifest with `scenario-apply init FOLDER`",
                code="no-manifest",
            )
        return self._shown(absolute), absolute

    def _shown(self, absolute: str) -> str:
        relative = os.path.relpath(absolute, self._cwd)
        return absolute if relative.startswith("..") else relative

    def _given(self, variables: Mapping[str, str], var_files: Sequence[str]) -> VariableInputs:
        maps: list[Map] = []
        for path in var_files:
            self._report.quote_nothing_of(path)
            data = self._read(os.path.abspath(os.path.join(self._cwd, path)), path, None, None)
            if data is None:
                continue
            found = read_yaml(path, data, self._report, what="variable file")
            if found is not None:
                maps.append(found)
        return VariableInputs(command_line=variables, files=tuple(maps))

    def _read(self, absolute: str, shown: str, mark: Mark | None, guard: DataGuard | None) -> bytes | None:
        """The bytes of a file; None, after an error, when it cannot be read. mark: where it is named.

        guard: what may be read; None for a file that the command line names.
        """
        where = Location(file=shown) if mark is None else mark
        try:
            facts = os.stat(absolute)
            if not stat.S_ISREG(facts.st_mode):
                self._report.error("not-a-file", f"{shown} is not a regular file", where)
                return None
            if facts.st_size > LARGEST_FILE_BYTES:
                what = f"{shown} has {facts.st_size / 1e6:.1f} MB; at most 10 MB of YAML are allowed"
                self._report.error("too-large", what, where, "split it into several files of a folder")
                return None
            with open(absolute, "rb") if guard is None else guard.opened(absolute) as file:
                return file.read(LARGEST_FILE_BYTES + 1)
        except Barred as error:  # it was replaced by a link after the first check
            self._refuse(error.barrier, shown, where, is_link=True)
        except FileNotFoundError:
            folder = os.path.dirname(absolute)
            names = os.listdir(folder) if os.path.isdir(folder) else []
            hint = did_you_mean(os.path.basename(absolute), names) or "paths are relative to the file that names them"
            self._report.error("no-file", f"{shown} does not exist", where, hint)
        except OSError as error:
            self._report.error("unreadable", f"{shown} cannot be read: {error.strerror}", where)
        return None

    def _with_includes(
        self,
        absolute: str,
        mark: Mark | None,
        path: tuple[str, ...],
        given: VariableInputs,
        before: Sequence[Map],
    ) -> list[Map]:
        """The file's document and those it includes, each file of the manifest once."""
        shown = self._shown(absolute)
        if absolute in path:
            loop = " -> ".join(self._shown(file) for file in (*path[path.index(absolute) :], absolute))
            self._report.error(
                "include-cycle", f"files include each other in a circle: {loop}", mark, "break the circle"
            )
            return []
        if absolute in self._files:
            return []
        if len(path) > _LONGEST_CHAIN:
            self._report.error("include-cycle", f"more than {_LONGEST_CHAIN} files include one another", mark)
            return []
        if len(self._files) >= _MOST_FILES:
            self._report.error("too-many-files", f"more than {_MOST_FILES} files", mark)
            return []
        if not is_unicode(shown):
            where = Location(file=spelled(shown)) if mark is None else mark
            self._report.error("not-utf-8", f"the name {spelled(shown)} is not UTF-8", where, "rename it")
            self._report.is_incomplete = True
            return []
        is_inside = self._is_inside(absolute, shown, mark)
        document = self._document(absolute, shown, mark, given, before) if is_inside else None
        if document is None:
            self._report.is_incomplete = True
            return []
        found = [document]
        for name, where in zip(texts(document, "include"), _marks_of_include(document), strict=False):
            other = os.path.abspath(os.path.join(os.path.dirname(absolute), name))
            if "\\" in name and not os.path.lexists(other):  # as on another system
                other = os.path.abspath(os.path.join(os.path.dirname(absolute), name.replace("\\", "/")))
            found += self._with_includes(other, where, (*path, absolute), given, [*before, *found])
        return found

    def _is_inside(self, absolute: str, shown: str, mark: Mark | None) -> bool:
        """False, after an error, for a file that must not be read: diagnostics would show its text in logs."""
        where = Location(file=shown) if mark is None else mark
        try:
            real = os.path.realpath(absolute)
        except ValueError:  # a NUL byte
            self._report.error("no-file", f"{shown!r} is not a path", where)
            return False
        barrier = self._guard.barrier(real)
        if absolute == self._hidden_entry and barrier == "hidden" and not os.path.islink(absolute):
            return True
        barrier = barrier or self._guard.barrier_as_written(absolute)
        if barrier is None:
            return True
        self._refuse(barrier, shown, where, is_link=self._guard.is_inside(absolute))
        return False

    def _refuse(self, barrier: Barrier, shown: str, where: Mark | Location, *, is_link: bool) -> None:
        if barrier == "hidden":
            what = f"{shown} is hidden or links to a hidden file: a part of its path begins with a dot"
            self._report.error("hidden-path", what, where, "hidden files are not read: rename it, or name another one")
        elif is_link:
            what = f"{shown} is a link that leads outside the manifest's folder"
            self._report.error("outside-root", what, where, "put the file itself there, or name the one it leads to")
        else:
            what = "include names a file outside the manifest's folder"
            self._report.error(
                "outside-root", what, where, "move it inside: a manifest can include only files below its folder"
            )

    def _document(
        self,
        absolute: str,
        shown: str,
        mark: Mark | None,
        given: VariableInputs,
        before: Sequence[Map],
    ) -> Map | None:
        """The content of one file, rendered first if the whole file is a template; None after an error."""
        data = self._read(absolute, shown, mark, None if absolute == self._hidden_entry else self._guard)
        if data is None:
            return None
        data = self._edited.get(absolute, data)
        self._files[absolute] = (shown, data)
        self._bytes += len(data)
        if self._bytes > LARGEST_FILE_BYTES:
            what = f"the files of this manifest have more than {LARGEST_FILE_BYTES // 10**6} MB together"
            where = Location(file=shown) if mark is None else mark
            self._report.error("too-large", what, where, "split it into several manifests")
            self._report.is_incomplete = True
            self._report.raise_errors()
        if not absolute.endswith(".j2"):
            return read_yaml(shown, data, self._report)
        if self._whole_files is None:
            self._whole_files = WholeFiles(given, self._environment, self._report)
        rendered = self._whole_files.rendered(shown, data, before)
        return None if rendered is None else read_yaml(f"{shown} (rendered)", rendered, self._report)


def _marks_of_include(document: Map) -> list[Mark]:
    value = document.get("include")
    if isinstance(value, Seq):
        return value.marks
    return [document.value_mark("include")] if value else []


def _files_of(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.endswith(_ENDINGS) and not entry.name.startswith(".")]
    return [os.path.join(folder, name) for name in sorted(names) if os.path.isfile(os.path.join(folder, name))]


def _within(root: str, absolute: str) -> str:
    return os.path.relpath(absolute, root).replace(os.sep, "/")


def _name_of(absolute: str) -> str:
    name = os.path.basename(absolute)
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name
