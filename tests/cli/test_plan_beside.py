"""cli/plan_beside.py: what is looked up for the resources of a plan."""

from __future__ import annotations

from pathlib import Path

from scenario_apply.cli.plan_beside import beside_of
from scenario_apply.cli.plan_request import PlanRequest
from scenario_apply.cli.state_location import StateLocation
from scenario_apply.dataset.types import Contents, Dataset
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action, Change
from tests.cli.plans import plan_of
from tests.manifest.load import load

MODELS = """
datasets: { one: { images: ./one }, other: { images: ./other } }
models:
  one: { type: flux.1-lora, dataset: one }
  other: { type: flux.1-lora, dataset: other }
"""


def test_only_datasets_of_what_changes_are_looked_into(tmp_path: Path) -> None:
    """A plan costs what changed: the record of a dataset that did not change is never unpacked."""
    unpacked: list[str] = []

    def dataset(name: str) -> Dataset:
        def contents() -> Contents:
            unpacked.append(name)
            return Contents(images=())

        return Dataset(name=name, digest="", source_digest="", image_count=0, pair_count=0, problems=(), load=contents)

    request = PlanRequest(
        manifest=load(tmp_path, MODELS),
        datasets={name: dataset(name) for name in ("one", "other")},
        place=StateLocation(state="state.json", root=str(tmp_path), project=None),
    )
    one, other = Address("model", "one"), Address("model", "other")
    plan = plan_of(Change(address=one, action=Action.NONE), Change(address=other, action=Action.CREATE))
    assert list(beside_of(plan, request, None)) == [other]
    assert unpacked == ["other"]
