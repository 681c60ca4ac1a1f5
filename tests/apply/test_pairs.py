"""A kontext model takes pairs and single images: what it is trained on follows the manifest in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.dataset.types import Contents, Pair
from scenario_apply.manifest.spec import Lifecycle
from tests.fakes.bench import Bench, dataset, dataset_of, model
from tests.fakes.service import FakeScenario

RETRAIN = Lifecycle(on_change="retrain")
PAIRS = (Pair(before="01.png", after="02.png", instruction="x"), Pair(before="03.png", after="04.png", instruction="x"))


@pytest.mark.parametrize("first_trained", [True, False])
def test_pairs_that_became_single_images_are_removed_before_training(first_trained: bool, tmp_path: Path) -> None:
    """The images are the same and attached already: only the pairs say what is trained."""
    bench = Bench(tmp_path)
    service = FakeScenario(bench.clock)
    service.fail_training = set() if first_trained else {"Night"}
    bench.datasets["night"] = dataset(tmp_path, "night", [None] * 4, pairs=PAIRS)
    bench.declare(model("night", "night", type="flux.1-kontext-lora", lifecycle=RETRAIN))
    bench.apply(service)
    service.fail_training = set()
    remote = service.model_named("Night")
    assert remote.pairs is not None
    assert len(remote.pairs) == 2
    paired = bench.datasets["night"]
    single = dataset_of("night", Contents(images=paired.contents.images))
    for following, count in ((single, 0), (paired, 2)):
        bench.datasets["night"] = following
        assert bench.apply(service).failed == ()
        assert len(service.model_named("Night").pairs or ()) == len(bench.record("model.night").current.pairs) == count
        assert not bench.plan(service).plan.has_changes
    assert len(service.jobs) == 3
    assert service.model_named("Night").id == remote.id
