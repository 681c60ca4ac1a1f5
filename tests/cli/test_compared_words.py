"""The words of compare name weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.cli.compared_words import chosen_weights, refuse_unknown_epochs, split_words
from scenario_apply.errors import StateError, UsageError
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.review.drawing_weights import Weights
from scenario_apply.state.state import Record, State
from tests.review.compared import FAST, HARBOUR, KAEL, SLOW, picture, request, sample, state_of, two_versions, version

OLD, NEW = Weights(KAEL, 1, "2026-11-01T10:00:00Z"), Weights(KAEL, 2, "2026-11-05T10:00:00Z")


def chosen(*words: str, state: State | None = None, epochs: bool = False) -> list[Weights]:
    named, _ = split_words(words, None, "/nowhere")
    return chosen_weights(named, two_versions() if state is None else state, epochs=epochs)


def sweep() -> State:
    return state_of({address: Record(current=version(1, sample(request(HARBOUR)))) for address in (SLOW, FAST)})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["model.kael"], [OLD, NEW]),
        (["model.kael@2"], [NEW]),
        (["model.kael", "@previous"], [OLD, NEW]),
        (["model.kael@previous"], [OLD]),
        (["model.kael@2", "model.kael@1"], [NEW, OLD]),
        (["model.kael", "model.kael@1"], [NEW, OLD]),
        (["model.kael@1#8"], [Weights(KAEL, 1, "2026-11-01T10:00:00Z", "8")]),
        (["model.k*"], [OLD, NEW]),
    ],
)
def test_words_name_versions_and_epochs(words: list[str], expected: list[Weights]) -> None:
    assert chosen(*words) == expected


@pytest.mark.parametrize("word", ["model.kael-lr/*", "model.kael-lr"])
def test_a_sweep_is_named_by_a_glob_or_its_own_name(word: str) -> None:
    assert [str(one.address) for one in chosen(word, state=sweep())] == ["model.kael-lr/fast", "model.kael-lr/slow"]


def test_epochs_of_a_version_are_those_that_drew_samples() -> None:
    drawn = [sample(request(HARBOUR), picture(e), epoch=e) for e in ("10", "2")]
    state = state_of({KAEL: Record(current=version(1, *drawn, epoch="10"))})
    assert [one.epoch for one in chosen("model.kael", state=state, epochs=True)] == ["2", "10"]


def test_a_word_that_is_no_address_is_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("")
    assert split_words(["model.kael", "model.yaml"], None, str(tmp_path))[1] == "model.yaml"
    assert split_words(["model.kael", "manifests"], None, str(tmp_path))[1] == "manifests"
    assert split_words(["model.kael"], "given", str(tmp_path))[1] == "given"


@pytest.mark.parametrize(
    "words",
    [["@previous"], ["manifests"], ["model.kael@x"], ["model.kael#"], ["a", "b", "model.kael"], ["model.a@1@2"]],
)
def test_words_that_name_nothing_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        chosen(*words)


@pytest.mark.parametrize("words", [["model.kale"], ["model.kael@9"], ["model.kael@1", "@previous"], ["model.x*"]])
def test_what_is_not_recorded_is_refused_with_a_hint(words: list[str]) -> None:
    with pytest.raises(StateError) as caught:
        chosen(*words)
    assert caught.value.code == "not-recorded"
    assert caught.value.problems[0].hint


def test_an_epoch_that_a_training_does_not_have_is_refused_where_that_is_known() -> None:
    state = two_versions()
    epochs = (RemoteEpoch(name="8", assets=(AssetId("a"),)),)
    model = RemoteModel(id=ModelId("model_2"), type="t", status="trained", epochs=epochs)
    refuse_unknown_epochs(chosen("model.kael@2#9"), state, {})
    refuse_unknown_epochs(chosen("model.kael@2#8"), state, {model.id: model})
    with pytest.raises(StateError) as caught:
        refuse_unknown_epochs(chosen("model.kael@2#9"), state, {model.id: model})
    assert caught.value.problems[0].hint == "it has 8"
