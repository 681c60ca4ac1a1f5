"""state/state_file.py: a state as it lies on disk, and what is wrong with a damaged one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scenario_apply.errors import StateDamaged, StateNewer
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, JobId, ModelId
from scenario_apply.state.state import AssetRecord, ConceptRecord, ImageRecord, PairRecord, Record, State, Version
from scenario_apply.state.state_file import state_from_json, state_to_json

KAEL = Address("model", "kael")
FULL = State(
    lineage="lineage",
    serial=7,
    endpoint="https://scenario.test/v1",
    project="proj_1",
    records={
        KAEL: Record(
            current=Version(
                number=2,
                id=ModelId("model_2"),
                phase="trained",
                name="Kael",
                type="flux.1-lora",
                description="a ranger",
                tags=("north",),
                parameters={"nbEpochs": 10, "learningRate": 1e-4, "wandbKey": "(secret)"},
                images=(ImageRecord("01.png", "aa", AssetId("asset_1"), "one"),),
                pairs=(PairRecord(AssetId("asset_1"), AssetId("asset_2"), "turn"),),
                fingerprint="1:ff",
                job_id=JobId("job_1"),
                charged=44.5,
                created_at="2026-01-01T00:00:00Z",
                launched_at="2026-01-01T00:01:00Z",
                ended_at="2026-01-01T00:09:00Z",
            ),
            pending=Version(
                number=3, id=ModelId("model_3"), phase="failed", name="Kael", type="flux.1-lora", reason="too dark"
            ),
            previous=(Version(number=1, id=ModelId("model_1"), phase="trained", name="Kael", type="flux.1-lora"),),
            protected=True,
            held="1:ee",
        ),
        Address("composition", "ink"): Record(
            current=Version(
                number=1,
                id=ModelId("model_4"),
                phase="building",
                name="ink",
                type="flux.1-composition",
                concepts=(
                    ConceptRecord(ModelId("model_2"), 0.8, None, "1:ff"),
                    ConceptRecord(ModelId("model_9"), 0.3, "3"),
                ),
            )
        ),
    },
    loose={AssetId("asset_9"): AssetRecord("bb", "left over")},
)


def plain() -> dict[str, Any]:
    return copy.deepcopy(state_to_json(FULL, tool_version="0.1.0"))


def read(value: object) -> State:
    return state_from_json(value, source="state/kael.json")


def test_everything_survives() -> None:
    assert read(plain()) == FULL


def test_the_top_says_what_the_design_says() -> None:
    """lineage and serial stand at the top, for others to read."""
    top = plain()
    assert (top["lineage"], top["serial"], top["tool_version"]) == ("lineage", 7, "0.1.0")
    assert list(top["resources"]) == ["composition.ink", "model.kael"]


def test_fields_that_are_not_known_are_ignored() -> None:
    """A newer minor version may add some; FileStore does not write over it."""
    value = plain()
    value["format_version"] = "1.9"
    value["news"] = 1
    value["resources"]["model.kael"]["current"]["images"][0]["news"] = 1
    assert read(value) == FULL


def test_a_newer_format_is_refused_with_the_version_that_wrote_it() -> None:
    with pytest.raises(StateNewer, match=r"has format 2\.0, written by scenario-apply 3\.1") as raised:
        read(plain() | {"format_version": "2.0", "tool_version": "3.1"})
    assert "backups/" in str(raised.value.problems[0].hint)


def kael(value: dict[str, Any]) -> Any:
    return value["resources"]["model.kael"]["current"]


BROKEN: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("format_version: it is missing", lambda v: v.pop("format_version")),
    ("format_version: expected text of the form", lambda v: v.update(format_version="one")),
    ("lineage: it is missing", lambda v: v.pop("lineage")),
    ("serial: expected an integer, got text", lambda v: v.update(serial="7")),
    ("serial: expected an integer, got true or false", lambda v: v.update(serial=True)),
    ("serial: expected an integer >= 0, got -1", lambda v: v.update(serial=-1)),
    ("serial: expected an integer <= 9007199254740992", lambda v: v.update(serial=2**60)),
    ("resources: it is missing", lambda v: v.pop("resources")),
    ("resources: expected an object, got a list", lambda v: v.update(resources=[])),
    ('resources["kael"]', lambda v: v["resources"].update(kael=v["resources"]["model.kael"])),
    ("endpoint: expected text or null, got an integer", lambda v: v.update(endpoint=1)),
    ("assets: expected an object, got a list", lambda v: v.update(assets=[1])),
    ('assets["asset_9"].sha256: it is missing', lambda v: v["assets"].update(asset_9={"caption": ""})),
    ('resources["model.kael"].current: it is missing', lambda v: v["resources"]["model.kael"].pop("current")),
    (
        '["model.kael"].previous: expected a list, got an object',
        lambda v: v["resources"]["model.kael"].update(previous={}),
    ),
    ('["model.kael"].current.id: it is missing', lambda v: kael(v).pop("id")),
    ("current.phase: 'asleep' is not one of the known values", lambda v: kael(v).update(phase="asleep")),
    ("current.number: expected an integer, got text", lambda v: kael(v).update(number="2")),
    ("current.number: expected an integer, got a number", lambda v: kael(v).update(number=1.7)),
    ("current.name: expected text, got a list", lambda v: kael(v).update(name=["Kael"])),
    ("current.parameters: expected an object, got a list", lambda v: kael(v).update(parameters=[1])),
    ("current: seed holds an integer of more than 64 bits", lambda v: kael(v).update(parameters={"seed": 2**63})),
    ("current.charged: expected a number or null, got text", lambda v: kael(v).update(charged="45")),
    ("current.images[0].sha256: it is missing", lambda v: kael(v).update(images=[{"path": "01.png"}])),
    ("current.images[0]: expected an object, got text", lambda v: kael(v).update(images=["01.png"])),
    ("current.pairs[0].source_id: it is missing", lambda v: kael(v).update(pairs=[{}])),
    ("current.concepts[0].model_id: it is missing", lambda v: kael(v).update(concepts=[{"scale": 1}])),
    ("current.tags: expected a list, got text", lambda v: kael(v).update(tags="abc")),
    ("current.fingerprint: expected text of the form", lambda v: kael(v).update(fingerprint="abc")),
    ("protected: expected true or false, got text", lambda v: v["resources"]["model.kael"].update(protected="yes")),
    ("history: expected a list, got text", lambda v: v.update(history="abc")),
    ("history[0].serial: it is missing", lambda v: v.update(history=[{}])),
    ("journal.lines: expected an integer, got text", lambda v: v.update(journal={"run": "r", "lines": "3"})),
]


@pytest.mark.parametrize(("said", "breaks"), BROKEN, ids=[said for said, _ in BROKEN])
def test_damage_is_reported_with_its_location_and_a_hint(said: str, breaks: Callable[[dict[str, Any]], object]) -> None:
    value = plain()
    breaks(value)
    with pytest.raises(StateDamaged) as raised:
        read(value)
    assert str(raised.value).startswith("state/kael.json is damaged: ")
    assert said in str(raised.value)
    assert "nothing was changed" in str(raised.value.problems[0].hint)


@pytest.mark.parametrize("value", [None, [], "state", 1])
def test_a_file_that_is_not_a_state_is_damaged(value: object) -> None:
    with pytest.raises(StateDamaged):
        read(value)
