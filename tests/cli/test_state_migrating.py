"""state migrate: lineage and serial stay, one place is the state, and a kill at any moment loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.__main__ import main
from scenario_apply.model import codec
from scenario_apply.model.steps import CreateModel, PlannedStep
from scenario_apply.state.state_file import JournalNote, file_of
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.remote.backend import StoredState
from tests.cli.memory_stores import MemoryStores, memory_stores
from tests.fakes.wire import Killed
from tests.state.stores.states import KAEL, one

A, B = "s3://bucket/a.json", "gs://bucket/b.json"
FILE = "state/kael.json"


def document(serial: int = 7, lineage: str = "l-1", **fields: object) -> bytes:
    state = replace(one(), lineage=lineage, serial=serial, endpoint="local")
    return codec.document(replace(file_of(state, tool_version="1"), **fields))


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryStores:
    monkeypatch.chdir(tmp_path)
    return memory_stores(monkeypatch)


def put(stores: MemoryStores, place: str, content: bytes) -> None:
    if "://" in place:
        stores.buckets[place].state = StoredState(content, "v0")
    else:
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).write_bytes(content)


def pulled(place: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object] | None:
    """The state that a command finds there; None where it refuses."""
    capsys.readouterr()
    code = main(["state", "pull", "--state", place])
    plain: dict[str, object] = json.loads(capsys.readouterr().out or "{}")
    return plain if code == 0 else None


@pytest.mark.parametrize(("here", "there"), [(FILE, A), (A, FILE), (A, B), (FILE, "other/kael.json")])
def test_a_state_moves_with_lineage_and_serial_and_its_old_place_is_refused(
    here: str, there: str, stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command again says that it is done; the way back works, too."""
    put(stores, here, document())
    for source, target in ((here, there), (there, here), (here, there)):
        assert main(["state", "migrate", source, target]) == 0
        printed = "".join(capsys.readouterr())
        assert "Write in the manifest:  state: " in printed
        found = pulled(target, capsys)
        assert found is not None
        assert (found["lineage"], found["serial"]) == ("l-1", 7)
        assert pulled(source, capsys) is None
        assert main(["state", "rm", "model.kael", "--state", source]) == 1
        assert "error[state-moved]" in capsys.readouterr().err
        assert main(["state", "migrate", source, target]) == 0
        assert "before" in capsys.readouterr().out


def test_what_is_left_of_a_file_is_in_backups_and_says_where_the_state_is(stores: MemoryStores) -> None:
    put(stores, FILE, document())
    assert main(["state", "migrate", FILE, A]) == 0
    assert not Path(FILE).exists()
    left = json.loads(Path("state/backups/kael.moved.json").read_bytes())
    assert (left["moved_to"], left["resources"].keys()) == (A, {"model.kael"})


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (document(lineage="l-2"), "state-foreign"),
        (document(8, tool_version="2").replace(b"Kael", b"Kaal"), "state-foreign"),
        (document(7).replace(b"Kael", b"Kaal"), "state-foreign"),
        (b"no state", "state-damaged"),
        (document(lineage="l-2", moved_to="s3://elsewhere/x.json"), "state-foreign"),
        (document(8, moved_to="s3://elsewhere/x.json"), "state-moved"),
    ],
    ids=["lineage", "newer", "same-serial", "damaged", "moved-lineage", "moved-newer"],
)
@pytest.mark.parametrize("there", [A, "other/kael.json"])
def test_another_or_a_newer_state_is_not_overwritten(
    held: bytes, code: str, there: str, stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stores, FILE, document())
    put(stores, there, held)
    assert main(["state", "migrate", FILE, there]) == 1
    assert f"error[{code}]" in capsys.readouterr().err
    assert Path(FILE).read_bytes() == document()
    assert (stores.document(there) if "://" in there else Path(there).read_bytes()) == held


