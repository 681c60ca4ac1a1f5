"""Stand-ins for generated pictures: marked, repeatable, alike for a prompt and a seed, and as the trainings are."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from scenario_apply.emulator.drawing import Influence, Sketch, draw
from scenario_apply.emulator.grids import TONES
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .test_models import make

FLUX = "model_bfl-flux-1-dev"
PROMPT = "KAEL beside a campfire, wide shot"
RED, BLUE = (200, 40, 30), (30, 60, 190)


def trained(emulator: EmulatorThread, api: httpx.Client, *colours: tuple[int, int, int], **parameters: Any) -> str:
    """A LoRA trained on plain pictures of these colours."""
    model = str(make(api)["id"])
    for number, colour in enumerate(colours):
        body = {
            "data": "data:image/png;base64," + base64.b64encode(plain(colour, 96)).decode(),
            "name": f"{number}.png",
        }
        api.post(f"/models/{model}/training-images", json=body)
    api.put(f"/models/{model}/train", json={"parameters": parameters})
    emulator.advance(60)
    return model


def plain(colour: tuple[int, int, int], side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "PNG")
    return out.getvalue()


def drawn(emulator: EmulatorThread, api: httpx.Client, base: str = FLUX, **body: Any) -> bytes:
    """The first picture of a generation of 256 x 256 pixels."""
    body = {"prompt": PROMPT, "seed": 7, "width": 256, "height": 256, **body}
    job = api.post(f"/generate/custom/{base}", json=body).json()["job"]["jobId"]
    emulator.advance(5)
    return bytes_of(api, api.get(f"/jobs/{job}").json()["job"]["metadata"]["assetIds"][0])


def bytes_of(api: httpx.Client, asset: str) -> bytes:
    return contract.plain.get(api.get(f"/assets/{asset}").json()["asset"]["url"]).content


def distance(first: bytes, second: bytes) -> float:
    """Mean difference of two pictures, 0 to 255."""
    one, two = (Image.open(io.BytesIO(data)).convert("RGB").resize((64, 64)) for data in (first, second))
    return mean(ImageStat.Stat(ImageChops.difference(one, two)).mean)


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def colour_of(data: bytes) -> tuple[float, float, float]:
    """The mean colour above the band."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    red, green, blue = ImageStat.Stat(image.crop((0, 0, image.width, image.height * 3 // 4))).mean
    return red, green, blue


def test_versions_differ_as_their_trainings_do(emulator: EmulatorThread, api: httpx.Client) -> None:
    """The same training draws the same bytes; other parameters a like picture; other images another one."""
    first, again = trained(emulator, api, RED, RED), trained(emulator, api, RED, RED)
    slower, other = trained(emulator, api, RED, RED, learningRate=5e-5), trained(emulator, api, BLUE, BLUE)
    pictures = [drawn(emulator, api, loras=[one], lorasScale=[1]) for one in (first, again, slower, other)]
    assert pictures[0] == pictures[1]
    assert 0 < distance(pictures[0], pictures[2]) < distance(pictures[0], pictures[3])
    assert colour_of(pictures[0])[0] > colour_of(pictures[3])[0] + 20
    assert colour_of(pictures[3])[2] > colour_of(pictures[0])[2] + 20


@pytest.mark.parametrize("change", [{"prompt": "a horse"}, {"seed": 8}, {"lorasScale": [0.3]}, {"loras": []}])
def test_everything_that_is_asked_for_shows(
    emulator: EmulatorThread, api: httpx.Client, change: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"loras": [trained(emulator, api, RED)], "lorasScale": [1.0]}
    assert distance(drawn(emulator, api, **asked), drawn(emulator, api, **{**asked, **change})) > 2


def test_a_composition_mixes_what_its_models_learned(emulator: EmulatorThread, api: httpx.Client) -> None:
    red, blue = trained(emulator, api, RED), trained(emulator, api, BLUE)
    concepts = [{"modelId": red, "scale": 0.6}, {"modelId": blue, "scale": 0.6}]
    mix = make(api, type="flux.1-composition", concepts=concepts)["id"]
    api.put(f"/models/{mix}/train", json={})
    emulator.advance(60)
    mixed = colour_of(drawn(emulator, api, modelId=mix))
    only = [colour_of(drawn(emulator, api, loras=[one], lorasScale=[1.2])) for one in (red, blue)]
    assert only[0][0] > mixed[0] > only[1][0]
    assert "epochs" not in api.get(f"/models/{mix}").json()["model"]
    assert api.put(f"/models/{mix}", json={"epoch": "1"}).status_code == 400


