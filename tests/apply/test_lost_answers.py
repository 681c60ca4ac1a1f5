"""Responses lost while images are attached or sent in parts: what already exists is reported, and retries wait."""

from __future__ import annotations

import unicodedata
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Ledger, Noted, StepFinished
from scenario_apply.apply.lost_answers import AmbiguousAdoption
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import AnswerLost, Refused
from scenario_apply.model.remote import AssetId
from scenario_apply.planning import image_placement
from tests.fakes.bench import Bench, dataset_of, model
from tests.fakes.clock import FakeClock
from tests.fakes.normalising import Form, NormalisingScenario
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two models that share a dataset: its pictures are uploaded once and attached to both."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"), model("fast", "kael", label="Fast"))
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    return FakeScenario(bench.clock)


def adopted(bench: Bench, ledger: Ledger) -> list[str]:
    """What the ledger says was found instead of done; the events must say the same."""
    told = [e.how for e in bench.events if isinstance(e, StepFinished) and e.adopted]
    assert sorted(map(str, told)) == sorted(str(line.reason) for line in ledger.adopted)
    return [f"{line.what}: {line.reason}" for line in ledger.adopted]


def test_images_that_were_already_attached_are_reported(bench: Bench, service: FakeScenario) -> None:
    wire = Wire(service, Fault("after", partial(AnswerLost, "lost"), name="attach_assets"))
    ledger = bench.apply(wire.api)
    assert (ledger.status, wire.hit) == ("done", ["attach_assets"])
    assert adopted(bench, ledger) == ["attach: already attached to the model"]


def test_an_attach_that_was_not_carried_out_is_sent_again_and_nothing_is_adopted(
    bench: Bench, service: FakeScenario
) -> None:
    wire = Wire(service, Fault("before", partial(AnswerLost, "lost"), name="attach_assets"))
    ledger = bench.apply(wire.api)
    assert (ledger.status, adopted(bench, ledger)) == ("done", [])


def test_an_attach_carried_out_at_the_last_try_is_done(bench: Bench, service: FakeScenario) -> None:
    """Four tries came to nothing, the fifth did all: what is there needs no sixth."""
    lost = partial(AnswerLost, "lost")
    wire = Wire(
        service,
        Fault("before", lost, name="attach_assets", times=4),
        Fault("after", lost, name="attach_assets", nth=5),
    )
    ledger = bench.apply(wire.api)
    assert len(wire.hit) == 5
    assert (ledger.status, ledger.unknown) == ("done", ())
    assert adopted(bench, ledger) == ["attach: already attached to the model"]


def test_an_attach_lost_five_times_is_left_to_the_next_run(bench: Bench, service: FakeScenario) -> None:
    wire = Wire(service, Fault("before", partial(AnswerLost, "lost"), name="attach_assets", times=5))
    ledger = bench.apply(wire.api)
    assert (ledger.status, [line.what for line in ledger.unknown]) == ("partial", ["attach"])


def test_ctrl_c_ends_the_tries_of_an_attach(bench: Bench, service: FakeScenario) -> None:
    stop = StopSignal()

    def lost() -> AnswerLost:
        stop.request()
        return AnswerLost("lost")

    wire = Wire(service, Fault("before", lost, name="attach_assets", times=5))
    ledger = bench.apply(wire.api, stop=stop)
    assert (ledger.status, wire.hit) == ("interrupted", ["attach_assets"])


