"""Paths of diagnostics as other programs resolve them: relative to the checkout, not to the working directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from scenario_apply.cli.settings import Settings
from scenario_apply.errors import Diagnostic


def in_checkout(problems: Iterable[Diagnostic], settings: Settings) -> list[Diagnostic]:
    """The same problems; files relative to GITHUB_WORKSPACE where the command runs in it, else to where it runs."""
    here = os.path.abspath(settings.cwd)
    workspace = settings.environment.get("GITHUB_WORKSPACE") or here
    top = workspace if os.path.commonpath([here, os.path.abspath(workspace)]) == os.path.abspath(workspace) else here

    def moved(file: str) -> str:
        return os.path.relpath(os.path.join(here, file), top).replace(os.sep, "/")

    return [
        problem
        if problem.location is None
        else replace(problem, location=replace(problem.location, file=moved(problem.location.file)))
        for problem in problems
    ]
