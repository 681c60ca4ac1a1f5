"""A plan file is not trusted: one that says anything else than planning does is refused before the first write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.saving import (
    MODELS,
    Forgery,
    Plain,
    change_of,
    draw,
    edited,
    run,
    step_of,
    trained,
    with_step,
    without_steps,
    write_manifest,
    writes,
)


@pytest.fixture(scope="module")
def patches() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, patches: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """Three trained models, and a plan that replaces kael: other epochs, a new picture, and one more caption."""
    home = tmp_path_factory.mktemp("forged") / "home"
    with trained(home, patches) as emulator:
        changed = {name: MODELS[name].replace("8", "9") for name in ("kael", "other")}
        write_manifest(changed, "variables: { note: { default: none } }")
        Path("kael/01.txt").write_text("another caption")
        draw(Path("kael/03.jpg"), 60)
        Path("../secret.jpg").write_bytes(Path("kael/02.jpg").read_bytes() + b"\0")
        write_manifest(MODELS, file="../other.yaml")
        Path("more.txt").write_text("note: something")
        Path("../outside.yaml").write_text("note: something")
        Path(".hidden.yaml").write_text("note: something")
        assert run("plan --allow-destroy --out made.json") == 0
        yield emulator


@pytest.fixture(autouse=True)
def plan_file(service: EmulatorThread) -> None:
    Path("p.json").write_bytes(Path("made.json").read_bytes())
    service.clear_requests()


def state() -> Plain:
    found: Plain = json.loads(Path("state/scenario.json").read_text())
    return found


def id_of(name: str) -> str:
    found: str = state()["resources"][f"model.{name}"]["current"]["id"]
    return found


def delete_of(name: str, *, of: str = "kael") -> Plain:
    return {"id": "x1", "kind": "delete", "address": f"model.{of}", "model_id": id_of(name), "number": 1}


def deletes_other_openly(plan: Plain) -> None:
    with_step(plan, delete_of("other", of="other"))
    change_of(plan, "model.other").update(action="delete")


FORGERIES: dict[str, Forgery] = {
    "a delete under a harmless change": lambda p: with_step(p, delete_of("other")),
    "a delete of its own": deletes_other_openly,
    "a delete of another model": lambda p: step_of(p, "delete").update(model_id=id_of("other")),
    "a delete of a model nobody knows": lambda p: step_of(p, "delete").update(model_id="model_of_a_colleague"),
    "a detach": lambda p: with_step(
        p, {"id": "x", "kind": "detach", "address": "model.other", "asset_id": "asset_1", "path": "01.jpg"}
    ),
    "a picture from outside": lambda p: step_of(p, "upload")["picture"].update(file="../secret.jpg"),
    "a picture from a root": lambda p: step_of(p, "upload")["picture"].update(file="/etc/hostname"),
    "another picture": lambda p: step_of(p, "upload")["picture"].update(file="kael/02.jpg"),
    "another digest": lambda p: step_of(p, "upload")["picture"].update(sha256="ab" * 32),
    "another way": lambda p: step_of(p, "upload").update(way="multipart"),
    "another caption": lambda p: step_of(p, "caption").update(caption="KAEL, forged"),
    "other parameters": lambda p: step_of(p, "train")["parameters"].update(nbEpochs=90),
    "another dataset": lambda p: step_of(p, "train").update(dataset="sha256:00"),
    "another name": lambda p: step_of(p, "create").update(name="Forged"),
    "another type": lambda p: step_of(p, "create").update(type="flux.1-kontext-lora"),
    "another number": lambda p: step_of(p, "create").update(number=9),
    "unprotected": lambda p: step_of(p, "create").update(protected=True),
    "a description": lambda p: step_of(p, "create").update(description="forged"),
    "an update": lambda p: with_step(p, {"id": "x", "kind": "update", "address": "model.other", "name": "Forged"}),
    "a tag": lambda p: with_step(
        p, {"id": "x", "kind": "tag", "address": "model.other", "add": ["forged"], "delete": []}
    ),
    "another asset": lambda p: step_of(p, "attach")["images"][0].update(asset={"id": "asset_1", "step": None}),
    "no training": lambda p: without_steps(p, "train"),
    "no waiting": lambda p: without_steps(p, "wait"),
    "no delete": lambda p: without_steps(p, "delete"),
    "no steps": lambda p: without_steps(
        p, "create", "upload", "attach", "caption", "train", "wait", "delete", "detach", "tag"
    ),
    "no order": lambda p: [step.update(after=[]) for step in p["steps"]],
    "one edge less": lambda p: step_of(p, "train")["after"].pop(),
    "another action": lambda p: change_of(p, "model.kael").update(action="update"),
    "no change": lambda p: change_of(p, "model.old").update(action="none"),
    "another reason": lambda p: change_of(p, "model.kael").update(
        reasons=[{"code": "name-changed", "old": "Kael", "new": "K", "text": 'name "Kael" -> "K"'}]
    ),
    "another note": lambda p: change_of(p, "model.kael").update(
        notes=[{"code": "not-selected", "text": "not selected"}]
    ),
    "another text of a reason": lambda p: change_of(p, "model.kael")["reasons"][0].update(text="nothing much"),
    "another caption shown": lambda p: change_of(p, "model.kael")["captions"]["change"][0].update(after="harmless"),
    "no caption shown": lambda p: change_of(p, "model.kael").update(captions={}),
    "another value before": lambda p: change_of(p, "model.kael").update(before={"name": "Kael"}),
    "another value after": lambda p: change_of(p, "model.kael")["after"].update(parameters={}),
    "another class": lambda p: change_of(p, "model.kael").update({"class": "free"}),
    "other arithmetic": lambda p: change_of(p, "model.kael").update(arithmetic="1 step"),
    "fewer images": lambda p: change_of(p, "model.kael").update(image_count=0),
    "a resource left out": lambda p: p.update(changes=[c for c in p["changes"] if c["address"] != "model.other"]),
    "a cheaper quote": lambda p: change_of(p, "model.kael").update(cost={"cu": 1, "source": "quoted"}),
    "no cost": lambda p: change_of(p, "model.kael").update(cost={"cu": 0, "source": "none"}),
    "a record forgotten": lambda p: change_of(p, "model.other").update(edit={"forget": True}),
    "a record moved": lambda p: change_of(p, "model.other").update(edit={"moved_from": "model.old"}),
    "a record revived": lambda p: change_of(p, "model.kael").update(edit={"revive": 1}),
    "a record of its own": lambda p: change_of(p, "model.kael").update(
        edit={"record": state()["resources"]["model.other"]}
    ),
    "a protection lifted": lambda p: change_of(p, "model.kael").update(edit={"protect": False}),
    "a replacement given up": lambda p: change_of(p, "model.kael").update(edit={"discard_pending": True}),
    "a model gone": lambda p: change_of(p, "model.kael").update(edit={"gone": True}),
    "something withheld": lambda p: p.update(withheld=["model.other"]),
    "destroy": lambda p: p["inputs"]["options"].update(destroy=True),
    "no consent when it was made": lambda p: p["inputs"].update(options={}),
    "a replacement asked for": lambda p: p["inputs"]["options"].update(replace=["model.other"]),
    "a selection": lambda p: p["inputs"]["options"].update(select=["model.other"]),
    "a resource that is not declared": lambda p: p["inputs"]["options"].update(replace=["model.nobody"]),
    "another project": lambda p: p.update(project="theirs"),
    "another endpoint": lambda p: p.update(endpoint="https://elsewhere.test/v1"),
    "another state": lambda p: p["state"].update(lineage="5b7c"),
    "an older state": lambda p: p["state"].update(serial=0),
    "another manifest": lambda p: p["manifest"].update(path="../other.yaml"),
    "a manifest by its whole path": lambda p: p["manifest"].update(path=os.path.abspath("../other.yaml")),
    "another manifest digest": lambda p: p["manifest"].update(digest="sha256:00"),
    "another folder": lambda p: (p["manifest"].update(path="other.yaml"), p["inputs"].update(made_in="..")),
    "a variable": lambda p: p["inputs"].update(variables={"note": "forged"}),
    "a variable nobody declared": lambda p: p["inputs"].update(variables={"forged": "1"}),
    "a variable file": lambda p: p["inputs"].update(var_files=["more.txt"]),
    "a variable file outside": lambda p: p["inputs"].update(var_files=["../outside.yaml"]),
    "a hidden variable file": lambda p: p["inputs"].update(var_files=[".hidden.yaml"]),
    "a file of the machine": lambda p: p["inputs"].update(var_files=["/etc/passwd"]),
    "pictures that moved": lambda p: p["inputs"]["datasets"].update({next(iter(p["inputs"]["datasets"])): "sha256:0"}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_plan_is_refused_before_anything_is_written(
    name: str, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a digest that fits and sums that fit, and with all the consent that the command line can give."""
    edited(FORGERIES[name])
    before = state()
    capsys.readouterr()
    code = run("apply p.json --auto-approve --allow-destroy")
    said = capsys.readouterr()
    assert code in (1, 64), said.err
    assert "internal error" not in said.err
    assert writes(service) == []
    assert state() == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda p: p["summary"].update(delete=0), "summary"),
        (lambda p: p["cost"].update(cu=1), "cost"),
        (lambda p: p["requests"].update(total=1), "requests"),
        (lambda p: p.update(applyable=False), "applyable"),
        (lambda p: p.update(complete=False), "complete"),
        (lambda p: p.update(errored=True), "errored"),
    ],
)
def test_a_sum_that_its_changes_do_not_give_is_refused(
    change: Forgery, what: str, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(change, sums=False)
    assert run("apply p.json --auto-approve --allow-destroy") == 64
    assert f"its {what} is not that of its changes and steps" in capsys.readouterr().err
    assert writes(service) == []


def test_a_refusal_names_the_resource_and_what_differs(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(FORGERIES["another caption"])
    assert run("apply p.json --auto-approve --allow-destroy --detailed-exitcode") == 5
    err = " ".join(capsys.readouterr().err.split())
    assert "model.kael: its step caption differs from what planning gives (caption)" in err
    edited(FORGERIES["a delete of its own"])
    assert run("apply p.json --auto-approve --allow-destroy --detailed-exitcode") == 5
    assert "model.other: the plan has 1 delete; planning again gives no steps" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda p: change_of(p, "model.kael").update(cost={"cu": None, "source": "unknown"}),
        lambda p: p.update(refreshed=False, rate_limit=1, polls=0),
        lambda p: p.update(blocked=0, diagnostics=[]),
    ],
)
def test_limits_are_judged_by_what_the_service_quotes_now(
    change: Forgery, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the file says of its cost; and by the limits of the command line that applies it."""
    edited(change)
    assert run("apply p.json --auto-approve --allow-destroy --limit cost=1 --detailed-exitcode") == 6
    assert "over the limit of 1" in capsys.readouterr().err
    assert run("apply p.json --auto-approve --allow-destroy --limit deletes=0 --detailed-exitcode") == 6
    assert writes(service) == []


def test_what_is_shown_is_made_now_and_names_what_the_file_brought(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drift and diagnostics of the file, which decide nothing, are not shown."""
    edited(
        lambda p: (
            p.update(diagnostics=[{"severity": "warning", "code": "x", "message": "forged words"}]),
            p.update(drift=[{"address": "model.kael", "what": "forged drift", "moved": "service"}]),
        )
    )
    assert run("apply p.json --allow-destroy") == 1
    out = capsys.readouterr().out
    assert "forged" not in out
    assert out.startswith("p.json was created at ")
    assert "for scenario.yaml, made with --allow-destroy; it is planned again and compared\n" in out
    assert "± model.kael will be replaced" in out
