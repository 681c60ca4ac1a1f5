"""paging.py: every list of the service ends, also where its pages do not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from scenario_apply.apply.paging import MOST_PAGES, pages_of
from scenario_apply.apply.refresh import own_models
from scenario_apply.errors import AnswerLost, BadAnswer
from scenario_apply.model.remote import ModelPage
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire


@dataclass(frozen=True)
class Numbers:
    numbers: tuple[int, ...]
    next_token: str | None


def book(*tokens: str | None) -> list[Numbers]:
    return [Numbers((number,), token) for number, token in enumerate(tokens)]


def read(pages: list[Numbers]) -> list[int]:
    left = iter(pages)
    return [number for page in pages_of(lambda token: next(left), "list numbers") for number in page.numbers]


@pytest.mark.parametrize("end", [None, ""])
def test_a_list_ends_where_no_token_follows(end: str | None) -> None:
    assert read(book("A", "B", end)) == [0, 1, 2]


def test_a_token_given_twice_in_a_row_ends_a_list() -> None:
    assert read(book("A", "A", None)) == [0, 1]


@pytest.mark.parametrize("tokens", [("A", "B", "A", "B"), ("A", "B", "C", "D", "B"), ("A", "B", "C", "A")])
def test_pages_in_a_circle_are_an_error(tokens: tuple[str, ...]) -> None:
    with pytest.raises(BadAnswer, match="list numbers: the pages go round in a circle"):
        read(book(*tokens))


def test_a_list_without_an_end_is_an_error() -> None:
    endless = (Numbers((), str(number)) for number in itertools.count())
    with pytest.raises(BadAnswer, match=f"does not end: {MOST_PAGES} pages"):
        list(pages_of(lambda token: next(endless), "list numbers"))


class Circling(FakeScenario):
    """Every page of models is the whole list and announces another one: A, B, A, B."""

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        page = super().list_models(status=status)
        return ModelPage(models=page.models, next_token="B" if token == "A" else "A")


def test_the_models_of_a_project_that_circle_are_an_error() -> None:
    with pytest.raises(BadAnswer, match="list the project's models: the pages go round in a circle"):
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
