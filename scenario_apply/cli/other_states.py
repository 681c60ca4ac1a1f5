"""A manifest whose state is not where this command looks, or is another manifest's, too: an apply would pay again.

Only looked at where there is no state of the name that is asked for. What is found is named; nothing of it is used.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from scenario_apply.cli.locate import default_state_path
from scenario_apply.errors import Diagnostic, Location, ScenarioApplyError, StateError
from scenario_apply.manifest.spec import Manifest
from scenario_apply.state.state import State
from scenario_apply.state.state_file import read_state_file, state_of
from scenario_apply.state.stores.backups import Backups
from scenario_apply.state.stores.own_files import own_folder, temporary_name
from scenario_apply.state.stores.state_folder import state_folder
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.state.state_url import StateUrl

NOTE = "states"
"""The file in .scenario/ with a line for each state that --state named in an apply of a manifest here.

Its first line is its own inode, so that one which came with a commit, and might name any path, is ignored.
"""

_ENDINGS = (".yaml", ".yml")
_TEMPLATE = ".j2"
_MOST_STATES = 50
_MOST_BYTES = 1 << 20
_IS_MANIFEST = re.compile(rb"(?m)^(?:models|compositions)[ \t]*:")
_NAMES_STATE = re.compile(rb"(?m)^state[ \t]*:")


def shared_state(manifest: Manifest, path: str, cwd: str) -> Diagnostic | None:
    """What is wrong when another manifest beside this one has the same state by its name.

    An error for two that differ in .yaml and .yml. A warning where one is a template: it may be what the other is made
    from.
    """
    whole = os.path.join(manifest.root, manifest.name)
    if manifest.is_folder:
        whole = manifest.root if os.path.dirname(os.path.dirname(path)) != manifest.root else ""
    read = {os.path.realpath(os.path.join(cwd, file)) for file in manifest.files}
    for ending in (*_ENDINGS, *(ending + _TEMPLATE for ending in _ENDINGS)):
        other = f"{whole}{ending}"
        if not whole or os.path.realpath(other) in read or not _is_other_manifest(other):
            continue
        is_template = _TEMPLATE in (ending[-len(_TEMPLATE) :], os.path.basename(manifest.path)[-len(_TEMPLATE) :])
        return Diagnostic(
            code="state-shared",
            severity="warning" if is_template else "error",
            message=f"{manifest.path} and {os.path.relpath(other, cwd)} have the same state, "
            f"{os.path.relpath(path, cwd)}: what only the other declares would be deleted",
            location=Location(file=manifest.path),
            hint="rename one of the two files, or give one a state of its own with `state:` or --state FILE",
        )
    return None


def _is_other_manifest(path: str) -> bool:
    try:
        folder, name = os.path.split(path)
        content = own_folder(folder).read(name, _MOST_BYTES)[0]
    except OSError:
        return False
    return bool(_IS_MANIFEST.search(content)) and not _NAMES_STATE.search(content)


def recorded_elsewhere(manifest: Manifest, path: str, endpoint: str | None) -> Diagnostic | None:
    """A warning where there is no state at path, but one that records what this manifest declares.

    endpoint: of the run; None: any. States of another service are passed over: each has its own.
    """
    if os.path.lexists(path):
        return None
    if Backups(folder=state_folder(path), name=os.path.basename(path)).moved() is not None:
        return None  # its store refuses, and says where the state is now
    declared = {*manifest.models, *manifest.compositions}
    for other, state, way in _candidates(manifest, path):
        if endpoint is not None and state.endpoint not in (None, endpoint):
            continue
        known = sum(address in declared for address in state.records)
        if known:
            return _elsewhere(path, f"{other} records {known} of its resources", way)
    noted = _noted(manifest)
    if noted is not None and noted != path and (is_state_url(noted) or os.path.exists(noted)):
        return _elsewhere(path, f"it was applied with --state {noted}", f"name it: --state {shlex.quote(noted)}")
    return None


def recorded_in_file(manifest: Manifest, url: StateUrl, endpoint: str | None) -> Diagnostic | None:
    """A warning for a URL whose state is empty, where a file records what this manifest declares.

    endpoint: of the run; None: any.
    """
    declared = {*manifest.models, *manifest.compositions}
    for path in _own_files(manifest):
        state = _read(path)
        if state is None or (endpoint is not None and state.endpoint not in (None, endpoint)):
            continue
        known = sum(address in declared for address in state.records)
        if known:
            way = f"move it there: {shlex.join(['scenario-apply', 'state', 'migrate', path, url.written])}"
            return _elsewhere(url.shown, f"{path} records {known} of its resources", way)
    return None


def _own_files(manifest: Manifest) -> list[str]:
    """The state files of a manifest when no URL is given: the usual one, and that of `state:`."""
    files = [default_state_path(manifest)]
    if manifest.state is not None and not is_state_url(manifest.state):
        files.append(os.path.abspath(os.path.join(manifest.root, manifest.state)))
    return files


def _elsewhere(path: str, what: str, way: str) -> Diagnostic:
    return Diagnostic(
        code="state-elsewhere",
        severity="warning",
        message=f"there is no state {path} for this manifest, but {what}; without them all is made and paid for again",
        hint=way,
    )


def _candidates(manifest: Manifest, path: str) -> Iterator[tuple[str, State, str]]:
    """States that may be this manifest's, each with the way to use it."""
    usual = default_state_path(manifest)
    for other in _own_files(manifest):
        if other != path and (state := _read(other)) is not None:
            yield other, state, f"leave out --state, or name it: --state {shlex.quote(other)}"
    newest = next(Backups(folder=state_folder(path), name=os.path.basename(path)).states(), None)
    if newest is not None:
        place, state = newest
        yield place, state, f"the state was removed; bring it back: {shlex.join(['cp', place, path])}"
    for other in _left_behind(usual, manifest):
        if other != path and (state := _read(other)) is not None:
            yield other, state, f"if the manifest was renamed, or is a link, name it: --state {shlex.quote(other)}"


