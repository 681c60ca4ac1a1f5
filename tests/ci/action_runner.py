"""Runs a composite action as GitHub's runner does: conditions, expressions, environment, outputs; `uses` is recorded.

Only the expressions that action.yml has are known: paths such as inputs.name, ==, !=, &&, ||, always(). Anything else
fails the test that meets it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ACTION: Mapping[str, Any] = yaml.safe_load((REPOSITORY / "action.yml").read_text())

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_TOKEN = re.compile(r"\s*('(?:[^']*)'|==|!=|&&|\|\||[()]|[A-Za-z_][\w.-]*)")
_PYTHON = {"&&": " and ", "||": " or ", "==": "==", "!=": "!=", "(": "(", ")": ")"}


@dataclass
class Run:
    """github: values of the context github. artifacts: folder by name. steps: the names of those that ran, in order."""

    home: Path
    github: Mapping[str, Any]
    environment: Mapping[str, str]
    artifacts: dict[str, Path] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    log: str = ""
    failed: bool = False

    @property
    def summary(self) -> str:
        path = self.home / "summary.md"
        return path.read_text() if path.exists() else ""

    def act(self, **inputs: str) -> Run:
        """Run all steps, with the defaults of inputs that are not given."""
        given = {name: str(_filled(one.get("default", ""), self, {})) for name, one in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        for step in ACTION["runs"]["steps"]:
            condition = step.get("if", "true")
            if (self.failed and "always()" not in condition) or not _value(condition, self, given):
                continue
            self.steps.append(step["name"])
            key = step.get("id", "")
            values = {name: str(_filled(text, self, given)) for name, text in step.get("env", {}).items()}
            if "uses" in step:
                options = {name: str(_filled(text, self, given)) for name, text in step["with"].items()}
                self.outputs[key] = self._used(step["uses"].partition("@")[0], options)
            else:
                self.failed |= self._ran(step["run"], values, key) != 0
        return self

    def _ran(self, script: str, values: Mapping[str, str], key: str) -> int:
        assert "${{" not in script
        output = self.home / "output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.home / "workspace",
            env={**self.environment, **values, "GITHUB_OUTPUT": str(output)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.log += done.stdout + done.stderr
        self.outputs[key] = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode

    def _used(self, action: str, options: Mapping[str, str]) -> dict[str, str]:
        if action == "actions/upload-artifact":
            kept = self.home / "artifacts" / options["name"]
            kept.mkdir(parents=True, exist_ok=True)
            path = Path(options["path"])
            if path.is_dir():
                shutil.copytree(path, kept, dirs_exist_ok=True)
            else:
                shutil.copy(path, kept)
            self.artifacts[options["name"]] = kept
            return {"artifact-url": f"https://host.test/artifacts/{options['name']}"}
        assert action == "actions/download-artifact"
        name = options.get("name") or f"scenario-plan-{self.github['name']}"
        shutil.copytree(self.artifacts[name], options["path"])
        return {}


def _filled(text: object, run: Run, inputs: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: str(_value(match[1], run, inputs)), str(text))


def _value(expression: str, run: Run, inputs: Mapping[str, str]) -> Any:
    at, parts = 0, []
    while at < len(expression.rstrip()):
        match = _TOKEN.match(expression, at)
        assert match is not None, expression[at:]
        token, at = match[1], match.end()
        if token in _PYTHON:
            parts.append(_PYTHON[token])
        elif token.startswith("'"):
            parts.append(repr(token[1:-1]))
        elif token in ("true", "always"):
            parts.append("True" if token == "true" else "bool")
        else:
            parts.append(repr(_looked_up(token, run, inputs)))
    return eval("".join(parts).replace("bool()", "True"))  # of the names and signs above


def _looked_up(path: str, run: Run, inputs: Mapping[str, str]) -> Any:
    subject, *rest = path.split(".")
    if subject == "inputs":
        assert rest[0] in ACTION["inputs"], path
        return inputs[rest[0]]
    if subject == "steps":
        assert rest[0] in {step.get("id") for step in ACTION["runs"]["steps"]}, path
        return run.outputs.get(rest[0], {}).get(rest[2], "")
    if path == "runner.temp":
        return str(run.home / "temp")
    assert subject == "github", path
    value: Any = run.github
    for key in rest:
        value = value.get(key, "") if isinstance(value, Mapping) else ""
    return value


def environment_of(home: Path, server: Path, api: str, event: str) -> dict[str, str]:
    """What the runner sets. The tool is that of this checkout, with this interpreter."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api,
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(home / "event.json"),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "77",
        "GITHUB_SERVER_URL": f"file://{server}",
        "GITHUB_SHA": "c" * 40,
        "GITHUB_STEP_SUMMARY": str(home / "summary.md"),
        "GITHUB_WORKSPACE": str(home / "workspace"),
        "PUSH_WAIT": "0",
        "RUNNER_TEMP": str(home / "temp"),
    }