def test_an_edit_starts_from_its_reference_picture(emulator: EmulatorThread, api: httpx.Client) -> None:
    """Given as a data URL, as an asset, or as a picture that was generated before."""
    green = "data:image/png;base64," + base64.b64encode(plain((20, 220, 40), 200)).decode()
    first = drawn(emulator, api, "model_flux-kontext-editing", referenceImages=[green])
    red, level, blue = colour_of(first)
    assert level > red + 40
    assert level > blue + 40
    job = api.get("/jobs").json()["jobs"][0]["metadata"]
    assert job["input"]["referenceImages"][0].startswith("asset_")
    again = drawn(emulator, api, "model_flux-kontext-editing", referenceImages=job["input"]["referenceImages"])
    assert again == first
    other = drawn(emulator, api, "model_qwen-image-edit-2511", referenceImages=job["input"]["referenceImages"])
    assert colour_of(other)[1] > colour_of(other)[0] + 40
    further = drawn(emulator, api, "model_flux-kontext-editing", referenceImages=job["assetIds"], seed=9)
    assert colour_of(further)[1] > colour_of(further)[0]


def test_the_pictures_of_later_epochs_are_nearer_to_the_last(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = trained(emulator, api, RED, nbEpochs=6, samplePrompts=["a knight in a forest"])
    epochs = api.get(f"/models/{model}").json()["model"]["epochs"]
    pictures = [bytes_of(api, one["assets"][0]["assetId"]) for one in epochs]
    left = [distance(one, pictures[-1]) for one in pictures]
    assert all(before > after for before, after in pairwise(left))
    api.put(f"/models/{model}", json={"epoch": "2"})
    early = drawn(emulator, api, loras=[model], lorasScale=[1])
    api.put(f"/models/{model}", json={"epoch": "6"})
    assert early != drawn(emulator, api, loras=[model], lorasScale=[1])


def test_what_was_drawn_is_kept_and_has_its_size(emulator: EmulatorThread, api: httpx.Client) -> None:
    """Drawn when it is first asked for; from then on the asset says how large it is."""
    data = drawn(emulator, api)
    asset = api.get("/assets").json()["assets"][0]
    assert asset["properties"]["size"] == len(data)
    assert asset["mimeType"] == "image/jpeg"
    assert Image.open(io.BytesIO(data)).format == "JPEG"
    assert asset["metadata"]["seed"] == "7"


def test_generated_pictures_can_be_trained_on(emulator: EmulatorThread, api: httpx.Client) -> None:
    """Also where nobody has looked at them yet."""
    job = api.post(f"/generate/custom/{FLUX}", json={"prompt": PROMPT, "seed": 3, "numOutputs": 2}).json()["job"][
        "jobId"
    ]
    emulator.advance(5)
    model = make(api)["id"]
    made = api.get(f"/jobs/{job}").json()["job"]["metadata"]["assetIds"]
    assert api.post(f"/models/{model}/training-images", json={"assetIds": made}).status_code == 200
    api.put(f"/models/{model}/train", json={})
    emulator.advance(60)
    assert drawn(emulator, api, loras=[model]) != drawn(emulator, api)


@pytest.mark.parametrize("side", [256, 2048])
def test_every_picture_says_that_it_is_simulated(side: int) -> None:
    """A dark band with bright letters at the foot, of whatever the picture is made."""
    white = Influence(key="white", tones=(b"\xff" * TONES * TONES * 3,), strength=2, learned=1)
    data = draw(Sketch(prompt="snow", seed="1", title="snow", width=side, height=side, influences=(white,)))
    image = Image.open(io.BytesIO(data)).convert("RGB")
    band = image.crop((0, side - side // 7 + 2, side, side))
    assert mean(ImageStat.Stat(band).mean) < 60
    pixels = band.tobytes()
    amber = sum(r > 180 and g > 120 and b < 120 for r, g, b in zip(*(pixels[at::3] for at in range(3)), strict=True))
    assert amber > side * side // 7 // 200
    assert len(data) < 600_000


def test_a_picture_of_many_models_stays_small(emulator: EmulatorThread, api: httpx.Client) -> None:
    """However many LoRAs and concepts draw, what is kept of them is bounded."""
    loras = [trained(emulator, api, RED) for _ in range(2)]
    concepts = [{"modelId": loras[place % 2], "scale": 0.1} for place in range(40)]
    mix = make(api, type="flux.1-composition", concepts=concepts)["id"]
    api.put(f"/models/{mix}/train", json={})
    emulator.advance(60)
    assert drawn(emulator, api, modelId=mix)
    snapshot = contract.plain.get(emulator.url.replace("/v1", "/__emulator__/snapshot")).json()
    assert len(str(snapshot["jobs"][-1])) < 4000


def test_a_generation_takes_no_longer_than_a_training() -> None:
    with EmulatorThread(manual_options(training_s=0)) as emulator, contract.client(emulator.url) as api:
        job = api.post(f"/generate/custom/{FLUX}", json={"prompt": PROMPT}).json()["job"]["jobId"]
        assert api.get(f"/jobs/{job}").json()["job"]["status"] == "success"
