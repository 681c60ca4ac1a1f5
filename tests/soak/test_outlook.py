"""The time left that a run tells: within 20 % of the truth from the first minute on, under a bound of any origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.events import Event, RunStarted, StepFinished
from scenario_apply.cli.progress.json_lines import JsonLinesView
from scenario_apply.cli.progress.plain_view import PlainView
from tests.soak.eta import CASES, Told, errors, watched_run


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def ten_minutes(root: Path, case: str) -> Told:
    own_limit, limiter = CASES[case]
    return watched_run(root, own_limit=own_limit, limiter=limiter, models=5, images=100)


@pytest.mark.parametrize("case", CASES)
def test_the_time_left_comes_true_from_the_first_minute_on(tmp_path: Path, case: str) -> None:
    """Of a run of ten minutes, until half a minute is left."""
    told = ten_minutes(tmp_path, case)
    assert 540 <= told.over_at <= 720
    found = errors(told)
    assert len(found) > 500
    wrong = [(at, said, took) for at, said, took in found if abs(said - took) > 0.2 * took]
    assert not wrong, wrong[:5]
    assert told.outlook.left == 0
    assert told.outlook.seconds(told.clock.monotonic()) == 0


def test_lines_and_events_tell_it(tmp_path: Path) -> None:
    """In the count of images, and in every JSON line."""
    told = ten_minutes(tmp_path, "own bound, 100 / 60 s")
    [started] = [event for event in told if isinstance(event, RunStarted)]
    finished = [event for event in told if isinstance(event, StepFinished)][:20]

    class Budget:
        sent, refused = 20, 0
        paused_for_s = 0.0

        def seconds_for(self, requests: int) -> float:
            return requests * 0.6

    lines: list[str] = []
    events: list[str] = []
    plain = PlainView(lines.append, told.clock, counter=Budget())
    json_lines = JsonLinesView(events.append, told.clock, counter=Budget(), rate_limit=100)
    played: list[Event] = [started, *finished]
    for event in played:
        plain(event)
        json_lines(event)
    left = sum(2 for _ in range(500)) + 10 - len(finished)
    assert any("about " in line and " left" in line for line in lines), lines
    assert f'"left": {left}, "seconds_left": {left * 0.6}' in events[-1]
