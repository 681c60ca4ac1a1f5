"""Saved plans on disk: what plan --out writes and apply FILE reads."""

from __future__ import annotations

import codecs
import json
import os
import shlex
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.checkout import checkout_of
from scenario_apply.errors import Location, PlanStale, ScenarioApplyError, UsageError
from scenario_apply.manifest.loader.listing import is_within
from scenario_apply.planning.plan import PLAN_FORMAT_VERSION
from scenario_apply.planning.plan_bytes import LARGEST_PLAN_BYTES, BadPlanBytes, plain_plan
from scenario_apply.planning.plan_format import sealed

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan


class PlanFileBad(ScenarioApplyError):
    """A file that is no plan this release can carry out, or a place where none can be written."""

    code = "plan-file"


def read_saved_plan(path: str, cwd: str) -> Mapping[str, object] | None:
    """The plan in that file, as plain values; None when the file is no saved plan but, say, a manifest.

    Raises PlanFileBad for one that is damaged, too large, or of another format.
    """
    content = _content(path, os.path.join(cwd, path))
    if content is None:
        return None
    try:
        value = plain_plan(content)
    except BadPlanBytes as error:
        if path.endswith(".json") or b'"format_version"' in content:
            raise PlanFileBad(
                f"{path} is damaged: {error}", location=Location(file=path), hint="create the plan again"
            ) from error
        return None
    if not isinstance(value, dict) or "format_version" not in value:
        return None
    if "lineage" in value and "changes" not in value:
        raise PlanFileBad(f"{path} is a state, not a plan", hint="scenario-apply plan --out FILE writes a plan")
    written = value["format_version"]
    if not isinstance(written, str):
        raise PlanFileBad(f"{path} is damaged: format_version: expected text", hint="create the plan again")
    if written.split(".")[0] != PLAN_FORMAT_VERSION.split(".")[0]:
        raise PlanFileBad(
            f"{path} has format {written}, this tool reads {PLAN_FORMAT_VERSION}",
            hint="create the plan again with this scenario-apply",
        )
    return value


def _content(path: str, whole: str) -> bytes | None:
    """The bytes of a file that begins as a JSON map does; None for anything else. Nothing is waited for: no pipe."""
    try:
        handle = os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None  # it is read as a manifest next, and that says why it cannot be
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        return None
    with open(handle, "rb") as file:
        if not file.read(256).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            return None
        if facts.st_size > LARGEST_PLAN_BYTES:
            size, most = facts.st_size / 1e6, LARGEST_PLAN_BYTES / 1e6
            raise PlanFileBad(f"{path} has {size:.1f} MB; a plan may have at most {most:.0f} MB")
        file.seek(0)
        return file.read(LARGEST_PLAN_BYTES)


def write_saved_plan(path: str, cwd: str, plan: Mapping[str, object], root: str | None = None) -> None:
    """Write a plan, whole or not at all; readable by its owner only, since captions may be private.

    It says from where it was made, seen from where it lies, so that its manifest is found again from any folder.
    A device or a pipe is written to as it is. root: the manifest's folder, below which no link is followed.
    """
    from scenario_apply.cli.named_files import named_file, open_stream
    from scenario_apply.state.stores.atomic import write_atomically
    from scenario_apply.state.stores.own_files import hint_of

    try:
        stream = open_stream(path, cwd, root)
        if stream is not None:
            with stream:
                stream.write(_written(path, sealed(_placed(plan, os.path.realpath(cwd), cwd))).decode())
            return
        file = named_file(path, cwd, root)
        with file.folder.opened():  # a folder that is missing is not made
            pass
        write_atomically(file.folder, file.name, _written(path, sealed(_placed(plan, file.folder.path, cwd))))
    except OSError as error:
        what = f"the plan cannot be written to {path}: {error.strerror}"
        raise PlanFileBad(what, hint=hint_of(error)) from error


def _written(path: str, plan: Mapping[str, object]) -> bytes:
    content = json.dumps(plan, indent=1, ensure_ascii=False).encode() + b"\n"
    if len(content) > LARGEST_PLAN_BYTES:
        raise PlanFileBad(
            f"the plan takes {len(content) / 1e6:.1f} MB; at most {LARGEST_PLAN_BYTES / 1e6:.0f} MB are read back",
            location=Location(file=path),
            hint="plan a part of it with --select",
        )
    return content


