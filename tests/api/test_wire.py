"""wire.py: answers of every shape the sources show become values; wrong ones name the field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from scenario_apply.api import job_answers, wire
from scenario_apply.api.request_bodies import json_body
from scenario_apply.errors import BadAnswer, NotFound
from scenario_apply.model.remote import ModelId, Progress, RemoteConcept, RemotePair, TrainingImage
from scenario_apply.model.secret import Secret


def image(n: int) -> dict[str, object]:
    return {"id": f"a{n}", "name": f"{n}.png", "description": "", "automaticCaptioning": "a cat", "createdAt": "x"}


BARE = {"id": "m1", "type": "flux.1-lora", "status": "new"}


@pytest.mark.parametrize(
    "value",
    [{"model": BARE}, BARE, {"model": None, **BARE}, {"modelId": "m1", "type": "flux.1-lora", "status": "draft"}],
)
def test_a_model_comes_wrapped_or_bare_and_a_draft_is_new(value: object) -> None:
    model = wire.model_of(value, complete=True)
    assert (model.id, model.type, model.status) == ("m1", "flux.1-lora", "new")


def test_a_live_record_with_empty_objects_and_unknown_ones() -> None:
    """An empty trainingProgress is none at all: the status alone says how far the model is."""
    live = {"trainingProgress": {}, "trainingImagePairs": [], "complianceMetadata": {"isCompliant": True}}
    model = wire.model_of({"model": {**BARE, **live}}, complete=True)
    assert (model.progress, model.pairs) == (None, ())


@pytest.mark.parametrize("price", [10.75, 1080, 1080.0, 0.5])
def test_compute_units_are_fractions(price: float) -> None:
    details = {"custom-generation": price - 0.25, "quality-gate": 0.25}
    assert wire.quote_of({"creativeUnitsCost": price, "costDetails": details}) == price
    launch = {"job": {"jobId": "j", "billing": {"cuCost": price}}, "creativeUnitsCost": price}
    assert wire.launch_of(launch).cu_cost == price


def test_a_model_with_everything() -> None:
    model = wire.model_of(
        {
            "model": {
                **BARE,
                "status": "training-cancelled",
                "name": "Kael",
                "shortDescription": "s",
                "tags": ["t"],
                "concepts": [{"modelId": "m2", "scale": 1, "modelEpoch": "e"}, {"modelId": "m3", "scale": -0.5}],
                "trainingImages": [image(1), image(2)],
                "trainingImagesNumber": 2.0,
                "trainingImagePairs": [{"sourceId": "a1", "targetId": "a2", "instruction": "i"}],
                "parameters": {"nbEpochs": 3},
                "jobId": "j1",
                "createdAt": "2026-08-01T10:00:00.500Z",
                "trainingStats": {"startedAt": "2026-08-01T10:00:00+02:00"},
                "trainingProgress": {
                    "stage": "running-train",
                    "progress": 0.5,
                    "position": 3,
                    "remainingTimeMs": 1500,
                    "updatedAt": 1,
                },
                "somethingNew": {"kept": "out"},
            }
        },
        complete=True,
    )
    assert model.status == "training-canceled"
    assert model.concepts == (
        RemoteConcept(model_id=ModelId("m2"), scale=1.0, epoch="e"),
        RemoteConcept(model_id=ModelId("m3"), scale=-0.5),
    )
    assert model.images is not None
    assert [i.id for i in model.images] == ["a1", "a2"]
    assert (model.image_count, model.job_id, model.tags) == (2, "j1", ("t",))
    assert model.pairs is not None
    assert model.pairs[0].instruction == "i"
    assert model.progress == Progress(stage="running-train", progress=0.5, position=3, remaining_s=1.5)
    assert model.created_at == 1785578400.5
    assert model.training_started_at == 1785571200
    assert model.parameters == {"nbEpochs": 3}


def test_null_and_missing_read_the_same() -> None:
    names = ("name", "shortDescription", "tags", "concepts", "trainingImages", "trainingImagePairs", "parameters")
    more = ("jobId", "trainingProgress", "createdAt", "trainingStats", "trainingImagesNumber", "status")
    bare = {"id": "m1", "type": "t"}
    assert wire.model_of({**bare, **dict.fromkeys((*names, *more))}, complete=True) == wire.model_of(
        bare, complete=True
    )


@pytest.mark.parametrize(
    ("given", "complete", "seen", "count"),
    [
        ({"trainingImages": [image(1)], "trainingImagesNumber": 1}, False, 1, 1),
        ({"trainingImages": [image(n) for n in range(3)], "trainingImagesNumber": 20}, True, None, 20),
        ({"trainingImages": [image(1)]}, True, 1, 1),
        ({"trainingImages": [image(1)]}, False, None, None),
        ({"trainingImagesNumber": 0}, False, 0, 0),
        ({"trainingImagesNumber": 4}, True, None, 4),
        ({}, True, None, None),
    ],
)
def test_images_are_only_known_when_all_are_shown(
    given: dict[str, object], complete: bool, seen: int | None, count: int | None
) -> None:
    model = wire.model_of({**BARE, **given}, complete=complete)
    assert (None if model.images is None else len(model.images), model.image_count) == (seen, count)


def test_captions_that_are_null_are_empty() -> None:
    added = wire.training_image_of({"trainingImage": {"id": "a1", "description": None}})
    assert added == TrainingImage(id=added.id, name="", description="", automatic_caption="")
    assert wire.training_image_of({"id": "a1"}).id == "a1", "as the older guide shows it"


@pytest.mark.parametrize(
    "value",
    [
        {"job": {"jobId": "j", "status": "canceled", "progress": 1}},
        {"job": {"id": "j", "status": "cancelled", "progress": 1.0}},
        {"jobId": "j", "status": "canceled", "progress": 1, "metadata": None, "billing": None},
    ],
)
def test_a_job_in_every_shape(value: object) -> None:
    job = job_answers.job_of(value)
    assert (job.id, job.status, job.progress, job.is_ended) == ("j", "canceled", 1.0, True)


def test_a_failed_job_has_its_reason_and_its_cost() -> None:
    job = job_answers.job_of(
        {
            "job": {
                "jobId": "j",
                "status": "failure",
                "metadata": {"error": "out of memory", "hint": "fewer images"},
                "billing": {"cuCost": 80, "cuDiscount": 0},
            }
        }
    )
    assert (job.error, job.hint, job.cu_cost, job.progress) == ("out of memory", "fewer images", 80.0, None)


@pytest.mark.parametrize(
    ("value", "cost"),
    [
        ({"job": {"jobId": "j"}, "creativeUnitsCost": 5}, 5.0),
        ({"job": {"id": "j", "billing": {"cuCost": 6, "cuDiscount": 0}}}, 6.0),
        ({"model": {"id": "m", "jobId": "j"}}, None),
        ({"jobId": "j"}, None),
    ],
)
def test_a_launch_in_every_shape(value: object, cost: float | None) -> None:
    launch = wire.launch_of(value)
    assert (launch.job_id, launch.cu_cost) == ("j", cost)


def test_pages_and_their_tokens() -> None:
    page = wire.model_page_of({"models": [BARE, {**BARE, "id": "m2"}], "nextPaginationToken": "t"})
    assert ([m.id for m in page.models], page.next_token) == (["m1", "m2"], "t")
    assert wire.model_page_of({"models": [], "nextPaginationToken": None}).next_token is None
    assert wire.asset_page_of({"assets": []}).assets == ()


def test_an_empty_list_may_be_null() -> None:
    assert wire.model_page_of({"models": None}).models == ()
    assert wire.asset_page_of({"assets": None, "nextPaginationToken": "2"}).next_token == "2"
    assert wire.models_of({"models": None}, complete=True) == {}
    empty = dict.fromkeys(("trainingImages", "tags", "concepts", "trainingImagePairs"))
    model = wire.model_of({"model": {**BARE, **empty, "trainingImagesNumber": 0}}, complete=True)
    assert (model.images, model.image_count) == ((), 0)
    assert wire.score_of({"score": 1, "status": "complete", "assetsWarnings": None}).warnings == ()


@pytest.mark.parametrize("odd", [{"name": 3}, {"tags": "a,b"}, {"parameters": "none"}, {"status": 7}])
def test_one_odd_model_does_not_hide_the_others_of_a_list(odd: dict[str, object]) -> None:
    """Whoever made it, the project's own models stay usable; it only fits no name and no type."""
    page = wire.model_page_of({"models": [{**BARE, **odd}, {**BARE, "id": "m2"}]})
    assert [(model.id, model.type, model.status) for model in page.models] == [
        ("m1", "", None),
        ("m2", "flux.1-lora", "new"),
    ]
    with pytest.raises(BadAnswer, match=r"models\[0\]"):
        wire.models_of({"models": [{**BARE, **odd}]}, complete=True)
    with pytest.raises(BadAnswer, match=r"models\[0\]\.jobId"):
        wire.model_page_of({"models": [{**BARE, **odd, "jobId": "../x"}]})


