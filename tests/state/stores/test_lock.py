"""The lock: one run at a time; the error names user, host and time; an ended process holds no lock."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.errors import ExitCode, StateLocked, StateNotSaved
from scenario_apply.model.ports import WakeUp
from scenario_apply.state.stores.lock import Lock
from tests.fakes.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "m.lock")


def lock(path: str) -> Lock:
    return Lock(path, FakeClock())


def test_the_second_run_learns_who_holds_the_lock(path: str) -> None:
    with lock(path).held("scenario-apply apply"):
        with pytest.raises(StateLocked) as caught, lock(path).held("scenario-apply state rm"):
            pass
        assert caught.value.exit_code is ExitCode.LOCKED
        for word in (str(os.getpid()), socket.gethostname(), "scenario-apply apply", "2026-09-21"):
            assert word in str(caught.value)
        assert "force-unlock" in str(caught.value.problems[0].hint)
    assert not os.path.exists(path)
    with lock(path).held("again") as notes:
        assert notes == []


def test_it_is_released_when_the_run_fails(path: str) -> None:
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
        def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
            holder.release()
            return super().wait(seconds, wake)

    with Lock(path, LetGo()).held("later", timeout_s=5) as notes:
        assert notes == []


HOLD = """
import sys, time
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.state.stores.lock import Lock
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


def test_a_lock_of_another_machine_counts_until_it_is_broken(path: str) -> None:
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


def test_a_run_whose_lock_was_broken_does_not_remove_the_next_lock(path: str) -> None:
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
def test_a_lock_file_without_a_holder_blocks_no_run(path: str, content: bytes) -> None:
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


def test_a_folder_that_cannot_be_written_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StateNotSaved, match="lock"):
        lock(str(tmp_path / "state" / "m.lock")).acquire("apply", 0)


def written_by(path: str, since: str, **more: object) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    holder = {"who": "mia", "host": "render-07", "pid": 12, "since": since, "command": "apply"}
    Path(path).write_text(json.dumps({**holder, **more}))


def refused(path: str) -> StateLocked:
    with pytest.raises(StateLocked) as caught:
        lock(path).acquire("mine", 0)
    assert os.path.exists(path), "it is never taken over"
    return caught.value


def test_a_lock_from_a_checkout_counts_and_is_reported_as_a_likely_copy(path: str) -> None:
    """By the inode it was written with, or a time long after the run began."""
    written_by(path, "2026-09-20T10:00:00Z", inode=os.stat(os.path.dirname(os.path.dirname(path))).st_ino)
    os.utime(path, (1789898400, 1789898400))  # 2026-09-20T10:00:00Z, as rsync keeps it
    copied = refused(path)
    assert "looks like a copy" in str(copied)
    assert "git rm --cached" in str(copied.problems[0].hint)
    assert "force-unlock" in str(copied.problems[0].hint)
    written_by(path, "2026-09-20T10:00:00Z")  # of an earlier release, which noted no inode
    os.utime(path, (1789898400 + 86400, 1789898400 + 86400))
    assert "looks like a copy" in str(refused(path))


def test_a_lock_of_a_shared_folder_is_not_reported_as_a_copy(path: str) -> None:
    """The same file, written when the run began, give or take what clocks differ."""
    written_by(path, "2026-09-20T10:00:00Z")
    written_by(path, "2026-09-20T10:00:00Z", inode=os.stat(path).st_ino)
    os.utime(path, (1789898400 + 600, 1789898400 + 600))
    genuine = refused(path)
    assert "copy" not in str(genuine)
    assert "--lock-timeout" in str(genuine.problems[0].hint)


def test_our_own_lock_notes_the_file_it_is(path: str) -> None:
    with lock(path).held("apply"):
        assert json.loads(Path(path).read_text())["inode"] == os.stat(path).st_ino


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 60_000,
        b"1" * 5000,
        b'{"who": [], "host": "render-07", "pid": 1, "since": "", "command": ""}',
        b'{"who": "mia", "host": "render-07", "pid": 1e999, "since": "", "command": ""}',
        b" " * (1 << 17),
    ],
)
def test_an_unreadable_lock_file_causes_no_traceback(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).write_bytes(content)
    with lock(path).held("mine"):
        pass


def test_the_texts_of_a_lock_file_are_cut_to_one_line(path: str) -> None:
    written_by(path, "0001-01-01T00:00:00", who="x" * 50_000)
    assert len(str(refused(path))) < 2000


@pytest.mark.parametrize(
    ("number", "way"),
    [
        (errno.ENOLCK, "offers no file locks"),
        (errno.EOPNOTSUPP, "offers no file locks"),
        (errno.EIO, "--state FILE keeps the state elsewhere"),
    ],
)
def test_a_file_system_without_locks_is_reported_with_the_file_and_a_hint(
    path: str, monkeypatch: pytest.MonkeyPatch, number: int, way: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StateNotSaved, match="cannot be taken") as caught:
        lock(path).acquire("apply", 0)
    assert path in str(caught.value)
    assert way in str(caught.value.problems[0].hint)
    assert not lock(path).is_alive()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_lock_that_cannot_be_opened_names_the_file_with_a_hint(
    path: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.open

    def refuse(name: str, *rest: Any, **named: Any) -> int:
        if name == "m.lock":
            raise OSError(number, os.strerror(number))
        return real(name, *rest, **named)

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(StateNotSaved, match="cannot be opened") as caught:
        lock(path).acquire("apply", 0)
    assert path in str(caught.value)
    assert os.strerror(number) in str(caught.value)
    assert caught.value.problems[0].hint


def test_a_lock_that_cannot_be_written_is_released(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full: the next run is not held back by an empty lock."""
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(StateNotSaved, match="cannot be written: No space") as caught:
            lock(path).acquire("apply", 0)
    assert "free some space" in str(caught.value.problems[0].hint)
    with lock(path).held("again"):
        pass
