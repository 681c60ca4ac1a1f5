"""Captions that Scenario writes: whether it shows them as the description of an image, too, changes no plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.bench import Bench, model, recaptioned
from tests.fakes.service import FakeScenario


@pytest.fixture(params=[False, True], ids=["hidden", "shown"])
def trained(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Bench, FakeScenario]:
    """A model of two images without captions, and one with."""
    bench = Bench(tmp_path)
    bench.add("kael", [None, None, "KAEL, side view"])
    service = FakeScenario(bench.clock)
    service.shows_own_captions = request.param
    bench.declare(model("kael", "kael", parameters={"rank": 4}))
    assert bench.apply(service).failed == ()
    return bench, service


def test_nothing_is_left_to_do(trained: tuple[Bench, FakeScenario]) -> None:
    bench, service = trained
    plan = bench.plan(service).plan
    assert (plan.has_changes, plan.drift) == (False, ())


def test_a_new_version_takes_the_same_assets_without_a_caption_request(trained: tuple[Bench, FakeScenario]) -> None:
    bench, service = trained
    bench.declare(model("kael", "kael", parameters={"rank": 8}))
    calls = len(service.log)
    bench.apply(service)
    assert {"set_caption", "add_image", "upload_asset"}.isdisjoint(name for name, _ in service.log[calls:])
    assert len(service.jobs) == 2


def test_a_caption_that_somebody_wrote_there_is_drift(trained: tuple[Bench, FakeScenario]) -> None:
    bench, service = trained
    asset = bench.record("model.kael").current.images[0].asset_id
    service.assets[asset].description = "somebody's words"
    [drift] = bench.plan(service).plan.drift
    assert (drift.what, drift.observed) == ("caption", "somebody's words")


def test_a_caption_that_is_taken_over_word_for_word_is_ours(trained: tuple[Bench, FakeScenario]) -> None:
    """As `captions: auto` and later the same words in a file: the record changes, and no drift is found afterwards."""
    bench, service = trained
    image = bench.datasets["kael"].contents.images[0]
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], image.path, f"a picture: {image.path}")
    bench.apply(service)
    plan = bench.plan(service).plan
    assert (plan.has_changes, plan.drift) == (False, ())


def test_a_version_without_captions_is_current_again_once_the_files_say_what_it_was_trained_on(
    trained: tuple[Bench, FakeScenario],
) -> None:
    """They were pulled, one was edited and trained, and the edit is taken back: that costs nothing."""
    bench, service = trained
    pulled = bench.datasets["kael"]
    for image in pulled.contents.images[:2]:
        pulled = recaptioned(pulled, image.path, f"a picture: {image.path}")
    bench.datasets["kael"] = recaptioned(pulled, pulled.contents.images[0].path, "KAEL from above")
    bench.apply(service)
    bench.datasets["kael"] = pulled
    bench.apply(service)
    assert (bench.record("model.kael").current.number, len(service.jobs)) == (1, 2)
    assert not bench.plan(service).plan.has_changes
    bench.datasets["kael"] = recaptioned(pulled, pulled.contents.images[0].path, "a picture of something else")
    assert len(bench.plan(service).plan.steps) > 0
