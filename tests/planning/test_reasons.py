"""planning/reasons.py: codes that are stable, unique, and survive JSON."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from scenario_apply.model import codec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning import reasons as why
from scenario_apply.planning.coded_reason import Coded
from scenario_apply.planning.sample_reasons import SampleFailed, SamplesChanged, SamplesDrawing, SamplesMissing
from scenario_apply.review.plan_json import reason_json
from scenario_apply.review.reason_words import reason_text

KAEL = Address("model", "kael")
NESTED = why.ChangesKept((why.ParameterChanged("nbEpochs", 10, 12), why.TagsChanged(("a",), ("b",))))
EXAMPLES = (
    (why.NotCreated(), "it does not exist yet"),
    (why.RemotelyDeleted(ModelId("m1")), "model m1 was deleted on Scenario"),
    (why.ParameterChanged("learningRate", None, 0.0001), "parameters.learningRate (default) -> 0.0001"),
    (
        why.ParameterChanged("learningRate", 9.999999747378752e-05, 1.0000001e-4),
        "parameters.learningRate 9.999999747378752e-05 -> 0.00010000001",
    ),
    (why.ParameterChanged("nbEpochs", "5", 5), "parameters.nbEpochs '5' -> 5"),
    (why.ImagesChanged(1, 0, 2), "images +1 -2"),
    (why.OldVersionsLost(1), "1 old version no longer exists on Scenario"),
    (why.LabelDrift("name", "Karl"), 'the name was changed on Scenario to "Karl"'),
    (why.LabelDrift("description", "other"), "the description was changed on Scenario"),
    (why.LabelDrift("tags", "hero, ranger"), "tags were removed on Scenario: hero, ranger"),
    (why.CaptionsChanged(0, 3, 0), "captions ~3"),
    (why.PartChanged(KAEL, "other-version", 3), "model.kael is at version 3 now"),
    (why.TrainingEnded("canceled", None), "its training ended as canceled"),
    (why.TrainingEnded("failed", "training failed: Training failed: no memory"), "training failed: no memory"),
    (why.TrainingQueued(None, 7), "its training is queued, place 7"),
    (why.MovedFrom(KAEL), "it is renamed from model.kael"),
    (NESTED, "on_change: keep (changed: parameters.nbEpochs 10 -> 12; tags +a -b)"),
    (
        why.OldVersionsKept(1, 1, "consent"),
        "1 old version exceeds keep_versions (1): pass --allow-destroy to delete it",
    ),
    (
        why.OldVersionsKept(2, 0, "consent"),
        "2 old versions exceed keep_versions (0): pass --allow-destroy to delete them",
    ),
    (SamplesMissing(("1", "2")), "2 samples are missing: 1, 2"),
    (SamplesMissing(tuple("abcdefg")), "7 samples are missing: a, b, c, d, e and 2 more"),
    (SamplesChanged(("rain",)), "1 sample changed: rain"),
    (SampleFailed("rain", "Generation failed: out of memory"), "sample rain failed: Generation failed: out of memory"),
    (SampleFailed("rain", None), "sample rain failed: Scenario gives no reason"),
    (SamplesDrawing(("rain",)), "1 sample is being drawn: rain"),
)


def test_every_reason_has_a_code_of_its_own() -> None:
    kinds = get_args(why.Reason)
    codes = [kind.__struct_config__.tag for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert set(kinds) == set(Coded.__subclasses__())


@pytest.mark.parametrize(("reason", "text"), EXAMPLES)
def test_a_reason_in_words_and_in_json(reason: why.Reason, text: str) -> None:
    """JSON shows code, text and fields, and gives the same reason back; the text is not read."""
    assert reason_text(reason) == text
    plain: dict[str, Any] = reason_json(reason)
    assert (plain["code"], plain["text"]) == (reason.code, text)
    assert codec.fitted(plain | {"text": "anything"}, why.Reason) == reason


@pytest.mark.parametrize("plain", [{"code": "made-up"}, {"code": "moved", "source": "x"}, {"code": "moved"}, "moved"])
def test_what_is_no_reason_is_refused(plain: object) -> None:
    with pytest.raises(codec.Misfit):
        codec.fitted(plain, why.Reason)
