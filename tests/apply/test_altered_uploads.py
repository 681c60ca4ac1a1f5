"""Pictures that are altered before they are sent: what the service receives, what is recorded, what is sent again."""

from __future__ import annotations

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions, prepare_saved
from scenario_apply.dataset.scan.alter_pictures import altered_picture
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import AnswerLost
from scenario_apply.manifest.spec import Import, Lifecycle
from scenario_apply.model.address import parse_address
from scenario_apply.model.picture_options import PictureOptions
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import UploadImage
from scenario_apply.planning.changes import Action
from scenario_apply.state.state import ImageRecord
from tests.dataset.build import spec_from
from tests.dataset.odd_pictures import SECRET, drawn, exif, opened, written
from tests.fakes.bench import PLACE, Bench, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

KAEL = parse_address("model.kael")
FILES = {
    "1.jpg": written(drawn(size=(300, 280)), "JPEG", exif=exif(6)),
    "2.jpg": written(drawn(size=(301, 280)), "JPEG", exif=exif()),
    "3.png": written(drawn("RGBA", size=(302, 280)), "PNG"),
    "4.jpg": written(drawn(size=(303, 280)), "JPEG"),
}
RECIPES = {"1.jpg": "orient;strip", "2.jpg": "strip", "3.png": "", "4.jpg": ""}


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class KeepingScenario(FakeScenario):
    """Also keeps the bytes that it is sent, by the id of the asset."""

    bodies: dict[AssetId, bytes]

    def _keep(self, name: str, body: bytes) -> AssetId:
        asset_id = super()._keep(name, body)
        self.bodies = {**getattr(self, "bodies", {}), asset_id: body}
        return asset_id


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One model of a folder of pictures as a phone writes them."""
    bench = Bench(tmp_path)
    (tmp_path / "set").mkdir()
    for name, data in FILES.items():
        (tmp_path / "set" / name).write_bytes(data)
        (tmp_path / "set" / name).with_suffix(".txt").write_text(f"KAEL, picture {name}")
    scan(bench)
    bench.declare(model("kael", "set"))
    return bench


@pytest.fixture
def service(bench: Bench) -> KeepingScenario:
    return KeepingScenario(bench.clock)


def scan(bench: Bench, **options: Any) -> None:
    spec = spec_from({"images": ["./set"], "pictures": PictureOptions(**options)})
    root = str(bench.root)
    bench.datasets = dict(scan_datasets({"set": spec}, root=root, cache_path=None, types_of={}, cwd=root))


def images(bench: Bench) -> dict[str, ImageRecord]:
    return {image.path: image for image in bench.record("model.kael").current.images}


def uploads(bench: Bench, service: FakeScenario) -> dict[str, str]:
    """Path -> recipe of what a plan would upload."""
    steps = [planned.step for planned in bench.plan(service).plan.steps]
    return {step.picture.path: step.picture.recipe for step in steps if isinstance(step, UploadImage)}


def test_what_is_sent_is_altered_and_what_is_recorded_is_what_was_sent(bench: Bench, service: KeepingScenario) -> None:
    """The digest of the bytes sent, and where they were altered also that of the file and how."""
    assert uploads(bench, service) == RECIPES
    assert bench.apply(service).status == "done"
    for path, image in images(bench).items():
        body, file, recipe = service.bodies[image.asset_id], FILES[path], RECIPES[path]
        assert body == altered_picture(file, recipe)
        assert SECRET not in body
        assert image.sha256 == sha256(body).hexdigest() == service.assets[image.asset_id].sha256
        assert (image.source_sha256, image.recipe) == ((sha256(file).hexdigest(), recipe) if recipe else (None, ""))
        assert (body == file) is (recipe == "")
    assert opened(service.bodies[images(bench)["1.jpg"].asset_id]).size == (280, 300)
    assert bench.plan(service).plan.steps == ()


def test_an_option_that_changes_sends_only_the_pictures_that_it_changes(bench: Bench, service: KeepingScenario) -> None:
    bench.apply(service)
    scan(bench, background="#ffffff")
    assert uploads(bench, service) == {"3.png": "background=#ffffff"}
    [change] = bench.plan(service).plan.changes
    assert [(i.path, i.recipe, i.same_file) for i in change.images.change] == [("3.png", "background=#ffffff", True)]
    bench.apply(service)
    assert bench.record("model.kael").current.picture_options == "background=#ffffff"
    assert uploads(bench, service) == {}
    scan(bench, background="#ffffff", max_side=1000)
    assert bench.plan(service).plan.steps == ()
    scan(bench, orient="keep", metadata="keep")
    assert set(uploads(bench, service)) == {"1.jpg", "2.jpg"}, "the transparent one exists since the first version"


def test_a_picture_of_two_models_is_altered_and_uploaded_once(bench: Bench, service: KeepingScenario) -> None:
    bench.declare(model("kael", "set"), model("fast", "set", label="Fast"))
    bench.apply(service)
    assert len(service.bodies) == len(FILES)
    records = [bench.record(f"model.{name}").current.images for name in ("kael", "fast")]
    assert records[0] == records[1]
    bench.declare(model("kael", "set"), model("fast", "set", label="Fast"), model("slow", "set", label="Slow"))
    bench.apply(service)
    assert len(service.bodies) == len(FILES)
    assert bench.record("model.slow").current.images == records[0]


@pytest.mark.parametrize("name", ["add_image", "upload_asset", "complete_upload"])
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_lost_answer_is_found_and_recorded_as_it_was_sent(
    bench: Bench, service: KeepingScenario, monkeypatch: pytest.MonkeyPatch, name: str, is_killed: bool
) -> None:
    """Also by the next run, which knows the digest and the size from the journal: nothing is sent twice."""
    if name == "upload_asset":
        bench.declare(model("kael", "set"), model("fast", "set", label="Fast"))
    if name == "complete_upload":
        monkeypatch.setattr("scenario_apply.planning.image_placement.SINGLE_UPLOAD_BYTES", 1)
    error = Killed if is_killed else partial(AnswerLost, "lost")
    wire = Wire(service, Fault("after", error, name=name))
    if is_killed:
        with pytest.raises(Killed):
            bench.apply(wire.api)
    bench.apply(service if is_killed else wire.api)
    assert wire.hit == [name]
    assert len(service.bodies) == len(FILES)
    for image in images(bench).values():
        assert image.sha256 == service.assets[image.asset_id].sha256
        assert image.recipe == RECIPES[image.path]
    assert bench.plan(service).plan.steps == ()


def as_recorded_before(bench: Bench, service: KeepingScenario) -> None:
    """The state of a release that sent every picture as it was."""
    scan(bench, orient="keep", metadata="keep")
    bench.apply(service)
    store = bench.store()
    with store.locked("test"):
        state = store.load().state
        address = KAEL
        record = state.records[address]
        current = replace(record.current, picture_options="")
        store.save(state.with_record(address, replace(record, current=current)))
    scan(bench)


def test_a_new_release_trains_nothing_again(bench: Bench, service: KeepingScenario) -> None:
    """What is done without being asked for is no change of what was trained before; what is asked for is one."""
    as_recorded_before(bench, service)
    assert bench.plan(service).plan.steps == ()
    bench.declare(model("kael", "set", lifecycle=Lifecycle(ignore_changes=("captions",))))
    assert bench.plan(service).plan.steps == ()
    bench.declare(model("kael", "set"))
    scan(bench, background="#ffffff")
    [change] = bench.plan(service).plan.changes
    assert change.action is Action.REPLACE
    assert {image.path for image in change.images.change} == {"1.jpg", "2.jpg", "3.png"}


def test_a_new_version_of_a_model_of_an_older_release_gets_fit_pictures(bench: Bench, service: KeepingScenario) -> None:
    as_recorded_before(bench, service)
    plan = bench.plan(service, PlanOptions(replace=(KAEL,))).plan
    sent = {p.step.picture.path for p in plan.steps if isinstance(p.step, UploadImage)}
    assert sent == {"1.jpg", "2.jpg"}


def to_pointers(bench: Bench) -> None:
    for name, data in FILES.items():
        oid = sha256(data).hexdigest()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n"
        (bench.root / "set" / name).write_text(pointer)


def test_pointers_of_recorded_pictures_need_no_pull(bench: Bench, service: KeepingScenario) -> None:
    """Their recipes are the recorded ones, as long as the options are the same."""
    bench.apply(service)
    to_pointers(bench)
    scan(bench)
    assert bench.datasets["set"].unknown == len(FILES)
    assert bench.plan(service).plan.steps == ()
    scan(bench, max_side=2000)
    assert {image.path for image in bench.plan(service).unpulled} == set(FILES)


def test_a_plan_that_was_saved_on_pointers_is_carried_out_with_the_pictures(
    bench: Bench, service: KeepingScenario
) -> None:
    """It could not know what is done to them: compared is what it knew."""
    to_pointers(bench)
    scan(bench, max_side=200)
    saved = bench.plan(service).plan
    for name, data in FILES.items():
        (bench.root / "set" / name).write_bytes(data)
    scan(bench, max_side=200)
    environment = bench.environment(service)
    prepared = prepare_saved(environment, saved, bench.manifest, bench.datasets, PlanOptions())
    pictures = [planned.step.picture for planned in prepared.plan.steps if isinstance(planned.step, UploadImage)]
    assert {picture.path: picture.recipe for picture in pictures} == {
        path: ";".join(filter(None, [recipe, "max_side=200"])) for path, recipe in RECIPES.items()
    }


@pytest.mark.parametrize("options", [{}, {"max_side": 200}])
def test_a_model_that_was_imported_on_pointers_is_not_trained_again(
    bench: Bench, service: KeepingScenario, options: dict[str, Any]
) -> None:
    """What is done to its pictures is seen once they are here; as long as they are not, nothing else is known."""
    scan(bench, **options)
    bench.apply(service)
    block = Import(target=KAEL, model_id=bench.record("model.kael").current.id, place=PLACE)
    shutil.rmtree(bench.root / "state")
    to_pointers(bench)
    scan(bench, **options)
    bench.manifest = replace(bench.manifest, imports=(block,))
    bench.apply(service)
    assert bench.plan(service).plan.steps == ()
    bench.manifest = replace(bench.manifest, models={KAEL: model("kael", "set", parameters={"nbEpochs": 3})})
    assert {image.path for image in bench.plan(service).unpulled} == set(FILES)
    for name, data in FILES.items():
        (bench.root / "set" / name).write_bytes(data)
    scan(bench, **options)
    assert uploads(bench, service) == {}
    bench.declare(model("kael", "set"))
    assert bench.plan(service).plan.steps == ()


def test_pointers_know_options_that_are_not_the_defaults(bench: Bench, service: KeepingScenario) -> None:
    scan(bench, background="#ffffff", metadata="keep")
    bench.apply(service)
    to_pointers(bench)
    scan(bench, background="#ffffff", metadata="keep")
    assert bench.plan(service).plan.steps == ()
    scan(bench)
    assert {image.path for image in bench.plan(service).unpulled} == set(FILES)


def test_the_way_of_an_upload_goes_by_what_is_sent(bench: Bench, service: KeepingScenario) -> None:
    """A small file that becomes a large PNG goes in parts; the service refuses large single requests."""
    for name in FILES:
        (bench.root / "set" / name).unlink()
    (bench.root / "set" / "1.jpg").write_bytes(written(drawn("CMYK", size=(1500, 1200)), "JPEG"))
    for options, way in (
        ({}, "data"),
        ({"convert": "png"}, "multipart"),
        ({"convert": "png", "max_side": 300}, "data"),
    ):
        scan(bench, **options)
        [step] = [p.step for p in bench.plan(service).plan.steps if isinstance(p.step, UploadImage)]
        assert step.way == way