def test_what_is_only_marked_as_deleted_is_gone() -> None:
    """For 30 days a service may still show it; nothing is attached to it, trained or drawn with it."""
    gone = {**BARE, "deletedAt": "2026-11-01T00:00:00Z"}
    rest = {**BARE, "id": "m2", "deletedAt": None}
    assert list(wire.models_of({"models": [gone, rest]}, complete=True)) == ["m2"]
    assert [model.id for model in wire.model_page_of({"models": [gone, rest]}).models] == ["m2"]
    assert [asset.id for asset in wire.asset_page_of({"assets": [gone, rest]}).assets] == ["m2"]
    for read in (wire.model_of, wire.asset_of):
        for value in (gone, {"model": gone, "asset": gone}):
            with pytest.raises(NotFound, match="is deleted"):
                read(value)


def test_one_odd_asset_does_not_hide_the_others_of_a_list() -> None:
    page = wire.asset_page_of({"assets": [{"id": "a1", "name": 3}, {"id": "a2", "name": "x.png", "metadata": []}]})
    assert [(asset.id, asset.name) for asset in page.assets] == [("a1", None), ("a2", "x.png")]


def test_parameters_that_no_state_can_hold_are_left_out() -> None:
    """A null says nothing; an integer of more than 64 bits could be read and not be written."""
    given = {"seed": 2**70, "rank": 4, "nbEpochs": None, "list": [1, 2**64]}
    assert wire.model_of({"model": {**BARE, "parameters": given}}).parameters == {"rank": 4}
    assert wire.model_of({"model": {**BARE, "parameters": []}}).parameters == {}


