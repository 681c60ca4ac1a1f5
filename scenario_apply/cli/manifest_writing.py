"""Writes exported resources into a manifest and reads it again, until a plan of it asks for nothing.

What reading shows to be needed is added: lint rules that the service's data breaks are lowered to warnings, and what
a plan would change is set to be kept. What cannot be declared at all is left out and named. If the manifest cannot be
read in the end, the file is as it was before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.cli.export_target import CannotExport, ExportTarget
from scenario_apply.cli.manifest_companions import SCHEMA_LINE
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.appending import CannotAppend, with_entries
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.lint_rules import BY_CODE, REFUSED_CODES
from scenario_apply.planning.decision import Decision, Relabel
from scenario_apply.planning.export_layout import ExportedDataset, ExportedResource, NotExported
from scenario_apply.planning.reasons import Imported
from scenario_apply.review.exported_manifest import manifest_entries, new_manifest
from scenario_apply.review.reason_words import reason_text
from scenario_apply.state.stores.atomic import create_atomically, write_atomically
from scenario_apply.state.stores.own_files import is_temporary, own_folder, temporary_name

_MOST_READINGS = 6
_LARGEST = 10 << 20
_HEAD = "# Written by scenario-apply. Next: scenario-apply plan."


class ReadManifest(Struct, frozen=True, kw_only=True):
    """The manifest as it is now, with its datasets."""

    manifest: Manifest
    datasets: Mapping[str, Dataset]


Judge = Callable[[ReadManifest, Sequence[ExportedResource]], Mapping[Address, Decision]]
"""What a plan would still do about the resources."""


class ManifestWriting(Struct, kw_only=True):
    """One addition to a manifest. with_imports: with an `import:` block for each resource.

    read: loads a manifest by its path and scans its datasets. imported: ids that its `import:` blocks name already.
    """

    target: ExportTarget
    resources: list[ExportedResource]
    datasets: Mapping[str, ExportedDataset]  # by identity
    imported: frozenset[str]
    project: str | None
    read: Callable[[str], ReadManifest]
    judge: Judge
    problems: list[NotExported] = field(default_factory=list)
    _partly: dict[Address, str] = field(default_factory=dict)
    _adjustments: dict[str, dict[str, object]] = field(default_factory=dict)

    def keep(self, address: Address) -> None:
        """Nothing is trained for a resource whose entry lacks something that is named already."""
        self._partly[address] = ""
        self._adjust(str(address), "lifecycle", {"on_change": "keep"})

    def write(self) -> ReadManifest | None:
        """The manifest, written and read again; None where nothing could be declared. Raises CannotExport,
        ManifestError.
        """
        file = _ManifestFile(self.target.file)
        draft = file if self.target.is_one_of_many else _ManifestFile(temporary_name(self.target.file))
        is_done = False
        try:
            for _ in range(_MOST_READINGS):
                if not self.resources:
                    return None
                text = self._text(file.before)
                draft.write(text)
                found = self._read(text, draft.path)
                if found is not None and not self._adjusted(found):
                    is_done = True
                    if draft is not file:
                        file.write(text)  # only now: a run that was killed before has added nothing
                        draft.put_back()
                        found = self.read(self.target.manifest)
                    self.problems += self._in_part()
                    return found
            raise CannotExport(
                f"{self.target.manifest} still asks for changes after {_MOST_READINGS} attempts; nothing is written",
                hint="export fewer models with --select, to see which it is",
            )
        finally:
            if not is_done:
                draft.put_back()

    def _text(self, before: bytes | None) -> str:
        imports = [r for r in self.resources if r.remote.id not in self.imported]
        entries = manifest_entries(
            self.resources, self.datasets, self._adjustments, folder=".", imports=imports
        )  # fmt: skip
        if before is None:
            is_root = os.path.dirname(self.target.file) == self.target.root
            head = [SCHEMA_LINE, _HEAD] if is_root else [_HEAD]
            return new_manifest(head, entries, None if self.target.has_manifest else self.project)
        try:
            return with_entries(before.decode(), entries)
        except UnicodeDecodeError as error:
            raise CannotExport(f"{self.target.manifest} is not UTF-8", hint="name another file") from error
        except CannotAppend as refused:
            raise CannotExport(
                f"{self.target.manifest} cannot be added to: {refused}",
                hint="write its blocks as lines of keys, or name a file that is not there yet",
            ) from refused

    def _read(self, text: str, path: str) -> ReadManifest | None:
        """None after resources that no manifest can declare were left out."""
        try:
            return self.read(path if path != self.target.file else self.target.manifest)
        except ManifestError as error:
            lines = {p.location.line: p.message for p in error.problems if p.severity == "error" and p.location}
            blamed = _blamed(text, lines)
            left_out = [r for r in self.resources if _names(r, self.datasets) & blamed.keys()]
            if not left_out:
                raise
            for resource in left_out:
                why = next(blamed[name] for name in blamed if name in _names(resource, self.datasets))
                self.problems.append(NotExported(resource.title, f"a manifest cannot declare it: {why}"))
                self.resources.remove(resource)
            return None

    def _adjusted(self, found: ReadManifest) -> bool:
        """Whether the manifest has to be written once more."""
        known = {key: dict(fields) for key, fields in self._adjustments.items()}
        used = {resource.dataset for resource in self.resources}
        for identity, dataset in self.datasets.items():
            if identity not in used or dataset.key not in found.datasets:
                continue
            codes = {p.code for p in found.datasets[dataset.key].problems if p.severity == "error"}
            rules = {code: "warning" for code in sorted(codes) if code in BY_CODE and code not in REFUSED_CODES}
            if rules:
                self._adjust(dataset.key, "lint", rules)
        for address, decision in self.judge(found, self.resources).items():
            labels = [*decision.labels.labels, "tags"] if isinstance(decision, Relabel) else []
            lifecycle: dict[str, object] = {"ignore_changes": labels} if labels else {"on_change": "keep"}
            self._adjust(str(address), "lifecycle", lifecycle)
            self._partly.setdefault(address, _what_differs(decision))
        return known != self._adjustments

    def _in_part(self) -> Iterator[NotExported]:
        """Resources that a manifest cannot declare as they are: their entries say that differences are kept."""
        for resource in self.resources:
            if what := self._partly.get(resource.address):
                yield NotExported(resource.title, f"a manifest cannot say all of it; `lifecycle` keeps it ({what})")

    def _adjust(self, key: str, name: str, values: Mapping[str, object]) -> None:
        held = self._adjustments.setdefault(key, {}).setdefault(name, {})
        assert isinstance(held, dict)
        held.update(values)


def _what_differs(decision: Decision) -> str:
    words = [reason_text(reason) for reason in decision.reasons if not isinstance(reason, Imported)]
    words += [problem.message for problem in decision.resource.problems]
    return "; ".join(dict.fromkeys(words)) or "it differs"


def _names(resource: ExportedResource, datasets: Mapping[str, ExportedDataset]) -> set[str]:
    """The entries of a manifest that are of a resource."""
    own = {f"{resource.address.kind}s.{resource.address.name}"}
    return own if resource.dataset is None else own | {f"datasets.{datasets[resource.dataset].key}"}


def _blamed(text: str, lines: Mapping[int | None, str]) -> dict[str, str]:
    """Entry -> the message of an error on one of its lines."""
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    starts: list[tuple[int, str]] = []
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        starts.append((key.start_mark.line, ""))
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            starts += [(inner.start_mark.line, f"{key.value}.{inner.value}") for inner, _ in value.value]
    starts.sort()
    found: dict[str, str] = {}
    for line, message in lines.items():
        before = [name for start, name in starts if line is not None and start <= line - 1]
        if before and before[-1]:
            found[before[-1]] = message
    return found


def clear_drafts(target: ExportTarget) -> None:
    """Takes away what a killed run was about to write."""
    folder, name = os.path.split(target.file)
    home = own_folder(folder)
    for found in home.names():
        if is_temporary(found, name):
            home.unlink(found)


class _ManifestFile:
    """A manifest that is written whole each time. before: what it held; None for a new one."""

    def __init__(self, path: str) -> None:
        self.path = path
        folder, self._name = os.path.split(path)
        self._folder = own_folder(folder)
        self.before: bytes | None = None
        self._mode = 0o666
        self._is_written = False
        if os.path.lexists(path):
            self.before, facts = self._folder.read(self._name, _LARGEST)
            self._mode = stat.S_IMODE(facts.st_mode)

    def write(self, text: str) -> None:
        if self.before is None and not self._is_written:
            create_atomically(self._folder, self._name, text.encode(), mode=self._mode)
        else:
            is_old = self.before is not None
            write_atomically(self._folder, self._name, text.encode(), mode=self._mode, exact_mode=is_old)
        self._is_written = True

    def put_back(self) -> None:
        if not self._is_written:
            return
        if self.before is None:
            self._folder.unlink(self._name)
        else:
            write_atomically(self._folder, self._name, self.before, mode=self._mode, exact_mode=True)
