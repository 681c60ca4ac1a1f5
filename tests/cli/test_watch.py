"""status --watch: looks that fail are borne as an apply bears them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.poll_failures import MOST_POLL_FAILURES
from scenario_apply.cli.invocation import Invocation
from scenario_apply.cli.settings import Settings
from scenario_apply.cli.watch import watch
from scenario_apply.errors import ApiError, RateLimited, Unauthorized, Unreachable
from scenario_apply.model.address import parse_address
from scenario_apply.model.queue_wait import queued_words
from scenario_apply.model.remote import Progress
from scenario_apply.review.screen import Screen
from scenario_apply.review.status_text import ResourceStatus
from tests.fakes.bench import Bench
from tests.fakes.clock import FakeClock

KAEL = parse_address("model.kael")
DOWN = Unreachable("api.example refused the connection")


def standing(status: str) -> ResourceStatus:
    progress = Progress(stage="running-train", progress=0.5) if status == "training" else None
    return ResourceStatus(
        address=KAEL, id="m", name="Kael", type="flux.1-lora", status=status, version=1, progress=progress
    )


def at(percent: int, *, stage: str = "running-train", **more: int) -> ResourceStatus:
    progress = Progress(stage=stage, progress=percent / 100, position=more.get("place"), remaining_s=more.get("left"))
    return replace(standing("training"), progress=progress, queued=queued_words("training", progress, None))


class Looks:
    """Errors are raised, words are the status of the one model, standings are it."""

    def __init__(self, *outcomes: str | ApiError | ResourceStatus) -> None:
        self.outcomes = list(outcomes)

    def __call__(self) -> Sequence[ResourceStatus]:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, ApiError):
            raise outcome
        return [standing(outcome) if isinstance(outcome, str) else outcome]


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., str]:
    def run(looks: Looks, *, terminal: bool = False, quiet: bool = False) -> str:
        call = Invocation(
            arguments=argparse.Namespace(poll_interval=5.0, format="text"),
            settings=Settings(quiet=quiet),
            out=Screen(width=100),
            err=Screen(width=100, terminal=terminal),
        )
        [last] = watch(call, Bench(tmp_path, clock=FakeClock()).environment(None), looks)
        assert not looks.outcomes
        return last.status

    return run


@pytest.mark.parametrize("terminal", [False, True])
def test_bad_rounds_are_told_and_borne(
    watched: Callable[..., str], capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    most = [DOWN] * (MOST_POLL_FAILURES - 1)
    assert watched(Looks("training", *most, "training", *most, "trained"), terminal=terminal) == "trained"
    told = capsys.readouterr().err
    assert told.count("polling trainings failed, trying again: api.example") == 2 * len(most)


def test_one_bad_round_more_is_the_end(watched: Callable[..., str]) -> None:
    looks = Looks("training", *[DOWN] * MOST_POLL_FAILURES, "trained")
    with pytest.raises(Unreachable):
        watched(looks)
    assert looks.outcomes == ["trained"]


@pytest.mark.parametrize("error", [Unauthorized("who are you"), RateLimited("quota")])
def test_what_further_looks_cannot_hint_ends_it_at_once(watched: Callable[..., str], error: ApiError) -> None:
    with pytest.raises(type(error)):
        watched(Looks("training", error))


def test_a_first_look_that_fails_is_told_at_once(watched: Callable[..., str]) -> None:
    """With nobody listening a command gives up within seconds."""
    with pytest.raises(Unreachable):
        watched(Looks(DOWN))


def test_without_a_terminal_a_training_that_moves_has_a_line_a_minute(
    watched: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Looks are five seconds apart: nine minutes, after one that is spent in the queue."""
    queued = [at(0, stage="queued-for-train", place=12 - n) for n in range(12)]
    assert watched(Looks(*queued, *[at(n) for n in range(1, 101)], "trained")) == "trained"
    told = capsys.readouterr().err.splitlines()
    shares = [line.rpartition(", ")[2] for line in told[1:-1]]
    assert told[0] == "model.kael: training, queued, place 12"
    assert shares == [f"{n}%" for n in range(1, 101, 12)]
    assert told[-1] == "model.kael: trained, m"


def test_without_a_terminal_a_training_that_stands_still_has_one_line(
    watched: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(Looks(*["training"] * 500, "trained")) == "trained"
    assert capsys.readouterr().err.splitlines() == ["model.kael: training, ━━━━━━──────, 50%", "model.kael: trained, m"]


def test_quiet_watches_without_a_line(watched: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(Looks(*[at(n) for n in range(100)], DOWN, "training", "trained"), quiet=True) == "trained"
    assert capsys.readouterr() == ("", "")
