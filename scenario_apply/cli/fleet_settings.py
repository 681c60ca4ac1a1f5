"""The settings of one manifest of a fleet, on the worker: the command's options, and credentials by their names."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from scenario_apply.cli.settings import Settings, read_settings
from scenario_apply.cli.wiring import NoCredentials
from scenario_apply.fleet.tasks import Task, TaskManifest

_OWN = ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET")
_PROJECT = "SCENARIO_PROJECT_ID"


def settings_of(task: Task, manifest: TaskManifest | None = None) -> Settings:
    """Of a manifest of the task; None: of the task itself. Raises NoCredentials, which names the variables."""
    options = {**task.options, "quiet": True, "lock_timeout": task.lock_timeout_s}
    if task.rate_limit is not None:
        options["rate_limit"] = task.rate_limit
    if manifest is not None:
        options |= {"manifest": manifest.path, "state": manifest.state}
        # an option of the command line stands over the fleet file
        options["var"] = list(({**manifest.variables, **dict(task.options.get("var") or ())}).items())
    return read_settings(argparse.Namespace(**options), environment_of_task(task, os.environ), cwd=task.cwd)


def environment_of_task(task: Task, here: Mapping[str, str]) -> Mapping[str, str]:
    """The worker's environment with the project, its endpoint, and its credentials under their usual names."""
    found = {name: value for name, value in here.items() if name not in _OWN}
    if task.project is not None:
        found[_PROJECT] = task.project
    if not task.options.get("local"):
        found["SCENARIO_BASE_URL"] = task.endpoint
        for name, source in ((_OWN[0], task.key), (_OWN[2], task.secret)):
            value = _value_of(source, here)
            if value:
                found[name] = value
    return found


def _value_of(name: str, here: Mapping[str, str]) -> str | None:
    """A variable; of the usual names, also the second name that the official SDK knows."""
    other = {_OWN[0]: _OWN[1], _OWN[2]: _OWN[3]}.get(name)
    return here.get(name) or (here.get(other) if other is not None else None)


def require_names(task: Task) -> None:
    """Raises NoCredentials when a variable of the task is not set here."""
    if task.options.get("local"):
        return
    missing = [name for name in (task.key, task.secret) if not _value_of(name, os.environ)]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise NoCredentials(
            f"no credentials for {task.name}: {' and '.join(missing)} {are} not set",
            hint="set them where the fleet runs its tasks, or name others under `credentials:` in the fleet file",
        )