@pytest.mark.parametrize("spelled", ["TRAINING_CANCELLED", "Training Canceled", "training-canceled"])
def test_a_status_may_be_spelled_in_another_way(spelled: str) -> None:
    assert wire.model_of({"model": {**BARE, "status": spelled}}).status == "training-canceled"


def test_an_assets_name_stands_in_its_metadata() -> None:
    value = {"asset": {"id": "a", "metadata": {"name": "x.png"}, "properties": {"size": 12.0}, "status": "success"}}
    asset = wire.asset_of(value)
    assert (asset.name, asset.size_bytes, asset.status) == ("x.png", 12, "success")


def test_an_uploads_parts_come_in_order() -> None:
    parts = [{"number": 2, "url": "u2", "expires": "x"}, {"number": 1, "url": "u1", "expires": "x"}]
    upload = wire.upload_of({"upload": {"id": "u", "status": "pending", "entityId": None, "parts": parts}})
    assert ([p.url for p in upload.parts], upload.asset_id) == (["u1", "u2"], None)
    done = wire.upload_of({"upload": {"id": "u", "status": "imported", "entityId": "a"}})
    assert done.asset_id == "a"


def test_a_scores_warnings_are_sentences() -> None:
    score = wire.score_of(
        {
            "score": 0.5,
            "status": "complete",
            "assetsWarnings": [{"assetId": "a", "message": ["Missing caption"]}],
            "assetCouplesWarnings": [{"couple": ["a", "b"], "message": ["Same asset"]}],
        }
    )
    assert score.warnings == ("a: Missing caption", "a and b: Same asset")


