"""Results of a finished training: what it learned, epochs with sample pictures (drawn on request), and a thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.assets import insert_asset
from scenario_apply.emulator.drawing import MIME
from scenario_apply.emulator.families import FAMILY_OF
from scenario_apply.emulator.learning import SAMPLE_SIDE, learned_from, parts
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.pictures import Picture
from scenario_apply.emulator.store import Row, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_MAX_EPOCHS = 10
_MAX_SAMPLES = 4
_DRAWN = Picture(mime=MIME, format="jpeg", width=SAMPLE_SIDE, height=SAMPLE_SIDE)


def make_results(world: World, row: Row, record: Row, doc: Json, at: int) -> None:
    """Fill a model's doc with the results of one training; the last few epochs are kept, the last one is current.

    A composition is merged at once and has no epochs.
    """
    parameters = load(record["doc"])["input"].get("parameters", {})
    doc["learned"] = learned_from(world, row, doc, parameters)
    prompts = (parameters.get("samplePrompts") or [""])[:_MAX_SAMPLES]
    if doc.get("concepts"):
        shown = _sample_pictures(world, row, doc, prompts, at, "", 1.0)
    else:
        last = max(1, int({**FAMILY_OF[row["type"]].defaults, **parameters}.get("nbEpochs", 1)))
        doc["epochs"] = [
            {
                "epoch": str(epoch),
                "share": epoch / last,
                "assets": _sample_pictures(world, row, doc, prompts, at, f"epoch {epoch}", epoch / last),
            }
            for epoch in range(max(1, last - _MAX_EPOCHS + 1), last + 1)
        ]
        doc["epoch"] = str(last)
        shown = doc["epochs"][-1]["assets"]
    doc["exampleAssetIds"] = shown
    doc["thumbnail"] = shown[0]


def _sample_pictures(
    world: World, row: Row, doc: Json, prompts: list[str], at: int, when: str, share: float
) -> list[str]:
    """One picture for each prompt; of all epochs with the same seed."""
    return [
        insert_asset(
            world,
            row["project"],
            " ".join(filter(None, (row["name"], when, f"sample {number}"))),
            _DRAWN,
            0,
            None,
            type="inference-txt2img",
            model=row["id"],
            created=at,
            caption="a simulated sample picture",
            doc={
                "modelId": row["id"],
                "prompt": prompt,
                "title": ": ".join(filter(None, (when, prompt or row["name"]))),
                "drawing": {
                    "prompt": prompt or row["name"],
                    "seed": str(number),
                    "influences": parts(doc["learned"], prompt, share=share),
                },
            },
        )
        for number, prompt in enumerate(prompts, 1)
    ]
