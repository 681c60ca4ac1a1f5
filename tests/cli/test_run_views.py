"""A run as lines, as JSON, on a terminal, and its ledger."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from scenario_apply.apply.events import Event, Ledger, LedgerLine, RunStarted, StepFailed, StepStarted
from scenario_apply.cli.progress.json_lines import JsonLinesView
from scenario_apply.cli.progress.live_view import ProgressView
from scenario_apply.cli.progress.plain_view import PlainView, failed_line
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address
from scenario_apply.model.steps import PlannedStep
from scenario_apply.review.ledger_text import headline, ledger_text
from scenario_apply.review.screen import Screen, columns
from scenario_apply.review.step_words import did, doing, once
from tests.cli.runs import EVENTS, EVERY_STEP, LEDGER, PLAN, UPLOAD, WAIT, moved, played
from tests.fakes.clock import FakeClock
from tests.fakes.terminal import Terminal


def test_plain_lines_tell_a_run() -> None:
    clock = FakeClock()
    lines: list[str] = []
    played(PlainView(lines.append, clock), clock.advance)
    assert "".join(lines) == (
        "applying: 6 steps\n"
        "model.kael: adopted model model_1: same name and type \\x1b[31mred\\x1b[0m\\nsecond line\n"
        "model.kael: created (model_1)\n"
        "images and captions: 1/2\n"
        "waiting for the rate limit, continues in 12 s\n"
        "model.kael: uploaded 02.png, adopted: an image of that name\n"
        "model.kael: dataset score 0.93\n"
        "price: 130.5 CU for 1 training, plus 1 training of unknown price: model.kael 130.5 CU, "
        "composition.winter unknown (\\x1b[31mred\\x1b[0m\\nsecond line)\n"
        "model.kael: training launched, 130 CU (job_1)\n"
        "model.kael: queued, place 2, 0%\n"
        "model.kael: training, 10%, 9 min left\n"
        "model.kael: trained in 60 s\n"
        "composition.winter: create failed: \\x1b[31mred\\x1b[0m\\nsecond line; 3 dependent steps are skipped\n"
    )


def lines_of(events: Iterable[Event], each_s: float) -> list[str]:
    """The plain lines of events so many seconds apart."""
    clock = FakeClock()
    lines: list[str] = []
    view = PlainView(lines.append, clock)
    for event in events:
        view(event)
        clock.advance(each_s)
    return lines


def test_a_training_that_moves_has_a_plain_line_a_minute() -> None:
    hour = [moved("training", "running-train", n / 3600, left=3600 - n) for n in range(3600)]
    lines = lines_of(hour, 1)
    assert lines[:2] == ["model.kael: training, 0%, 60 min left\n", "model.kael: training, 2%, 59 min left\n"]
    assert len(lines) == 60


def test_a_training_that_stands_still_has_one_plain_line() -> None:
    assert lines_of([moved("training", "running-train", 0.1)] * 3600, 1) == ["model.kael: training, 10%\n"]


def test_a_change_is_told_as_soon_as_a_minute_has_passed() -> None:
    """However long nothing changed before it, and although nothing changes at the minute itself."""
    first, later = moved("training", "running-train", 0.1), moved("training", "running-train", 0.2)
    assert len(lines_of([first, *[later] * 5], 10)) == 1
    assert lines_of([first, *[later] * 600], 10) == ["model.kael: training, 10%\n", "model.kael: training, 20%\n"]
    assert len(lines_of([*[first] * 600, later], 10)) == 2


def test_a_new_phase_is_told_at_once_and_a_new_place_within_the_minute() -> None:
    queued = [moved("training", "queued-for-train", 0.0, place=9 - n) for n in range(9)]
    assert lines_of([*queued, moved("training", "running-train", 0.0)], 10) == [
        "model.kael: queued, place 9, 0%\n",
        "model.kael: queued, place 3, 0%\n",
        "model.kael: training, 0%\n",
    ]


def test_json_lines_tell_every_look_at_a_training() -> None:
    """Who reads them by a program chooses; only lines for people are few."""
    lines: list[str] = []
    view = JsonLinesView(lines.append, FakeClock())
    for _ in range(100):
        view(moved("training", "running-train", 0.1, left=540))
    told = [json.loads(line) for line in lines]
    assert [line["hook"]["percent"] for line in told if line["type"] == "apply_progress"] == [10.0] * 100


def test_verbose_tells_every_step() -> None:
    clock = FakeClock()
    lines: list[str] = []
    played(PlainView(lines.append, clock, verbose=True), clock.advance)
    assert "model.kael: uploaded 01.png\n" in lines
    assert "model.kael: upload 01.png …\n" in lines


class Counter:
    sent, refused = 12, 1
    paused_for_s = 0.0

    def seconds_for(self, requests: int) -> float:
        return requests * 0.6


def test_json_lines_number_every_line_and_end_in_the_ledger() -> None:
    clock = FakeClock()
    lines: list[str] = []
    view = JsonLinesView(lines.append, clock, counter=Counter(), rate_limit=100)
    view.planned(PLAN)
    played(view, clock.advance)
    objects = [json.loads(line) for line in lines]
    assert all(line.count("\n") == 1 for line in lines)
    assert [o["seq"] for o in objects] == list(range(1, len(objects) + 1))
    assert len({o["run_id"] for o in objects}) == 1
    assert all({"@level", "@message", "@module", "@timestamp", "type"} <= set(o) for o in objects)
    assert objects[0]["type"] == "version"
    unknown = {"left": None, "seconds_left": None}
    assert objects[0]["budget"] == {"used": 12, "refused": 1, "limit": 100, **unknown}
    types = [o["type"] for o in objects]
    assert types[1:4] == ["planned_change", "change_summary", "run_start"]
    assert types[-1] == "ledger"
    assert {"apply_start", "apply_complete", "apply_progress", "apply_errored", "adopted", "throttled", "log"} <= set(
        types
    )
    progress = next(o["hook"] for o in objects if o["type"] == "apply_progress")
    assert progress["queue_position"] == 2
    assert progress["job_id"] == "job_1"
    ledger = objects[-1]["ledger"]
    assert ledger["status"] == "partial"
    assert ledger["failed"][0]["address"] == "composition.winter"
    assert ledger["next_command"].startswith("scenario-apply apply")
    assert ledger["cu_charged"] == 130
    assert view.has_ledger


def test_json_lines_from_many_threads_are_whole_and_in_order() -> None:
    lines: list[str] = []
    view = JsonLinesView(lines.append, FakeClock())
    threads = [threading.Thread(target=lambda: list(map(view, EVENTS[1:-1]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_diagnostics_are_events_too() -> None:
    lines: list[str] = []
    view = JsonLinesView(lines.append, FakeClock())
    view.problems([Diagnostic(code="x", message="y", location=Location(file="a.yaml", line=3))])
    told = json.loads(lines[-1])
    assert told["type"] == "diagnostic"
    assert told["diagnostic"]["line"] == 3


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_live_view_fits_and_leaves_the_screen_tidy(width: int) -> None:
    terminal, clock = Terminal(width), FakeClock()
    view = ProgressView(terminal, clock, Screen(width=width, terminal=True), counter=Counter(), rate_limit=100)
    try:
        for event in EVENTS:
            view(event)
            clock.advance(10)
            assert max(map(columns, view.rows(width - 1))) < width
    finally:
        view.close()
        view.close()
    assert "\x1b[31mred" not in terminal.written
    assert "model.kael: trained in 60 s" in terminal.lines()
    assert "requests ·" not in "".join(terminal.lines()), "no bar and no footer is left"
    assert terminal.is_cursor_shown


def test_the_live_view_shows_bars_queue_and_time_left() -> None:
    clock = FakeClock()
    view = ProgressView(io.StringIO(), clock, Screen(width=80, terminal=True), counter=Counter(), rate_limit=100)
    try:
        for event in EVENTS[:13]:
            view(event)
        before = "\n".join(view.rows(79))
        for event in EVENTS[13:14]:
            view(event)
        after = "\n".join(view.rows(79))
    finally:
        view.close()
    assert "model.kael" in before
    assert "12 requests" in before
    assert "━━───────  20%  training, 8 min left" in after


def test_bars_that_stand_for_the_rate_limit_say_so() -> None:
    """On the line of the bar, where one looks, and within 80 columns."""

    class Spent(Counter):
        def seconds_for(self, requests: int) -> float:
            return 21 + requests * 0.6

    view = ProgressView(io.StringIO(), FakeClock(), Screen(width=80, terminal=True), counter=Spent(), rate_limit=100)
    try:
        for event in EVENTS:
            view(event)
            if isinstance(event, StepStarted):
                break
        bars, *footer = view.rows(79)
    finally:
        view.close()
    assert bars.startswith("images and captions  ")
    assert bars.endswith("  0/2, waiting for the rate limit")
    assert "waiting for the rate limit, continues in 22 s" in "".join(footer)
    assert "…" not in "".join(footer)


def test_a_ledger_as_text() -> None:
    assert ledger_text(LEDGER, Screen(width=80, terminal=True)) == (
        "Partly failed. Everything that does not depend on the failed steps is done.\n"
        "  done         model.kael          created (model_1)\n"
        "  adopted      model.kael          model (model_1): same name and type\n"
        "  failed       composition.winter  create: \\x1b[31mred\\x1b[0m\\nsecond line\n"
        "  not started  model.late          create: needs composition.winter\n"
        "5 of 6 steps in 65 s: 1 model created, 2 images uploaded, 1 training launched, 1\n"
        "training ended. 12 requests (1 refused by the rate limit). 130 CU charged.\n"
        "Next: scenario-apply apply manifests/quickstart --local\n"
    )


def test_a_failed_training_is_told_once() -> None:
    """Whoever failed, whatever the service says of it."""
    reason = "training failed: Training failed (out of memory)"
    line = LedgerLine(address=Address("model", "kael"), what="wait", reason=reason)
    text = ledger_text(Ledger(status="failed", failed=(line,)), Screen())
    assert "  failed       model.kael  training failed (out of memory)\n" in text
    event = StepFailed(step=WAIT, error=reason, skipped=1)
    said = "model.kael: training failed (out of memory); 1 dependent step is skipped"
    assert failed_line(event) == said
    assert failed_line(StepFailed(step=WAIT, error="gone", skipped=0)) == "model.kael: training failed: gone"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("training failed: training failed: Training failed: no memory", "training failed: no memory"),
        ("Upload of 01.png failed: too large", "Upload of 01.png failed: too large"),
        ("parameters.nbEpochs 10 -> 12", "parameters.nbEpochs 10 -> 12"),
    ],
)
def test_nothing_is_said_twice(text: str, told: str) -> None:
    assert once(text) == told


def test_withheld_deletes_are_no_failure() -> None:
    reason = "needs consent: --allow-destroy"
    lines = tuple(LedgerLine(address=Address("model", name), what="delete", reason=reason) for name in "ab")
    ledger = Ledger(status="partial", not_started=lines)
    assert headline(ledger) == "Applied everything except 2 deletes, which need --allow-destroy."
    failed = (LedgerLine(address=Address("model", "c"), what="create", reason="x"),)
    assert "Failed. Completed steps are recorded." in headline(replace(ledger, failed=failed))


@pytest.mark.parametrize(("status", "stage"), [("success", "success"), ("training", "success"), ("canceled", "")])
def test_the_states_of_a_job_are_not_told(status: str, stage: str) -> None:
    """What came of a training is told by the step that waited for it."""
    lines: list[str] = []
    view = PlainView(lines.append, FakeClock())
    view(moved(status, stage, 1.0))
    assert lines == []
    view(moved("in-progress", "in-progress", 0.5))
    assert lines == ["model.kael: training, 50%\n"]


def test_a_long_ledger_is_bounded() -> None:
    many = tuple(LedgerLine(address=Address("model", f"m{n}"), what="create") for n in range(1000))
    text = ledger_text(replace(LEDGER, done=many), Screen())
    assert len(text.splitlines()) < 20
    assert "… and 994 more lines" in text


def test_unknown_cost_is_no_zero() -> None:
    assert "Charge unknown" in ledger_text(Ledger(status="done", cu_charged=None), Screen())


@pytest.mark.parametrize("status", ["done", "partial", "failed", "running", "interrupted", "stopped"])
def test_every_way_to_end_has_a_headline(status: str) -> None:
    assert headline(replace(LEDGER, status=status)).endswith(".")


def test_every_step_has_words() -> None:
    assert len({doing(step) for step in EVERY_STEP}) == len(EVERY_STEP)
    assert len({did(step) for step in EVERY_STEP}) == len(EVERY_STEP)


def test_a_resumed_run_says_so() -> None:
    lines: list[str] = []
    PlainView(lines.append, FakeClock())(RunStarted(plan=PLAN, run_id="r", resumed=True))
    assert lines == ["continuing: 6 steps\n"]


def test_a_hundred_failures_for_the_same_reason_have_five_lines() -> None:
    """In the log and above the bars; -v and JSON report all, other reasons and trainings have their own."""
    uploads = [PlannedStep(id=f"u{n}", step=UPLOAD.step) for n in range(100)]
    failures = [StepFailed(step=step, error="the disk of the service is full", skipped=0) for step in uploads]
    other = StepFailed(step=UPLOAD, error="no such image", skipped=0)
    training = StepFailed(step=WAIT, error="the disk of the service is full", skipped=0)
    events: list[Event] = [*failures, other, training]
    assert len(lines_of(events, 0)) == 7
    terminal = Terminal(100)
    view = ProgressView(terminal, FakeClock(), Screen(width=100, terminal=True), counter=None, rate_limit=0)
    try:
        for event in [RunStarted(plan=PLAN, run_id="r1"), *events]:
            view(event)
    finally:
        view.close()
    assert sum("failed" in line for line in terminal.lines()) == 7
