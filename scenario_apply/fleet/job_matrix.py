"""The jobs that a CI system makes of a fleet: GitHub's job matrix, with names of variables and no value of one."""

from __future__ import annotations

import json
import os
import re
import shlex

from scenario_apply.fleet.projects import Fleet, FleetManifest, FleetProject
from scenario_apply.fleet.tasks import Plain
from scenario_apply.manifest.yaml.source_bytes import LARGEST_FILE_BYTES

MOST_JOBS = 256
"""Of one matrix. Source: GitHub's documentation of workflows, "Using a matrix"."""
_PROJECT = re.compile(rb"^project\s*:\s*\S", re.MULTILINE)


def job_matrix(fleet: Fleet, cwd: str, *, by_project: bool = False) -> list[Plain]:
    """A job for each manifest, or for each project. Paths as a command in cwd would name them.

    args: what to write after `scenario-apply plan` or `apply`, by project after `scenario-apply fleet plan`.
    """
    jobs: list[Plain] = []
    for project in fleet.projects:
        common: Plain = {
            "project": project.project,
            "name": project.name,
            "endpoint": project.endpoint,
            "key": project.credentials.key,
            "secret": project.credentials.secret,
        }
        if by_project:
            paths = [_shown(fleet, manifest, cwd) for manifest in project.manifests]
            jobs.append({**common, "manifests": paths, "args": shlex.join([fleet.path, f"--project={project.name}"])})
            continue
        for manifest in project.manifests:
            path = _shown(fleet, manifest, cwd)
            jobs.append({**common, "manifest": path, "args": _arguments(fleet, project, manifest, path, cwd)})
    return jobs


def without_project(fleet: Fleet, cwd: str) -> list[str]:
    """Manifests that name no project, where the fleet file does: a job of their own would use that of the key."""
    return [
        _shown(fleet, manifest, cwd)
        for project in fleet.projects
        if project.project is not None
        for manifest in project.manifests
        if not any(map(_names_project, _files(os.path.join(fleet.root, manifest.path))))
    ]


def _files(path: str) -> list[str]:
    """Of a manifest: itself, or what lies in its folder. Nothing that could block a reader."""
    found = [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else [path]
    return [one for one in found if os.path.isfile(one)]


def _names_project(path: str) -> bool:
    """By a line of its own. What cannot be read names none."""
    try:
        with open(path, "rb") as file:
            return _PROJECT.search(file.read(LARGEST_FILE_BYTES)) is not None
    except OSError:
        return False


def _arguments(fleet: Fleet, project: FleetProject, manifest: FleetManifest, path: str, cwd: str) -> str:
    words = [path]
    words += [f"--var={key}={value}" for key, value in manifest.variables.items()]
    state = state_of(fleet, manifest, cwd)
    words += [f"--state={state}"] if state is not None else []
    words += [f"--rate-limit={project.rate_limit}"] if project.rate_limit is not None else []
    return shlex.join(words)


def _shown(fleet: Fleet, manifest: FleetManifest, cwd: str) -> str:
    return shown_path(os.path.join(fleet.root, manifest.path), cwd)


def shown_path(path: str, cwd: str) -> str:
    """A path as it would be typed in cwd. None begins with a dash, which a command would take for an option."""
    relative = os.path.relpath(path, cwd)
    if relative.startswith("-"):
        return os.path.join(os.curdir, relative)
    return path if relative.startswith("..") else relative


def state_of(fleet: Fleet, manifest: FleetManifest, cwd: str) -> str | None:
    """Where a manifest's state is, as it would be typed in cwd; None: beside the manifest."""
    if manifest.state is None or "://" in manifest.state:
        return manifest.state
    return shown_path(os.path.join(fleet.root, manifest.state), cwd)


def matrix_json(jobs: list[Plain], *, indent: bool = False) -> str:
    """On one line, as `echo "matrix=$(…)" >> "$GITHUB_OUTPUT"` needs it."""
    text = json.dumps({"include": jobs}, ensure_ascii=False, indent=2 if indent else None)
    return text + "\n"
