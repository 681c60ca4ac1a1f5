"""The journal: what it holds is what was done, torn lines are passed over, and nothing is done twice."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings

from scenario_apply.errors import StateDamaged, StateNotSaved
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.steps import CreateModel, PictureRef, PlannedStep, UploadImage
from scenario_apply.state.baseline import Baseline, BaselineEntry
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.journal import Journal, replay
from tests.fakes.clock import FakeClock
from tests.state.stores.states import AT, KAEL, one, runs, states

CREATE = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=1, name="Kael", type="flux.1-lora"))
CREATED = Outcome(at=AT, model_id=ModelId("model_1"))
PICTURE = PictureRef(path="01.png", file="kael/01.png", sha256="aa", size_bytes=4, mime="image/png")
LANDMARKS = Baseline(models=BaselineEntry(ids=frozenset({"model_9", "model_0"}), newest_at=5.0))
UPLOAD = PlannedStep(id="s2", step=UploadImage(address=KAEL, picture=PICTURE, way="data"))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "m.journal")


@settings(max_examples=40)
@given(state=states, run=runs())
def test_a_state_survives_its_journal(state: State, run: list[tuple[PlannedStep, Outcome]]) -> None:
    """What is replayed is what was in memory, wherever the checkpoint was."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        path = f"{folder}/m.journal"
        held: list[tuple[State, int]] = []
        expected = state
        with Journal(path, "run", 0.0) as journal:
            for planned, outcome in run:
                held.append((expected, journal.lines))
                journal.intend(planned, 0.0)
                journal.sending(planned, 0.0)
                journal.settle(planned, outcome)
                expected = after(expected, planned, outcome)
            held.append((expected, journal.lines))
        replayed = replay(path, state, None)
        assert replayed is not None
        assert replayed.state == expected
        assert replayed.unanswered == ()
        for checkpoint, lines in held:
            again = replay(path, checkpoint, JournalNote(run="run", lines=lines))
            assert again is not None
            assert again.state == expected


def test_there_is_none(path: str) -> None:
    assert replay(path, State(), None) is None


