"""drawn_assets.py: an asset that a job drew says by which one, and what that was asked for."""

from __future__ import annotations

from scenario_apply.api import wire


def test_an_asset_says_what_drew_it() -> None:
    told = {"prompt": "a knight", "seed": "7", "modelId": "m1", "parentJobId": "job_1", "kind": "image"}
    asset = wire.asset_of({"asset": {"id": "a1", "metadata": told}})
    assert (asset.drawn_by, dict(asset.asked)) == ("job_1", {"prompt": "a knight", "seed": "7", "modelId": "m1"})


def test_what_cannot_be_read_is_left_out() -> None:
    asset = wire.asset_of({"asset": {"id": "a1", "metadata": {"prompt": None, "seed": [7], "parentJobId": "../x"}}})
    assert (asset.drawn_by, dict(asset.asked)) == (None, {})
