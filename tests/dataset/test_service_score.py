"""Whatever the service's dataset score warns of, the lint rules have found before: its closed list, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import yaml
from PIL import Image

from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.emulator.thread import EmulatorThread
from tests.dataset.build import spec_from
from tests.dataset.lint.drawn import saved, scene

OPENAPI = Path(__file__).parents[1] / "contract" / "scenario-openapi.yaml"
CODES = {
    "Captions are identical": {"C10"},
    "Captions are too close": {"C11"},
    "Empty caption": {"C03"},
    "Missing caption": {"C01", "C02"},
    "Missing metadata": {"F01", "F02"},
    "Same asset": {"D01"},
    "Similarity is too high": {"D02", "D03"},
    "Similarity with other assets is too low": {"D07"},
    "Width and height must be larger than 1024": {"R01"},
}
WORDS = ["a red fox on a hill", "an old lighthouse at dusk", "three boats by the pier", "a baker kneading dough"]


def pictures(count: int = 4, side: int = 1024) -> dict[str, bytes]:
    return {f"{at}.jpg": saved(scene(at).resize((side, side)), "JPEG", quality=85) for at in range(count)}


def warnings(api: httpx.Client, files: Mapping[str, bytes], captions: Mapping[str, str | None]) -> set[str]:
    """What the embedded Scenario says of such a dataset."""
    import base64

    model = api.post("/models", json={"name": "m", "type": "flux.1-lora"}).json()["model"]["id"]
    for name, data in files.items():
        url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        image = api.post(f"/models/{model}/training-images", json={"data": url, "name": name}).json()
        if (text := captions.get(name)) is not None:
            api.put(f"/assets/{image['trainingImage']['id']}", json={"description": text})
    answer = api.get(f"/models/{model}/scores/training-dataset").json()
    found = [*answer["assetsWarnings"], *answer["assetCouplesWarnings"]]
    return {message for one in found for message in one["message"]}


def codes(root: Path, files: Mapping[str, bytes], captions: Mapping[str, str | None]) -> set[str]:
    for name, data in files.items():
        (root / "set").mkdir(exist_ok=True)
        (root / "set" / name).write_bytes(data)
        if (text := captions.get(name)) is not None:
            (root / "set" / name).with_suffix(".txt").write_text(text, encoding="utf-8")
    specs = {"set": spec_from({"images": ["./set"], "missing": "warn"})}
    types = {"set": ("flux.1-lora",)}
    scanned = scan_datasets(
        specs, root=str(root), cache_path=None, types_of=types, cwd=str(root), depth=Depth.ALL_PIXELS
    )
    return {problem.code for problem in scanned["set"].problems}


@pytest.fixture
def api(scenario_emulator: EmulatorThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{scenario_emulator.url}", auth=("k", "s"), timeout=20) as client:
        yield client


def case(message: str) -> tuple[dict[str, bytes], dict[str, str | None]]:
    """A dataset that the service warns about with this message."""
    files = pictures()
    captions: dict[str, str | None] = dict(zip(files, WORDS, strict=True))
    match message:
        case "Captions are identical":
            captions["1.jpg"] = captions["0.jpg"]
        case "Captions are too close":
            long = "a red fox with a bushy tail sits on a green hill below a grey sky in the early morning light"
            captions["0.jpg"], captions["1.jpg"] = long, f"{long} today"
        case "Same asset":
            files["1.jpg"] = files["0.jpg"]
        case "Similarity is too high":
            files["1.jpg"] = saved(scene(0).resize((1100, 1100)), "JPEG", quality=70)
        case "Similarity with other assets is too low":
            white, black = (Image.new("RGB", (1024, 1024), name) for name in ("white", "black"))
            files = {f"{at}.jpg": saved(white, "JPEG", quality=80 + at) for at in range(3)}
            files["3.jpg"] = saved(black, "JPEG")
        case "Width and height must be larger than 1024":
            files = pictures(side=800)
    return files, captions


BY_THE_SERVICE = sorted(set(CODES) - {"Empty caption", "Missing caption", "Missing metadata"})


@pytest.mark.parametrize("message", BY_THE_SERVICE)
def test_what_the_service_warns_of_was_found_before_the_upload(message: str, api: httpx.Client, tmp_path: Path) -> None:
    files, captions = case(message)
    said = warnings(api, files, captions)
    assert message in said
    found = codes(tmp_path, files, captions)
    for one in said:
        assert found & CODES[one], f"{one} of {said}: {sorted(found)}"


def test_what_the_service_writes_or_refuses_before_it_scores_is_found(tmp_path: Path) -> None:
    """An empty caption and a file that is no picture, which it refuses, and a missing caption, which it writes."""
    files, captions = case("")
    files["2.jpg"] = b"<html>not found</html>"
    captions["0.jpg"], captions["1.jpg"] = "  ", None
    found = codes(tmp_path, files, captions)
    assert found & CODES["Empty caption"]
    assert found & CODES["Missing metadata"]
    assert found & CODES["Missing caption"]


def test_a_sound_dataset_has_no_warning_on_either_side(api: httpx.Client, tmp_path: Path) -> None:
    files, captions = case("")
    assert warnings(api, files, captions) == set()
    assert not codes(tmp_path, files, captions) & {code for group in CODES.values() for code in group}


def test_the_list_is_that_of_the_contract() -> None:
    """A message that the service adds fails here, until a rule covers it."""
    text = OPENAPI.read_text(encoding="utf-8")
    schemas = yaml.safe_load(text)["components"]["schemas"]
    lists = [set(one["enum"]) for one in schemas.values() if "Same asset" in one.get("enum", ())]
    assert lists == [set(CODES)]
