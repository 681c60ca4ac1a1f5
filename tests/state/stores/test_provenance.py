"""History of a state, and states that are pulled and pushed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenario_apply.errors import StateForeign
from scenario_apply.model.address import parse_address
from scenario_apply.state.state import HISTORY_KEPT, Record, State, Version
from scenario_apply.state.state_file import state_from_json, state_to_json
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.provenance import noted
from tests.fakes.clock import FakeClock


def a_store(path: Path) -> FileStore:
    return FileStore(str(path), endpoint="http://e", project=None, tool_version="1", clock=FakeClock())


def a_record(name: str = "Kael") -> Record:
    return Record(current=Version(number=1, id="m1", phase="trained", name=name, type="flux.1-lora"))  # type: ignore[arg-type]


def test_a_line_of_history_survives_its_json_and_only_the_last_hundred_are_kept() -> None:
    """Old lines go, so that a state does not grow for ever."""
    state = State(lineage="l")
    for number in range(HISTORY_KEPT + 3):
        state = noted(state, FakeClock(), command="scenario-apply apply", what=f"create model.m{number}")
    assert len(state.history) == HISTORY_KEPT
    assert state.history[-1].what == f"create model.m{HISTORY_KEPT + 2}"
    assert state_from_json(state_to_json(state, tool_version="1"), source="s").history == state.history


@pytest.mark.parametrize("change", ["lineage", "older", "same-serial"])
def test_a_push_of_another_lineage_or_an_older_serial_is_refused_unless_forced(tmp_path: Path, change: str) -> None:
    """What another run recorded meanwhile is never overwritten by a stale copy."""
    store = a_store(tmp_path / "s.json")
    address = parse_address("model.kael")
    store.read()
    held = store.save(State(records={address: a_record()}))
    held = store.save(held.with_record(address, a_record("Kael the ranger")))
    plain = json.loads((tmp_path / "s.json").read_text())
    plain |= {
        "lineage": {"lineage": "other"},
        "older": {"serial": 1, "resources": {}},
        "same-serial": {"resources": {}},
    }[change]
    pushed = store.read_other(json.dumps(plain).encode(), "copy.json")
    with pytest.raises(StateForeign):
        store.pushable(held, pushed, force=False)
    written = store.save(store.pushable(held, pushed, force=True))
    assert written.serial == held.serial + 1
    assert a_store(tmp_path / "s.json").read().lineage == pushed.lineage
