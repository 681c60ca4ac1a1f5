"""States with sample pictures, for comparisons: versions of a model, epochs, and the children of a sweep."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw

from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.review.comparison import compared
from scenario_apply.review.comparison_view import Comparison, Planned, SampleSources
from scenario_apply.review.drawing_weights import weights_of
from scenario_apply.state.state import DrawnPicture, ImageRecord, Record, SamplePhase, SampleRecord, State, Version

KAEL = parse_address("model.kael")
SLOW, FAST = parse_address("model.kael-lr/slow"), parse_address("model.kael-lr/fast")
BASE = ModelId("model_bfl-flux-1-dev")
HARBOUR = "KAEL_07 at the harbour, evening light"
PORTRAIT = "portrait of KAEL_07, green cloak"


def request(prompt: str, *, name: str = "1", seed: int = 7, scale: float | None = 1.0, count: int = 1) -> SampleRequest:
    settings = SampleSettings(scale=scale, count=count)
    return SampleRequest(name=name, prompt=prompt, seed=seed, base=BASE, settings=settings)


def sample(
    asked: SampleRequest,
    *pictures: DrawnPicture,
    training: str | None = None,
    epoch: str | None = None,
    phase: SamplePhase = "drawn",
    reason: str | None = None,
    charged: float | None = 10.75,
) -> SampleRecord:
    return SampleRecord(
        request=asked, phase=phase, at="2026-11-03T10:00:00Z", training=training, epoch=epoch, pictures=pictures,
        reason=reason, charged=charged,
    )  # fmt: skip


def picture(name: str, dhash: int | None = None, thumbnail: str | None = None) -> DrawnPicture:
    return DrawnPicture(
        asset_id=AssetId(f"asset_{name}"), thumbnail=thumbnail, dhash=None if dhash is None else f"{dhash:032x}"
    )


def version(
    number: int,
    *samples: SampleRecord,
    at: str = "2026-11-01T10:00:00Z",
    parameters: Mapping[str, object] | None = None,
    images: Sequence[ImageRecord] = (),
    epoch: str | None = None,
    **others: object,
) -> Version:
    """A trained version; samples without a training are of its last one."""
    own = tuple(s if s.training is not None else _of(s, at, epoch) for s in samples)
    values: dict[str, object] = {
        "phase": "trained", "id": ModelId(f"model_{number}"), "charged": 130.5, "launched_at": at, **others,
    }  # fmt: skip
    return Version(
        number=number, name="Kael", type="flux.1-lora", parameters=parameters or {}, images=tuple(images),
        epoch=epoch, samples=own, **values,  # type: ignore[arg-type]  # by name
    )  # fmt: skip


def _of(sample: SampleRecord, training: str, epoch: str | None) -> SampleRecord:
    from msgspec.structs import replace

    return replace(sample, training=training, epoch=sample.epoch if sample.epoch is not None else epoch)


def state_of(records: Mapping[Address, Record]) -> State:
    return State(lineage="l", serial=1, endpoint="local", records=records)


def two_versions() -> State:
    """model.kael with two versions that drew two prompts; of the second, one failed."""
    old = version(
        1,
        sample(request(HARBOUR, name="harbour"), picture("a1", 0b0111), picture("a2", 0)),
        sample(request(PORTRAIT, name="portrait"), picture("b1", 1)),
        parameters={"learningRate": 1e-4, "nbEpochs": 10},
    )
    new = version(
        2,
        sample(request(HARBOUR, name="harbour"), picture("c1", 0b1), picture("c2", 0b11)),
        sample(request(PORTRAIT, name="portrait"), phase="failed", reason="no capacity: try later", charged=None),
        at="2026-11-05T10:00:00Z",
        parameters={"learningRate": 2e-4, "nbEpochs": 10},
        images=(ImageRecord("01.png", "f" * 64, AssetId("asset_i"), "KAEL"),),
        charged=120.0,
    )
    return state_of({KAEL: Record(current=new, previous=(old,))})


def view_with_text(text: str) -> Comparison:
    """Two versions of a model that drew prompts with the text; of the second, a sample failed because of it."""
    old = version(
        1,
        sample(request(f"a {text}", name=f"one {text}"), picture("a1", 1)),
        sample(request("b", name="two"), picture("b1", 1), picture("b2", 1)),
        parameters={"samplePrompts": [text], "rate": 1},
    )
    new = version(
        2,
        sample(request(f"a {text}", name=f"one {text}", scale=0.5), picture("a2", 0)),
        sample(request("b", name="two"), phase="failed", reason=f"out of {text}"),
        at="2026-11-05T10:00:00Z",
        parameters={"samplePrompts": [text], "rate": text},
    )
    record = Record(current=new, previous=(old,))
    state = State(records={KAEL: record})
    planned = {KAEL: Planned((request("b", name="two"),), f"next {text}")}
    return compared(f"Samples {text}", weights_of(KAEL, record), SampleSources(state=state), planned)


def draw(folder: Path, text: str, size: int = 256) -> str:
    """Writes a thumbnail that shows the text; its digest."""
    shade = sha256(text.encode()).digest()
    image = Image.new("RGB", (size, size), (shade[0], shade[1], shade[2]))
    ImageDraw.Draw(image).ellipse(
        [size // 5 + shade[3] % 60, size // 5, size - 40, size - 30], fill=(shade[4], shade[5], 90)
    )
    ImageDraw.Draw(image).text((10, 10), text, fill="white")
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80)
    digest = sha256(out.getvalue()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.webp").write_bytes(out.getvalue())
    return digest
