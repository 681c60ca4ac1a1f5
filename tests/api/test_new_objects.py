"""new_objects.py: a 404 about what was created a moment ago is a read that came too early."""

from __future__ import annotations

import pytest

from scenario_apply.api.new_objects import MOST_EARLY_READS, SHOWN_WITHIN_S
from scenario_apply.errors import BadAnswer, NotFound
from scenario_apply.model.remote import AssetId, ModelId
from tests.api.transports import Bench, reply

M = ModelId("m1")
MODEL = reply(200, {"model": {"id": "m1", "type": "flux.1-lora", "status": "new"}})
IMAGE = reply(200, {"trainingImage": {"id": "a1"}})
ASSET = reply(200, {"asset": {"id": "a1"}})
UNKNOWN = reply(404, {"reason": "no such model"})
EMPTY = reply(200, {"models": []})


def created(*outcomes: object) -> Bench:
    """A client that has just created m1, and whose next calls are answered so."""
    bench = Bench([MODEL, *outcomes])  # type: ignore[list-item]  # replies, all of them
    bench.client.create_model(name="x", type="flux.1-lora")
    bench.transport.requests.clear()
    return bench


def test_a_new_model_is_read_again_until_it_is_shown() -> None:
    bench = created(UNKNOWN, UNKNOWN, UNKNOWN, MODEL)
    assert bench.client.get_model(M).id == M
    assert bench.tries == 4


def test_a_write_about_a_new_model_is_sent_again_for_it_was_refused() -> None:
    bench = created(UNKNOWN, IMAGE)
    assert bench.client.add_image(M, name="x.png", mime="image/png", body=b"x").id == "a1"
    assert bench.tries == 2


def test_a_new_asset_is_captioned_and_attached_once_it_is_shown() -> None:
    bench = Bench([ASSET, UNKNOWN, reply(204), UNKNOWN, reply(204)])
    bench.client.upload_asset(name="x.png", body=b"x")
    bench.client.set_caption(AssetId("a1"), "a fox")
    bench.client.attach_assets(M, [AssetId("a1")])
    assert bench.tries == 5


def test_a_new_model_that_a_bulk_answer_leaves_out_is_read_by_itself() -> None:
    bench = created(EMPTY, UNKNOWN, MODEL)
    assert set(bench.client.get_models([M, ModelId("m2")], images=False)) == {M}
    assert [request.method for request in bench.transport.requests] == ["POST", "GET", "GET"], "m2 is not new"


def test_a_new_model_that_stays_unknown_is_deleted_in_the_end() -> None:
    bench = created(UNKNOWN)
    with pytest.raises(NotFound):
        bench.client.get_model(M)
    assert bench.tries == MOST_EARLY_READS
    assert bench.clock.monotonic() < SHOWN_WITHIN_S / 4


def test_what_is_not_new_is_not_asked_for_twice() -> None:
    bench = created(UNKNOWN)
    with pytest.raises(NotFound):
        bench.client.get_model(ModelId("m2"))
    assert bench.tries == 1
    bench.clock.advance(SHOWN_WITHIN_S + 1)
    with pytest.raises(NotFound):
        bench.client.get_model(M)
    assert bench.tries == 2


def test_what_was_deleted_again_is_not_waited_for() -> None:
    bench = created(UNKNOWN)
    bench.client.delete_model(M)
    with pytest.raises(NotFound):
        bench.client.get_model(M)
    assert bench.tries == 2


def test_a_page_of_another_server_is_still_no_deletion() -> None:
    bench = created(reply(404, "<html><title>Not here</title></html>"))
    with pytest.raises(BadAnswer, match="Not here"):
        bench.client.get_model(M)
