"""The one command to go on with: it can be typed as it stands, asks for the same, and goes on."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.cli import main as cli
from scenario_apply.cli.command_lines import again, watching
from scenario_apply.cli.command_lines import typed as as_typed
from scenario_apply.cli.settings import Settings, read_settings
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.errors import Interrupted, Refused, StateNotSaved
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.address import Address
from tests.fakes.bench import Bench, composition, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire

EVERYTHING = (
    "apply 'my manifests' --var 'note=a b' --var rate=1e-4 --var-file v.yaml --allow-env A "
    "--allow-env B --state 's t.json' --local "
    "--select '*.a+' --select tag:x --exclude model.b --train model.c --limit cost=12.5 --limit deletes=0 "
    "--limit min_score=0.4 --allow-destroy --strict --allow-outside-root --rate-limit 0 --parallelism 3 "
    "--no-wait --timeout 9 --poll-interval 1 --auto-approve"
)
ASKED = ("select", "exclude", "train", "limit", "allow_destroy", "strict", "allow_outside_root")


def read(words: Sequence[str]) -> tuple[dict[str, Any], Settings]:
    """A command line as the command itself reads it. Raises UsageError for one it would refuse."""
    name, rest = cli.find_command(list(words))
    namespace = cli.parser_of(name, cli.load(name)).read(rest)
    return vars(namespace), read_settings(namespace, {}, cwd=".")


@pytest.mark.parametrize(
    "line",
    [
        EVERYTHING,
        "apply",
        "apply m.yaml --no-wait",
        "destroy m --select model.a --state s.json --rate-limit 7 --auto-approve",
    ],
)
def test_what_goes_on_can_be_typed_and_asks_for_the_same(line: str) -> None:
    words = shlex.split(line)
    asked, settings = read(words)
    program, *typed = shlex.split(again(asked, settings, words[0]))
    assert (program, typed[0]) == ("scenario-apply", words[0])
    asked_again, settings_again = read(typed)
    assert settings_again == settings
    assert {key: asked_again.get(key) for key in ASKED} == {key: asked.get(key) for key in ASKED}


@pytest.mark.parametrize("line", [EVERYTHING, "apply", "apply m.yaml --no-wait --limit cost=1"])
def test_what_watches_can_be_typed_and_looks_at_the_same(line: str) -> None:
    _, settings = read(shlex.split(line))
    program, *typed = shlex.split(watching(settings))
    watched, settings_again = read(typed)
    assert (program, typed[0], watched["watch"]) == ("scenario-apply", "status", True)
    assert settings_again == replace(settings, limits=settings_again.limits, strict=False, allow_outside_root=False)


# -- which of them


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.add("props", ["a lamp"])
    return bench


def test_what_is_not_started_is_never_left_to_watching(bench: Bench) -> None:
    """Neither a composition whose parts still train, nor deletes that wait for consent."""
    service = FakeScenario(bench.clock)
    bench.declare(model("kael", "kael"), composition("ink", "kael"))
    ledger = bench.apply(service, ApplyOptions(wait=False))
    assert (ledger.status, [str(line.address) for line in ledger.not_started]) == ("running", ["composition.ink"])
    assert ledger.next_command == "scenario-apply apply"
    assert bench.apply(service).status == "done"
    bench.declare(model("kael", "kael"), model("props", "props"))
    ledger = bench.apply(service, ApplyOptions(wait=False))
    assert (ledger.status, ledger.next_command) == ("running", "scenario-apply apply --allow-destroy")
    ledger = bench.apply(service, ApplyOptions(), plan=PlanOptions(allow_destroy=True))
    assert (ledger.status, ledger.next_command) == ("done", None)


def test_where_only_trainings_are_left_they_are_watched(bench: Bench) -> None:
    bench.declare(model("kael", "kael"), model("props", "props"))
    service = FakeScenario(bench.clock)
    ledger = bench.apply(service, ApplyOptions(wait=False, status_command="scenario-apply status m --watch"))
    assert (ledger.status, ledger.next_command) == ("running", "scenario-apply status m --watch")


@pytest.mark.parametrize("label", ["", "slow"])
def test_a_replacement_is_asked_for_again_until_its_model_is_made(bench: Bench, label: str) -> None:
    """Of a matrix, those of its children that are not made; asked for once more, one that is would be made twice."""
    keep = Lifecycle(keep_versions=5)
    slow, fast = (Address("model", "kael", name) for name in ("slow", "fast"))
    specs = [structs.replace(model("kael", "kael", lifecycle=keep, label=a.label), address=a) for a in (slow, fast)]
    bench.declare(*specs)
    service = FakeScenario(bench.clock)
    assert bench.apply(service).status == "done"
    asked = (Address("model", "kael", label),)
    children = 1 if label else 2
    options = ApplyOptions(parallelism=1, replaced=asked)
    wishes = PlanOptions(replace=asked)
    wire = Wire(service, Fault("before", lambda: Refused("no room"), name="create_model", nth=children, times=9))
    ledger = bench.apply(wire.api, options, plan=wishes)
    last = slow if label else sorted({slow, fast} - {line.address for line in ledger.done})[0]
    assert ledger.next_command == f"scenario-apply apply --replace={last}"
    assert bench.apply(service, plan=PlanOptions(replace=(last,))).status == "done"
    assert {a: len(bench.state().records[a].previous) for a in (slow, fast)} == {slow: 1, fast: 0 if label else 1}
    wire = Wire(service, Fault("before", lambda: Interrupted("stopped"), name="train", nth=1, times=9))
    ledger = bench.apply(wire.api, options, plan=wishes)
    assert "--replace" not in (ledger.next_command or "")
    assert bench.apply(service).status == "done"
    assert {a: len(bench.state().records[a].previous) for a in (slow, fast)} == {slow: 2, fast: 0 if label else 2}


def test_a_model_named_with_adopt_is_named_again_only_where_nothing_was_saved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is saved it has its owner, and --adopt of it would be refused."""
    from scenario_apply.state.stores.file_store import FileStore

    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    options = ApplyOptions(adopted=("model.kael=model_1",))

    def full(*words: object, **named: object) -> None:
        raise StateNotSaved("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(FileStore, "save", full)
        ledger = bench.apply(service, options)
    assert ledger.status == "stopped"
    assert "scenario-apply apply --adopt=model.kael=model_1" in (ledger.next_command or "")
    wire = Wire(service, Fault("before", lambda: Refused("no room"), name="create_model", nth=1))
    ledger = bench.apply(wire.api, options)
    assert (ledger.status, ledger.next_command) == ("failed", "scenario-apply apply")


# -- typed


MANIFEST = """\
version: 1
variables: { rank: { default: 4 } }
models:
  kael: { name: Kael, type: flux.1-lora, dataset: ./kael, parameters: { rank: "{{ rank }}" } }
  other: { name: Other, type: flux.1-lora, dataset: ./kael }
compositions:
  ink: { name: Ink, concepts: [{ model: kael, scale: 0.5 }] }
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for number in (1, 2):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(folder / "kael" / f"{number:02}.jpg")
        (folder / "kael" / f"{number:02}.txt").write_text(f"KAEL, picture {number}")
    (folder / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    with EmulatorThread(manual_options(clock="real", training_s=0.3, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        yield emulator


def typed(command: str, *more: str) -> tuple[int, str | None]:
    """Exit code, and the command to go on with as the run itself told it."""
    program, *words = shlex.split(command)
    assert program == "scenario-apply"
    events = Path("../events.jsonl")
    given = ["--auto-approve", "-q", "--events", os.fspath(events)] if words[0] == "apply" else []
    code = main([*words, *more, *given])
    if not given:
        return code, None
    last = json.loads(events.read_text().splitlines()[-1])
    return code, last["ledger"]["next_command"]


def test_typing_what_each_run_says_leads_to_the_end(service: EmulatorThread) -> None:
    """Nothing but what was selected is made, with the value that was given, and all of it."""
    line = (
        "scenario-apply apply --select=+composition.ink --limit=deletes=0 --var=rank=8 --rate-limit=0 --allow-destroy"
    )
    code, command = typed(line, "--no-wait")
    assert code == 0
    assert command == (
        "scenario-apply apply --var=rank=8 --rate-limit=0 --select=+composition.ink --limit=deletes=0 --allow-destroy"
    )
    assert typed(command, "--poll-interval=0.1") == (0, None)
    state = json.loads(Path("state/scenario.json").read_text())
    assert set(state["resources"]) == {"model.kael", "composition.ink"}
    assert {one["current"]["phase"] for one in state["resources"].values()} == {"trained"}
    assert state["resources"]["model.kael"]["current"]["parameters"]["rank"] == 8


def test_what_watches_is_typed_after_a_run_with_every_option(service: EmulatorThread) -> None:
    """status knows neither --select nor --limit nor --allow-destroy."""
    code, command = typed(
        "scenario-apply apply --select=model.kael --limit=cost=9999 --allow-destroy --rate-limit=0",
        "--no-wait",
    )
    assert (code, command) == (0, "scenario-apply status --rate-limit=0 --watch")
    assert command is not None
    assert typed(command, "--poll-interval=0.1", "--detailed-exitcode") == (0, None)


def test_the_history_holds_whole_command_lines(service: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    """As they were typed, whichever command it was; without values of variables that may be secrets."""
    Path("scenario.yaml").write_text(MANIFEST.replace("variables: {", "variables: { API_TOKEN: { default: x },"))
    line = "apply --auto-approve --var rank=8 --var API_TOKEN=s3cr3t --no-wait --select model.kael --poll-interval=0.1"
    assert main(shlex.split(line)) == 0
    assert main(["state", "rm", "model.kael", "--var=rank=8", "--var=API_TOKEN=s3cr3t"]) == 0
    capsys.readouterr()
    assert main(["state", "history"]) == 0
    told = capsys.readouterr().out
    assert f"  $ scenario-apply {line.replace('s3cr3t', '***')}\n".replace("API_TOKEN=***", "'API_TOKEN=***'") in told
    assert "  $ scenario-apply state rm model.kael --var=rank=8 '--var=API_TOKEN=***'\n" in told
    assert "s3cr3t" not in Path("state/scenario.json").read_text()


def test_a_secret_is_hidden_wherever_it_was_typed() -> None:
    words = ["apply", "--var", "note=it is s3cr3t-text", "--select", "model.a b"]
    line = "scenario-apply apply --var 'note=it is ***' --select 'model.a b'"
    assert as_typed(words, ["s3cr3t-text", ""]) == line
    shown = ["--var", "rate=1", "--var=monkey=2"]
    assert as_typed(shown) == f"scenario-apply {' '.join(shown)}"


@pytest.mark.parametrize(
    "pair",
    [
        "gh_pat=v4lue",
        "dsn=v4lue",
        "note=ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "repo=https://ci:v4lue@git.test/kael",
    ],
)
def test_a_variable_that_may_be_a_secret_is_not_in_the_history(pair: str) -> None:
    """By its name or by its value, as for the variables of the environment: a state is committed."""
    name, _, value = pair.partition("=")
    assert value not in as_typed(["apply", "--var", pair, f"--var={pair}"])
    assert as_typed(["apply", f"--var={pair}"]) == f"scenario-apply apply '--var={name}=***'"


@pytest.mark.parametrize("secret", ["se'cret", "a b'c", "x$y"])
def test_a_secret_that_has_to_be_quoted_is_hidden_too(secret: str) -> None:
    words = ["apply", "--var", f"note=it's {secret}!", "--select", secret]
    assert as_typed(words, [secret]) == shlex.join(["scenario-apply", *words]).replace(
        shlex.quote(words[2]), shlex.quote("note=it's ***!")
    ).replace(shlex.quote(secret), shlex.quote("***"))


def test_a_word_that_is_not_unicode_is_spelled_out() -> None:
    """As bytes on the command line it is accepted; a state that holds it could not be saved after a training."""
    as_typed(["apply", "--state", "caf\udce9.json"]).encode()
