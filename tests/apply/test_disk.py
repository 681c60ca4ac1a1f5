"""The disk under a run: the process dies at any operation on it, it tears a write, it is full, it is read-only."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Ledger
from scenario_apply.errors import StateError
from tests.fakes.bench import Bench, model
from tests.fakes.disk import FULL, OPERATIONS, READ_ONLY, Disk, How
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Killed


def bench_of(root: Path) -> tuple[Bench, FakeScenario]:
    """Two models over one dataset."""
    bench = Bench(root)
    bench.add("kael", ["KAEL, front", None])
    bench.declare(model("kael", "kael"), model("fast", "kael", label="Fast"))
    return bench, FakeScenario(bench.clock)


def replaced(root: Path) -> tuple[Bench, FakeScenario]:
    """The same, trained, and now wanted with other parameters."""
    bench, service = bench_of(root)
    with pytest.MonkeyPatch.context() as patch:
        Disk(root, at=0).install(patch)
        bench.apply(service)
    bench.declare(
        model("kael", "kael", parameters={"rank": 4}), model("fast", "kael", label="Fast", parameters={"rank": 2})
    )
    return bench, service


def wrongs(bench: Bench, service: FakeScenario, versions: int = 1) -> list[str]:
    """Everything that is not as if nothing had happened."""
    found = []
    if sorted(m.name for m in service.alive()) != sorted(["Fast", "Kael"] * versions):
        found.append(f"models {[m.name for m in service.alive()]}")
    if len(service.assets) != 2:
        found.append(f"{len(service.assets)} assets")
    if set(service.launches().values()) != {versions}:
        found.append(f"launches {dict(service.launches())}")
    state = bench.state()
    for address, record in state.records.items():
        ids = [version.id for version in record.versions()]
        if len(set(ids)) != len(ids) or len(ids) != versions or record.current.phase != "trained":
            found.append(f"{address} {record.current.phase} {ids}")
    if bench.journal_path.exists():
        found.append("a journal is left")
    plan = bench.plan(service).plan
    if plan.has_changes or plan.drift or len(state.records) != 2:
        found.append("the last plan is not empty")
    return found


def applied_again(bench: Bench, service: FakeScenario, versions: int) -> list[str]:
    try:
        with pytest.MonkeyPatch.context() as patch:
            Disk(bench.root, at=0).install(patch)
            bench.apply(service)
            return wrongs(bench, service, versions)
    except StateError as error:
        return [str(error)]


@pytest.fixture(autouse=True)
def _rescues_stay_here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run saves from a disk that fails goes with the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("rescue")))


@pytest.mark.parametrize("versions", [1, 2])
@pytest.mark.parametrize("how", ["before", "after", "torn"])
def test_a_death_at_any_disk_operation_is_repaired_by_applying_again(tmp_path: Path, how: How, versions: int) -> None:
    """No state is half-written, no line is done twice, nothing that was paid for is lost."""
    failures = []
    at = 0
    while True:
        at += 1
        bench, service = (bench_of if versions == 1 else replaced)(tmp_path / str(at))
        operations = ("write",) if how == "torn" else OPERATIONS
        disk = Disk(bench.root / "state", at=at, how=how, operations=operations)
        with pytest.MonkeyPatch.context() as patch:
            disk.install(patch)
            try:
                bench.apply(service, ApplyOptions(parallelism=1))
                break
            except Killed:
                pass
        failures += [f"died {how} {at} ({disk.struck}): {bad}" for bad in applied_again(bench, service, versions)]
    assert at > 20
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize(
    ("error", "lasting", "how"),
    [(FULL, True, "before"), (FULL, False, "before"), (FULL, False, "torn"), (READ_ONLY, True, "before")],
)
def test_a_disk_that_refuses_stops_the_run_and_loses_nothing(
    tmp_path: Path, error: int, lasting: bool, how: How
) -> None:
    """At any operation, the ledger says stopped and names a rescue file. With free space, the next run continues.

    With the rescue file copied back as the ledger says, and without.
    """
    failures = []
    at = 0
    stopped = 0
    while True:
        at += 1
        bench, service = bench_of(tmp_path / str(at))
        disk = Disk(
            bench.root / "state", at=at, how=how, error=error, lasting=lasting, operations=("open", "write", "replace")
        )
        before = dict(service.launches())
        with pytest.MonkeyPatch.context() as patch:
            disk.install(patch)
            ledger = bench.apply(service, ApplyOptions(parallelism=1 + at % 4))
        if disk.struck is None:
            break
        assert before == {}
        if ledger.status == "done":
            failures.append(f"refused {at} ({disk.struck}): the ledger says done")
        stopped += ledger.status == "stopped"
        rescue = _rescue_of(ledger)
        if at % 2:
            bench.state_path.parent.mkdir(exist_ok=True)
            shutil.copy(rescue, bench.state_path)
        rescue.unlink()
        failures += [f"refused {at} ({disk.struck}): {bad}" for bad in applied_again(bench, service, 1)]
    assert stopped == at - 1
    assert at > 20
    assert not failures, "\n".join(failures)


def _rescue_of(ledger: Ledger) -> Path:
    found = re.search(r"What this run knows is in (\S+\.json)", str(ledger.error))
    assert found is not None, ledger.error
    return Path(found.group(1))


def test_a_run_that_cannot_save_starts_no_more_paid_work(tmp_path: Path) -> None:
    bench, service = bench_of(tmp_path)
    disk = Disk(bench.root / "state", at=12, error=FULL, operations=("write",))
    with pytest.MonkeyPatch.context() as patch:
        disk.install(patch)
        ledger = bench.apply(service)
    assert disk.struck is not None
    assert ledger.status == "stopped"
    assert not service.jobs
    assert "No space left" in str(ledger.error)
    assert ledger.next_command == "scenario-apply apply"
    _rescue_of(ledger).unlink()


def test_a_state_folder_that_vanishes_is_an_error_and_the_state_is_rescued(tmp_path: Path) -> None:
    bench, service = bench_of(tmp_path)
    bench.events = _Vanishing(bench)
    ledger = bench.apply(service)
    assert ledger.status == "stopped"
    rescue = _rescue_of(ledger)
    bench.events = []
    bench.state_path.parent.mkdir()
    shutil.copy(rescue, bench.state_path)
    rescue.unlink()
    assert applied_again(bench, service, 1) == []


class _Vanishing(list):  # type: ignore[type-arg]  # of events; only append counts
    """Takes the state's folder away when the first training is launched."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench

    def append(self, event: object) -> None:
        if "StartTraining" in repr(event)[:200] and self.bench.state_path.parent.exists():
            shutil.rmtree(self.bench.state_path.parent)


def test_what_is_paid_and_trains_is_running_also_where_the_disk_refused_to_note_it(tmp_path: Path) -> None:
    """At whatever operation the disk filled up: with its id, charged, and never as not started."""
    seen = at = 0
    while True:
        at += 1
        bench, service = bench_of(tmp_path / str(at))
        service.training_s = 9e9
        disk = Disk(bench.root / "state", at=at, error=FULL, operations=("open", "write", "replace"))
        with pytest.MonkeyPatch.context() as patch:
            disk.install(patch)
            ledger = bench.apply(service, ApplyOptions(parallelism=1 + at % 4, wait=False))
        if disk.struck is None:
            break
        assert ledger.status == "stopped"
        told = {line.remote_id for line in ledger.running}
        assert told == {job.model for job in service.jobs.values()}, f"at {at} ({disk.struck})"
        assert not {line.address for line in ledger.running} & {line.address for line in ledger.not_started}
        seen += bool(told)
    assert seen > 2
