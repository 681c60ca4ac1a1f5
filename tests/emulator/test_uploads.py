"""Multipart uploads: the rules for parts, the states, and what goes wrong with bytes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread

from . import contract
from .pictures import png

PART = 5_242_880


def open_upload(api: httpx.Client, size: int, parts: int = 1, **more: Any) -> dict[str, Any]:
    """A new upload."""
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": parts, "fileSize": size, **more}
    upload: dict[str, Any] = api.post("/uploads", json=body).json()["upload"]
    return upload


def finish(api: httpx.Client, upload: str) -> dict[str, Any]:
    """Close, and look until it is over."""
    api.post(f"/uploads/{upload}/action", json={"action": "complete"})
    for _ in range(4):
        state: dict[str, Any] = api.get(f"/uploads/{upload}").json()["upload"]
    return state


def test_two_parts_become_one_picture(api: httpx.Client) -> None:
    data = png(1) + b"\0" * (PART + 100)  # what follows IEND is ignored
    upload = open_upload(api, len(data), 2)
    assert (upload["status"], upload["entityId"]) == ("pending", None)
    first, second = upload["parts"]
    assert contract.plain.put(second["url"], content=data[PART:]).status_code == 200
    early = api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"})
    assert (early.status_code, "misses part 1" in early.json()["reason"]) == (400, True)
    assert contract.plain.put(first["url"], content=b"wrong at first").status_code == 200
    assert contract.plain.put(first["url"], content=data[:PART]).status_code == 200
    done = finish(api, upload["id"])
    assert done["status"] == "imported"
    asset = api.get(f"/assets/{done['entityId']}").json()["asset"]
    assert asset["properties"]["size"] == len(data)
    assert contract.plain.get(asset["url"]).content == data
    assert contract.plain.put(first["url"], content=b"late").status_code == 400
    assert finish(api, upload["id"])["entityId"] == done["entityId"]


def test_it_is_imported_by_the_clock_too(emulator: EmulatorThread, api: httpx.Client) -> None:
    upload = open_upload(api, len(png(1)))
    contract.plain.put(upload["parts"][0]["url"], content=png(1))
    closed = api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"}).json()["upload"]
    assert closed["status"] == "validating"
    emulator.advance(3)
    assert api.get(f"/uploads/{upload['id']}").json()["upload"]["status"] == "imported"


@pytest.mark.parametrize(
    ("size", "parts", "contents", "message"),
    [
        (12, 1, [b"not a picture"[:12]], "Unhandled image format"),
        (999, 1, [png(1)], "fileSize says 999"),
        (PART + 10, 2, [b"a" * 100, b"b" * 10], "at least 5242880 bytes"),
    ],
)
def test_bad_bytes_fail_with_a_message(
    api: httpx.Client, size: int, parts: int, contents: list[bytes], message: str
) -> None:
    upload = open_upload(api, size, parts)
    for part, content in zip(upload["parts"], contents, strict=True):
        contract.plain.put(part["url"], content=content)
    failed = finish(api, upload["id"])
    assert failed["status"] == "failed"
    assert message in failed["errorMessage"]
    assert failed["entityId"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"parts": 0},
        {"parts": 10_001},
        {"parts": 2, "fileSize": PART},
        {"fileSize": -1},
        {"kind": "painting"},
        {"contentType": None},
    ],
)
def test_bad_announcements_are_refused(api: httpx.Client, change: dict[str, Any]) -> None:
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
    assert api.post("/uploads", json=body | change).status_code == 400
    body.pop("fileName")
    assert api.post("/uploads", json=body).status_code == 400


def test_part_addresses_are_signed_and_expire(emulator: EmulatorThread, api: httpx.Client) -> None:
    url = open_upload(api, 10)["parts"][0]["url"]
    assert contract.plain.put(url.replace("/1?", "/2?"), content=b"x").status_code == 403
    assert contract.plain.put(url, content=b"x" * 11).status_code == 400  # more than was announced
    emulator.advance(3601)
    assert contract.plain.put(url, content=b"x").status_code == 403


def test_nothing_is_fetched_from_elsewhere(api: httpx.Client) -> None:
    upload = api.post("/uploads", json={"kind": "image", "url": "http://127.0.0.1:1/a.png"}).json()["upload"]
    assert (upload["status"], upload["source"]) == ("failed", "url")


def test_an_upload_costs_nothing(api: httpx.Client) -> None:
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
    assert api.post("/uploads", params={"dryRun": "true"}, json=body).json()["creativeUnitsCost"] == 0


def test_text_becomes_a_text_asset(api: httpx.Client) -> None:
    upload = open_upload(api, 5, kind="text", contentType="text/plain", fileName="a.txt")
    contract.plain.put(upload["parts"][0]["url"], content=b"hello")
    asset = api.get(f"/assets/{finish(api, upload['id'])['entityId']}").json()["asset"]
    assert (asset["kind"], asset["metadata"]["type"]) == ("text", "uploaded-text")