@pytest.mark.parametrize(
    ("read", "value", "field"),
    [
        (lambda v: wire.model_of(v, complete=True), {"model": {"type": "t"}}, "id"),
        (lambda v: wire.model_of(v, complete=True), {"model": {**BARE, "name": 3}}, "model.name"),
        (lambda v: wire.model_of(v, complete=True), {"model": {**BARE, "trainingImages": {}}}, "model.trainingImages"),
        (
            lambda v: wire.model_of(v, complete=True),
            {"model": {**BARE, "trainingImages": [{"id": "a"}, {"id": 3}]}},
            "model.trainingImages[1].id",
        ),
        (
            lambda v: wire.model_of(v, complete=True),
            {"model": {**BARE, "trainingImagesNumber": True}},
            "trainingImagesNumber",
        ),
        (lambda v: wire.model_of(v, complete=True), {"model": {**BARE, "tags": ["a", 1]}}, "model.tags[1]"),
        (lambda v: wire.model_of(v, complete=True), {"model": {**BARE, "parameters": [1]}}, "model.parameters"),
        (lambda v: wire.model_of(v, complete=True), {"model": "m1"}, "model"),
        (lambda v: wire.model_of(v, complete=True), [], "object"),
        (lambda v: wire.model_of(v, complete=True), "text", "object"),
        (wire.model_page_of, {"models": [{"type": "t"}]}, "models[0].id"),
        (wire.model_page_of, {"items": []}, "models"),
        (job_answers.job_of, {"job": {"jobId": "j"}}, "job.status"),
        (wire.launch_of, {"model": {"id": "m"}}, "job.jobId"),
        (wire.quote_of, {}, "creativeUnitsCost"),
        (wire.score_of, {"score": None}, "score"),
        (wire.upload_of, {"upload": {"id": "u", "status": "pending", "parts": [{"number": 1}]}}, "upload.parts[0].url"),
    ],
)
def test_a_wrong_answer_names_the_field(read: Callable[[object], object], value: object, field: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        read(value)
    assert field in str(caught.value)


def test_bodies() -> None:
    concepts = [
        RemoteConcept(model_id=ModelId("m"), scale=0.5),
        RemoteConcept(model_id=ModelId("n"), scale=1, epoch="e"),
    ]
    assert wire.concepts_to_json(concepts) == [
        {"modelId": "m", "scale": 0.5},
        {"modelId": "n", "scale": 1, "modelEpoch": "e"},
    ]
    image_id = wire.training_image_of({"id": "a"}).id
    pair = RemotePair(source_id=image_id, target_id=image_id, instruction="i")
    assert wire.pairs_to_json([pair]) == [{"sourceId": "a", "targetId": "a", "instruction": "i"}]
    assert wire.training_to_json({}) == {}
    assert wire.training_to_json({"seed": 1}) == {"parameters": {"seed": 1}}


def test_secrets_of_a_training_are_sent_and_never_taken_from_an_answer() -> None:
    """A mask is not a key: a training launched with it would report to no account."""
    body = b"".join(bytes(piece) for piece in json_body(wire.training_to_json({"wandbKey": Secret("hunter2")})))
    assert json.loads(body) == {"parameters": {"wandbKey": "hunter2"}}
    assert wire.quoted_to_json({"wandbKey": Secret("hunter2"), "rank": 4}) == {"parameters": {"rank": 4}}
    for stored in ("(secret)", "hunter2", {"secret": "sha256:00"}):
        with pytest.raises(ValueError, match="wandbKey"):
            wire.training_to_json({"wandbKey": stored})
    answer = {"model": {"id": "m", "type": "flux.1-lora", "parameters": {"wandbKey": "hunter2", "rank": 4}}}
    assert wire.model_of(answer, complete=True).parameters == {"wandbKey": "(secret)", "rank": 4}


@pytest.mark.parametrize("status", ["complete", "imported"])
def test_an_upload_with_an_entity_is_an_asset_whatever_its_status(status: str) -> None:
    """`complete` is where the vendor's own helper stops; without an entity it is still being imported."""
    upload = {"id": "u", "status": status, "parts": None}
    assert wire.upload_of({"upload": {**upload, "entityId": "a1"}}).asset_id == "a1"
    assert wire.upload_of({"upload": {**upload, "entityId": None}}).asset_id is None


@pytest.mark.parametrize(
    ("epoch", "epochs", "read", "names"),
    [
        ("8", [{"epoch": "7", "assets": []}, {"epoch": 8, "assets": "odd"}], "8", ["7", "8"]),
        (8, [{"epoch": "7"}, {"assets": []}], "8", None),
        (8.0, None, "8", None),
        ({"odd": 1}, [{"epoch": "x" * 65}], None, None),
    ],
)
def test_epochs_are_read_loosely_and_never_in_part(
    epoch: object, epochs: object, read: str | None, names: list[str] | None
) -> None:
    """A list that lacks one would refuse a choice that the service takes."""
    answer = {"id": "m", "type": "flux.1-lora", "status": "trained", "epoch": epoch, "epochs": epochs}
    model = wire.model_of({"model": answer}, complete=True)
    assert model.epoch == read
    assert (None if model.epochs is None else [one.name for one in model.epochs]) == names
