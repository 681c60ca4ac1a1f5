"""The client against the embedded Scenario over real HTTP: a whole training, and every fault it can be given."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import requests
from PIL import Image

from scenario_apply.api import connect
from scenario_apply.api.client import Client
from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.api.transport import Timeouts
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.errors import AnswerLost, NotFound, Refused
from scenario_apply.model.remote import ModelId, PictureToCaption, RemoteConcept
from tests.fakes.clock import FakeClock


@cache
def picture(n: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (n * 40 % 256, 80, 160)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def emulator() -> Iterator[EmulatorThread]:
    with EmulatorThread() as running:
        yield running


def connected(emulator: EmulatorThread, read_s: float = 60.0) -> tuple[Client, RequestBudget]:
    """A client that waits long enough for a loaded machine; read_s: shorter, where the service is to stay silent."""
    return connect(
        base_url=emulator.url,
        api_key="key-1234",
        api_secret="secret-1234",
        project_id=None,
        rate_limit_per_minute=0,
        clock=FakeClock(),
        timeouts=Timeouts(connect=20.0, read=read_s, first_read=60.0),
    )


def test_deleted_assets_are_left_out_of_a_bulk_read(emulator: EmulatorThread) -> None:
    """And are not found by themselves: what a plan would use again is looked for in both ways."""
    api, _ = connected(emulator)
    ids = [api.upload_asset(name=f"{n}.png", body=picture(n)).id for n in range(3)]
    body, credentials = {"assetIds": ids[:1]}, ("key-1234", "secret-1234")
    assert requests.delete(f"{emulator.url}/assets", json=body, auth=credentials, timeout=20).ok
    assert set(api.get_assets(ids)) == set(ids[1:])
    assert api.get_asset(ids[1]).id == ids[1]
    with pytest.raises(NotFound):
        api.get_asset(ids[0])


def test_a_training_from_an_empty_project_to_its_composition(emulator: EmulatorThread) -> None:
    api, budget = connected(emulator)
    model = api.create_model(name="Kael", type="flux.1-lora", short_description="a ranger")
    with ThreadPoolExecutor(4) as pool:
        images = list(
            pool.map(lambda n: api.add_image(model.id, name=f"{n}.png", mime="image/png", body=picture(n)), range(6))
        )
    asset = api.upload_asset(name="6.png", body=picture(6))
    api.attach_assets(model.id, [asset.id])
    upload = api.create_upload(file_name="7.png", mime="image/png", size_bytes=len(picture(7)), parts=1)
    api.put_part(upload.parts[0].url, picture(7))
    api.complete_upload(upload.id)
    emulator.advance(10)
    imported = api.get_upload(upload.id)
    assert (imported.status, imported.error) == ("imported", None)
    assert imported.asset_id is not None
    api.attach_assets(model.id, [imported.asset_id])
    api.set_caption(images[0].id, 'KAEL_07, "red" cloak')
    api.update_tags(model.id, add=["ranger"], delete=[])
    api.detach_image(model.id, images[5].id)
    read = api.get_model(model.id)
    assert read.images is not None
    assert {image.description for image in read.images} == {"", 'KAEL_07, "red" cloak'}
    assert (read.image_count, read.tags, read.short_description) == (7, ("ranger",), "a ranger")
    assert api.get_models([model.id], images=True)[model.id].images == read.images
    assert api.get_models([model.id], images=False)[model.id].images is None, "a preview of three is not all"
    assert 0 <= api.get_score(model.id).score <= 1

    price = api.quote_training(model.id, {"nbEpochs": 2}, None)
    assert api.get_model(model.id).status == "new", "a quote starts nothing"
    launch = api.train(model.id, {"nbEpochs": 2})
    assert launch.cu_cost == price
    assert api.list_models(status="training").models[0].id == model.id
    assert not api.get_job(launch.job_id).is_ended
    emulator.advance(3600)
    job = api.get_job(launch.job_id)
    trained = api.get_model(model.id)
    assert (job.status, job.cu_cost, trained.status) == ("success", price, "trained")
    assert trained.job_id == launch.job_id
    assert trained.training_started_at is not None

    composed = api.create_model(
        name="In ink", type="flux.1-composition", concepts=[RemoteConcept(model_id=model.id, scale=0.5)]
    )
    changed = api.update_model(composed.id, name="In blue", concepts=[RemoteConcept(model_id=model.id, scale=0.7)])
    assert changed.concepts == (RemoteConcept(model_id=model.id, scale=0.7),)
    api.delete_model(composed.id)
    api.delete_model(composed.id)
    with pytest.raises(NotFound):
        api.get_model(composed.id)
    assert set(api.get_models([model.id, composed.id], images=False)) == {model.id}
    assert budget.sent == len([r for r in emulator.requests if not r.path.startswith("/cdn") and "parts" not in r.path])


FAULTS = ["drop-answer", "500", "502", "503", "truncate"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("times", [1, 2])
def test_repeatable_calls_get_over_every_fault(emulator: EmulatorThread, fault: str, times: int) -> None:
    api, _ = connected(emulator)
    model = api.create_model(name="x", type="flux.1-lora")
    calls: list[Callable[[], object]] = [
        lambda: api.get_model(model.id),
        lambda: api.update_model(model.id, name="y"),
        lambda: api.update_tags(model.id, add=["a"], delete=[]),
        lambda: api.delete_model(model.id),
    ]
    for call in calls:
        emulator.add_fault(fault, times=times)
        call()
    with pytest.raises(NotFound):
        api.get_model(model.id)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_launch_that_met_a_fault_is_not_repeated(emulator: EmulatorThread, fault: str) -> None:
    api, budget = connected(emulator)
    model = api.create_model(name="x", type="flux.1-lora")
    for n in range(5):
        api.add_image(model.id, name=f"{n}.png", mime="image/png", body=picture(n))
    emulator.add_fault(fault, path=f"/models/{model.id}/train")
    before = budget.sent
    with pytest.raises(AnswerLost):
        api.train(model.id, {})
    assert budget.sent == before + 1


def test_captions_are_priced_and_written_for_assets_and_for_bytes(emulator: EmulatorThread) -> None:
    """The embedded Scenario checks each body against the contract."""
    api, _ = connected(emulator)
    model = api.create_model(name="x", type="flux.1-lora")
    asset = PictureToCaption(asset_id=api.add_image(model.id, name="1.png", mime="image/png", body=picture(1)).id)
    loose = PictureToCaption(mime="image/png", body=picture(2))
    assert api.quote_captions([asset, loose, loose], "action+style") == 0.75
    written = [api.generate_caption(one, "action") for one in (asset, loose)]
    assert [bool(caption.text) for caption in written] == [True, True]
    assert [caption.cu_cost for caption in written] == [0.25, 0.25]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_caption_that_met_a_fault_is_not_asked_for_again(emulator: EmulatorThread, fault: str) -> None:
    api, budget = connected(emulator)
    emulator.add_fault(fault, path="/generate/caption")
    with pytest.raises(AnswerLost):
        api.generate_caption(PictureToCaption(mime="image/png", body=picture(1)))
    assert budget.sent == 1


def test_silence_is_an_answer_lost_in_time(emulator: EmulatorThread) -> None:
    api, _ = connected(emulator, read_s=0.5)
    emulator.add_fault("hang", path="/models")
    with pytest.raises(AnswerLost) as caught:
        api.create_model(name="x", type="flux.1-lora")
    assert caught.value.timed_out


def test_a_refusal_for_the_rate_creates_one_model(emulator: EmulatorThread) -> None:
    api, budget = connected(emulator)
    emulator.add_fault("429", times=3)
    api.create_model(name="x", type="flux.1-lora")
    assert len(api.list_models().models) == 1
    assert budget.refused == 3


def test_the_services_own_message_is_shown(emulator: EmulatorThread) -> None:
    api, _ = connected(emulator)
    with pytest.raises(NotFound, match="nowhere"):
        api.get_model(ModelId("nowhere"))
    model = api.create_model(name="x", type="flux.1-lora")
    with pytest.raises(Refused) as caught:
        api.train(model.id, {})
    assert caught.value.status == 400
