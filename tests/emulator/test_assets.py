"""Assets: what is taken and what is not, reading, copying, deleting and restoring many."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from scenario_apply.emulator.pictures import NotAPicture, inspect
from scenario_apply.emulator.thread import EmulatorThread

from . import contract
from .pictures import bare, data_url, png
from .test_training_images import upload


def encoded(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture of another format."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 100, 50)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"name": "a"}, "Either 'image' or 'canvas' must be provided"),
        ({"name": "a", "image": ""}, "Either 'image' or 'canvas' must be provided"),
        ({"name": "a", "image": "A" * 8_000_004}, "Either 'image' or 'canvas' must be provided"),
        ({"image": bare(1)}, "body.name: is required"),
        ({"name": "a", "image": data_url(1)}, "Unhandled image format"),
        ({"name": "a", "image": base64.b64encode(b"not a picture").decode()}, "Unhandled image format"),
        ({"name": "a", "image": base64.b64encode(png(1)[:-40]).decode()}, "Unhandled image format"),
        ({"name": "a", "image": base64.b64encode(encoded("JPEG")[:-40]).decode()}, "Unhandled image format"),
    ],
)
def test_what_is_no_picture_is_refused(api: httpx.Client, body: dict[str, Any], reason: str) -> None:
    answer = api.post("/assets", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["reason"]


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "jpeg"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tiff")])
def test_formats_are_told_from_the_bytes(api: httpx.Client, kind: str, mime: str) -> None:
    image = base64.b64encode(encoded(kind)).decode()
    asset = api.post("/assets", json={"name": "a.png", "image": image}).json()["asset"]
    assert asset["mimeType"] == f"image/{mime}"
    assert (asset["properties"]["width"], asset["properties"]["height"]) == (40, 30)
    assert asset["metadata"]["aspectRatio"] == "4:3"
    assert "wide" in asset["automaticCaptioning"]


def test_svg_and_heic_are_known_by_their_first_bytes() -> None:
    assert inspect(b"<svg xmlns='http://www.w3.org/2000/svg'/>").mime == "image/svg+xml"
    assert inspect(b"\0\0\0\x18ftypheic" + b"\0" * 20).mime == "image/heic"
    with pytest.raises(NotAPicture):
        inspect(b"")


def test_many_are_read_at_once_and_unknown_ones_left_out(api: httpx.Client) -> None:
    ids = [upload(api, seed) for seed in range(3)]
    body = {"assetIds": [ids[2], "asset_no", ids[0]]}
    assert [one["id"] for one in api.post("/assets/get-bulk", json=body).json()["assets"]] == [ids[2], ids[0]]
    assert api.post("/assets/get-bulk", json={"assetIds": ["x"] * 201}).status_code == 400


def test_pages_of_assets(api: httpx.Client) -> None:
    ids = [upload(api, seed) for seed in range(5)]
    first = api.get("/assets", params={"pageSize": 2}).json()
    rest = api.get("/assets", params={"pageSize": 100, "paginationToken": first["nextPaginationToken"]}).json()
    assert [one["id"] for one in first["assets"] + rest["assets"]] == ids[::-1]
    assert "nextPaginationToken" not in rest
    assert api.get("/assets", params={"types": "txt2img"}).json()["assets"] == []
    assert api.get("/assets", params={"type": "uploaded", "pageSize": 1}).json()["assets"]


def test_deleting_and_restoring_name_what_was_skipped(emulator: EmulatorThread, api: httpx.Client) -> None:
    ids = [upload(api, seed) for seed in range(3)]
    assert api.request("DELETE", "/assets", json={"assetIds": ids[:2]}).json() == {}
    assert api.get(f"/assets/{ids[0]}").status_code == 404
    assert [one["id"] for one in api.get("/assets").json()["assets"]] == [ids[2]]
    deleted = api.get("/assets", params={"deleted": "true"}).json()["assets"]
    assert {one["id"] for one in deleted} == set(ids[:2])
    restored = api.post("/assets/restore", json={"assetIds": [ids[0], ids[2], "asset_no"]}).json()
    assert restored["restoredAssetIds"] == [ids[0]]
    assert {one["assetId"]: one["reason"] for one in restored["skippedAssets"]} == {
        ids[2]: "not-deleted",
        "asset_no": "not-found",
    }
    emulator.advance(31 * 86400)
    late = api.post("/assets/restore", json={"assetIds": [ids[1]]}).json()
    assert late["skippedAssets"] == [{"assetId": ids[1], "reason": "expired"}]


def test_a_copy_may_go_to_another_project(api: httpx.Client) -> None:
    asset = upload(api, 1)
    api.put(f"/assets/{asset}", json={"description": "a cloak"})
    copy = api.post(f"/assets/{asset}/copy", json={"targetProjectId": "proj_other"}).json()["asset"]
    assert (copy["ownerId"], copy["description"]) == ("proj_other", "a cloak")
    assert copy["metadata"]["originalAssetId"] == asset
    assert api.get(f"/assets/{copy['id']}").status_code == 403
    assert api.get(f"/assets/{copy['id']}", params={"projectId": "proj_other"}).status_code == 200


def test_tags_of_an_asset(api: httpx.Client) -> None:
    asset = upload(api, 1)
    assert api.put(f"/assets/{asset}/tags", json={"add": ["x"]}).json() == {"added": ["x"], "deleted": []}
    assert api.get(f"/assets/{asset}").json()["asset"]["tags"] == ["x"]


def test_addresses_change_with_the_day_and_expire(emulator: EmulatorThread, api: httpx.Client) -> None:
    asset = upload(api, 1)
    first = api.get(f"/assets/{asset}").json()["asset"]["url"]
    emulator.advance(25 * 3600)
    second = api.get(f"/assets/{asset}").json()["asset"]["url"]
    assert first != second
    assert contract.plain.get(first).status_code == 200
    emulator.advance(24 * 3600)
    assert contract.plain.get(first).status_code == 403