def test_a_call_that_left_and_was_not_answered_is_unanswered(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        for planned in (CREATE, UPLOAD):
            journal.intend(planned, 0.0)
        journal.sending(CREATE, 12.5)
        journal.settle(CREATE, CREATED)
        journal.sending(UPLOAD, 13.5, upload_id="upload_1")
        journal.sending(UPLOAD, 14.5, asset_ids="a,b")
    replayed = replay(path, State(), None)
    assert replayed is not None
    [call] = replayed.unanswered
    assert (call.step, call.sent_at) == (UPLOAD, 14.5)
    assert call.details == {"upload_id": "upload_1", "asset_ids": "a,b"}


def test_a_call_the_service_refused_is_answered(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        journal.sending(CREATE, 0.0)
        journal.fail(CREATE, "no")
    replayed = replay(path, State(), None)
    assert replayed is not None
    assert replayed.unanswered == ()


def test_an_intent_alone_is_nothing(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
    replayed = replay(path, State(), None)
    assert replayed is not None
    assert (replayed.state, replayed.unanswered) == (State(), ())


def test_a_torn_last_line_is_passed_over_wherever_it_tears(path: str) -> None:
    """What a power loss leaves, at every byte of the file."""
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        journal.sending(CREATE, 0.0)
        journal.settle(CREATE, CREATED)
    whole = Path(path).read_bytes()
    seen = set()
    for length in range(len(whole) + 1):
        Path(path).write_bytes(whole[:length])
        replayed = replay(path, State(), None)
        assert replayed is not None
        seen.add((len(replayed.state.records), len(replayed.unanswered)))
    assert seen == {(0, 0), (0, 1), (1, 0)}


def test_a_line_damaged_in_the_middle_is_an_error_that_names_it(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        journal.settle(CREATE, CREATED)
    lines = Path(path).read_bytes().splitlines(keepends=True)
    Path(path).write_bytes(lines[0] + b"{oops\n" + lines[2])
    with pytest.raises(StateDamaged, match="line 2"):
        replay(path, State(), None)
    Path(path).write_bytes(lines[0] + lines[2])
    with pytest.raises(StateDamaged, match="line 2"):
        replay(path, State(), None)


def test_a_leftover_journal_is_never_written_over(path: str) -> None:
    with Journal(path, "first", 0.0) as journal:
        journal.intend(CREATE, 0.0)
    before = Path(path).read_bytes()
    with pytest.raises(StateNotSaved):
        Journal(path, "second", 0.0)
    assert Path(path).read_bytes() == before


def test_a_sent_line_is_on_disk_before_the_request_leaves(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
        journal.sending(CREATE, 0.0)
        assert synced == [os.path.getsize(path)]
        journal.flush()
        assert len(synced) == 1, "there is nothing new"


def test_threads_share_a_journal(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:

        def write(first: int) -> None:
            for number in range(first, first + 25):
                planned = PlannedStep(id=f"s{number}", step=CREATE.step)
                journal.intend(planned, 0.0)
                journal.sending(planned, float(number))

        threads = [threading.Thread(target=write, args=(100 * n,)) for n in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journal.lines == 201
    replayed = replay(path, State(), None)
    assert replayed is not None
    assert len(replayed.unanswered) == 100


def test_a_full_disk_is_an_error_and_the_torn_line_stays_the_last(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line is written, then the disk has room again: nothing may be appended behind it."""
    real = os.write
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        journal.settle(CREATE, CREATED)
        with monkeypatch.context() as patch:
            patch.setattr("os.write", lambda descriptor, data: real(descriptor, data[:10]))
            patch.setattr("os.ftruncate", _refuse)
            with pytest.raises(StateNotSaved, match="full"):
                journal.intend(UPLOAD, 0.0)
        with pytest.raises(StateNotSaved, match="full"):
            journal.sending(UPLOAD, 0.0)
        with pytest.raises(StateNotSaved, match="full"):
            journal.flush()
    replayed = replay(path, State(), None)
    assert replayed is not None
    assert list(replayed.state.records) == [KAEL]


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("broken", ["os.write", "os.fsync"])
def test_a_disk_that_refuses_is_an_error_of_the_state(path: str, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        monkeypatch.setattr(broken, _refuse)
        with pytest.raises(StateNotSaved, match="No space"):
            journal.sending(CREATE, 0.0)
        monkeypatch.undo()
        with pytest.raises(StateNotSaved):
            journal.sending(CREATE, 0.0)


def test_a_call_that_outlives_its_run_writes_to_no_other_file(path: str, tmp_path: Path) -> None:
    """Its descriptor is another file's by then."""
    journal = Journal(path, "run", 0.0)
    journal.close()
    with (tmp_path / "other").open("wb"):
        with pytest.raises(StateNotSaved, match="ended"):
            journal.intend(CREATE, 0.0)
        journal.close()
    assert (tmp_path / "other").read_bytes() == b""


@pytest.mark.parametrize(("there", "why"), [(None, "is gone"), ("another", "another run's")])
def test_no_call_leaves_once_its_journal_would_not_be_found(path: str, there: str | None, why: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.intend(CREATE, 0.0)
        journal.sending(CREATE, 0.0)
        os.unlink(path)
        if there is not None:
            Path(path).write_text(there)
        journal.intend(UPLOAD, 0.0)
        with pytest.raises(StateNotSaved, match=why):
            journal.sending(UPLOAD, 0.0)
        journal.remove()
        assert Path(path).exists() == (there is not None), "another run's stays"


def test_the_calls_without_an_end_are_a_journal_of_their_own(path: str) -> None:
    with Journal(path, "run", 0.0) as journal:
        journal.mark(LANDMARKS)
        for planned in (CREATE, UPLOAD):
            journal.intend(planned, 0.0)
        assert journal.open_calls(()) is None, "nothing has left"
        journal.sending(CREATE, 0.0)
        journal.settle(CREATE, CREATED)
        journal.sending(UPLOAD, 13.5, upload_id="upload_1")
        assert journal.open_calls((UPLOAD.id,)) is None
        content = journal.open_calls(())
    assert content is not None
    Path(path).write_bytes(content)
    replayed = replay(path, one(), None)
    assert replayed is not None
    assert (replayed.state, replayed.run) == (one(), "run")
    assert replayed.baseline == LANDMARKS
    assert [(call.step, call.details) for call in replayed.unanswered] == [(UPLOAD, {"upload_id": "upload_1"})]


def store(folder: Path) -> FileStore:
    return FileStore(str(folder / "m.json"), endpoint="here", project=None, tool_version="1", clock=FakeClock())


def journalled(folder: Path) -> None:
    """A run made a model and an image, and died."""
    first = store(folder)
    first.load()
    first.save(State())
    with Journal(first.journal_path, "run", 0.0) as journal:
        for planned, outcome in ((CREATE, CREATED), (UPLOAD, Outcome(at=AT, asset_id=AssetId("asset_1")))):
            journal.intend(planned, 0.0)
            journal.sending(planned, 0.0)
            journal.settle(planned, outcome)


def test_a_state_saved_with_its_journal_still_there_holds_it(tmp_path: Path) -> None:
    """Who dies between the save and the removal must not find a second version of the model."""
    journalled(tmp_path)
    second = store(tmp_path)
    state = second.load().state
    assert state.records[KAEL].current.images[0].asset_id == "asset_1"
    second.save(state)
    third = store(tmp_path).load()
    assert third.has_journal
    assert third.state.records == state.records
    assert third.state.records[KAEL].pending is None


def test_the_note_of_one_journal_says_nothing_of_the_next(tmp_path: Path) -> None:
    journalled(tmp_path)
    second = store(tmp_path)
    state = second.save(second.load().state)
    second.discard_journal()
    assert not store(tmp_path).load().has_journal
    with Journal(second.journal_path, "other run", 0.0) as journal:
        again = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=2, name="Kael", type="flux.1-lora"))
        journal.intend(again, 0.0)
        journal.settle(again, Outcome(at=AT, model_id=ModelId("model_2")))
    replayed = store(tmp_path).load().state.records[KAEL]
    assert replayed.pending is not None
    assert (replayed.pending.id, replayed.current.id) == ("model_2", "model_1")
    assert state.records[KAEL].current.id == "model_1"


def test_a_checkpoint_makes_no_backup_and_is_continued_by_the_rest_of_the_journal(tmp_path: Path) -> None:
    first = store(tmp_path)
    first.load()
    first.save(one(), back_up=False)
    with Journal(first.journal_path, "run", 0.0) as journal:
        planned = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=2, name="Kael", type="flux.1-lora"))
        outcome = Outcome(at=AT, model_id=ModelId("model_2"))
        journal.intend(planned, 0.0)
        journal.settle(planned, outcome)
        state = after(store(tmp_path).load().state, planned, outcome)
        journal.flush()
    second = store(tmp_path)
    whole = second.load().state
    assert whole.records[KAEL].pending is not None
    assert state.records == after(whole, planned, outcome).records or whole.records[KAEL].previous == ()
    assert not (tmp_path / "backups").exists()


def test_a_damaged_journal_names_the_models_that_only_it_knows(tmp_path: Path) -> None:
    """Moved away, it would have them made and paid for again."""
    first = store(tmp_path)
    first.load()
    first.save(one())
    planned = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=2, name="Kael", type="flux.1-lora"))
    for model_id, expected in (
        ("model_2", "model_2, with import: blocks"),
        ("model_1", "knows every model"),
    ):
        with Journal(first.journal_path, "run", 0.0) as journal:
            journal.intend(planned, 0.0)
            journal.settle(planned, Outcome(at=AT, model_id=ModelId(model_id)))
        path = Path(first.journal_path)
        path.write_bytes(path.read_bytes() + b"<<<<<<< HEAD\n")
        with pytest.raises(StateDamaged, match="damaged in line 4") as caught:
            store(tmp_path).load()
        assert expected in (caught.value.problems[0].hint or "")
        path.unlink()
