"""apply --plan-of: whether a saved plan was made from one manifest, with the options given here and no others.

A plan file says with which variables, variable files and selection it was made. To replace the file is to choose
them: what is applied is then a true plan, but another one than was reviewed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scenario_apply.cli.plan_request import plan_options
from scenario_apply.cli.saved_plans import PlanFileBad
from scenario_apply.manifest.loader.load import default_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan


def require_origin(call: Invocation, saved: Plan, settings: Settings) -> None:
    """settings: with the plan's manifest and variables. Raises PlanFileBad for a plan that was made otherwise."""
    if found := list(_differences(call, saved, settings)):
        plan = call.settings.manifest or "the plan"
        raise PlanFileBad(
            f"{plan} was made otherwise than --plan-of allows: {', '.join(found)}",
            hint="pass the options that it was made with here, too, or create the plan again",
        )


def _differences(call: Invocation, saved: Plan, settings: Settings) -> Iterator[str]:
    given, source, wanted = call.settings, saved.source, plan_options(call)
    named = call.arguments.plan_of or default_manifest(given.cwd)
    if named is None or _place(settings.manifest, given) != _place(named, given):
        yield f"for the manifest {source.manifest_path}"
    if dict(settings.variables) != dict(given.variables):
        yield "with other values of --var"
    if [_place(name, given) for name in settings.var_files] != [_place(name, given) for name in given.var_files]:
        yield "with other variable files"
    for option in ("select", "exclude", "replace", "train"):
        if sorted(map(str, getattr(source.flags, option))) != sorted(map(str, getattr(wanted, option))):
            yield f"with another --{option}"
    if source.flags.destroy:
        yield "with --destroy"


def _place(name: str | None, settings: Settings) -> str:
    return os.path.realpath(os.path.join(settings.cwd, name or ""))
