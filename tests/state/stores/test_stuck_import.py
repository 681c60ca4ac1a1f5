"""A picture the service never gets done importing: it holds up its own model, and the rest for a quarter of an hour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenario_apply.errors import ApplyError
from scenario_apply.model.remote import RemoteUpload, UploadId
from scenario_apply.planning import image_placement
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario, _remote_upload

MINUTE = 60.0


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    return bench


class Stuck(FakeScenario):
    """Closed uploads stay as they are as long as is_stuck."""

    is_stuck = True
    looks = 0

    def get_upload(self, upload_id: UploadId) -> RemoteUpload:
        self.looks += 1
        if self.is_stuck:
            return _remote_upload(self.uploads[upload_id])
        return super().get_upload(upload_id)


def test_an_endless_import_is_given_up_and_the_rest_continues(bench: Bench) -> None:
    service = Stuck(bench.clock)
    first = bench.apply(service)
    assert (first.status, len(first.unknown)) == ("partial", 1)
    bench.add("elsewhere", ["a tree"])
    bench.declare(model("kael", "kael"), model("other", "elsewhere"))
    with pytest.raises(ApplyError, match="still importing") as caught:
        bench.plan(service)
    left = re.search(r"An apply in (\d+) min or later uploads it again", str(caught.value.problems[0].hint))
    assert left is not None
    assert 4 <= int(left[1]) <= 5, "ten minutes of the fifteen were waited for in the run"

    bench.clock.wait(int(left[1]) * MINUTE)
    looks = service.looks
    prepared = bench.plan(service)
    assert service.looks - looks == 1, "an old one is looked at once"
    assert {step.address.name for step in prepared.plan.steps if step.kind == "upload"} == {"kael", "other"}

    service.is_stuck = False
    assert bench.apply(service).status == "done"
    assert dict(service.launches()) == {"Kael": 1, "Other": 1}
    assert not bench.plan(service).plan.has_changes


def test_an_import_that_ended_late_is_adopted_however_old(bench: Bench) -> None:
    service = Stuck(bench.clock)
    assert bench.apply(service).status == "partial"
    bench.clock.wait(3 * 24 * 60 * MINUTE)
    service.is_stuck = False
    ledger = bench.apply(service)
    assert ledger.status == "done"
    assert [line.reason for line in ledger.adopted] == ["its upload was imported"]
    assert len(service.uploads) == 1
