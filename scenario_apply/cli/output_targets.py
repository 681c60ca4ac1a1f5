"""Where --out and --events may write: a new file, an empty one, or one of their own kind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from shlex import quote
from typing import TYPE_CHECKING

from scenario_apply.cli.named_files import is_stream, named_file, untrusted_top
from scenario_apply.errors import Location as FilePlace
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.state.stores.own_files import UnsafeFile

if TYPE_CHECKING:
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.state_location import StateLocation

_LARGEST_READ_BYTES = 256 << 20
_MANIFEST_ENDINGS = (".yaml", ".yml", ".yaml.j2", ".yml.j2")


class TargetTaken(ScenarioApplyError):
    """A file that an option would write over, and that is not the option's own."""

    code = "target-taken"


def is_saved_plan(content: bytes) -> bool:
    """Whether a file holds what plan --out writes."""
    from scenario_apply.planning.plan_bytes import BadPlanBytes, plain_plan

    try:
        value = plain_plan(content)
    except BadPlanBytes:
        return False
    return isinstance(value, dict) and {"format_version", "changes", "steps"} <= value.keys()


def is_event_log(content: bytes) -> bool:
    """Whether a file starts as --events writes: with a line on who wrote it."""
    try:
        value = json.loads(content.split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "version" and "scenario_apply" in value


def refuse_taken(
    path: str, cwd: str, *, option: str, kind: str, is_own: Callable[[bytes], bool], root: str | None = None
) -> None:
    """Raises TargetTaken when something is there that is not of that kind. Devices and pipes lose nothing.

    root: the manifest's folder, where it is known: below it no link is followed.
    """
    whole = os.path.join(cwd, path)
    if os.path.isdir(whole):
        raise TargetTaken(f"{option} {path}: that is a folder", hint="name a file in that folder")
    try:
        is_free = is_stream(path, cwd) and not _is_refused_link(path, cwd, root)
        content = None if is_free else named_file(path, cwd, root).read(_LARGEST_READ_BYTES)
    except UnsafeFile as error:
        raise TargetTaken(f"{option} {path}: {error.strerror}", hint=error.hint) from error
    except NotADirectoryError:
        content = None
    except OSError as error:
        raise TargetTaken(f"{option} {path}: the file there cannot be read: {error.strerror}") from error
    folder = os.path.dirname(path)
    if content is None and not os.path.isdir(os.path.join(cwd, folder)):
        raise TargetTaken(f"{option} {path}: there is no folder {folder}", hint=f"create it: mkdir -p {quote(folder)}")
    if content is not None and content.strip() and not is_own(content):
        raise TargetTaken(
            f"{option} would write over {path}, which is no {kind}",
            location=FilePlace(file=path),
            hint="name a new file, or delete that one first",
        )


def _is_refused_link(path: str, cwd: str, root: str | None) -> bool:
    return os.path.islink(os.path.join(cwd, path)) and untrusted_top(path, cwd, root) is not None


def refuse_reserved(path: str, cwd: str, wanted: PlanRequest, *, option: str) -> None:
    """Raises TargetTaken for the place of a state, its journal, lock or backups, and for a manifest to be."""
    target = os.path.realpath(os.path.join(cwd, path))
    for name, what in _reserved(wanted.place):
        if target == os.path.realpath(name) or target.startswith(os.path.realpath(name) + os.sep):
            raise TargetTaken(f"{option} {path}: that is where the {what} is kept", hint="name another file")
    manifest = wanted.manifest
    in_manifest = manifest.is_folder and os.path.dirname(target) == os.path.realpath(manifest.root)
    if in_manifest and target.endswith(_MANIFEST_ENDINGS):
        raise TargetTaken(
            f"{option} {path}: every {os.path.splitext(target)[1]} file of that folder is read as a manifest",
            hint="name it .json, or put it elsewhere",
        )


def _reserved(place: StateLocation) -> Iterable[tuple[str, str]]:
    if place.url is None:
        stem = place.state.removesuffix(".json")
        yield place.state, "state"
        yield f"{stem}.journal", "journal of the state"
        yield f"{stem}.lock", "lock of the state"
        yield os.path.join(os.path.dirname(place.state), "backups"), "backup of the state"
    yield os.path.join(place.root, ".scenario"), "tool's own cache"
