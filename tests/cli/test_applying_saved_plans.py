"""apply FILE does what was reviewed: with the plan's options, the caller's consent, and a way on when it is stale."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.cli.invocation import Invocation
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.saving import MODELS, draw, edited, rename_on_service, run, trained, write_manifest, writes
from tests.fakes.wire import Killed


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with trained(tmp_path / "home", monkeypatch) as emulator:
        emulator.clear_requests()
        yield emulator


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal; what is written here is typed there."""
    typed = io.StringIO()
    monkeypatch.setattr(Invocation, "is_interactive", property(lambda call: True))
    monkeypatch.setattr(sys, "stdin", typed)
    return typed


def resources() -> set[str]:
    return set(json.loads(Path("state/scenario.json").read_text())["resources"])


def next_command(events: str = "../events.jsonl") -> str | None:
    last: dict[str, Any] = json.loads(Path(events).read_text().splitlines()[-1])
    assert last["type"] == "ledger"
    command: str | None = last["ledger"]["next_command"]
    return command


# -- consent


@pytest.mark.parametrize("made", ["--allow-destroy", "--destroy"])
def test_deletes_need_consent_where_the_plan_is_applied(
    made: str, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is no consent: whoever wrote it may not be who applies it."""
    if made == "--allow-destroy":
        write_manifest({name: MODELS[name] for name in ("kael", "other")})
    assert run(f"plan {made} --out p.json") == 0
    capsys.readouterr()
    assert run("apply p.json --auto-approve --events ../events.jsonl") == 1
    err = " ".join(capsys.readouterr().err.split())
    assert "error[no-consent-to-deletes]" in err
    assert "model.old version 1 (model_" in err
    assert "--allow-destroy" in err
    assert writes(service) == []
    assert next_command() == ("scenario-apply apply p.json --rate-limit=0 --allow-destroy --auto-approve")
    assert run("apply p.json --auto-approve --allow-destroy") == 0
    assert resources() == ({"model.kael", "model.other"} if made == "--allow-destroy" else set())


def test_previous_versions_are_deletes_too(service: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("}", "}, lifecycle: { keep_versions: 0 }", 1)})
    assert run("plan --allow-destroy --replace model.kael --out p.json") == 0
    capsys.readouterr()
    assert run("apply p.json --auto-approve") == 1
    assert "the plan deletes 1 model: model.kael version 1 (model_" in " ".join(capsys.readouterr().err.split())
    assert writes(service) == []
    assert run("apply p.json --auto-approve --allow-destroy") == 0
    assert "delete" in writes(service)


def test_a_terminal_is_asked_and_shown_what_goes(
    service: EmulatorThread, answers: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest({name: MODELS[name] for name in ("kael", "other")})
    assert run("plan --allow-destroy --out p.json") == 0
    capsys.readouterr()
    answers.write("no\nyes\n")
    answers.seek(0)
    assert run("apply p.json") == 1
    asked = capsys.readouterr().err
    assert "  - model.old version 1 (model_" in asked
    assert "Apply these changes to Scenario, and delete this model?" in asked
    assert writes(service) == []
    assert run("apply p.json") == 0
    assert writes(service) == ["delete"]
    assert run("plan --destroy --out p.json") == 0
    assert "It deletes 2 models: without a terminal, applying it needs --allow-destroy" in capsys.readouterr().err
    answers.write("no\n")
    answers.seek(answers.tell() - 3)
    assert run("apply p.json") == 1
    assert "(model_" in (asked := capsys.readouterr().err)
    assert "Delete these 2 models from Scenario?" in asked


def test_consent_at_the_apply_adds_no_deletes(service: EmulatorThread) -> None:
    """Exactly the plan: deletes that wait for consent in it go on waiting."""
    write_manifest({"kael": MODELS["kael"].replace("Kael", "Kael the Great"), "other": MODELS["other"]})
    assert run("plan --out p.json") == 0
    assert run("apply p.json --auto-approve --allow-destroy --events ../events.jsonl --detailed-exitcode") == 8
    assert next_command() == "scenario-apply apply scenario.yaml --rate-limit=0 --allow-destroy"
    assert writes(service) == ["update"]
    assert "model.old" in resources()


# -- the plan's own options


@pytest.mark.parametrize(
    "options", ["--replace model.other", "--select model.kael", "--exclude model.other --replace model.kael", ""]
)
def test_a_plan_is_applied_as_it_was_made(options: str, service: EmulatorThread) -> None:
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9"), "new": MODELS["other"]})
    assert run(f"plan {options} --out p.json") == 0
    planned = json.loads(Path("p.json").read_text())
    assert run("apply p.json --auto-approve") == 0
    sent = writes(service)
    assert len(sent) == planned["requests"]["total"] - planned["requests"]["by_step"]["wait"]
    assert run("apply p.json --auto-approve --detailed-exitcode") == 5


def test_a_plan_made_without_asking_the_service_is_applied_where_nothing_differs(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The quote, which it could not know, is asked for and judged."""
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9")})
    assert run("plan --no-refresh --out p.json") == 0
    assert run("apply p.json --auto-approve --limit cost=1 --detailed-exitcode") == 6
    assert writes(service) == []
    assert run("apply p.json --auto-approve") == 0


def test_what_changed_on_the_service_makes_a_plan_stale_and_is_named(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9")})
    assert run("plan --out p.json") == 0
    rename_on_service(service, "other", "Theirs")
    capsys.readouterr()
    assert run("apply p.json --auto-approve --detailed-exitcode --events ../events.jsonl") == 5
    assert "model.other: the plan has no steps; planning again gives 1 update" in " ".join(
        capsys.readouterr().err.split()
    )
    assert writes(service) == []
    command = next_command()
    assert command == "scenario-apply plan scenario.yaml --rate-limit=0 --out=p.json"
    assert run(command.removeprefix("scenario-apply ")) == 0
    assert run("apply p.json --auto-approve") == 0


def test_a_plan_whose_state_is_elsewhere_is_not_planned_again_here(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the --state that it was made with: following a command to plan again would pay for everything twice."""
    shutil.move("state", "elsewhere")
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9")})
    assert run("plan --state elsewhere/scenario.json --out p.json") == 0
    capsys.readouterr()
    assert run("apply p.json --auto-approve --detailed-exitcode --events ../events.jsonl") == 5
    said = " ".join(capsys.readouterr().err.split())
    assert "and none is recorded here" in said
    assert "name the state that it was made from, with --state as then" in said
    assert (next_command(), writes(service)) == (None, [])
    assert run("apply p.json --auto-approve --state elsewhere/scenario.json") == 0


def test_a_training_that_ended_since_is_no_reason_to_plan_again(
    service: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan waits for it beside other work; by the time it is applied, there is nothing to wait for."""
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9")})
    assert run("apply --auto-approve --no-wait -q") == 0
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("8", "9"), "new": MODELS["other"]})
    with monkeypatch.context() as patched:
        still_training(patched)
        assert run("plan --out p.json") == 0
    planned = json.loads(Path("p.json").read_text())
    assert {c["address"]: c["action"] for c in planned["changes"]}["model.kael"] == "wait"
    assert run("status --watch --poll-interval=0.02") == 0
    service.clear_requests()
    assert run("apply p.json --auto-approve") == 0
    assert "train" in writes(service)


def still_training(patched: pytest.MonkeyPatch) -> None:
    """The service answers as it did a moment ago, when the training was running."""
    from scenario_apply.api.client import Client

    real = Client.get_models

    def earlier(client: Client, ids: Any, **named: Any) -> Any:
        found = real(client, ids, **named)
        running = {v["pending"]["id"] for v in recorded().values() if "pending" in v}
        return {i: replace(m, status="training") if i in running else m for i, m in found.items()}

    patched.setattr(Client, "get_models", earlier)


def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("state/scenario.json").read_text())["resources"]
    return found


