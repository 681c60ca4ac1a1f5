"""model/ids.py: what may be an id, at every border."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scenario_apply.api import job_answers, wire
from scenario_apply.cli.address_arguments import adoption
from scenario_apply.errors import BadAnswer, StateDamaged, UsageError
from scenario_apply.model.ids import is_id
from scenario_apply.state.state_file import state_from_json
from tests.fakes.odd_ids import ODD_IDS
from tests.state.test_state_file import plain


@pytest.mark.parametrize("text", ["a", "model_bfl-flux.1", "V2anp75qTuKmmHOeInzQhg", "...", "a" * 128])
def test_what_the_service_uses_is_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ODD_IDS, ids=ascii)
def test_odd_texts_are_no_ids(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("text", ODD_IDS, ids=ascii)
def test_a_state_with_an_odd_id_is_damaged(text: str) -> None:
    """Every id of a state, and every key of its assets."""
    for change in _STATE_IDS:
        value = plain()
        change(value, text)
        with pytest.raises(StateDamaged) as caught:
            state_from_json(value, source="state.json")
        assert "\n" not in str(caught.value)


def _kael(value: Any) -> Any:
    return value["resources"]["model.kael"]


_STATE_IDS = [
    lambda v, text: _kael(v)["current"].update(id=text),
    lambda v, text: _kael(v)["pending"].update(id=text),
    lambda v, text: _kael(v)["previous"][0].update(id=text),
    lambda v, text: _kael(v)["current"].update(job_id=text),
    lambda v, text: _kael(v)["current"]["images"][0].update(asset_id=text),
    lambda v, text: _kael(v)["current"]["pairs"][0].update(source_id=text),
    lambda v, text: _kael(v)["current"]["pairs"][0].update(target_id=text),
    lambda v, text: v["resources"]["composition.ink"]["current"]["concepts"][0].update(model_id=text),
    lambda v, text: v.update(assets={text: {"sha256": "aa", "caption": ""}}),
]


@pytest.mark.parametrize("text", [text for text in ODD_IDS if text], ids=ascii)
def test_an_answer_with_an_odd_id_is_refused(text: str) -> None:
    model = {"id": "m", "type": "t"}
    for read, answer in (
        (job_answers.job_of, {"job": {"jobId": text, "status": "success"}}),
        (wire.launch_of, {"job": {"jobId": text}}),
        (wire.asset_of, {"asset": {"id": text}}),
        (wire.asset_page_of, {"assets": [{"id": "a"}, {"id": text}]}),
        (wire.upload_of, {"upload": {"id": text, "status": "pending"}}),
        (wire.upload_of, {"upload": {"id": "u", "status": "imported", "entityId": text}}),
        (wire.training_image_of, {"trainingImage": {"id": text}}),
        (wire.model_page_of, {"models": [{**model, "id": text}]}),
        (wire.model_page_of, {"models": [{**model, "jobId": text}]}),
        (wire.model_page_of, {"models": [{**model, "concepts": [{"modelId": text}]}]}),
        (wire.model_page_of, {"models": [{**model, "trainingImages": [{"id": text}]}]}),
        (wire.model_page_of, {"models": [{**model, "trainingImagePairs": [{"sourceId": text, "targetId": "a"}]}]}),
    ):
        with pytest.raises(BadAnswer) as caught:
            read(json.loads(json.dumps(answer)))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cursor", ["a\nb", "a b", "ä", "\x00", "a" * 9000, 1])
def test_a_cursor_that_fits_no_url_is_refused(cursor: object) -> None:
    with pytest.raises(BadAnswer, match="nextPaginationToken"):
        wire.model_page_of({"models": [], "nextPaginationToken": cursor})
    assert wire.model_page_of({"models": [], "nextPaginationToken": "eyJrIjoi+/=="}).next_token == "eyJrIjoi+/=="


@pytest.mark.parametrize("text", [text for text in ODD_IDS if text and "=" not in text], ids=ascii)
def test_an_odd_id_is_not_adopted(text: str) -> None:
    with pytest.raises(UsageError, match="no id of a model"):
        adoption(f"model.kael={text}")
