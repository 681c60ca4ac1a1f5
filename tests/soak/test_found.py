"""What the soak found, each as a small case of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.errors import CoolingDown, Refused
from scenario_apply.model.remote import RemoteUpload, UploadId
from scenario_apply.planning import image_placement
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire


@pytest.fixture(autouse=True)
def _large_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def bench_of(root: Path) -> tuple[Bench, FakeScenario]:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"))
    return bench, FakeScenario(bench.clock)


@pytest.mark.parametrize("name", ["complete_upload", "get_upload"])
def test_a_cooldown_in_the_middle_of_a_large_picture_sends_it_once(tmp_path: Path, name: str) -> None:
    """It is waited for where it happens: the step begun anew would upload the picture again."""
    bench, service = bench_of(tmp_path)
    fault = Fault("before", partial(CoolingDown, "cool down", remaining_s=3.0), name=name, nth=2, times=2)
    ledger = bench.apply(Wire(service, fault).api)
    assert ledger.status == "done"
    assert (len(service.assets), len(service.uploads)) == (2, 2)


def test_a_close_that_is_refused_because_it_was_done_is_no_failure(tmp_path: Path) -> None:
    """The first close was carried out and its answer lost; the repeated one is refused."""
    bench, service = bench_of(tmp_path)
    close = service.complete_upload

    def twice(upload_id: UploadId, *, sending: Callable[[], None] | None = None) -> RemoteUpload:
        close(upload_id, sending=sending)
        raise Refused("this upload is closed", status=400)

    service.complete_upload = twice  # type: ignore[method-assign]  # a stand-in of the same shape
    assert bench.apply(service).status == "done"
    assert len(service.assets) == 2


class LateClose(FakeScenario):
    """The service was still carrying out a close when the run that sent it had died."""

    late: tuple[UploadId, float] | None = None

    def get_upload(self, upload_id: UploadId) -> RemoteUpload:
        if self.late is not None and self.late[0] == upload_id and self.clock.now() >= self.late[1]:
            self.late = None
            self.complete_upload(upload_id)
        return super().get_upload(upload_id)


def test_a_close_still_in_flight_when_its_run_died_is_waited_for(tmp_path: Path) -> None:
    """A pending upload is believed to be dead only when its close was sent a while ago."""
    bench = Bench(tmp_path, clock=FakeClock())
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = LateClose(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("before", Killed, name="complete_upload")).api)
    service.late = (next(iter(service.uploads)), bench.clock.now() + 3.0)
    ledger = bench.apply(service)
    assert (ledger.status, len(service.assets), len(service.uploads)) == ("done", 1, 1)
    assert "its upload was imported" in [line.reason for line in ledger.adopted]


def test_what_a_death_in_the_middle_of_a_write_left_is_cleared_away(tmp_path: Path) -> None:
    """Half a temporary file beside the state; those of others stay."""
    bench, service = bench_of(tmp_path)
    bench.state_path.parent.mkdir()
    left = bench.state_path.with_name("m.json.4711.tmp")
    others = bench.state_path.with_name("other.json.4711.tmp")
    for path in (left, others):
        path.write_text('{"half": ')
    assert bench.apply(service).status == "done"
    assert (left.exists(), others.exists()) == (False, True)
