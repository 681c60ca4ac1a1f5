"""A project with trained models on the embedded Scenario, and plan files of it that are edited and sealed again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.model.codec import fitted
from scenario_apply.planning.plan_document import PlanDocument
from scenario_apply.planning.plan_format import plan_to_json, sealed
from scenario_apply.planning.plan_reader import _plan
from tests.test_request_counts import kind_of

MODELS = {
    "kael": "{ name: Kael, type: flux.1-lora, dataset: ./kael, parameters: { nbEpochs: 8 } }",
    "other": "{ name: Other, type: flux.1-lora, dataset: ./other }",
    "old": "{ name: Old, type: flux.1-lora, dataset: ./other }",
}
SUMS = ("applyable", "complete", "errored", "summary", "requests", "cost")

Plain = dict[str, Any]
Forgery = Callable[[Plain], object]


def write_manifest(models: Mapping[str, str], *more: str, file: str = "scenario.yaml") -> None:
    lines = ["version: 1", *more, "models:", *(f"  {name}: {spec}" for name, spec in models.items())]
    Path(file).write_text("\n".join(lines) + "\n")


@contextmanager
def trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """Three trained models in folder, where every command runs from then on."""
    for number, name in enumerate(("kael", "other")):
        (folder / name).mkdir(parents=True)
        draw(folder / name / "01.jpg", 10 * number + 41)
        draw(folder / name / "02.jpg", 10 * number + 42)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    write_manifest(MODELS)
    with EmulatorThread(manual_options(clock="real", training_s=0.05, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        assert run("apply --auto-approve -q") == 0
        yield emulator


def draw(path: Path, noise: int) -> None:
    """A picture, and its caption beside it."""
    Image.effect_noise((1024, 1024), noise).convert("RGB").save(path)
    path.with_suffix(".txt").write_text(f"picture {path.stem} of {path.parent.name}")


def run(line: str) -> int:
    words = shlex.split(line)
    fast = ["--rate-limit=0"] if words[0] in ("plan", "apply", "destroy") else []
    fast += ["--poll-interval=0.02"] if words[0] == "apply" else []
    return main([*words, *fast])


def edited(change: Forgery, file: str = "p.json", *, sums: bool = True) -> None:
    """Change a plan file as an attacker would: everything that follows from the rest, and the digest, fit again."""
    path = Path(file)
    plain: Plain = json.loads(path.read_text())
    change(plain)
    if sums:
        told = plan_to_json(_plan(fitted(plain, PlanDocument)))
        plain |= {key: told[key] for key in SUMS}
    path.write_text(json.dumps(sealed(plain)))


def writes(service: EmulatorThread) -> list[str]:
    """What was asked of the service that changes something there."""
    return [kind for request in service.requests if (kind := kind_of(request)) is not None]


def rename_on_service(service: EmulatorThread, name: str, new: str) -> None:
    """What a colleague does in the web app."""
    model = json.loads(Path("state/scenario.json").read_text())["resources"][f"model.{name}"]["current"]["id"]
    answer = requests.put(f"{service.url}/models/{model}", json={"name": new}, auth=("key", "secret"), timeout=10)
    assert answer.status_code == 200, answer.text
    service.clear_requests()


def step_of(plan: Plain, kind: str) -> Plain:
    return next(step for step in plan["steps"] if step["kind"] == kind)


def change_of(plan: Plain, address: str) -> Plain:
    return next(change for change in plan["changes"] if change["address"] == address)


def with_step(plan: Plain, step: Plain) -> None:
    """The plan with one more step, as part of its resource's change."""
    plan["steps"].append({"after": [], **step})
    change = change_of(plan, step["address"])
    change["steps"].append(step["id"])
    change["requests"] += 1


def without_steps(plan: Plain, *kinds: str) -> None:
    """The plan without its steps of some kinds, nobody waiting for them."""
    gone = {step["id"] for step in plan["steps"] if step["kind"] in kinds}
    plan["steps"] = [step for step in plan["steps"] if step["id"] not in gone]
    for step in plan["steps"]:
        step["after"] = [one for one in step["after"] if one not in gone]
    for change in plan["changes"]:
        change["requests"] -= sum(one in gone and "wait" not in kinds for one in change["steps"])
        change["steps"] = [one for one in change["steps"] if one not in gone]