def _placed(plan: Mapping[str, object], folder: str, cwd: str) -> dict[str, object]:
    made_in = os.path.realpath(cwd)
    places = {"made_in": os.path.relpath(made_in, folder), "folder": os.path.basename(made_in)}
    inputs = plan.get("inputs")
    return {**plan, "inputs": {**(inputs if isinstance(inputs, dict) else {}), **places}}


def require_same_service(plan_endpoint: str, endpoint: str) -> None:
    """A plan is applied to the service it was made for. Raises PlanStale otherwise."""
    if plan_endpoint == endpoint:
        return
    if plan_endpoint == "local":
        raise PlanStale(
            "the plan was made with --local, for the embedded Scenario", hint="add --local, or create the plan again"
        )
    raise PlanStale(
        f"the plan was made for {plan_endpoint}, this run is for {endpoint}",
        hint="create the plan again" if endpoint != "local" else "omit --local, or create the plan again",
    )


def saved_plan(plain: Mapping[str, object], path: str) -> Plan:
    """The plan that the file holds, typed and checked. Raises UsageError."""
    from scenario_apply.planning.plan_reader import plan_from_json
    from scenario_apply.review.plan_json import plan_values

    plan = plan_from_json(plain, source=path, is_sealed=True)
    if _texts(plan_values(plan)) != _texts(plain):
        raise UsageError(f"{path} is damaged: the text of a reason is not that of its code", hint="plan again")
    return plan


def _texts(plain: Mapping[str, object]) -> list[object]:
    """The texts of all reasons and notes, which readers see and which nothing else in a plan file confirms."""
    changes = plain["changes"]
    assert isinstance(changes, list)
    return [reason.get("text") for change in changes for key in ("reasons", "notes") for reason in change.get(key, ())]


def settings_of_plan(saved: Plan, settings: Settings) -> Settings:
    """The settings with the manifest and the variables the plan was made with.

    The plan file is not trusted: what it names is only read where the caller put it. Raises PlanFileBad for a manifest
    or variable file elsewhere, UsageError for a --var or --var-file that the plan was not made with, PlanStale for a
    plan of another service.
    """
    plan, source = settings.manifest or "the plan", saved.source
    require_same_service(source.endpoint, settings.endpoint)
    _refuse_variables(plan, settings)
    base = _base(saved, settings)
    manifest = os.path.join(base, source.manifest_path)
    _refuse_manifest_elsewhere(manifest, plan, source.manifest_path, settings)
    given = {os.path.realpath(os.path.join(settings.cwd, name)) for name in settings.var_files}
    files = tuple(_from(base, name, settings.cwd) for name in source.var_files)
    _refuse_variable_files(files, given, manifest, plan, settings)
    return replace(
        settings,
        manifest=_from(base, source.manifest_path, settings.cwd),
        variables=source.variables,
        var_files=files,
    )


def saved_plan_line(saved: Plan, path: str, manifest: str, settings: Settings) -> str:
    """What a plan file contributes to the run, in a sentence: its manifest, variables and options."""
    source = saved.source
    words = [f"--var {name}={value}" for name, value in source.variables.items()]
    words += [f"--var-file {name}" for name in settings.var_files]
    flags = source.flags
    words += [f"--select {name}" for name in flags.select] + [f"--exclude {name}" for name in flags.exclude]
    words += [f"--replace {name}" for name in flags.replace] + [f"--train {name}" for name in flags.train]
    words += ["--destroy"] if flags.destroy else ["--allow-destroy"] if flags.deletes else []
    made_with = f", made with {' '.join(words)}" if words else ""
    return f"{path} was created at {saved.created_at} for {manifest}{made_with}; it is planned again and compared"


def _refuse_variables(plan: str, settings: Settings) -> None:
    """Raises UsageError for a --var: the plan has its own."""
    for name in settings.variables:
        raise UsageError(
            f"--var {name} cannot be combined with a saved plan: {plan} is applied unchanged",
            hint="pass it to scenario-apply plan --out",
        )


