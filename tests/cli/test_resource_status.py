"""Which epochs a trained model has, and which is in use."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from scenario_apply.cli.resource_status import recorded_statuses, refreshed_statuses
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.review.screen import Screen
from scenario_apply.review.status_text import epoch_words, status_json, status_text
from scenario_apply.state.state import Record
from tests.review.compared import KAEL, state_of, version

STATE = state_of({KAEL: Record(current=version(1, epoch="8"))})


class World:
    """A service that knows one model."""

    def __init__(self, **known: object) -> None:
        values: dict[str, Any] = {"id": ModelId("model_1"), "type": "flux.1-lora", "status": "trained", **known}
        self.api = self.clock = self
        self._model = RemoteModel(**values)

    def get_models(self, ids: object, *, images: bool) -> dict[ModelId, RemoteModel]:
        return {self._model.id: self._model}

    def now(self) -> float:
        return 0.0


def epochs(*names: str) -> tuple[RemoteEpoch, ...]:
    return tuple(RemoteEpoch(name=name, assets=(AssetId("a"),)) for name in names)


def test_the_service_says_which_epochs_there_are() -> None:
    """Its word counts: the epoch may have been chosen elsewhere."""
    world = World(epoch="9", epochs=epochs(*map(str, range(1, 11))))
    found = refreshed_statuses(cast("Any", world), STATE)
    assert "epoch 9 of 1 to 10" in status_text(found, Screen(width=160))
    plain = json.loads(status_json(found))["model.kael"]
    assert (plain["epoch"], plain["epochs"]) == ("9", [str(n) for n in range(1, 11)])


def test_offline_only_the_chosen_one_is_known() -> None:
    plain = json.loads(status_json(recorded_statuses(STATE)))["model.kael"]
    assert (plain["epoch"], plain["epochs"]) == ("8", None)


@pytest.mark.parametrize(
    ("epoch", "names", "words"),
    [
        (None, None, ""),
        ("8", None, "epoch 8"),
        ("1", ("1",), "epoch 1"),
        ("8", ("5", "8", "10"), "epoch 8 of 5, 8, 10"),
        ("b", ("a", "b", "c"), "epoch b of a, b, c"),
        (None, ("1", "2", "3"), "epochs 1 to 3"),
    ],
)
def test_epochs_in_words(epoch: str | None, names: tuple[str, ...] | None, words: str) -> None:
    assert epoch_words(epoch, names) == words
