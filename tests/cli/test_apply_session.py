"""A run that ends before its first step: its ledger says what it asked, that nothing was done, and what helps."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.cli.event_file import EventFile
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from tests.cli.memory_stores import memory_stores

MANIFEST = """\
version: 1
models:
  kael: { name: Kael, type: flux.1-lora, dataset: ./kael, parameters: { nbEpochs: EPOCHS } }
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for number in (1, 2):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(folder / "kael" / f"{number:02}.jpg")
        (folder / "kael" / f"{number:02}.txt").write_text(f"KAEL, picture {number}")
    (folder / "scenario.yaml").write_text(MANIFEST.replace("EPOCHS", "8"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    with EmulatorThread(manual_options(clock="real", training_s=0.1, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        yield emulator


def ran(line: str) -> tuple[int, dict[str, Any]]:
    """Exit code and last event of one command."""
    _, *words = shlex.split(line)
    events = Path("../events.jsonl")
    code = main([*words, "--auto-approve", "--detailed-exitcode", "--poll-interval=0.05", "--events", str(events)])
    last: dict[str, Any] = json.loads(events.read_text().splitlines()[-1])
    assert last["type"] == "ledger"
    return code, last


def nothing_done(last: dict[str, Any], shown: str) -> dict[str, Any]:
    """The ledger, which says so on the screen as well."""
    ledger: dict[str, Any] = last["ledger"]
    assert last["@message"].endswith("Nothing was done.")
    assert (ledger["begun"], ledger["done"], ledger["running"]) == (False, [], [])
    requests = f"{ledger['requests']} request{'s' if ledger['requests'] != 1 else ''}."
    assert f"Nothing was done. {requests}\n" in shown
    command = ledger["next_command"]
    assert ("Next: " in shown) == (command is not None)
    assert command is None or shown.rstrip().endswith(f"Next: {command}")
    return ledger


def test_a_plan_over_a_limit_ends_with_the_command_that_raises_it(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("scenario-apply apply")[0] == 0
    Path("scenario.yaml").write_text(MANIFEST.replace("EPOCHS", "9"))
    capsys.readouterr()
    code, last = ran("scenario-apply apply --limit=retrains=0 --limit=deletes=0 --allow-destroy")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, ledger["status"], ledger["gated"]) == (6, "failed", True)
    assert ledger["requests"] == last["budget"]["used"] > 0
    assert [line["address"] for line in ledger["not_started"]] == ["model.kael"]
    assert ledger["next_command"] == "scenario-apply apply --limit=deletes=0 --allow-destroy --limit=retrains=1"
    assert ran(ledger["next_command"])[0] == 0


def test_a_limit_on_cost_is_raised_to_what_the_plan_costs(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("scenario-apply apply")[0] == 0
    Path("scenario.yaml").write_text(MANIFEST.replace("EPOCHS", "9"))
    capsys.readouterr()
    code, last = ran("scenario-apply apply --limit=cost=1")
    shown = capsys.readouterr()
    ledger = nothing_done(last, shown.out)
    assert code == 6
    assert ledger["next_command"].replace("--limit=", "--limit ").removeprefix("scenario-apply apply ") in " ".join(
        (shown.out + shown.err).split()
    )
    assert ran(ledger["next_command"])[0] == 0


def test_a_locked_state_is_applied_with_the_same_command(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    from scenario_apply.apply.system_clock import SystemClock
    from scenario_apply.state.stores.lock import Lock

    Path("state").mkdir()
    with Lock("state/scenario.lock", SystemClock()).held("another"):
        code, last = ran("scenario-apply apply --replace=model.kael --limit=cost=99")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, ledger["status"], ledger["gated"], ledger["requests"]) == (7, "stopped", False, 0)
    assert ledger["next_command"] == "scenario-apply apply --limit=cost=99 --replace=model.kael"


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_without_a_terminal_the_hint_names_whole_commands(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The saved plan is that of the same state and selection."""
    shared = ["--state=other.json", "--select=model.kael"]
    if command == "destroy":
        assert main(["apply", "--state=other.json", "--auto-approve", "--no-wait"]) == 0
    assert main([command, *shared]) == 1
    flag = " --destroy" if command == "destroy" else ""
    end = " --allow-destroy" if command == "destroy" else ""
    assert (
        "hint: use --auto-approve, or apply a saved plan: scenario-apply plan --state=other.json --select=model.kael"
        f"{flag} --out=FILE, then scenario-apply apply FILE --state=other.json --auto-approve{end}\n"
    ) in capsys.readouterr().err
    assert main(["plan", *shared, "--out=p.json"]) == 0
    if command == "apply":
        capsys.readouterr()
        assert main(["apply", "p.json", "--state=other.json"]) == 1
        assert "hint: use --auto-approve\n" in capsys.readouterr().err


@pytest.mark.usefixtures("service")
def test_a_store_that_does_not_answer_is_asked_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request to it may take its whole time limit; the same command is what continues."""
    stores, asked = memory_stores(monkeypatch), []

    def silent(name: str, _: str) -> None:
        asked.append(name)
        raise StoreUnavailable("it does not answer")

    stores.strike = silent
    code, last = ran("scenario-apply apply --state=s3://bucket/kael.json")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, asked) == (1, ["acquire"])
    assert ledger["next_command"] == "scenario-apply apply --state=s3://bucket/kael.json"


def test_a_service_nobody_answers_for_is_asked_again_with_the_same_command(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a saved plan, which is not spent."""
    from scenario_apply.api.client import Client
    from scenario_apply.errors import Unreachable

    assert main(["plan", "--out", "p.json"]) == 0

    def nobody(*words: object, **named: object) -> None:
        raise Unreachable("nobody listens")

    with monkeypatch.context() as patched:
        for name in ("quote_training", "list_models", "get_models"):
            patched.setattr(Client, name, nobody)
        patched.setattr("scenario_apply.apply.prepare.refresh", nobody)
        capsys.readouterr()
        code, last = ran("scenario-apply apply p.json")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, ledger["next_command"]) == (1, "scenario-apply apply p.json")
    assert ran(ledger["next_command"])[0] == 0


def test_ctrl_c_while_the_plan_is_made_has_done_nothing(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scenario_apply.apply.prepare.make_plan", interrupted)
    code, last = ran("scenario-apply apply --limit=cost=5")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, ledger["status"], ledger["next_command"]) == (
        130,
        "interrupted",
        "scenario-apply apply --limit=cost=5",
    )


def test_wrong_credentials_are_set_by_no_command(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran("scenario-apply apply")[0] == 0
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "")
    code, last = ran("scenario-apply apply")
    assert (code, last["ledger"]["next_command"], last["ledger"]["begun"]) == (1, None, False)
    assert last["@message"] == "Stopped by an error. Nothing was done."


def test_a_stale_plan_is_made_again(service: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--out", "p.json", "--rate-limit=0"]) == 0
    Path("scenario.yaml").write_text(MANIFEST.replace("EPOCHS", "9"))
    capsys.readouterr()
    code, last = ran("scenario-apply apply p.json --rate-limit=0")
    ledger = nothing_done(last, capsys.readouterr().out)
    assert (code, ledger["next_command"]) == (5, "scenario-apply plan scenario.yaml --rate-limit=0 --out=p.json")
    assert main(shlex.split(ledger["next_command"])[1:]) == 0
    assert ran("scenario-apply apply p.json")[0] == 0


def test_two_models_that_fit_are_unknown_and_one_is_to_be_named(
    service: EmulatorThread, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scenario_apply.api.client import Client
    from tests.fakes.wire import Killed

    made: list[str] = []
    real = Client.create_model

    def killed(client: Client, **named: Any) -> None:
        made.extend(real(client, **named).id for _ in range(2))
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Client, "create_model", killed)
        with pytest.raises(Killed):
            ran("scenario-apply apply")
    capsys.readouterr()
    code, last = ran("scenario-apply apply --allow-destroy")
    ledger = nothing_done(last, capsys.readouterr().out)
    [unknown] = ledger["unknown"]
    assert (code, unknown["address"], unknown["what"]) == (1, "model.kael", "create")
    assert all(model_id in unknown["reason"] for model_id in made)
    assert ledger["requests"] > 0
    assert ledger["next_command"] == "scenario-apply apply --allow-destroy --adopt=model.kael=ID"
    assert main(["status", "--format=json"]) == 0
    standing = json.loads(capsys.readouterr().out)["model.kael"]
    assert (standing["status"], "was lost" in standing["reason"]) == ("not created", True)
    assert ran(ledger["next_command"].replace("=ID", f"={made[1]}"))[0] == 0
    state = json.loads(Path("state/scenario.json").read_text())
    assert state["resources"]["model.kael"]["current"]["id"] == made[1]


def test_a_reader_of_events_that_leaves_ends_no_run(
    service: EmulatorThread, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The training is paid for; the run finishes it and reports that events were lost."""
    write = EventFile.write

    def until_the_first_step(file: EventFile, text: str) -> None:
        if '"type": "apply_complete"' in text:
            raise BrokenPipeError(32, "Broken pipe")
        write(file, text)

    monkeypatch.setattr(EventFile, "write", until_the_first_step)
    words = ["apply", "--auto-approve", "--poll-interval=0.05", "--events", "../events.jsonl"]
    assert main(words) == 1
    shown = capsys.readouterr()
    assert "the events could not all be written: Broken pipe" in shown.err
    assert "Apply complete" in shown.out
    assert '"phase": "trained"' in Path("state/scenario.json").read_text()
