"""core/state_json.py: a state as it lies on disk, and what is wrong with a damaged one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scenario_apply.core.address import Address
from scenario_apply.core.remote import AssetId, JobId, ModelId
from scenario_apply.core.state import AssetRecord, ConceptRecord, ImageRecord, PairRecord, Record, State, Version
from scenario_apply.core.state_json import state_from_json, state_to_json
from scenario_apply.errors import StateDamaged, StateNewer

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
                quoted=45,
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


def test_no_digest_of_a_secret_survives() -> None:
    """Earlier releases stored one, from which a short secret can be guessed."""
    value = plain()
    value["resources"]["model.kael"]["current"]["parameters"]["wandbKey"] = {"secret": "sha256:00"}
    assert read(value) == FULL


def test_everything_survives() -> None:
    assert read(plain()) == FULL


def test_the_top_says_what_the_design_says() -> None:
    """lineage and serial stand at the top, for others to read."""
    top = plain()
    assert (top["lineage"], top["serial"], top["tool_version"]) == ("lineage", 7, "0.1.0")
    assert list(top["resources"]) == ["composition.ink", "model.kael"]


def test_fields_that_are_not_known_are_ignored() -> None:
    """A newer minor version may add some."""
    value = plain()
    value["format_version"] = "1.9"
    value["news"] = 1
    value["resources"]["model.kael"]["current"]["images"][0]["news"] = 1
    assert read(value) == FULL


def test_a_newer_format_is_refused_with_the_version_that_wrote_it() -> None:
    with pytest.raises(StateNewer, match=r"has format 2\.0, written by scenario-apply 3\.1") as raised:
        read(plain() | {"format_version": "2.0", "tool_version": "3.1"})
    assert "backups/" in str(raised.value.problems[0].mend)


def kael(value: dict[str, Any]) -> Any:
    return value["resources"]["model.kael"]["current"]


BROKEN: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("format_version is missing", lambda v: v.pop("format_version")),
    ("lineage is missing", lambda v: v.pop("lineage")),
    ("serial is no number", lambda v: v.update(serial="7")),
    ("serial is no number", lambda v: v.update(serial=True)),
    ("serial is no number", lambda v: v.update(serial=-1)),
    ("resources is missing", lambda v: v.pop("resources")),
    ("resources is no map", lambda v: v.update(resources=[])),
    ("resources.kael", lambda v: v["resources"].update(kael={})),
    ("endpoint is no text", lambda v: v.update(endpoint=1)),
    ("assets is no map", lambda v: v.update(assets=[1])),
    ("assets.asset_9.sha256 is missing", lambda v: v["assets"].update(asset_9={"caption": ""})),
    ("model.kael.current is missing", lambda v: v["resources"]["model.kael"].pop("current")),
    ("model.kael.previous is no list", lambda v: v["resources"]["model.kael"].update(previous={})),
    ("model.kael.current.id is missing", lambda v: kael(v).pop("id")),
    ("model.kael.current.phase is 'asleep'", lambda v: kael(v).update(phase="asleep")),
    ("model.kael.current.number is no number", lambda v: kael(v).update(number="2")),
    ("model.kael.current.name is no text", lambda v: kael(v).update(name=["Kael"])),
    ("model.kael.current.parameters is no map", lambda v: kael(v).update(parameters=[1])),
    ("model.kael.current.quoted is no number", lambda v: kael(v).update(quoted="45")),
    ("model.kael.current has an entry of another shape", lambda v: kael(v).update(images=[{"path": "01.png"}])),
    ("model.kael.current has an entry of another shape", lambda v: kael(v).update(images=["01.png"])),
    ("model.kael.current has an entry of another shape", lambda v: kael(v).update(pairs=[{}])),
    ("model.kael.current has an entry of another shape", lambda v: kael(v).update(concepts=[{"scale": 1}])),
    ("model.kael.current has an entry of another shape", lambda v: kael(v).update(tags=1)),
]


@pytest.mark.parametrize(("said", "breaks"), BROKEN, ids=[said for said, _ in BROKEN])
def test_damage_is_named_with_its_place_and_the_way_back(said: str, breaks: Callable[[dict[str, Any]], object]) -> None:
    value = plain()
    breaks(value)
    with pytest.raises(StateDamaged) as raised:
        read(value)
    assert str(raised.value).startswith("state/kael.json is damaged: ")
    assert said in str(raised.value)
    assert "nothing was changed" in str(raised.value.problems[0].mend)


@pytest.mark.parametrize("value", [None, [], "state", 1])
def test_what_is_no_state_at_all_is_damaged(value: object) -> None:
    with pytest.raises(StateDamaged):
        read(value)
