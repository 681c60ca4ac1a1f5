"""apply/sample_pictures.py: samples of epochs within bounds, from hosts of the service, without their addresses."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from PIL import Image

from scenario_apply.apply.sample_pictures import MOST_PICTURES, Download, sampled_models
from scenario_apply.apply.signed_pictures import may_ask
from scenario_apply.dataset.scan.remote_objects import RemoteFailed
from scenario_apply.dataset.scan.thumbnails import NoThumbnail, Thumbnail
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.model.remote_pictures import PictureAsset
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess
from scenario_apply.model.secret import Secret

KAEL = ModelId("model_kael")
BASE = "https://api.cloud.scenario.com/v1"


class Service:
    """Models with epochs, and where their samples are. asked: assets, in the order of the requests."""

    base_url = BASE

    def __init__(
        self,
        epochs: Mapping[str, tuple[int, int]],
        host: str = "cdn.cloud.scenario.com",
        in_use: str | None = None,
    ) -> None:
        """epochs: model -> how many epochs, and samples of each."""
        self.asked: list[AssetId] = []
        self._host = host
        self._models = {
            ModelId(model): RemoteModel(
                id=ModelId(model),
                type="flux.1-lora",
                status="trained",
                epoch=in_use,
                epochs=tuple(
                    RemoteEpoch(name=str(e), assets=tuple(AssetId(f"{model}-{e}-{n}") for n in range(samples)))
                    for e in range(1, count + 1)
                ),
            )
            for model, (count, samples) in epochs.items()
        }

    def get_models(self, ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        return {model_id: self._models[model_id] for model_id in ids}

    def get_assets(self, ids: Sequence[AssetId]) -> Mapping[AssetId, PictureAsset]:
        self.asked += ids
        address = f"https://{self._host}/assets/%s?signature=hunter2"
        return {one: PictureAsset(one, Secret(address % one)) for one in ids if not one.endswith("-9-0")}


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is downloaded: a picture, whatever the address."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "PNG")
    asked: list[str] = []

    def fetch(self: object, url: str, tag: str, sink: Any, most: int) -> None:
        asked.append(url)
        if "broken" in url:
            raise RemoteFailed("an address of cdn was not read to its end")
        sink.write(out.getvalue() if "text" not in url else b"no picture")

    monkeypatch.setattr(WebReader, "fetch", fetch)
    return asked


def samples(service: Service, ids: Sequence[str], access: RemoteAccess = NO_REMOTE) -> dict[ModelId, Any]:
    api = cast("Any", service)
    return {**sampled_models(api, [ModelId(one) for one in ids], Download(api, access, 8000))}


def test_few_epochs_are_shown_evenly_with_the_last_one(sent: list[str]) -> None:
    found = samples(Service({"kael": (20, 5)}), ["kael"])[ModelId("kael")]
    assert [epoch.epoch for epoch in found.epochs] == [str(2 * n) for n in range(1, 11)]
    assert found.total == 20
    assert all(isinstance(one, Thumbnail) for epoch in found.epochs for one in epoch.pictures)
    assert len(sent) == 40


def test_the_epoch_in_use_is_always_shown() -> None:
    found = samples(Service({"kael": (20, 5)}, in_use="7"), ["kael"])[ModelId("kael")]
    assert found.in_use == "7"
    assert [epoch.epoch for epoch in found.epochs] == ["2", "4", "7", *(str(2 * n) for n in range(4, 11))]


def test_every_model_has_some_epochs_within_the_room_of_a_page(sent: list[str]) -> None:
    """Of more models than there is room for one epoch of, the last ones are said to be left out."""
    ids = [f"m{n}" for n in range(6)]
    found = samples(Service(dict.fromkeys(ids, (10, 4))), ids)
    assert [len(found[ModelId(one)].epochs) for one in ids] == [3] * 6
    assert len(sent) == 72 <= MOST_PICTURES
    many = [f"m{n}" for n in range(22)]
    found = samples(Service(dict.fromkeys(many, (10, 4))), many)
    assert [found[ModelId(one)].left_out for one in many] == [False] * 20 + [True] * 2


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("broken", "an address of cdn was not read to its end"),
        ("text", "it cannot be decoded"),
    ],
)
def test_what_cannot_be_had_has_a_reason(model: str, why: str) -> None:
    found = samples(Service({model: (1, 1)}), [model])[ModelId(model)].epochs[0].pictures[0]
    assert isinstance(found, NoThumbnail)
    assert why in found.why


def test_a_sample_that_was_deleted_is_said_to_be() -> None:
    found = samples(Service({"kael": (9, 1)}), ["kael"])[ModelId("kael")]
    assert found.epochs[-1].pictures == (NoThumbnail("it was deleted on Scenario"),)


def test_no_other_host_is_asked_and_no_signature_told(sent: list[str]) -> None:
    found = samples(Service({"kael": (1, 1)}, host="evil.example"), ["kael"])[ModelId("kael")]
    assert sent == []
    (why,) = found.epochs[0].pictures[0]
    assert why == "it lies on evil.example; SCENARIO_APPLY_ALLOW_REMOTE=https://evil.example/ allows to read it"


def test_a_host_that_the_caller_names_is_asked(sent: list[str]) -> None:
    named = RemoteAccess(prefixes=("https://evil.example/",))
    samples(Service({"kael": (1, 1)}, host="evil.example"), ["kael"], named)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("address", "base", "may"),
    [
        ("https://cdn.cloud.scenario.com/a", BASE, True),
        ("https://scenario.com.evil.example/a", BASE, False),
        ("https://evilscenario.com/a", BASE, False),
        ("http://127.0.0.1:8585/cdn/a", "http://127.0.0.1:9/v1", True),
        ("https://cdn.cloud.scenario.com/a", "https://gateway.example/v1", False),
        ("https://[::1/a", BASE, False),
        ("https:///a", BASE, False),
    ],
)
def test_hosts_of_the_service_may_be_asked(address: str, base: str, may: bool) -> None:
    assert may_ask(address, base, NO_REMOTE) is may


def test_models_without_epochs_have_no_samples(sent: list[str]) -> None:
    service = Service({"kael": (0, 0)})
    assert samples(service, ["kael"]) == {}
    assert (sent, service.asked) == ([], [])
