"""One suite over both implementations of ScenarioApi: the fake in memory, and the real client on the emulator.

What holds here is what the engine relies on; so a test on the fake says something about the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from scenario_apply.api import connect
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.errors import NotFound, PlanCeiling, Refused
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import AssetId, JobId, ModelId, RemoteConcept, RemoteModel, RemotePair, UploadId
from scenario_apply.model.samples import Generation, SampleSettings
from tests.fakes.bench import picture
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

TRAINING_S = 30.0


@dataclass
class Service:
    """One implementation: its api, its time, and how its plan allows one training at a time."""

    api: ScenarioApi
    advance: Callable[[float], None]
    allow_one_training: Callable[[], None]


def _fake() -> Iterator[Service]:
    clock = FakeClock()
    fake = FakeScenario(clock, training_s=TRAINING_S)
    fake.fail_training = {"Doomed"}

    def allow_one_training() -> None:
        fake.parallel_training = 1

    yield Service(fake, clock.advance, allow_one_training)


def _emulator(parallel: int = 100) -> Iterator[Service]:
    options = manual_options(training_s=TRAINING_S, fail_training=("Doomed",), parallel_training=parallel)
    with EmulatorThread(options) as running:
        api, _ = connect(
            base_url=running.url,
            api_key="key",
            api_secret="secret",
            project_id=None,
            rate_limit_per_minute=0,
            clock=FakeClock(),
        )
        yield Service(api, running.advance, lambda: None)


IMPLEMENTATIONS = {"fake": _fake, "emulator": _emulator}


@pytest.fixture(params=IMPLEMENTATIONS)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    yield from IMPLEMENTATIONS[request.param]()


@pytest.fixture(params=IMPLEMENTATIONS)
def narrow_service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """A plan that allows one training at a time."""
    made = _fake() if request.param == "fake" else _emulator(parallel=1)
    for one in made:
        one.allow_one_training()
        yield one


def added(api: ScenarioApi, model: RemoteModel, *names: str) -> list[AssetId]:
    return [api.add_image(model.id, name=name, mime="image/png", body=picture(n)).id for n, name in enumerate(names, 1)]


def test_a_new_model_is_an_empty_shell_that_lists_show_first(service: Service) -> None:
    api = service.api
    first = api.create_model(name="A", type="flux.1-lora", short_description="a ranger")
    second = api.create_model(name="B", type="sd-xl-lora")
    assert [m.id for m in api.list_models().models] == [second.id, first.id]
    read = api.get_model(first.id)
    assert (read.name, read.type, read.status, read.image_count) == ("A", "flux.1-lora", "new", 0)
    assert (read.short_description, read.images, read.job_id) == ("a ranger", (), None)
    assert read.created_at is not None
    assert api.list_models(status="trained").models == ()


def test_reads_of_what_is_not_there(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    for read in (
        lambda: api.get_model(ModelId("nowhere")),
        lambda: api.get_job(JobId("nowhere")),
        lambda: api.get_upload(UploadId("nowhere")),
    ):
        with pytest.raises(NotFound):
            read()
    assert set(api.get_models([model.id, ModelId("nowhere")], images=True)) == {model.id}
    with pytest.raises(ValueError, match="50"):
        api.get_models([ModelId(f"m{n}") for n in range(51)], images=False)


def test_a_deleted_model_is_gone_and_deleting_it_again_does_no_harm(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    api.delete_model(model.id)
    api.delete_model(model.id)
    with pytest.raises(NotFound):
        api.get_model(model.id)
    assert api.get_models([model.id], images=True) == {}
    assert api.list_models().models == ()


def test_images_keep_their_ids_as_assets_and_their_order(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    ids = added(api, model, "1.png", "2.png", "3.png", "4.png", "5.png")
    read = api.get_model(model.id)
    assert read.images is not None
    assert [(i.id, i.name, i.description) for i in read.images] == [(i, f"{n}.png", "") for n, i in enumerate(ids, 1)]
    assert read.image_count == 5
    assert api.get_models([model.id], images=True)[model.id].images == read.images
    preview = api.get_models([model.id], images=False)[model.id]
    assert (preview.images, preview.image_count) == (None, 5)
    listed = api.list_assets().assets
    assert {a.id for a in listed} == set(ids), "what is added by data is an asset, too"
    assert {a.size_bytes for a in listed} == {len(picture(n)) for n in range(1, 6)}


def test_an_asset_carries_one_caption_for_every_model(service: Service) -> None:
    api = service.api
    models = [api.create_model(name=name, type="flux.1-lora") for name in "AB"]
    asset = api.upload_asset(name="1.png", body=picture(1))
    for model in models:
        api.attach_assets(model.id, [asset.id])
    api.set_caption(asset.id, 'KAEL_07, "red"')
    for model in models:
        [image] = api.get_model(model.id).images or ()
        assert (image.id, image.description) == (asset.id, 'KAEL_07, "red"')
        assert image.automatic_caption
    api.set_caption(asset.id, "")
    [image] = api.get_model(models[0].id).images or ()
    assert image.description == "", "back to the service's own"
    [listed] = api.list_assets().assets
    assert (listed.name, listed.size_bytes) == ("1.png", len(picture(1)))


def test_attaching_is_all_or_nothing_and_never_twice(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    ids = [api.upload_asset(name=f"{n}.png", body=picture(n)).id for n in range(3)]
    api.attach_assets(model.id, ids[:1])
    with pytest.raises(Refused) as caught:
        api.attach_assets(model.id, ids)
    assert caught.value.status == 400
    assert api.get_model(model.id).image_count == 1
    api.attach_assets(model.id, ids[1:])
    assert api.get_model(model.id).image_count == 3
    for wrong in ([], ids * 4):
        with pytest.raises(ValueError, match="one to"):
            api.attach_assets(model.id, wrong)


def test_detaching_twice_does_no_harm_and_leaves_the_asset(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    first, second = added(api, model, "1.png", "2.png")
    api.detach_image(model.id, first)
    api.detach_image(model.id, first)
    assert [i.id for i in api.get_model(model.id).images or ()] == [second]
    assert first in {a.id for a in api.list_assets().assets}
    api.attach_assets(model.id, [first])


def test_labels_and_tags(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora", short_description="old")
    api.update_model(model.id, name="B")
    api.update_tags(model.id, add=["hero", "test"], delete=[])
    api.update_tags(model.id, add=["hero"], delete=["test", "never"])
    read = api.get_model(model.id)
    assert (read.name, read.short_description, read.tags) == ("B", "old", ("hero",))


def test_pairs_are_replaced_whole_and_need_training_images(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.2-klein-9b-edit-lora")
    one, two = added(api, model, "1.png", "2.png")
    pair = RemotePair(source_id=one, target_id=two, instruction="paint it")
    api.replace_pairs(model.id, [pair])
    api.replace_pairs(model.id, [pair])
    assert api.get_model(model.id).pairs == (pair,)
    with pytest.raises(Refused):
        api.replace_pairs(model.id, [RemotePair(source_id=one, target_id=AssetId("nowhere"), instruction="x")])


def test_an_image_that_is_detached_takes_its_pairs_along(service: Service) -> None:
    """So a pair that is wanted has to be set again afterwards."""
    api = service.api
    model = api.create_model(name="Paint", type="flux.2-klein-9b-edit-lora")
    one, two, three = added(api, model, "1.png", "2.png", "3.png")
    kept = RemotePair(source_id=one, target_id=three, instruction="draw it")
    api.replace_pairs(model.id, [RemotePair(source_id=one, target_id=two, instruction="paint it"), kept])
    api.detach_image(model.id, two)
    assert api.get_model(model.id).pairs == (kept,)
    assert api.get_models([model.id], images=True)[model.id].pairs == (kept,)


def test_a_large_picture_in_parts(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    body = picture(1)
    upload = api.create_upload(file_name="1.png", mime="image/png", size_bytes=len(body), parts=1)
    assert (upload.status, upload.asset_id, len(upload.parts)) == ("pending", None, 1)
    assert api.get_upload(upload.id).status == "pending"
    api.put_part(upload.parts[0].url, body)
    api.complete_upload(upload.id)
    for _ in range(5):
        service.advance(3)
        upload = api.get_upload(upload.id)
        if upload.asset_id is not None:
            break
    assert upload.status == "imported"
    assert upload.asset_id is not None
    api.attach_assets(model.id, [upload.asset_id])
    [image] = api.get_model(model.id).images or ()
    assert image.name == "1.png"


def test_a_training_from_its_quote_to_its_end(service: Service) -> None:
    api = service.api
    model = api.create_model(name="A", type="flux.1-lora")
    added(api, model, "1.png", "2.png")
    quote = api.quote_training(model.id, {"rank": 8}, None)
    assert quote > 0
    assert api.get_model(model.id).status == "new", "a quote starts nothing"
    launch = api.train(model.id, {"rank": 8})
    assert launch.cu_cost == quote
    running = api.get_model(model.id)
    assert (running.status, running.job_id) == ("training", launch.job_id)
    assert [m.id for m in api.list_models(status="training").models] == [model.id]
    assert not api.get_job(launch.job_id).is_ended
    for write in (
        partial(api.train, model.id, {}),
        partial(added, api, model, "3.png"),
    ):
        with pytest.raises(Refused) as caught:
            write()
        assert caught.value.status == 400, "not while it trains"
    service.advance(TRAINING_S + 1)
    ended = api.get_model(model.id)
    assert (ended.status, ended.job_id) == ("trained", launch.job_id)
    job = api.get_job(launch.job_id)
    assert (job.status, job.cu_cost, job.error) == ("success", quote, None)
    again = api.train(model.id, {"rank": 4})
    assert again.job_id != launch.job_id
    assert api.get_model(model.id).job_id == again.job_id, "a second training is told by its job"


def test_a_training_that_fails_says_why(service: Service) -> None:
    api = service.api
    model = api.create_model(name="Doomed", type="flux.1-lora")
    added(api, model, "1.png")
    launch = api.train(model.id, {})
    service.advance(TRAINING_S + 1)
    assert api.get_model(model.id).status == "failed"
    job = api.get_job(launch.job_id)
    assert job.status == "failure"
    assert job.error


def test_an_empty_training_set_is_refused(service: Service) -> None:
    model = service.api.create_model(name="A", type="flux.1-lora")
    with pytest.raises(Refused) as caught:
        service.api.train(model.id, {})
    assert caught.value.status == 400


def test_a_score_is_between_nothing_and_one(service: Service) -> None:
    model = service.api.create_model(name="A", type="flux.1-lora")
    added(service.api, model, "1.png")
    assert 0 <= service.api.get_score(model.id).score <= 1


def test_a_composition_of_trained_parts(service: Service) -> None:
    api = service.api
    part = api.create_model(name="A", type="flux.1-lora")
    added(api, part, "1.png")
    api.train(part.id, {})
    service.advance(TRAINING_S + 1)
    concept = RemoteConcept(model_id=part.id, scale=0.5)
    made = api.create_model(name="Ink", type="flux.1-composition", concepts=[concept])
    assert api.get_model(made.id).concepts == (concept,)
    api.train(made.id, {})
    service.advance(TRAINING_S + 1)
    assert api.get_model(made.id).status == "trained"
    api.update_model(made.id, concepts=[concept])
    assert api.get_model(made.id).status == "trained", "the same parts are no change"
    other = RemoteConcept(model_id=part.id, scale=0.7)
    assert api.update_model(made.id, concepts=[other]).concepts == (other,)
    assert api.get_model(made.id).status == "new"
    with pytest.raises(Refused):
        api.create_model(
            name="B", type="flux.1-composition", concepts=[RemoteConcept(model_id=ModelId("nowhere"), scale=1)]
        )


@pytest.mark.parametrize("concepts", [None, ()])
def test_a_composition_without_concepts_is_refused(
    service: Service, concepts: tuple[RemoteConcept, ...] | None
) -> None:
    api = service.api
    with pytest.raises(Refused) as caught:
        api.create_model(name="B", type="flux.1-composition", concepts=concepts)
    assert caught.value.status == 400
    assert api.list_models().models == ()


def test_one_training_at_a_time_where_the_plan_says_so(narrow_service: Service) -> None:
    api = narrow_service.api
    models = [api.create_model(name=name, type="flux.1-lora") for name in "AB"]
    for model in models:
        added(api, model, "1.png")
    api.train(models[0].id, {})
    with pytest.raises(PlanCeiling) as caught:
        api.train(models[1].id, {})
    assert (caught.value.action, caught.value.limit) == ("parallel-training", 1)
    narrow_service.advance(TRAINING_S + 1)
    api.train(models[1].id, {})


def test_sending_is_told_once_and_before_anything_happens(service: Service) -> None:
    """What the journal relies on: a call that is not announced was never carried out."""
    api = service.api
    held: list[int] = []
    told: list[str] = []

    def tell(what: str) -> None:
        told.append(what)
        held.append(len(api.list_models().models))

    model = api.create_model(name="A", type="flux.1-lora", sending=lambda: tell("create"))
    assert held == [0]
    add = partial(api.add_image, name="1.png", mime="image/png", body=picture(1))
    add(model.id, sending=lambda: told.append("add"))
    asset = api.upload_asset(name="2.png", body=picture(2), sending=lambda: told.append("upload"))
    api.attach_assets(model.id, [asset.id], sending=lambda: told.append("attach"))
    api.train(model.id, {}, sending=lambda: told.append("train"))
    assert told == ["create", "add", "upload", "attach", "train"]


BASE = ModelId("model_bfl-flux-1-dev")


def trained(service: Service, name: str = "Kael", type: str = "flux.1-lora") -> RemoteModel:
    model = service.api.create_model(name=name, type=type)
    added(service.api, model, "1.png")
    service.api.train(model.id, {})
    service.advance(TRAINING_S + 1)
    return model


def sample(model: RemoteModel, prompt: str = "a ranger", count: int = 1) -> Generation:
    return Generation(prompt=prompt, seed=7, lora=model.id, settings=SampleSettings(scale=1.0, count=count))


def test_a_sample_from_its_quote_to_its_pictures(service: Service) -> None:
    """And it is found again by what it was asked for, which is how a lost answer is made good."""
    api = service.api
    asked = sample(trained(service), count=2)
    price = api.quote_generation(BASE, asked)
    assert (price.cu, price.details) == (21.5, {"custom-generation": 18.0, "quality-gate": 3.5})
    assert api.list_jobs().jobs == (), "a quote draws nothing"
    launch = api.generate(BASE, asked)
    assert launch.cu_cost == price.cu
    assert not api.get_job(launch.job_id).is_ended
    [listed] = api.list_jobs().jobs
    assert (listed.id, listed.kind, listed.is_ended) == (launch.job_id, "custom", False)
    for key, value in {"prompt": "a ranger", "seed": 7, "loras": [asked.lora], "lorasScale": [1.0]}.items():
        assert listed.input[key] == value
    service.advance(TRAINING_S)
    [ended] = api.list_jobs().jobs
    assert (ended.status, len(ended.asset_ids)) == ("success", 2)
    assert api.get_job(launch.job_id).asset_ids == ended.asset_ids
    assert set(api.get_assets(ended.asset_ids)) == set(ended.asset_ids)


def test_what_a_base_does_not_take_is_refused_and_costs_nothing(service: Service) -> None:
    api = service.api
    other = trained(service, type="flux.2-dev-lora")
    untrained = api.create_model(name="New", type="flux.1-lora")
    for base, asked, status in (
        (BASE, sample(other), 400),
        (BASE, sample(untrained), 400),
        (other.id, sample(other), 400),
        (ModelId("nowhere"), sample(other), 404),
    ):
        for call in (api.generate, api.quote_generation):
            with pytest.raises(Refused) as caught:
                call(base, asked)
            assert caught.value.status == status
    assert api.list_jobs().jobs == ()


def test_the_inputs_of_bases_say_what_they_take(service: Service) -> None:
    flux, kontext = (service.api.get_base(ModelId(i)) for i in (BASE, "model_flux-kontext-editing"))
    assert flux.loras == ("flux.1-lora",)
    assert "flux.1-composition" in flux.compositions
    assert (flux.most_loras, flux.needs_reference) == (6, False)
    assert (kontext.loras, kontext.most_loras, kontext.needs_reference) == (("flux.1-kontext-lora",), 1, True)
    with pytest.raises(NotFound):
        service.api.get_base(ModelId("nowhere"))


def test_weights_and_cards(service: Service) -> None:
    api = service.api
    model = trained(service)
    assert api.quote_weights(model.id) == 0
    job = api.export_weights(model.id)
    service.advance(TRAINING_S)
    weights = api.get_weights(job)
    assert (weights.status, weights.address is None) == ("success", False)
    assert api.get_card(model.id) is None
    api.set_card(model.id, "# Kael\n")
    assert api.get_card(model.id) == "# Kael\n"
    with pytest.raises(NotFound):
        api.get_weights(JobId("nowhere"))
