"""review/spending_text.py: what trainings cost, per month, resource and run, and what the account says."""

from __future__ import annotations

import json

from scenario_apply.model.address import Address
from scenario_apply.model.remote import AccountFacts, ModelId
from scenario_apply.review.screen import Screen
from scenario_apply.review.spending_text import spending_json, spending_text
from scenario_apply.state.state import HistoryEntry, State, TrainingEntry

KAEL, INK = Address("model", "kael"), Address("composition", "ink")


def entry(
    at: str, address: Address, charged: float | None, quoted: float | None = None, **parts: float
) -> TrainingEntry:
    return TrainingEntry(
        at=at,
        address=address,
        version=1,
        model_id=ModelId("model_1"),
        type="flux.1-lora",
        phase="failed" if charged == 0 else "trained",
        quoted=quoted,
        charged=charged,
        details={name.replace("_", "-"): cu for name, cu in parts.items()},
    )


STATE = State(
    history=(HistoryEntry(7, "2026-11-02T09:00:00Z", "ada@\x1b[31mci", "apply", "create model.kael"),),
    trainings=(
        entry("2026-10-31T10:00:00Z", KAEL, 0, 8.5),
        entry("2026-11-01T10:00:00Z", KAEL, 10.75, 10.75, custom_generation=9, quality_gate=1.75),
        entry("2026-11-03T10:00:00Z", INK, None),
    ),
)
ACCOUNT = AccountFacts(
    used_in_31_days=21.5, used_in_period=21.5, ceiling=1000, plan="cu-pro", period_end="2026-12-01T00:00:00Z"
)


def test_months_runs_and_the_account_are_shown() -> None:
    text = spending_text(STATE, ACCOUNT, Screen(width=120))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "2026-10 model.kael 0 8.5 1 1 failed and refunded" in lines
    assert "2026-11 all 10.75 10.75 2 1 of unknown charge" in lines
    assert "2026-11 composition.ink ? 1 1 of unknown charge" in lines
    assert any(line.startswith("serial 7 2026-11-02 09:00 10.75 19.25 2 1 failed and refunded ada@") for line in lines)
    assert any(line.startswith("earlier or unsaved ? 1") for line in lines)
    assert "Total: 10.75 CU charged for 3 trainings (1 of unknown charge, 1 failed and refunded)." in lines
    assert "The team used 21.5 of 1,000 CU in the period until 2026-12-01 (plan cu-pro)." in lines
    assert "\x1b" not in text
    whole = spending_text(STATE, None, Screen(width=160, verbose=True))
    assert "custom-generation 9, quality-gate 1.75" in whole
    assert "Scenario counts" not in whole


def test_what_an_api_key_may_not_read_is_said() -> None:
    account = AccountFacts(usage_problem="read the usage: 403 refused", limits_problem="list the projects: 404")
    text = spending_text(State(), account, Screen(width=100))
    assert text.startswith("No training is recorded: nothing was charged.\n")
    assert "The usage on Scenario cannot be read: read the usage: 403 refused." in text
    assert "The team's limits cannot be read: list the projects: 404." in text


def test_json_has_every_training_and_the_same_sums() -> None:
    values = json.loads(spending_json(STATE, ACCOUNT))
    assert values["total"] == {
        "trainings": 3,
        "samples": 0,
        "charged": 10.75,
        "quoted": 19.25,
        "unknown": 1,
        "refunded": 1,
        "samples_charged": 0.0,
    }
    assert [month["month"] for month in values["months"]] == ["2026-10", "2026-11"]
    assert values["months"][1]["resources"]["model.kael"]["charged"] == 10.75
    assert [run["serial"] for run in values["runs"]] == [7, None]
    assert values["resources"]["composition.ink"]["unknown"] == 1
    assert values["trainings"][1]["details"] == {"custom-generation": 9, "quality-gate": 1.75}
    assert values["account"]["ceiling"] == 1000
    assert json.loads(spending_json(STATE, None))["account"] is None