def test_an_upload_that_was_already_completed_is_reported(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    wire = Wire(service, Fault("after", partial(AnswerLost, "lost"), name="complete_upload"))
    ledger = bench.apply(wire.api)
    assert (ledger.status, wire.hit) == ("done", ["complete_upload"])
    assert adopted(bench, ledger) == ["upload 01.png: its upload was completed"]
    assert len(service.assets) == 2


def test_an_upload_that_cannot_be_opened_is_tried_again_later_and_later(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad second of the service fails nothing."""
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    down = partial(AnswerLost, "bad gateway", status=502)
    wire = Wire(service, Fault("before", down, name="create_upload", times=4))
    assert bench.apply(wire.api).status == "done"
    assert isinstance(bench.clock, FakeClock)
    waits = [seconds for seconds in bench.clock.waits if seconds in (1.0, 2.0, 4.0, 8.0)]
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]


def test_an_upload_that_cannot_be_opened_at_all_fails_its_step_only(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    down = partial(AnswerLost, "bad gateway", status=502)
    wire = Wire(service, Fault("before", down, name="create_upload", times=5))
    ledger = bench.apply(wire.api, ApplyOptions(parallelism=1))
    assert (ledger.status, [line.what for line in ledger.failed]) == ("partial", ["upload 01.png"])
    assert bench.apply(service).status == "done"
    assert len(service.assets) == 2


def test_ctrl_c_ends_the_wait_before_an_upload_is_opened_again(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    stop = StopSignal()

    def down() -> AnswerLost:
        stop.request()
        return AnswerLost("bad gateway", status=502)

    wire = Wire(service, Fault("before", down, name="create_upload", times=5))
    ledger = bench.apply(wire.api, stop=stop)
    assert (ledger.status, wire.hit) == ("interrupted", ["create_upload"])


def test_a_create_that_is_never_listed_is_reported_before_it_is_sent_again(bench: Bench, service: FakeScenario) -> None:
    """Its first request may still be carried out, so the user is warned that there may be two models."""
    wire = Wire(service, Fault("before", partial(AnswerLost, "lost"), name="create_model"))
    ledger = bench.apply(wire.api)
    assert ledger.status == "done"
    notes = [event for event in bench.events if isinstance(event, Noted)]
    assert any("a second, empty model of that name may appear" in note.text and note.address for note in notes)


@pytest.mark.parametrize("call", ["train", "create_model"])
def test_a_refusal_that_comes_as_a_success_is_not_believed_blindly(tmp_path: Path, call: str) -> None:
    """200 with {"error": ...}: what was carried out nevertheless is adopted; what was not is not sent again."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    refusal = partial(Refused, "Insufficient credits", status=200)
    wire = Wire(service, Fault("before", refusal, name=call))
    assert (len(bench.apply(wire.api).failed), wire.calls.count(call)) == (1, 1)
    ledger = bench.apply(Wire(service, Fault("after", refusal, name=call)).api)
    assert (ledger.status, [line.what for line in ledger.adopted]) == ("done", [call.removesuffix("_model")])
    assert not bench.plan(service).plan.has_changes
    assert (len(service.alive()), service.launches()) == (1, {"Kael": 1})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Kael ", str.strip),
        ("Kae\u0301l", lambda text: unicodedata.normalize("NFC", text)),
        ("Kael the ranger of the northern woods", lambda text: text[:24]),
        ("Kael the Ranger", str.lower),
    ],
)
def test_a_lost_creation_is_found_under_the_name_the_service_gave_it(tmp_path: Path, name: str, form: Form) -> None:
    """One model, adopted, whatever the service made of its name; and no update afterwards."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael", label=name))
    service = NormalisingScenario(bench.clock, form)
    wire = Wire(service, Fault("after", partial(AnswerLost, "lost"), name="create_model"))
    ledger = bench.apply(wire.api)
    assert (ledger.status, len(service.alive())) == ("done", 1)
    assert [line.what for line in ledger.adopted] == ["create"]
    assert not bench.plan(service).plan.has_changes


def test_a_killed_creation_is_found_under_another_name_too(tmp_path: Path) -> None:
    """By the next run; a model of a like name that was there before is not taken for it."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael", label="Kael the ranger of the northern woods"))
    service = NormalisingScenario(bench.clock, lambda text: text[:22])
    earlier = service.create_model(name="Kael the ranger of the south", type="flux.1-lora")
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="create_model")).api)
    ledger = bench.apply(service)
    assert (ledger.status, len(service.alive())) == ("done", 2)
    assert bench.record("model.kael").current.id != earlier.id


def test_two_models_that_may_be_the_lost_one_are_named_and_nothing_is_made(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael", label="Kael the ranger of the northern woods"))
    service = NormalisingScenario(bench.clock, lambda text: text[:22])
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="create_model")).api)
    stranger = service.create_model(name="Kael the ranger of the south", type="flux.1-lora")
    with pytest.raises(AmbiguousAdoption) as caught:
        bench.apply(service)
    assert stranger.id in str(caught.value)
    assert len(service.alive()) == 2


def test_a_lost_upload_is_found_under_a_name_in_lower_case(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("Kael", ["KAEL, front"])
    bench.declare(model("kael", "Kael"))
    [image] = bench.datasets["Kael"].contents.images
    bench.datasets["Kael"] = dataset_of("Kael", Contents(images=(replace(image, path="Front.PNG"),)))

    class LowerCase(FakeScenario):
        def _keep(self, name: str, body: bytes) -> AssetId:
            return super()._keep(name.lower(), body)

    service = LowerCase(bench.clock)
    ledger = bench.apply(Wire(service, Fault("after", partial(AnswerLost, "lost"), name="add_image")).api)
    assert ([line.what for line in ledger.adopted], len(service.assets)) == (["upload Front.PNG"], 1)