def _base(saved: Plan, settings: Settings) -> str:
    """The folder the plan's paths are seen from: here; else the one it was made in; else the one it lies in.

    Raises PlanFileBad, which names the manifest, when it is in none of them.
    """
    plan, source = settings.manifest or "the plan", saved.source
    path, lies_in = source.manifest_path, _folder_of_plan(settings)
    made_in = os.path.normpath(os.path.join(lies_in, source.made_in))
    here = os.path.abspath(settings.cwd)
    for base in (here, made_in, lies_in):
        if _exists(os.path.join(base, path)):
            return base
    raise PlanFileBad(
        f"{plan} was made for {os.path.join(source.folder, path)}, and there is no {path} here nor beside the plan",
        hint="run this in the folder the plan was made in",
    )


def _folder_of_plan(settings: Settings) -> str:
    plan = settings.manifest or "the plan"
    return os.path.dirname(os.path.abspath(os.path.join(settings.cwd, plan)))


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL byte
        return False


def _refuse_manifest_elsewhere(manifest: str, plan: str, path: str, settings: Settings) -> None:
    """Raises PlanFileBad for a manifest outside the folders that the caller named by naming the plan.

    These are the folder the command is run in, the one the plan lies in, and the Git checkout around that one.
    Without a checkout the manifest may also lie in a folder above the plan.
    """
    real = os.path.realpath(manifest)
    lies_in = os.path.realpath(_folder_of_plan(settings))
    checkout = checkout_of(lies_in)
    folder = real if os.path.isdir(real) else os.path.dirname(real)
    near = [os.path.realpath(settings.cwd), lies_in, *([checkout] if checkout is not None else [])]
    is_above = checkout is None and is_within(lies_in, folder)
    if is_above or any(is_within(real, one) for one in near):
        return
    raise PlanFileBad(
        f"{plan} names the manifest {path}, which lies elsewhere: a plan file is not trusted to choose it",
        hint="run this in the folder the manifest lies in, or in one above it",
    )


def _refuse_variable_files(
    files: Iterable[str], given: Collection[str], manifest: str, plan: str, settings: Settings
) -> None:
    """Raises for a variable file outside the manifest's folder, or hidden there, that the command line does not name,
    and for one that only the command line names.
    """
    root = os.path.realpath(manifest if os.path.isdir(manifest) else os.path.dirname(manifest))
    if any("\0" in name for name in files):
        raise PlanFileBad(f"{plan} names a variable file that no file can be")
    named = {os.path.realpath(os.path.join(settings.cwd, name)): name for name in files}
    for name in settings.var_files:
        if os.path.realpath(os.path.join(settings.cwd, name)) not in named:
            raise UsageError(
                f"--var-file {name} cannot be combined with a saved plan: {plan} was made without it",
                hint="pass it to scenario-apply plan --out",
            )
    for real, name in named.items():
        within = os.path.relpath(real, root)
        is_hidden = any(part.startswith(".") for part in within.split(os.sep))
        if real not in given and (is_hidden or not is_within(real, root)):
            raise PlanFileBad(
                f"{plan} reads variables from {name}, which is hidden or outside the manifest's folder: a plan file is "
                "not trusted to choose it",
                hint=f"if that is intended, pass it as well: --var-file {shlex.quote(name)}",
            )


def _from(base: str, path: str, cwd: str) -> str:
    """A path seen from base, as it is named here."""
    whole = os.path.normpath(os.path.join(base, path))
    relative = os.path.relpath(whole, cwd)
    return path if base == os.path.abspath(cwd) else whole if relative.startswith("..") else relative


def refuse_plan_options(asked: Mapping[str, object], path: str) -> None:
    """A saved plan is applied unchanged. Raises UsageError for options that would change it."""
    if asked.get("refresh_only"):
        raise UsageError(
            f"--refresh-only cannot be combined with a saved plan: {path} is applied unchanged",
            hint="name the manifest",
        )
    for name in ("select", "exclude", "replace", "train"):
        if asked.get(name):
            raise UsageError(
                f"--{name.replace('_', '-')} cannot be combined with a saved plan: {path} is applied unchanged",
                hint="pass it to scenario-apply plan --out",
            )