def test_an_older_state_of_the_lineage_is_replaced_and_kept_as_a_backup(stores: MemoryStores) -> None:
    put(stores, FILE, document())
    put(stores, A, document(5).replace(b"Kael", b"Kaal"))
    assert main(["state", "migrate", FILE, A]) == 0
    assert json.loads(stores.document(A) or b"")["serial"] == 7
    assert 5 in stores.buckets[A].backups


def test_a_state_that_a_run_left_open_stays(stores: MemoryStores, capsys: pytest.CaptureFixture[str]) -> None:
    """In a store, and with a journal beside a file: what the run made is only found where it began."""
    put(stores, A, document(journal=JournalNote(run="r", lines=2, open=())))
    assert main(["state", "migrate", A, B]) == 1
    said = capsys.readouterr().err
    assert "journal-left" in said
    assert f"first run scenario-apply apply --state={A}, which completes" in " ".join(said.split())
    assert stores.document(B) is None


@pytest.mark.parametrize("here", [B, FILE])
def test_the_way_back_is_open_where_the_store_counts_on_its_own(here: str, stores: MemoryStores) -> None:
    """A server of HTTP states gives each document that it keeps another serial, also that of a state that went away."""
    put(stores, here, document(7))
    put(stores, A, document(9, moved_to=here))
    assert main(["state", "migrate", here, A]) == 0
    assert "moved_to" not in json.loads(stores.document(A) or b"")


def test_a_journal_in_the_new_place_is_not_laid_under_the_state(
    stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its calls would be replayed over a state that has nothing to do with them."""
    put(stores, A, document())
    Path("state").mkdir()
    journal = Journal("state/kael.journal", "r", 0, lambda: None)
    journal.intend(PlannedStep(id="s1", step=CreateModel(address=KAEL, number=1, name="K", type="flux.1-lora")), 0)
    journal.close()
    assert main(["state", "migrate", A, FILE]) == 1
    assert "journal-left" in capsys.readouterr().err
    assert not Path(FILE).exists()
    assert stores.document(A) == document()


def test_nothing_is_moved_onto_itself_or_out_of_nothing(
    stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["state", "migrate", A, A]) == 64
    assert main(["state", "migrate", A, "s3:/bucket/b.json"]) == 64
    assert main(["state", "migrate", A, "s3://bucket/"]) == 64
    assert main(["state", "migrate", A, B]) == 1
    assert "no-state" in capsys.readouterr().err
    assert stores.document(B) is None


def test_the_present_state_of_a_manifest_is_moved_where_only_the_new_place_is_named(
    stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("kael.yaml").write_text("version: 1\n")
    put(stores, FILE, document())
    assert main(["state", "migrate", "s3://bucket/", "kael.yaml"]) == 0
    assert stores.document("s3://bucket/kael.json") is not None
    assert "state: s3://bucket/kael.json" in capsys.readouterr().err


@pytest.mark.parametrize(("here", "there"), [(FILE, A), (A, B), (A, FILE)])
def test_a_migrate_that_is_killed_at_any_request_is_ended_by_the_same_command(
    here: str, there: str, stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    """At each moment at least one place gives the whole state, and at the end exactly one."""
    for moment in range(1, 100):
        for place in (A, B):
            stores.buckets.pop(place, None)
        for left in [*Path().rglob("*.json"), *Path().rglob("*.lock")]:
            left.unlink()
        put(stores, here, document())
        count = 0

        def strike(_: str, when: str, moment: int = moment) -> None:
            nonlocal count
            count += 1
            if count == moment:
                raise Killed

        stores.strike = strike
        try:
            assert main(["state", "migrate", here, there]) == 0
            break
        except Killed:
            pass
        stores.strike = None
        for bucket in stores.buckets.values():
            bucket.lease = None  # it has expired
        found = [pulled(place, capsys) for place in (here, there)]
        assert any(state is not None and state["serial"] == 7 for state in found), moment
        assert main(["state", "migrate", here, there]) == 0, (moment, capsys.readouterr().err)
        assert pulled(here, capsys) is None
        after = pulled(there, capsys)
        assert after is not None
        assert (after["lineage"], after["serial"]) == ("l-1", 7)
    assert moment > 5
