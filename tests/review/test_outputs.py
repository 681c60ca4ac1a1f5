"""What is recorded, for people and programs."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from msgspec.structs import replace
from msgspec.structs import replace as structs_replace

from scenario_apply.apply.events import Ledger, LedgerLine
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, JobId, ModelId, Progress
from scenario_apply.review.ledger_text import ledger_text
from scenario_apply.review.outputs import output_env, output_json, output_text, output_yaml
from scenario_apply.review.screen import Screen, columns, wrap
from scenario_apply.review.state_text import list_text, record_text
from scenario_apply.review.status_text import ResourceStatus, status_json, status_text
from scenario_apply.review.yaml_text import yaml_text
from scenario_apply.state.state import ImageRecord, Record, State, Version
from tests.fakes.odd_ids import ODD_IDS

KAEL = parse_address("model.kael-lr/slow,r16")
VERSION = Version(
    number=2,
    id=ModelId("model_1"),
    phase="trained",
    name="Kael \x1b[31m",
    type="flux.1-lora",
    parameters={"learningRate": 0.0001},
    images=tuple(ImageRecord(f"{n}.png", "ab", AssetId(f"asset_{n}"), f"caption {n}") for n in range(20)),
    job_id=JobId("job_1"),
    charged=230,
)
STATE = State(lineage="x", serial=3, records={KAEL: Record(current=VERSION, protected=True, held="1:ab")})


def test_json_has_the_shape_of_the_design() -> None:
    assert json.loads(output_json(STATE)) == {
        "model.kael-lr/slow,r16": {
            "id": "model_1",
            "name": "Kael \x1b[31m",
            "type": "flux.1-lora",
            "status": "trained",
            "version": 2,
        }
    }


def test_json_has_the_chosen_epoch_and_what_is_best() -> None:
    chosen = State(records={KAEL: Record(current=structs_replace(VERSION, epoch="8"))})
    best = BestVersion(version=1, epoch="6", by="Ada", at="2026-11-27")
    (values,) = json.loads(output_json(chosen, {KAEL: best})).values()
    assert values["epoch"] == "8"
    assert values["best"] == {"version": 1, "epoch": 6, "by": "Ada", "at": "2026-11-27"}


def test_env_is_read_by_a_shell() -> None:
    text = output_env(STATE)
    assert text == "MODEL_KAEL_LR_SLOW_R16=model_1\n"
    done = subprocess.run(["sh", "-c", f"{text} echo $MODEL_KAEL_LR_SLOW_R16"], capture_output=True, text=True)
    assert done.stdout == "model_1\n"


def test_two_addresses_of_one_variable_are_refused() -> None:
    clash = parse_address("model.kael_lr_slow_r16")
    with pytest.raises(ScenarioApplyError, match="MODEL_KAEL_LR_SLOW_R16"):
        output_env(STATE.with_record(clash, Record(current=VERSION)))


@pytest.mark.parametrize("text", ODD_IDS, ids=ascii)
def test_no_id_says_more_than_itself_in_a_file_of_variables(text: str) -> None:
    """$GITHUB_ENV takes every line for a variable of its own: BASH_ENV=... would run a program in the next step."""
    odd = replace(VERSION, id=ModelId(text))
    with pytest.raises(ScenarioApplyError) as caught:
        output_env(STATE.with_record(KAEL, Record(current=odd)))
    assert caught.value.code == "output-unsafe"


def test_yaml_reads_back() -> None:
    assert yaml.safe_load(output_yaml(STATE)) == json.loads(output_json(STATE))


def test_the_table_cuts_no_id_and_sends_no_escape() -> None:
    text = output_text(STATE, Screen(width=60))
    assert "model_1" in text
    assert "\x1b" not in text
    assert output_text(State(), Screen()) == ""


def test_a_record_is_bounded_unless_verbose() -> None:
    text = record_text(KAEL, STATE.records[KAEL], Screen(terminal=True))
    assert "protected from deletion" in text
    assert "pinned by a rollback" in text
    assert "… and 14 more images; -v lists all" in text
    assert all(columns(line) <= 80 for line in text.splitlines())
    assert "caption 19" in record_text(KAEL, STATE.records[KAEL], Screen(verbose=True))
    assert list_text(STATE, Screen()) == "model.kael-lr/slow,r16\n"


RUNNING = ResourceStatus(
    address=KAEL,
    id="model_2",
    name="K",
    type="flux.1-lora",
    status="training",
    version=3,
    progress=Progress(stage="running-train", progress=0.5, remaining_s=90),
    replaces="model_1",
)
FAILED = ResourceStatus(
    address=parse_address("model.b"),
    id="model_3",
    name="B",
    type="flux.1-lora",
    status="failed",
    version=1,
    reason="training failed: out of memory",
)


def test_status_as_text() -> None:
    assert status_text([RUNNING, FAILED], Screen(width=100, terminal=True)) == (
        "model.kael-lr/slow,r16  training  ━━━━━━──────, 50%, 90 s left, will replace model_1\n"
        "model.b                 failed    training failed: out of memory, model_3\n"
        "1 training, 1 failed.\n"
    )
    assert all(
        columns(line) <= 60 for line in status_text([RUNNING, FAILED], Screen(width=60, terminal=True)).splitlines()
    )


def test_status_as_json() -> None:
    values = json.loads(status_json([RUNNING, FAILED]))
    assert values["model.kael-lr/slow,r16"]["progress"]["percent"] == 50.0
    assert values["model.b"]["reason"] == "training failed: out of memory"


@pytest.mark.parametrize(
    "value",
    ["1e-4", "no", "007", "0x1f", ".5", "1_000", "null", "", " x ", "a: b", "line\nline", "é\nü", "2024-01-01", "-"],
)
def test_texts_stay_texts_in_yaml(value: str) -> None:
    text = yaml_text({"key": value, "number": 1e-4})
    assert yaml.safe_load(text) == {"key": value, "number": 1e-4}
    if value == "1e-4":
        assert "'1e-4'" in text


LONG = parse_address("model.the-ranger-of-the-northern-woods/winter-portraits,r16")
LONG_ID = ModelId("model_GNuYY7i8NWwPgxx73RdKw0")


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_table_fits_its_terminal_with_every_address_and_id_whole(width: int, verbose: bool) -> None:
    """Columns are left out, and named; with -v nothing is."""
    version = replace(VERSION, id=LONG_ID, name="Kael the ranger of the northern woods")
    state = STATE.with_record(LONG, Record(current=version))
    text = output_text(state, Screen(width=width, terminal=True, verbose=verbose))
    assert max(map(columns, text.splitlines())) <= width
    assert str(LONG) in text
    assert LONG_ID in text
    assert "Kael the ranger" in text or "-v shows" in text
    assert not (verbose and "-v shows" in text)


def test_a_table_leaves_out_what_does_not_fit_and_says_so() -> None:
    text = output_text(STATE, Screen(width=60, terminal=True))
    assert text == (
        "ADDRESS                 ID       STATUS   VERSION\n"
        "model.kael-lr/slow,r16  model_1  trained  v2\n"
        "-v shows TYPE and NAME, too\n"
    )
    assert "Kael" in output_text(STATE, Screen(width=60)), "what programs read is whole"


@pytest.mark.parametrize("width", [60, 80])
def test_no_status_cuts_an_id(width: int) -> None:
    """However long the address and the reason."""
    failed = replace_status(address=LONG, id=LONG_ID, reason="out of memory " * 30)
    running = replace_status(address=LONG, status="training", replaces=LONG_ID)
    text = status_text([failed, running], Screen(width=width, terminal=True))
    assert text.count(LONG_ID) == 2
    assert max(map(columns, text.splitlines())) <= width
    assert text.count("out of memory") < 15, "a long reason is shortened: -v shows it"


def test_status_says_which_versions_are_kept_and_which_is_best() -> None:
    chosen = replace_status(status="trained", version=3, previous=(2, 1), best="version 1, chosen by Ada")
    assert (
        status_text([chosen], Screen(width=100))
        .splitlines()[0]
        .endswith("model_1, version 3 (kept: 1 and 2), best: version 1, chosen by Ada")
    )
    (values,) = json.loads(status_json([chosen])).values()
    assert (values["previous_versions"], values["best"]) == ([2, 1], "version 1, chosen by Ada")


def replace_status(**changes: object) -> ResourceStatus:
    values = {"address": KAEL, "id": "model_1", "name": "K", "type": "flux.1-lora", "status": "failed", "version": 1}
    return ResourceStatus(**(values | changes))  # type: ignore[arg-type]  # of many types


@pytest.mark.parametrize("width", [60, 80])
def test_a_ledger_cuts_no_id_and_stays_readable(width: int) -> None:
    ledger = Ledger(
        status="partial",
        done=(LedgerLine(address=LONG, what="create", remote_id=LONG_ID),),
        failed=(LedgerLine(address=LONG, what="wait", reason=f"the service answered {LONG_ID} " * 5),),
    )
    text = ledger_text(ledger, Screen(width=width, terminal=True))
    assert text.count(LONG_ID) == 6
    assert max(map(columns, text.splitlines())) <= max(width, columns(f"  not started  {LONG}"))
    assert f"  done         {LONG}\n               created ({LONG_ID})\n" in text


def test_ids_are_not_broken_and_other_long_words_are() -> None:
    assert wrap(f"see ({LONG_ID}), now", 10, whole_ids=True) == ["see", f"({LONG_ID}),", "now"]
    assert wrap("a" * 25, 10, whole_ids=True) == ["a" * 10, "a" * 10, "a" * 5]
