"""state merge: what Git could not merge becomes one state, and the next plan pays for nothing again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.__main__ import main
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.state.state import Record, State, Version
from scenario_apply.state.stores.file_store import FileStore

KAEL, PROPS = Address("model", "kael"), Address("model", "props")


def store_at(path: Path) -> FileStore:
    return FileStore(str(path), endpoint="local", project=None, tool_version="0", clock=SystemClock())


def record(id: str) -> Record:
    return Record(current=Version(id=ModelId(id), number=1, name="a", type="flux.1-lora", phase="trained"))


def write(path: Path, records: dict[Address, Record], before: State | None = None) -> State:
    store = store_at(path)
    state = store.load().state
    lineage = state.lineage if before is None else before.lineage
    return store.save(replace(state, records=records, lineage=lineage))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest, and two states of one lineage that know a model each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.yaml").write_text("version: 1\nmodels: {}\n")
    ours = write(tmp_path / "ours.json", {KAEL: record("k")})
    write(tmp_path / "theirs.json", {PROPS: record("p")}, ours)
    (tmp_path / "state").mkdir()
    return tmp_path


def conflict(home: Path) -> bytes:
    """As Git writes it where it merges line by line."""
    ours, theirs = ((home / name).read_text().splitlines() for name in ("ours.json", "theirs.json"))
    start = next(n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    end = next(n for n, (a, b) in enumerate(zip(reversed(ours), reversed(theirs), strict=False)) if a != b)
    middle = ["<<<<<<< HEAD", *ours[start : len(ours) - end], "=======", *theirs[start : len(theirs) - end]]
    return "\n".join([*ours[:start], *middle, ">>>>>>> tonight", *ours[len(ours) - end :], ""]).encode()


def recorded(path: Path) -> dict[str, str]:
    return {str(a): r.current.id for a, r in store_at(path).load().state.records.items()}


def said(words: list[str], capsys: pytest.CaptureFixture[str], code: int) -> str:
    capsys.readouterr()
    assert main(words) == code
    return capsys.readouterr().err


BOTH = {"model.kael": "k", "model.props": "p"}


@pytest.mark.parametrize("words", [[], ["state/scenario.json"], ["--state", "state/scenario.json"], ["scenario.yaml"]])
def test_a_conflict_is_resolved_in_the_state_itself(words: list[str], home: Path) -> None:
    state = home / "state" / "scenario.json"
    state.write_bytes(conflict(home))
    assert main(["state", "list"]) == 1
    assert main(["state", "merge", *words]) == 0
    assert recorded(state) == BOTH
    assert json.loads(state.read_text())["serial"] == 2
    assert (home / "state" / "backups" / "scenario.unreadable.json").read_bytes() == conflict(home)


def test_two_files_are_merged_into_the_state_of_the_manifest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "merge", "ours.json", "theirs.json"]) == 0
    assert recorded(home / "state" / "scenario.json") == BOTH
    before = (home / "state" / "scenario.json").read_bytes()
    assert "nothing was written" in said(["state", "merge", "ours.json", "theirs.json", "scenario.yaml"], capsys, 0)
    assert (home / "state" / "scenario.json").read_bytes() == before


def test_a_state_that_is_there_takes_part(home: Path) -> None:
    """It may know what neither of the files does."""
    state = home / "state" / "scenario.json"
    write(state, {Address("model", "third"): record("t")}, store_at(home / "ours.json").load().state)
    assert main(["state", "merge", "ours.json", "theirs.json"]) == 0
    assert recorded(state) == {**BOTH, "model.third": "t"}


def test_a_contradiction_is_named_and_nothing_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home / "theirs.json", {KAEL: record("other"), PROPS: record("p")})
    (home / "state" / "scenario.json").write_bytes(conflict(home))
    err = said(["state", "merge"], capsys, 1)
    assert "model.kael was changed on both sides" in err
    assert "(HEAD) records k and" in err
    assert "(tonight) records other" in err
    assert (home / "state" / "scenario.json").read_bytes() == conflict(home)
    assert not (home / "state" / "scenario.lock").exists()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["ours.json"], 64, "there is nothing to merge"),
        ([], 64, "there is nothing to merge"),
        (["ours.json", "gone.json"], 64, "gone.json cannot be read"),
        (["ours.json", "theirs.json", "scenario.yaml", "third.json"], 64, "takes two states"),
        (["ours.json", "torn.json"], 1, "torn.json is damaged"),
        (["half.json"], 1, "conflict markers of which some are missing"),
    ],
)
def test_what_cannot_be_merged_says_why(
    words: list[str], code: int, text: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "torn.json").write_bytes((home / "ours.json").read_bytes()[:-9])
    (home / "half.json").write_bytes(conflict(home).replace(b"=======\n", b""))
    assert text in said(["state", "merge", *words], capsys, code)
    assert not (home / "state" / "scenario.json").exists()


def test_a_file_without_end_is_not_read_to_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scenario_apply.cli.state_merging.LARGEST_BYTES", 1000)
    assert main(["state", "merge", "/dev/zero", "/dev/zero"]) == 64
    assert "/dev/zero has more than 1,000 bytes, and no state has" in capsys.readouterr().err
