"""planning/import_blocks.py: what a record takes over of a model that the service has."""

from __future__ import annotations

from dataclasses import replace as with_fields

import pytest

from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import Import, ModelSpec
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, TrainingImage
from scenario_apply.model.secret import Secret
from scenario_apply.planning.import_blocks import imported
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import Record, State
from tests.planning.manifests import picture

KAEL = parse_address("model.kael")
HERE = Location(file="scenario.yaml", line=1, column=1)


def test_a_secret_is_not_taken_over_from_the_service() -> None:
    """Whatever the service says of it: the record has the mask, all else has the service's values."""
    spec = ModelSpec(
        address=KAEL,
        name="Kael",
        type="flux.1-lora",
        dataset="kael",
        parameters={"wandbKey": Secret("hunter2"), "rank": 4},
        place=HERE,
    )
    remote = RemoteModel(
        id=ModelId("m"), type="flux.1-lora", status="trained", parameters={"wandbKey": "hunter2", "rank": 8}
    )
    observed = Observed(models={ModelId("m"): remote}, own=(remote,), refreshed=True)
    state = State(lineage="x", serial=1, records={})
    record = imported(Import(target=KAEL, model_id="m", place=HERE), spec, Contents(images=()), state, observed)
    assert isinstance(record, Record)
    assert record.current.parameters == {"wandbKey": "(secret)", "rank": 8}


@pytest.mark.parametrize(
    ("declared", "shown", "taken"),
    [
        (None, "a fox", ""),
        (None, "", ""),
        (None, "words", "words"),
        ("my fox", "a fox", "a fox"),
        ("a fox", "a fox", "a fox"),
    ],
)
def test_a_caption_of_the_services_own_is_taken_for_nobodys(declared: str | None, shown: str, taken: str) -> None:
    """A dataset without captions fits a model without captions, whether or not the service shows the automatic one."""
    spec = ModelSpec(address=KAEL, name="Kael", type="flux.1-lora", dataset="kael", parameters={}, place=HERE)
    image = TrainingImage(id=AssetId("a"), name="1.png", description=shown, automatic_caption="a fox")
    remote = RemoteModel(id=ModelId("m"), type="flux.1-lora", status="trained", images=(image,))
    contents = Contents(images=(with_fields(picture("1.png", "fox"), caption=declared),))
    observed = Observed(models={ModelId("m"): remote}, own=(remote,), refreshed=True)
    state = State(lineage="x", serial=1, records={})
    record = imported(Import(target=KAEL, model_id="m", place=HERE), spec, contents, state, observed)
    assert isinstance(record, Record)
    assert [one.caption for one in record.current.images] == [taken]
