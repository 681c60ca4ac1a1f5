"""The lock: one run at a time, the other is told who, where and since when; the dead hold nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scenario_apply.effects.state.lock import Lock
from scenario_apply.errors import ExitCode, StateLocked, StateNotSaved
from tests.fakes.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "m.lock")


def lock(path: str) -> Lock:
    return Lock(path, FakeClock())


def test_the_second_is_told_who_holds_it(path: str) -> None:
    with lock(path).held("scenario-apply apply"):
        with pytest.raises(StateLocked) as caught, lock(path).held("scenario-apply state rm"):
            pass
        assert caught.value.exit_code is ExitCode.LOCKED
        for word in (str(os.getpid()), socket.gethostname(), "scenario-apply apply", "2026-09-21"):
            assert word in str(caught.value)
        assert "force-unlock" in str(caught.value.problems[0].mend)
    assert not os.path.exists(path)
    with lock(path).held("again") as notes:
        assert notes == []


def test_it_is_let_go_when_the_run_breaks(path: str) -> None:
    with pytest.raises(ZeroDivisionError), lock(path).held("apply"):
        raise ZeroDivisionError
    with lock(path).held("again"):
        pass


def test_waiting_for_it_is_bounded(path: str) -> None:
    clock = FakeClock()
    with lock(path).held("apply"):
        with pytest.raises(StateLocked), Lock(path, clock).held("later", timeout_s=5):
            pass
        assert sum(clock.waits) == pytest.approx(5)


def test_waiting_for_it_ends_when_it_is_free(path: str) -> None:
    holder = lock(path)
    holder.acquire("apply", 0)

    class LetGo(FakeClock):
        def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
            holder.release()
            return super().wait(seconds, wake)

    with Lock(path, LetGo()).held("later", timeout_s=5) as notes:
        assert notes == []


HOLD = """
import sys, time
from scenario_apply.effects.clock import SystemClock
from scenario_apply.effects.state.lock import Lock
Lock(sys.argv[1], SystemClock()).acquire("scenario-apply apply", 0)
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_holds_it_and_a_killed_one_does_not(path: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StateLocked, match=str(process.pid)), lock(path).held("mine"):
            pass
        assert lock(path).is_alive()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert not lock(path).is_alive()
    with lock(path).held("mine") as notes:
        assert "is gone" in notes[0]
        assert str(process.pid) in notes[0]


def test_a_lock_from_another_machine_is_believed_until_it_is_broken(path: str) -> None:
    os.makedirs(os.path.dirname(path))
    holder = {"who": "mia", "host": "render-07", "pid": 12, "since": "2026-09-20T10:00:00Z", "command": "apply"}
    Path(path).write_text(json.dumps(holder))
    with pytest.raises(StateLocked, match=r"mia on render-07 \(process 12\) since 2026-09-20"), lock(path).held("mine"):
        pass
    broken = lock(path).break_it()
    assert broken is not None
    assert broken.host == "render-07"
    assert lock(path).break_it() is None
    with lock(path).held("mine") as notes:
        assert notes == []


def test_who_lost_a_broken_lock_does_not_take_away_the_next_ones(path: str) -> None:
    first, second = lock(path), lock(path)
    first.acquire("first", 0)
    assert first.is_mine()
    lock(path).break_it()
    second.acquire("second", 0)
    assert not first.is_mine()
    first.release()
    assert os.path.exists(path), "it is the second's"
    with pytest.raises(StateLocked, match="second"), lock(path).held("third"):
        pass
    second.release()


@pytest.mark.parametrize("content", [b"", b"{", b'{"who": 1}', b"\xff"])
def test_a_lock_file_that_says_nothing_holds_nobody_back(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).write_bytes(content)
    with lock(path).held("mine"):
        pass


def test_many_at_once_one_wins(path: str) -> None:
    won: list[str] = []
    barrier = threading.Barrier(8)

    def run(name: str) -> None:
        barrier.wait()
        try:
            lock(path).acquire(name, 0)
            won.append(name)
        except StateLocked:
            pass

    threads = [threading.Thread(target=run, args=(f"run {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StateNotSaved, match="lock"):
        lock(str(tmp_path / "state" / "m.lock")).acquire("apply", 0)