def _left_behind(usual: str, manifest: Manifest) -> list[str]:
    """States beside the usual one whose own manifest is not there, or is this one by another name: a link."""
    folder = os.path.dirname(usual)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))[:_MOST_STATES]
    except OSError:
        return []
    own = os.path.realpath(os.path.join(manifest.root, os.path.basename(manifest.path)))
    endings = ("", *_ENDINGS, *(ending + _TEMPLATE for ending in _ENDINGS))
    homes = {manifest.root, os.path.dirname(folder)}

    def is_others(path: str) -> bool:
        return os.path.exists(path) and os.path.realpath(path) != own

    return [
        os.path.join(folder, name)
        for name in names
        if not any(is_others(os.path.join(home, name[:-5] + ending)) for home in homes for ending in endings)
    ]


def _read(path: str) -> State | None:
    """A state that can be read; None for anything else, which is no reason to stop."""
    folder, name = os.path.split(path)
    with suppress(OSError, ScenarioApplyError):
        content = own_folder(folder).read(name)[0]
        return state_of(read_state_file(content, source=path), source=path)
    return None


def remember(manifest: Manifest, path: str) -> None:
    """Note in .scenario/ that --state named this state in an apply. A disk that refuses loses only the note.

    path: or a URL without a password.
    """
    if "\n" in path or "\r" in path:
        return  # the note has a line for each state
    lines = [line for line in _lines(manifest) if line != path]
    folder = own_folder(os.path.join(manifest.root, ".scenario"), within=manifest.root)
    with suppress(OSError):
        folder.ignore_all()
        temporary = temporary_name(NOTE)
        with os.fdopen(folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as out:
            origin = os.fstat(out.fileno()).st_ino
            out.write(os.fsencode("".join(f"{line}\n" for line in [str(origin), *[*lines, path][-_MOST_STATES:]])))
        folder.rename(temporary, NOTE)


def _noted(manifest: Manifest) -> str | None:
    """The state that an apply named last."""
    lines = _lines(manifest)
    return lines[-1] if lines else None


def _lines(manifest: Manifest) -> list[str]:
    folder = own_folder(os.path.join(manifest.root, ".scenario"), within=manifest.root)
    with suppress(OSError):
        content, facts = folder.read(NOTE, _MOST_BYTES)
        origin, *lines = os.fsdecode(content).split("\n")
        return [line for line in lines if line] if origin == str(facts.st_ino) else []
    return []


def refuse_shared_state(manifest: Manifest, path: str, cwd: str) -> Diagnostic | None:
    """The warning, if there is one. Raises StateError for an error."""
    problem = shared_state(manifest, path, cwd)
    if problem is not None and problem.severity == "error":
        raise StateError(problem.message, problems=[problem])
    return problem
