"""A state can be read, unlocked and rolled back although its manifest or its pictures are broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply import __main__
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.rollback import roll_back
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.resource_status import not_created
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.review.screen import Screen
from scenario_apply.review.status_text import status_text
from scenario_apply.state.state import Record, State, Version
from scenario_apply.state.stores.file_store import FileStore

KAEL = Address("model", "kael")
OLD = Version(id=ModelId("model_1"), number=1, name="Kael", type="flux.1-lora", phase="trained", fingerprint="1:aa")
NEW = replace(OLD, id=ModelId("model_2"), number=2, fingerprint="1:bb")
PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael }
models:
  kael: { type: flux.1-lora, dataset: kael }
  late: { type: flux.1-lora, dataset: kael }
  off: { type: flux.1-lora, dataset: kael, enabled: false }
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state of two versions beside a manifest and its pictures."""
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PICTURES, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    store = store_at(tmp_path)
    with store.locked("test", 0):
        store.save(store.read().with_record(KAEL, Record(current=NEW, previous=(OLD,))))
    return tmp_path


def store_at(home: Path) -> FileStore:
    path = str(home / "state" / "scenario.json")
    return FileStore(path, endpoint="local", project=None, tool_version="0", clock=SystemClock())


def run(*words: str) -> int:
    return __main__.main(list(words))


READERS = ["output", "state list", "state show model.kael", "state history", "state pull", "force-unlock", "status"]


@pytest.mark.parametrize("command", READERS)
def test_the_error_names_the_way_around_and_it_works(
    command: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "scenario.yaml").write_text("version: 1\nmodels: [\n")
    words = [*command.split(), *(["--no-refresh"] if command == "status" else []), "--local"]
    assert run(*words) == 1
    assert "--state FILE, without MANIFEST, reads the state" in " ".join(capsys.readouterr().err.split())
    assert run(*words, "--state", "state/scenario.json") == 0
    assert "".join(capsys.readouterr())


def test_a_version_is_held_against_what_was_trained_last_where_nothing_else_is_known(home: Path) -> None:
    store = store_at(home)
    world = Environment(api=None, store=store, clock=SystemClock(), endpoint="local", project=None, tool_version="0")
    with store.locked("rollback", 0):
        assert "is current again; version 2" in roll_back(world, KAEL, None)
    record = store.read().records[KAEL]
    assert (record.current.id, record.held) == ("model_1", NEW.fingerprint)


def test_a_hold_is_lifted_without_pictures_and_manifest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for broken in ("pictures", "manifest"):
        store = store_at(home)
        with store.locked("test", 0):
            store.save(store.read().with_record(KAEL, Record(current=OLD, previous=(NEW,), held="1:bb")))
        if broken == "pictures":
            shutil.rmtree(home / "kael")
            assert run("rollback", "--lift", "model.kael", "--local") == 0
        else:
            (home / "scenario.yaml").write_text("version: 1\nmodels: [\n")
            assert run("rollback", "--lift", "model.kael", "--local", "--state", "state/scenario.json") == 0
        assert "unpinned; run" in capsys.readouterr().out
        assert store_at(home).read().records[KAEL].held is None


def test_status_lists_what_is_declared_and_not_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But not what is switched off."""
    assert run("status", "--no-refresh", "--local") == 0
    out = capsys.readouterr().out
    assert "model.late  not created\n" in out
    assert "model.off" not in out
    assert out.endswith("1 trained, 1 not created.\n")
    assert run("status", "--no-refresh", "--local", "--format", "json") == 0
    late = json.loads(capsys.readouterr().out)["model.late"]
    assert (late["id"], late["status"]) == (None, "not created")


def test_what_moves_is_not_listed_twice(home: Path) -> None:
    from scenario_apply.manifest.loader.load import load_manifest

    moved = MANIFEST.replace("  kael: { type", "  ranger: { type") + "moved: [{ from: model.kael, to: model.ranger }]\n"
    (home / "scenario.yaml").write_text(moved)
    manifest = load_manifest(None, variables={}, var_files=[], env={}, cwd=str(home))
    state: State = store_at(home).read()
    standings = not_created(manifest, state)
    assert [str(standing.address) for standing in standings] == ["model.late"]
    assert "not created" in status_text(standings, Screen())
