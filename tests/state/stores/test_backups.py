"""A damaged state: the way back that is named loses nothing, or what would be paid for again is said."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import CreateModel, PlannedStep
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import State
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.journal import Journal
from tests.fakes.clock import FakeClock
from tests.state.stores.states import AT, KAEL, one


def store(folder: Path) -> FileStore:
    return FileStore(str(folder / "m.json"), endpoint="here", project=None, tool_version="1", clock=FakeClock())


def saved(folder: Path, state: State, *, back_up: bool = True) -> State:
    fresh = store(folder)
    before = fresh.load().state
    return fresh.save(replace(state, lineage=before.lineage, serial=before.serial), back_up=back_up)


def hint(folder: Path) -> str:
    with pytest.raises(StateDamaged) as caught:
        store(folder).load()
    (problem,) = caught.value.problems
    assert problem.hint is not None
    assert problem.hint.endswith("nothing was changed")
    return problem.hint


def do_as_told(folder: Path) -> State:
    words = shlex.split(hint(folder))
    at = words.index("cp")
    subprocess.run(words[at : at + 3], check=True)
    return store(folder).load().state


@pytest.mark.parametrize("damage", [b"", b"{", b'{"serial": 2', b"\x00" * 40])
def test_the_backup_that_is_named_holds_what_the_last_save_wrote(damage: bytes, tmp_path: Path) -> None:
    saved(tmp_path, one())
    last = saved(tmp_path, one(2, id="model_2"))
    (tmp_path / "m.json").write_bytes(damage)
    assert do_as_told(tmp_path) == last


@pytest.mark.parametrize(
    ("damage", "what", "way"),
    [
        (
            lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n",
            "LFS pointer",
            "git lfs pull",
        ),
        (lambda _: b'{"version": 4, "terraform_version": "1.9.5", "serial": 3}', "Terraform", "another place"),
        (lambda content: b"\xef\xbb\xbf" + content, "byte order mark", "without that mark"),
        (lambda content: content.decode().encode("utf-16"), "byte order mark", "without that mark"),
    ],
)
def test_a_backup_is_not_the_way_back_from_a_file_that_is_whole(
    damage: Callable[[bytes], bytes], what: str, way: str, tmp_path: Path
) -> None:
    """It may be older than the state that the file stands for: what that records would be paid for again."""
    saved(tmp_path, one())
    path = tmp_path / "m.json"
    path.write_bytes(damage(path.read_bytes()))
    told = hint(tmp_path)
    assert way in told
    assert "cp " not in told
    with pytest.raises(StateDamaged, match=what):
        store(tmp_path).load()


def test_after_a_kill_the_journal_adds_the_rest(tmp_path: Path) -> None:
    """Checkpoints make no backup; the journal has the whole run."""
    first = store(tmp_path)
    first.load()
    state = first.save(one())
    first.keep_backup()
    planned = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=2, name="Kael", type="flux.1-lora"))
    with Journal(first.journal_path, "run", 0.0) as journal:
        journal.intend(planned, 0.0)
        journal.settle(planned, Outcome(at=AT, model_id=ModelId("model_2")))
        whole = store(tmp_path).load().state
        first.save(replace(whole, serial=state.serial), journal, back_up=False)
    content = (tmp_path / "m.json").read_bytes()
    for damaged in (content[:-20], b""):
        (tmp_path / "m.json").write_bytes(damaged)
        assert do_as_told(tmp_path).records == whole.records


def test_a_backup_that_does_not_know_a_model_is_not_recommended(tmp_path: Path) -> None:
    """The damaged file came from another machine: the newest backup here would have its models made again."""
    saved(tmp_path, one())
    newer = saved(tmp_path, one(2, id="model_9"), back_up=False)
    assert newer.serial == 2
    path = tmp_path / "m.json"
    path.write_bytes(path.read_bytes().replace(b'"phase"', b'"phase'))
    told = hint(tmp_path)
    assert "does not know model_9, which an apply would make and pay for again" in told
    assert "import: blocks" in told
    assert told.startswith("restore the file from version control")


def test_backups_of_an_earlier_lineage_are_passed_over(tmp_path: Path) -> None:
    for number in range(1, 13):
        saved(tmp_path, one(number))
    (tmp_path / "m.json").unlink()
    fresh = saved(tmp_path, one(1, id="model_5"))
    assert (tmp_path / "backups" / "m.1.json").exists()  # the newest, though its serial is the lowest
    path = tmp_path / "m.json"
    path.write_bytes(path.read_bytes()[:-3])
    assert do_as_told(tmp_path) == fresh


def test_a_git_conflict_is_named_and_leads_to_state_merge(tmp_path: Path) -> None:
    saved(tmp_path, one())
    path = tmp_path / "m.json"
    good = path.read_bytes()
    path.write_bytes(b"<<<<<<< HEAD\n" + good + b"=======\n" + good + b">>>>>>> tonight\n")
    with pytest.raises(StateDamaged, match="holds a Git conflict between HEAD and tonight") as caught:
        store(tmp_path).load()
    (problem,) = caught.value.problems
    assert (problem.code, problem.location and problem.location.line) == ("state-conflict", 1)
    assert f"scenario-apply state merge --state {shlex.quote(str(path))}" in (problem.hint or "")


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Readers take the last one; the model of the other would be trained again."""
    saved(tmp_path, one())
    path = tmp_path / "m.json"
    text = path.read_text()
    entry = text[text.index('    "model.kael"') : text.index('\n  },\n  "serial"')]
    path.write_text(text.replace(entry, f"{entry},\n{entry.replace('model_1', 'model_2')}"))
    told = r"the key 'model\.kael' stands twice in one map \(lines \d+ and \d+\)"
    with pytest.raises(StateDamaged, match=told) as caught:
        store(tmp_path).load()
    assert "keep the right one of the two entries" in (caught.value.problems[0].hint or "")


@pytest.mark.parametrize("value", [b"9" * 5000, b"[" * 400 + b"]" * 400, b"1e999"])
def test_a_field_that_is_not_known_may_hold_anything(value: bytes, tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    path = tmp_path / "m.json"
    path.write_bytes(path.read_bytes().replace(b'  "serial"', b'  "news": ' + value + b',\n  "serial"'))
    assert store(tmp_path).load().state == state


def test_a_state_that_was_formatted_by_another_program_is_read(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    path = tmp_path / "m.json"
    path.write_text(path.read_text().replace("  ", "\t").replace("\n", "\r\n"))
    assert store(tmp_path).load().state == state
