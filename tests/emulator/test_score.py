"""The dataset score is computed from the pictures and the captions themselves."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from scenario_apply.emulator.score import dice_distance, similarity

from .pictures import data_url
from .test_models import make


def score(api: httpx.Client, pictures: list[tuple[int, int, str]]) -> dict[str, Any]:
    """The score of a model with such pictures (seed, side, caption)."""
    model = make(api)["id"]
    for seed, side, caption in pictures:
        body = {"data": data_url(seed, side), "name": f"{seed}.png"}
        image = api.post(f"/models/{model}/training-images", json=body).json()["trainingImage"]["id"]
        api.put(f"/assets/{image}", json={"description": caption})
    answer: dict[str, Any] = api.get(f"/models/{model}/scores/training-dataset").json()
    return answer


def test_nothing_has_no_score(api: httpx.Client) -> None:
    assert (score(api, [])["score"], score(api, [])["status"]) == (0, "unknown")


def test_doubles_and_small_pictures_are_named(api: httpx.Client) -> None:
    answer = score(api, [(1, 64, "a red cloak"), (1, 64, "a red cloak"), (40, 64, "a horse in the rain")])
    messages = [one["message"] for one in answer["assetCouplesWarnings"]]
    assert messages == [["Same asset", "Captions are identical"]]
    assert {text for one in answer["assetsWarnings"] for text in one["message"]} == {
        "Width and height must be larger than 1024"
    }
    assert answer["status"] == "complete"
    assert answer["details"]["couplesSimilarity"]["min"] < 1


def test_the_same_picture_at_another_size_is_a_near_duplicate(api: httpx.Client) -> None:
    """Not by its bytes, and not by its file name, but by what is to be seen."""
    answer = score(api, [(1, 64, "a red cloak"), (1, 512, "a red cloak at night"), (40, 64, "a horse in the rain")])
    assert [one["message"][0] for one in answer["assetCouplesWarnings"]] == ["Similarity is too high"]
    assert answer["details"]["assetCouplesSimilarity"][0]["similarity"] >= 0.95
    distances = [one["distance"] for one in answer["details"]["assetCouplesCaptionsDistance"]]
    assert distances[0] < distances[1]


def test_a_good_set_scores_higher(api: httpx.Client) -> None:
    poor = score(api, [(1, 64, "a cloak"), (1, 64, "a cloak")])
    captions = ["a ranger by the river", "standing under an old oak", "seen from behind at night"]
    good = score(api, [(seed * 20, 1024, caption) for seed, caption in enumerate(captions, 1)])
    assert good["score"] > poor["score"]
    assert good["assetsWarnings"] == []


def test_a_large_set_is_looked_at_beside_the_requests(api: httpx.Client) -> None:
    """Its score is incomplete, without details, until every picture has been decoded."""
    model = make(api)["id"]
    for seed in range(20):
        api.post(f"/models/{model}/training-images", json={"data": data_url(seed), "name": f"{seed}.png"})
    address = f"/models/{model}/scores/training-dataset"
    first = api.get(address).json()
    assert (first["status"], first["details"]["assetCouplesSimilarity"]) == ("incomplete", [])
    for _ in range(500):
        answer = api.get(address).json()
        if answer["status"] == "complete":
            break
        time.sleep(0.01)  # another thread decodes, in real time
    assert len(answer["details"]["assetCouplesSimilarity"]) == 190


def test_the_distances() -> None:
    assert dice_distance(frozenset("ab"), frozenset("ab")) == 0
    assert dice_distance(frozenset("ab"), frozenset("bc")) == 0.5
    assert dice_distance(frozenset(), frozenset()) == 0
    assert similarity(b"\0" * 256, b"\xff" * 256) == 0
    assert similarity(b"\x80" * 256, b"\x80" * 256) == 1
    assert similarity(b"", b"\0" * 256) == pytest.approx(0)
