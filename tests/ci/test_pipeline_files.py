"""Workflows, Action, GitLab template and hooks: shape, pinned actions, few permissions, no injection."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scenario_apply.cli.command_table import MODULES
from scenario_apply.cli.main import load, parser_of
from tests.ci.action_runner import ACTION, REPOSITORY

PROJECT = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
EXAMPLES = [REPOSITORY / "docs" / "gitops" / name for name in ("plan.yml", "apply.yml", "validate.yml")]
WORKFLOWS = [*PROJECT, *EXAMPLES]
TEMPLATE = REPOSITORY / "docs" / "gitops" / "gitlab-ci.yml"
SCRIPTS = sorted((REPOSITORY / ".github" / "action").glob("*.sh"))


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def workflow(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.BaseLoader)  # `on` stays text


def steps(path: Path) -> Iterator[dict[str, Any]]:
    if path.name == "action.yml":
        yield from ACTION["runs"]["steps"]
    else:
        for job in workflow(path)["jobs"].values():
            yield from job["steps"]


@pytest.mark.parametrize("path", [*WORKFLOWS, REPOSITORY / "action.yml"], ids=named)
def test_expressions_are_never_part_of_a_script(path: Path) -> None:
    """What GitHub fills in may be text of a pull request: it reaches a shell through the environment only."""
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step
    assert path.name == "action.yml" or not {"pull_request_target", "workflow_run"} & set(workflow(path)["on"])


@pytest.mark.parametrize("path", [*WORKFLOWS, REPOSITORY / "action.yml"], ids=named)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """With the version beside it, which dependabot keeps current. OWNER and COMMIT are for the reader to fill in."""
    for line in re.findall(r"uses: (.*)", path.read_text()):
        assert re.fullmatch(r"[\w-]+/[\w.-]+@([0-9a-f]{40}|COMMIT) # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_permissions_are_few_and_checkouts_keep_no_credentials(path: Path) -> None:
    document = workflow(path)
    assert document["permissions"] in ({}, "{}", {"contents": "read"})
    for job in document["jobs"].values():
        granted = job.get("permissions", {})
        assert "pull_request" not in document["on"] or granted.get("contents", "read") == "read"
        assert "timeout-minutes" in job
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_only_jobs_that_write_the_state_may_write_and_they_are_one_at_a_time() -> None:
    for job in workflow(EXAMPLES[1])["jobs"].values():
        (used,) = [step["with"] for step in job["steps"] if "scenario-apply@" in step.get("uses", "")]
        writes = used["command"] in ("apply", "resume")
        assert (job["permissions"]["contents"] == "write") == writes
        assert ("concurrency" in job) == writes
        assert set(used) <= set(ACTION["inputs"])
        assert not writes or job["concurrency"] == {"group": "scenario-apply", "cancel-in-progress": "false"}


def test_every_input_of_the_action_is_used_and_every_variable_of_a_script_is_given() -> None:
    """A variable that a step does not pass would end its script, which runs with `set -u`."""
    text = (REPOSITORY / "action.yml").read_text()
    for name in ACTION["inputs"]:
        assert re.search(rf"inputs\.{name}\b", text), name
    for step in ACTION["runs"]["steps"]:
        if "uses" in step:
            continue
        script = re.findall(r"action/(\w+)\.sh", step["run"])
        assert len(script) == 1
        body = (REPOSITORY / f".github/action/{script[0]}.sh").read_text()
        assert set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", step["run"])) <= set(step["env"])
        runner = ("GITHUB_", "RUNNER_", "BASH_", "SCENARIO_", "GIT_", "PUSH_WAIT")
        for name in set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", body)):
            assert name in step["env"] or name.startswith(runner) or f"{name}=" in body, (script, name)
        assert {"COMMAND", "NAME"} <= set(step["env"])


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_scripts_are_bash_and_evaluate_nothing(path: Path) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert not re.search(r"\beval\b|\bbash -c\b|\bsh -c\b", path.read_text())


def test_the_action_installs_what_the_lock_file_holds() -> None:
    """Each package with hashes, in the version that the tests run on; `make lock` writes both."""
    pinned = re.compile(r"(?m)^([a-z0-9][a-z0-9.-]*)==(\S+)")
    lock = dict(pinned.findall((REPOSITORY / "requirements.lock").read_text()))
    text = (REPOSITORY / ".github/action/requirements.txt").read_text()
    installed = dict(pinned.findall(text))
    assert {name: lock.get(name) for name in installed} == installed
    assert {"pyyaml", "requests", "jinja2", "pillow", "msgspec"} <= set(installed)
    assert "pytest" not in installed
    assert text.count("--hash=sha256:") > len(installed)


# -- the commands in the files are commands of the tool


def command_lines(text: str) -> Iterator[list[str]]:
    for line in re.sub(r" \\\n *", " ", text).splitlines():
        for found in re.findall(r"scenario-apply ((?:plan|apply|ci|validate|captions) [^|;&>#]*)", line):
            yield [word.strip("'\"") for word in re.findall(r'"[^"]*"|\S+', found) if not word.startswith("$")]


def test_the_commands_of_template_and_hooks_exist() -> None:
    """Each is parsed by the tool's own parser."""
    hooks = (REPOSITORY / ".pre-commit-hooks.yaml").read_text()
    entries = "\n".join(re.findall(r"entry: (.*)", hooks)) + "\n"
    lines = [*command_lines(TEMPLATE.read_text()), *command_lines(entries + " ")]
    assert len(lines) > 8
    for words in lines:
        name = next(" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in MODULES)
        parser_of(name, load(name)).read(words[len(name.split()) :])


def test_hooks_are_those_of_the_documentation() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    page = (REPOSITORY / "docs" / "gitops.md").read_text()
    for hook in hooks:
        assert hook["id"] in page
        assert hook["language"] == "python"
        assert hook["pass_filenames"] is False
    files = re.compile(hooks[0]["files"])
    assert files.search("kael/01.PNG")
    assert not files.search("README.md")


# -- the schemas of the hosts


def builtin(name: str) -> Any:
    folder = pytest.importorskip("check_jsonschema", reason="check-jsonschema ships the schemas").__path__[0]
    return json.loads((Path(folder) / "builtin_schemas" / "vendor" / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("github-workflows", path) for path in WORKFLOWS),
        ("github-actions", REPOSITORY / "action.yml"),
        ("dependabot", REPOSITORY / ".github" / "dependabot.yml"),
    ],
    ids=lambda value: named(value) if isinstance(value, Path) else value,
)
def test_files_have_the_shape_that_github_reads(schema: str, path: Path) -> None:
    document = json.loads(json.dumps(yaml.safe_load(path.read_text())))  # `on` is read as true
    if "true" in document:
        document["on"] = document.pop("true")
    jsonschema.validate(document, builtin(schema))


class _Loader(yaml.SafeLoader):
    """With GitLab's `!reference [job, script]`, which becomes one line."""


_Loader.add_constructor("!reference", lambda loader, node: "a script of another job")


def test_the_template_has_the_shape_that_gitlab_reads() -> None:
    jsonschema.validate(yaml.load(TEMPLATE.read_text(), _Loader), builtin("gitlab-ci"))
