"""status --watch: looks that fail are borne as an apply bears them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scenario_apply.core.address import parse_address
from scenario_apply.core.remote import Progress
from scenario_apply.effects.rounds import BAD_ROUNDS_AT_MOST
from scenario_apply.errors import ApiError, RateLimited, Unauthorized, Unreachable
from scenario_apply.faces.call import Call
from scenario_apply.faces.settings import Settings
from scenario_apply.faces.views.screen import Screen
from scenario_apply.faces.views.status import Standing
from scenario_apply.faces.watching import watch
from tests.fakes.bench import Bench
from tests.fakes.clock import FakeClock

KAEL = parse_address("model.kael")
DOWN = Unreachable("api.example refused the connection")


def standing(status: str) -> Standing:
    progress = Progress(stage="running-train", progress=0.5) if status == "training" else None
    return Standing(address=KAEL, id="m", name="Kael", type="flux.1-lora", status=status, version=1, progress=progress)


class Looks:
    """Errors are raised, words are the status of the one model."""

    def __init__(self, *outcomes: str | ApiError) -> None:
        self.outcomes = list(outcomes)

    def __call__(self) -> Sequence[Standing]:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, ApiError):
            raise outcome
        return [standing(outcome)]


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., str]:
    def run(looks: Looks, *, terminal: bool = False) -> str:
        call = Call(
            arguments=argparse.Namespace(poll_interval=5.0, format="text"),
            settings=Settings(),
            out=Screen(width=100),
            err=Screen(width=100, terminal=terminal),
        )
        [last] = watch(call, Bench(tmp_path, clock=FakeClock()).world(None), looks)
        assert not looks.outcomes
        return last.status

    return run


@pytest.mark.parametrize("terminal", [False, True])
def test_bad_rounds_are_told_and_borne(
    watched: Callable[..., str], capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    most = [DOWN] * (BAD_ROUNDS_AT_MOST - 1)
    assert watched(Looks("training", *most, "training", *most, "trained"), terminal=terminal) == "trained"
    told = capsys.readouterr().err
    assert told.count("asking for trainings failed, trying again: api.example") == 2 * len(most)


def test_one_bad_round_more_is_the_end(watched: Callable[..., str]) -> None:
    looks = Looks("training", *[DOWN] * BAD_ROUNDS_AT_MOST, "trained")
    with pytest.raises(Unreachable):
        watched(looks)
    assert looks.outcomes == ["trained"]


@pytest.mark.parametrize("error", [Unauthorized("who are you"), RateLimited("quota")])
def test_what_further_looks_cannot_mend_ends_it_at_once(watched: Callable[..., str], error: ApiError) -> None:
    with pytest.raises(type(error)):
        watched(Looks("training", error))


def test_a_first_look_that_fails_is_told_at_once(watched: Callable[..., str]) -> None:
    """With nobody listening a command gives up within seconds."""
    with pytest.raises(Unreachable):
        watched(Looks(DOWN))
