"""paging.py: every list of the service ends, also where its pages do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.paging import MOST_PAGES, PageTokens
from scenario_apply.apply.refresh import own_models
from scenario_apply.errors import AnswerLost, BadAnswer
from scenario_apply.model.remote import ModelPage
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire


def asked(*tokens: str | None) -> list[str | None]:
    """What the pages are asked for with, where each page names the next of these tokens."""
    known = PageTokens("list numbers")
    found: list[str | None] = [None]
    for token in tokens:
        following = known.following(token)
        if following is None:
            break
        found.append(following)
    return found


@pytest.mark.parametrize("end", [None, ""])
def test_a_list_ends_where_no_token_follows(end: str | None) -> None:
    assert asked("A", "B", end, "C") == [None, "A", "B"]


def test_a_token_given_twice_in_a_row_ends_a_list() -> None:
    assert asked("A", "A", "B") == [None, "A"]


@pytest.mark.parametrize("tokens", [("A", "B", "A", "B"), ("A", "B", "C", "D", "B"), ("A", "B", "C", "A")])
def test_pages_in_a_circle_are_an_error(tokens: tuple[str, ...]) -> None:
    with pytest.raises(BadAnswer, match="list numbers: its pages go round in a circle"):
        asked(*tokens)


def test_a_list_without_an_end_is_an_error() -> None:
    with pytest.raises(BadAnswer, match=f"no end: {MOST_PAGES} pages"):
        asked(*(str(number) for number in range(MOST_PAGES)))


class Circling(FakeScenario):
    """Every page of models is the whole list and announces another one: A, B, A, B."""

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        page = super().list_models(status=status)
        return ModelPage(models=page.models, next_token="B" if token == "A" else "A")


def test_the_models_of_a_project_that_circle_are_an_error() -> None:
    with pytest.raises(BadAnswer, match="list the project's models: its pages go round in a circle"):
        own_models(Circling(FakeClock()))


def test_a_lost_create_request_is_adopted_from_pages_that_circle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model on several pages is one model, and no choice between several."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = Circling(bench.clock)
    lost = Fault("after", lambda: AnswerLost("the answer is lost"), name="create_model", nth=1)
    assert bench.apply(Wire(service, lost).api).status == "done"
    assert len(service.alive()) == 1