# -- after a kill


@pytest.fixture
def begun(service: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> EmulatorThread:
    """A plan of one resource of two that change, killed in the middle of its apply."""
    from scenario_apply.api.client import Client

    write_manifest({"kael": MODELS["kael"].replace("8", "9"), "other": MODELS["other"].replace("Other", "Others")})
    assert run("plan --select model.kael --out p.json") == 0

    def killed(*words: object, **named: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Client, "attach_assets", killed)
        with pytest.raises(Killed):
            run("apply p.json --auto-approve")
    assert Path("state/scenario.journal").exists()
    return service


def test_after_a_kill_the_manifest_is_applied_as_far_as_the_plan_went(
    begun: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that is named works, and does no more than the plan: what was not selected stays."""
    capsys.readouterr()
    assert run("apply p.json --auto-approve --detailed-exitcode --events ../events.jsonl") == 5
    assert "left a journal" in capsys.readouterr().err
    command = next_command()
    assert command == "scenario-apply apply scenario.yaml --rate-limit=0 --select=model.kael"
    assert run(f"{command.removeprefix('scenario-apply ')} --auto-approve") == 0
    assert recorded()["model.other"]["current"]["name"] == "Other"
    assert len(recorded()["model.kael"]["previous"]) == 1
    assert not Path("state/scenario.journal").exists()


def test_after_a_kill_a_plan_made_again_can_be_applied(begun: EmulatorThread) -> None:
    assert run("plan --select model.kael --out p.json") == 0
    assert Path("state/scenario.journal").exists()
    assert run("apply p.json --auto-approve") == 0
    assert len(recorded()["model.kael"]["previous"]) == 1
    assert not Path("state/scenario.journal").exists()


# -- what a plan file may name


SECRET = "wandb-key-of-ours"
WITH_SECRET = "variables: { key: { secret: true }, note: { default: none } }"


def test_a_secret_variable_is_not_saved_and_is_read_again(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan keeps the name of the variable file, never what it says."""
    kael = MODELS["kael"].replace("nbEpochs: 8", 'nbEpochs: 9, wandbKey: "{{ key }}"')
    write_manifest({**MODELS, "kael": kael}, WITH_SECRET)
    Path("keys.yaml").write_text(f"key: {SECRET}")
    assert run("plan --var-file keys.yaml --var note=mine --out p.json") == 0
    assert SECRET not in Path("p.json").read_text()
    assert run("apply p.json --auto-approve --var note=mine") == 64
    assert "--var note cannot be combined with a saved plan" in capsys.readouterr().err
    assert writes(service) == []
    assert run("apply p.json --auto-approve") == 0
    shown = capsys.readouterr()
    assert "made with --var note=mine --var-file keys.yaml" in " ".join(shown.out.split())
    assert SECRET not in shown.out


def test_variables_and_their_files_are_shown_and_read_within_the_root(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside it, where the command line names the file as well."""
    write_manifest(
        {**MODELS, "kael": MODELS["kael"].replace("Kael", '"{{ note }}"')}, "variables: { note: { default: none } }"
    )
    Path("more.yaml").write_text("note: Inside")
    assert run("plan --var-file more.yaml --out p.json") == 0
    assert run("apply p.json --auto-approve") == 0
    assert "made with --var-file more.yaml" in capsys.readouterr().out
    Path("../more.yaml").write_text("note: Outside")
    assert run("plan --var-file ../more.yaml --out p.json") == 0
    capsys.readouterr()
    service.clear_requests()
    assert run("apply p.json --auto-approve") == 1
    assert "--var-file ../more.yaml" in capsys.readouterr().err
    assert run("apply p.json --auto-approve --var-file more.yaml") == 64
    assert writes(service) == []
    assert run("apply p.json --auto-approve --var-file ../more.yaml") == 0
    assert recorded()["model.kael"]["current"]["name"] == "Outside"
    Path("linked.yaml").symlink_to("../more.yaml")
    assert run("plan --var-file linked.yaml --out p.json") == 0
    assert run("apply p.json --auto-approve") == 1


@pytest.mark.parametrize("made_in", ["../elsewhere", "."])
def test_a_plan_names_no_manifest_of_a_folder_beside(
    made_in: str, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though everything in it is what planning that manifest gives."""
    shutil.copytree("../home", "../elsewhere")
    Path("../elsewhere/kael/01.txt").write_text("another caption")
    assert run("plan ../elsewhere/scenario.yaml --out p.json") == 0
    path = "scenario.yaml" if made_in != "." else "../elsewhere/scenario.yaml"
    Path("scenario.yaml").unlink()
    edited(lambda plan: (plan["manifest"].update(path=path), plan["inputs"].update(made_in=made_in)))
    capsys.readouterr()
    assert run("apply p.json --auto-approve") == 1
    assert "lies elsewhere: a plan file is not trusted to choose it" in " ".join(capsys.readouterr().err.split())
    assert writes(service) == []


def test_a_manifest_above_the_checkout_of_the_plan_is_elsewhere(
    service: EmulatorThread, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(Path("kael/03.jpg"), 70)
    os.makedirs("checkout/plans")
    assert run("plan --out checkout/plans/p.json") == 0
    monkeypatch.chdir("checkout/plans")
    Path("../.git").mkdir()
    assert run("apply p.json --auto-approve") == 1
    assert "lies elsewhere" in capsys.readouterr().err
    assert writes(service) == []
    Path("../.git").rmdir()
    assert run("apply p.json --auto-approve") == 0


def test_broken_pictures_stop_no_plan_to_destroy(service: EmulatorThread) -> None:
    Path("kael/01.jpg").write_bytes(b"no picture")
    assert run("plan --destroy --out p.json") == 0
    assert run("apply p.json --auto-approve --allow-destroy") == 0
    assert resources() == set()


def test_an_interrupted_plan_to_destroy_goes_on_as_destroy(
    service: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scenario_apply.api.client import Client
    from scenario_apply.errors import Refused

    def refused(*words: object, **named: object) -> None:
        raise Refused("not now")

    assert run("plan --destroy --select model.old --out p.json") == 0
    with monkeypatch.context() as patched:
        patched.setattr(Client, "delete_model", refused)
        assert run("apply p.json --auto-approve --allow-destroy --limit cost=9 --events ../events.jsonl") == 1
    command = next_command()
    assert command == "scenario-apply destroy scenario.yaml --rate-limit=0 --select=model.old"
    assert run(f"{shlex.join(shlex.split(command)[1:])} --auto-approve") == 0
    assert resources() == {"model.kael", "model.other"}
