"""apply/reused_assets.py: one asset for each picture and caption, looked for before it is used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.apply.reused_assets import existing
from scenario_apply.errors import Refused
from scenario_apply.model.remote import AssetId, RemoteAsset
from tests.fakes.bench import Bench, model, recaptioned
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

CAPTIONS = ["KAEL, front", "KAEL, side", "KAEL, back"]
UPLOADS = ("add_image", "upload_asset", "create_upload")
ALLOWED = PlanOptions(allow_destroy=True)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # it is about power, and only costs time here
    bench = Bench(tmp_path)
    bench.add("kael", CAPTIONS)
    bench.declare(model("kael", "kael"))
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    """model.kael is trained."""
    service = FakeScenario(bench.clock)
    bench.apply(service)
    service.log.clear()
    return service


def delete_asset(service: FakeScenario, name: str) -> AssetId:
    [asset] = [asset for asset in service.assets.values() if asset.name == name and not asset.deleted]
    asset.deleted = True
    return asset.id


def test_an_asset_that_was_deleted_is_uploaded_again_and_the_others_are_not(
    bench: Bench, service: FakeScenario
) -> None:
    """The plan says so, counts it, and the new model is trained on all of its images."""
    lost = delete_asset(service, "02.png")
    bench.declare(model("kael", "kael"), model("new", "kael"))
    plan = bench.plan(service).plan
    counts = {kind: count for kind, count in plan.requests_by_step.items() if kind != "wait"}
    assert counts == {"create": 1, "upload": 1, "caption": 1, "attach": 1, "train": 1}
    [note] = [problem for problem in plan.diagnostics if problem.code == "asset-gone"]
    assert note.message.startswith("1 image that an earlier run uploaded is gone")
    assert bench.apply(service).status == "done"
    assert service.count(*UPLOADS) == 1
    assert sorted(service.captions_of(service.model_named("New")).values()) == sorted(CAPTIONS)
    assert lost not in service.model_named("New").images
    assert not bench.plan(service).plan.has_changes


def test_an_image_that_others_detached_is_attached_again_without_an_upload(bench: Bench, service: FakeScenario) -> None:
    """Its asset is still there, which one read of the plan says."""
    kael = service.model_named("Kael")
    detached = kael.images.pop(1)
    assert bench.apply(service).status == "done"
    assert (service.count(*UPLOADS), service.count("get_assets")) == (0, 1)
    assert detached in {image.asset_id for image in bench.record("model.kael").current.images}
    assert not bench.plan(service).plan.has_changes


def test_what_does_not_change_is_not_looked_for(bench: Bench, service: FakeScenario) -> None:
    """Also beside a change that needs no picture, and where a picture is new: requests grow with what changes."""
    delete_asset(service, "02.png")
    assert not bench.plan(service).plan.has_changes
    bench.declare(model("kael", "kael", label="Kael the ranger"))
    bench.apply(service)
    bench.add("other", ["OTHER, front"])
    bench.declare(model("kael", "kael", label="Kael the ranger"), model("other", "other"))
    bench.apply(service)
    assert service.count("get_assets", "get_asset") == 0


def test_a_plan_reads_the_assets_of_what_changes_in_one_request(bench: Bench, service: FakeScenario) -> None:
    """Shared by all children of a matrix, and again none once they are trained."""
    children = [model(f"lr/{label}", "kael", parameters={"learningRate": rate}) for label, rate in (("a", 1), ("b", 2))]
    bench.declare(model("kael", "kael"), *children)
    bench.plan(service)
    assert service.count("get_assets", "get_asset") == 1
    bench.apply(service)
    assert (service.count(*UPLOADS), service.count("attach_assets")) == (0, 2)
    service.log.clear()
    assert not bench.plan(service).plan.has_changes
    assert service.count("get_assets", "get_asset") == 0


def test_the_caption_of_a_deleted_asset_is_not_set(bench: Bench) -> None:
    """It would fail. The picture is uploaded with its new caption, and takes the place of the other."""
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("early", Killed, name="train")).api)
    delete_asset(service, "01.png")
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "01.png", "KAEL, near")
    assert bench.apply(service).status == "done"
    captions = service.captions_of(service.model_named("Kael"))
    assert sorted(captions.values()) == ["KAEL, back", "KAEL, near", "KAEL, side"]


def test_an_asset_of_a_removed_model_serves_the_one_that_takes_its_place(bench: Bench, service: FakeScenario) -> None:
    """In the run that removes it; and its deleted asset is noticed there, too."""
    delete_asset(service, "03.png")
    bench.declare(model("heir", "kael", type="flux.1-krea-lora"))
    assert bench.apply(service, plan=ALLOWED).status == "done"
    assert service.count(*UPLOADS) == 1
    assert len(service.model_named("Heir").images) == 3


def test_after_a_kill_what_was_uploaded_is_used_unless_it_was_deleted(bench: Bench) -> None:
    service = FakeScenario(bench.clock)
    bench.declare(model("kael", "kael"), model("props", "kael"))
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("before", Killed, name="attach_assets")).api)
    uploaded = service.count(*UPLOADS)
    delete_asset(service, "02.png")
    assert bench.apply(service).status == "done"
    assert service.count(*UPLOADS) == uploaded + 1
    for name in ("Kael", "Props"):
        assert sorted(service.captions_of(service.model_named(name)).values()) == sorted(CAPTIONS)


def test_an_asset_that_is_shown_late_is_not_uploaded_again(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bulk read may leave out what exists: only the asset itself says that it is gone."""
    monkeypatch.setattr(service, "get_assets", lambda ids: {})
    bench.declare(model("kael", "kael"), model("new", "kael"))
    bench.apply(service)
    assert service.count(*UPLOADS) == 0


def test_a_caption_that_was_changed_on_an_old_version_is_set_again_before_the_asset_is_used(bench: Bench) -> None:
    """No refresh reads a version that is kept. The new one would be trained on somebody else's words."""
    service = FakeScenario(bench.clock)
    bench.apply(service)
    first = bench.datasets["kael"]
    bench.datasets["kael"] = recaptioned(first, "01.png", "KAEL, near")
    bench.apply(service)
    [old] = [asset for asset in service.assets.values() if asset.description == "KAEL, front"]
    old.description = "my cat"
    bench.datasets["kael"] = first
    bench.declare(model("kael", "kael", parameters={"rank": 4}))
    service.log.clear()
    assert bench.apply(service).status == "done"
    assert (service.count(*UPLOADS), service.count("set_caption")) == (0, 1)
    assert old.description == "KAEL, front"
    assert old.id in {image.asset_id for image in bench.record("model.kael").current.images}
    assert not bench.plan(service).plan.has_changes


class Assets(FakeScenario):
    """Holds the assets with an even number. refuses: bulk reads with an unknown id."""

    refuses = False

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
        if self.refuses:
            raise Refused("unknown asset", status=404)
        return super().get_assets(asset_ids)


@pytest.mark.parametrize("refuses", [False, True])
def test_two_hundred_assets_are_one_request(refuses: bool, bench: Bench) -> None:
    """A service that refuses a request for one of its ids is asked for each."""
    service = Assets(bench.clock)
    service.refuses = refuses
    ids = [service.upload_asset(name=f"{number}.png", body=b"x").id for number in range(401)]
    service.assets[ids[7]].deleted = True
    service.log.clear()
    found = existing(service, ids)
    assert [asset_id for asset_id in ids if asset_id not in found] == [ids[7]]
    assert (service.count("get_assets"), service.count("get_asset")) == ((0, 401) if refuses else (3, 1))
