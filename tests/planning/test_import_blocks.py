"""planning/import_blocks.py: what a record takes over of a model that the service has."""

from __future__ import annotations

from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import Import, ModelSpec
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.model.secret import Secret
from scenario_apply.planning.import_blocks import imported
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import Record, State

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
