"""Results of a finished training: epochs with sample pictures (drawn when requested), and a thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.assets import insert_asset
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.pictures import Picture
from scenario_apply.emulator.store import Row, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

SAMPLE_SIDE = 512
_MAX_EPOCHS = 10
_MAX_SAMPLES = 4
_DRAWN = Picture(mime="image/png", format="png", width=SAMPLE_SIDE, height=SAMPLE_SIDE)


def make_results(world: World, row: Row, record: Row, doc: Json, at: int) -> None:
    """Fill a model's doc with the results of one training; the last few epochs are kept, the last one is current."""
    parameters = load(record["doc"])["input"].get("parameters", {})
    last = max(1, int(parameters.get("nbEpochs", 1)))
    prompts = parameters.get("samplePrompts") or [""]
    epochs = []
    for epoch in range(max(1, last - _MAX_EPOCHS + 1), last + 1):
        assets = [
            insert_asset(
                world,
                row["project"],
                f"{row['name']} epoch {epoch} sample {number}",
                _DRAWN,
                0,
                None,
                type="inference-txt2img",
                model=row["id"],
                created=at,
                caption="a simulated sample picture",
                doc={
                    "sample": [row["id"], epoch, number],
                    "modelId": row["id"],
                    "prompt": prompt,
                    "title": row["name"],
                },
            )
            for number, prompt in enumerate(prompts[:_MAX_SAMPLES], 1)
        ]
        epochs.append({"epoch": str(epoch), "assets": assets})
    doc["epochs"] = epochs
    doc["epoch"] = str(last)
    doc["exampleAssetIds"] = epochs[-1]["assets"]
    doc["thumbnail"] = epochs[-1]["assets"][0]
