"""Saved plans on disk: what plan --out writes and apply FILE reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.core.plan import PLAN_FORMAT_VERSION
from scenario_apply.core.plan_file import sealed
from scenario_apply.errors import Place, PlanStale, ScenarioApplyError, UsageError

if TYPE_CHECKING:
    from scenario_apply.faces.settings import Settings


class PlanFileBad(ScenarioApplyError):
    """A file that is no plan this release can carry out, or a place where none can be written."""

    code = "plan-file"


def read_saved_plan(path: str, cwd: str) -> Mapping[str, object] | None:
    """The plan in that file, as plain values; None when the file is no saved plan but, say, a manifest."""
    whole = os.path.join(cwd, path)
    if not os.path.isfile(whole):
        return None
    with open(whole, "rb") as file:
        if not file.read(256).lstrip().startswith(b"{"):
            return None
        file.seek(0)
        content = file.read()
    try:
        value = json.loads(content)
    except ValueError as error:
        if path.endswith(".json"):
            raise PlanFileBad(f"{path} is damaged: {error}", where=Place(file=path), mend="make it anew") from error
        return None
    if not isinstance(value, dict) or "format_version" not in value:
        return None
    if "lineage" in value and "changes" not in value:
        raise PlanFileBad(f"{path} is a state, not a plan", mend="scenario-apply plan --out FILE writes a plan")
    major = str(value["format_version"]).split(".")[0]
    if major != PLAN_FORMAT_VERSION.split(".")[0]:
        raise PlanFileBad(
            f"{path} has format {value['format_version']}, this tool reads {PLAN_FORMAT_VERSION}",
            mend="make the plan anew with this scenario-apply",
        )
    return value


def write_saved_plan(path: str, cwd: str, plan: Mapping[str, object], root: str | None = None) -> None:
    """Write a plan, whole or not at all; readable by its owner only, since captions may be private.

    It says from where it was made, seen from where it lies, so that its manifest is found again from any folder.
    A device or a pipe is written to as it is. root: the manifest's folder, below which no link is followed.
    """
    from scenario_apply.effects.files.own_files import hint_of
    from scenario_apply.effects.state.atomic import write_atomically
    from scenario_apply.faces.named_files import named_file, open_stream

    try:
        stream = open_stream(path, cwd, root)
        if stream is not None:
            with stream:
                stream.write(_plan_text(plan, os.path.realpath(cwd), cwd))
            return
        file = named_file(path, cwd, root)
        with file.folder.opened():  # a folder that is missing is not made
            pass
        write_atomically(file.folder, file.name, _plan_text(plan, file.folder.path, cwd).encode())
    except OSError as error:
        what = f"the plan cannot be written to {path}: {error.strerror}"
        raise PlanFileBad(what, mend=hint_of(error)) from error


def _plan_text(plan: Mapping[str, object], folder: str, cwd: str) -> str:
    return json.dumps(sealed(_placed(plan, folder, cwd)), indent=1, ensure_ascii=False) + "\n"


def _placed(plan: Mapping[str, object], folder: str, cwd: str) -> dict[str, object]:
    made_in = os.path.realpath(cwd)
    places = {"made_in": os.path.relpath(made_in, folder), "folder": os.path.basename(made_in)}
    inputs = plan.get("inputs")
    return {**plan, "inputs": {**(inputs if isinstance(inputs, dict) else {}), **places}}


def require_same_service(plan_endpoint: str, endpoint: str) -> None:
    """A plan is carried out where it was made. Raises PlanStale."""
    if plan_endpoint == endpoint:
        return
    if plan_endpoint == "local":
        raise PlanStale("the plan was made with --local, for the embedded Scenario", mend="add --local, or plan anew")
    raise PlanStale(
        f"the plan was made for {plan_endpoint}, this run is for {endpoint}",
        mend="plan anew" if endpoint != "local" else "leave --local out, or plan anew",
    )


def settings_of_plan(saved: Mapping[str, object], settings: Settings) -> Settings:
    """The settings with the manifest and the variables the plan was made with."""
    manifest = saved.get("manifest")
    inputs = saved.get("inputs")
    path = manifest.get("path") if isinstance(manifest, dict) else None
    given = inputs if isinstance(inputs, dict) else {}
    if not isinstance(path, str):
        raise PlanFileBad("the plan does not say which manifest it was made from", mend="make the plan anew")
    require_same_service(str(saved.get("endpoint")), settings.endpoint)
    base = _base(path, given, settings)
    return replace(
        settings,
        manifest=_from(base, path, settings.cwd),
        variables={**given.get("variables", {})},
        var_files=tuple(_from(base, str(name), settings.cwd) for name in given.get("var_files", ())),
    )


def _base(path: str, given: Mapping[str, object], settings: Settings) -> str:
    """The folder the plan's paths are seen from: here; else the one it was made in; else the one it lies in.

    Raises PlanFileBad, which names the manifest, when it is in none of them.
    """
    plan = settings.manifest or "the plan"
    lies_in = os.path.dirname(os.path.abspath(os.path.join(settings.cwd, plan)))
    made_in = os.path.normpath(os.path.join(lies_in, str(given.get("made_in") or ".")))
    here = os.path.abspath(settings.cwd)
    for base in (here, made_in, lies_in):
        if os.path.exists(os.path.join(base, path)):
            return base
    made_for = os.path.join(str(given.get("folder") or ""), path)
    raise PlanFileBad(
        f"{plan} was made for {made_for}, and there is no {path} here nor beside the plan",
        mend="run this in the folder the plan was made in",
    )


def _from(base: str, path: str, cwd: str) -> str:
    """A path seen from base, as it is named here."""
    whole = os.path.normpath(os.path.join(base, path))
    relative = os.path.relpath(whole, cwd)
    return path if base == os.path.abspath(cwd) else whole if relative.startswith("..") else relative


def refuse_other_wishes(asked: Mapping[str, object], path: str) -> None:
    """A saved plan is carried out as it is. Raises UsageError for options that would make it another one."""
    for name in ("var", "var_file", "select", "exclude", "replace", "train", "adopt"):
        if asked.get(name):
            raise UsageError(
                f"--{name.replace('_', '-')} does not go with a saved plan: {path} is carried out as it was made",
                mend="give it to scenario-apply plan --out",
            )
