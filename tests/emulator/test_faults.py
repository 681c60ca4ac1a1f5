"""Misbehaviour: each kind does what it says, rules hit what they name, and a seed repeats itself."""

from __future__ import annotations

import json

import httpx
import pytest

from scenario_apply.emulator.faults import Faults
from scenario_apply.emulator.options import OptionError, parse_chaos
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract


def models(emulator: EmulatorThread) -> int:
    """How many own models there are."""
    return len(contract.plain.get(f"{emulator.url}/models", auth=("k", "s")).json()["models"])


def create(emulator: EmulatorThread, timeout: float = 10) -> httpx.Response:
    """POST /models."""
    body = {"name": "x", "type": "flux.1-lora"}
    return contract.plain.post(f"{emulator.url}/models", auth=("k", "s"), json=body, timeout=timeout)


@pytest.mark.parametrize(("kind", "made"), [("drop-before", 0), ("drop-answer", 1), ("truncate", 1)])
def test_connections_break_before_and_after(emulator: EmulatorThread, kind: str, made: int) -> None:
    emulator.add_fault(kind, method="POST", path="/models")
    with pytest.raises(httpx.TransportError):
        create(emulator)
    assert models(emulator) == made
    assert create(emulator).status_code == 200
    assert [(one.fault, one.status) for one in emulator.requests if one.fault] == [
        (kind, 200 if kind == "truncate" else 0)
    ]


@pytest.mark.parametrize(
    ("kind", "status", "made"),
    [("500", 500, 0), ("502", 502, 0), ("503", 503, 0), ("429", 429, 0), ("500-after", 500, 1), ("502-after", 502, 1)],
)
def test_statuses_before_and_after(emulator: EmulatorThread, kind: str, status: int, made: int) -> None:
    emulator.add_fault(kind, method="POST")
    assert create(emulator).status_code == status
    assert models(emulator) == made


def test_each_kind_of_429_can_be_told(emulator: EmulatorThread) -> None:
    bodies = []
    for kind in ("429", "429-ceiling", "429-cooldown"):
        emulator.add_fault(kind)
        answer = create(emulator)
        assert answer.status_code == 429
        bodies.append(answer.json())
    assert "details" not in bodies[0]
    assert bodies[1]["details"]["actionName"] == "parallel-training"
    assert bodies[2]["remainingSeconds"] == 1


def test_a_gateway_answers_html(emulator: EmulatorThread) -> None:
    emulator.add_fault("html", path="/models")
    answer = create(emulator)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_hanging_server_has_done_it_all_the_same(emulator: EmulatorThread) -> None:
    emulator.add_fault("hang", method="POST")
    with pytest.raises(httpx.ReadTimeout):
        create(emulator, timeout=0.2)
    assert models(emulator) == 1


def test_rules_skip_and_count(emulator: EmulatorThread) -> None:
    emulator.add_fault("500", method="POST", path="/mod*", skip=1, times=2)
    assert [create(emulator).status_code for _ in range(4)] == [200, 500, 500, 200]
    emulator.add_fault("500", times=0)
    assert [create(emulator).status_code for _ in range(3)] == [500] * 3
    emulator.clear_faults()
    assert create(emulator).status_code == 200


def test_latency_is_added_and_answers_stay_in_order() -> None:
    with EmulatorThread(manual_options(latency_ms=30)) as emulator:
        assert create(emulator).elapsed.total_seconds() >= 0.03


def test_a_seed_repeats_itself() -> None:
    def drawn(seed: int) -> list[str | None]:
        faults = Faults({"500": 0.3, "slow": 0.2}, seed, 1.0)
        return [faults.draw("GET", "/models") for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 30 < drawn(1).count("500") < 90
    assert drawn(1).count("slow") > 15


def test_chaos_is_parsed_and_checked() -> None:
    assert parse_chaos("drop-answer=0.05, 500=0.02") == {"drop-answer": 0.05, "500": 0.02}
    assert parse_chaos("") == {}
    for bad in ("explode=0.1", "500", "500=x", "500=2", "500=nan"):
        with pytest.raises(OptionError):
            parse_chaos(bad)
