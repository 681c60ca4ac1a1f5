"""planning/import_blocks.py: what a record takes over of a model that the service has."""

from __future__ import annotations

import struct

import pytest
from msgspec.structs import replace

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
    contents = Contents(images=(replace(picture("1.png", "fox"), caption=declared),))
    observed = Observed(models={ModelId("m"): remote}, own=(remote,), refreshed=True)
    state = State(lineage="x", serial=1, records={})
    record = imported(Import(target=KAEL, model_id="m", place=HERE), spec, contents, state, observed)
    assert isinstance(record, Record)
    assert [one.caption for one in record.current.images] == [taken]


SINGLE = struct.unpack("f", struct.pack("f", 1e-4))[0]


def test_what_the_service_writes_in_another_way_is_imported_as_declared() -> None:
    """Numbers in single precision or as text, collapsed blanks, composed names: nothing is trained for them."""
    spec = ModelSpec(
        address=KAEL,
        name="Kae\u0301l ",
        type="flux.1-lora",
        dataset="kael",
        parameters={"learningRate": 1e-4, "nbEpochs": 5, "seed": 2},
        tags=("Hero",),
        description="Green  hood.\n",
        place=HERE,
    )
    images = (
        picture("cafe\u0301.png", "ash", "KAEL,  front"),
        picture("02.png", "elm", "KAEL, side"),
        picture("03.png", "oak"),
    )
    remote = RemoteModel(
        id=ModelId("m"),
        type="flux.1-lora",
        status="trained",
        name="Ka\u00e9l",
        short_description="Green hood.",
        tags=("hero", "other"),
        parameters={"learningRate": SINGLE, "nbEpochs": "5", "seed": None},
        images=(
            held("a1", "caf\u00e9.png", "KAEL, front"),
            held("a2", "02.png", "somebody wrote this"),
            held("a3", "03.png", "a picture"),
        ),
    )
    observed = Observed(models={ModelId("m"): remote}, own=(remote,), refreshed=True)
    block = Import(target=KAEL, model_id="m", place=HERE)
    record = imported(block, spec, Contents(images=images), State(), observed)
    assert isinstance(record, Record)
    version = record.current
    assert (version.name, version.description, version.tags) == (spec.name, spec.description, ("Hero",))
    assert version.parameters == {"learningRate": 1e-4, "nbEpochs": 5, "seed": 2}
    assert [(image.path, image.caption) for image in version.images] == [
        ("cafe\u0301.png", "KAEL,  front"),
        ("02.png", "somebody wrote this"),
        ("03.png", ""),
    ]


def test_captions_that_the_service_cut_are_imported_as_declared() -> None:
    """Two of them end after the same number of letters: nobody did that by hand."""
    captions = ("KAEL_07, front view at dusk", "KAEL_07, inner view of it", "KAEL_07, up")
    images = tuple(picture(f"{n}.png", f"sha{n}", caption) for n, caption in enumerate(captions))
    remote = RemoteModel(
        id=ModelId("m"),
        type="flux.1-lora",
        status="trained",
        images=tuple(held(f"a{n}", f"{n}.png", caption[:19]) for n, caption in enumerate(captions)),
    )
    spec = ModelSpec(address=KAEL, name="Kael", type="flux.1-lora", dataset="kael", parameters={}, place=HERE)
    observed = Observed(models={ModelId("m"): remote}, own=(remote,), refreshed=True)
    block = Import(target=KAEL, model_id="m", place=HERE)
    record = imported(block, spec, Contents(images=images), State(), observed)
    assert isinstance(record, Record)
    assert tuple(image.caption for image in record.current.images) == captions


def held(asset_id: str, name: str, description: str) -> TrainingImage:
    return TrainingImage(id=AssetId(asset_id), name=name, description=description, automatic_caption="a picture")
