"""What the soak applies: flux and sd-xl, edit pairs, a composition, pictures shared by two models, one sent in parts.

Three of them owe samples. second() is the same a day later: a picture more, a caption changed, other parameters, the
composition trained anew; one prompt is another, and one more is owed by a model that stays as it is.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

MANIFEST = """\
version: 1
datasets:
  kael: {{ images: ./kael }}
  props: {{ images: ./props }}
  water: {{ before: ./water/before, after: ./water/after, instruction: paint it in watercolour }}
models:
  kael:
    name: Kael
    type: flux.1-lora
    dataset: kael
    tags: [hero]
    parameters: {{ rank: {rank} }}
    samples: [KAEL at a market, {kael}]
  fast: {{ name: Fast, type: flux.1-lora, dataset: kael, parameters: {{ rank: 4 }} }}
  props: {{ name: Props, type: sd-xl-lora, dataset: props }}
  water: {{ name: Water, type: flux.2-klein-9b-edit-lora, dataset: water, samples: [{water}] }}
compositions:
  ink:
    name: Ink
    concepts: [{{ model: kael, scale: 0.5 }}, {{ model: fast, scale: 0.5 }}]
    samples: [two in ink]
"""
PROMPTS = {"kael": "KAEL on a boat", "water": "paint the bridge"}
OTHER_PROMPTS = {"kael": "KAEL on a raft", "water": "paint the bridge, paint the mill"}
KAEL = ("KAEL at dawn", "KAEL with two horses", "KAEL in the rain, old bridge", "KAEL by the fire")
PROPS = ("brass lamp", "wooden chair with three legs", "a chest of dark oak")
NEW_CAPTION = "KAEL with two grey horses, from behind"
NEW_PICTURE = "KAEL from afar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be there in the end. images: model's name -> (file name, caption); launches: name -> trainings."""

    images: dict[str, tuple[tuple[str, str], ...]]
    versions: dict[str, int]
    launches: dict[str, int]
    draws: dict[str, int]
    """Samples drawn in all, by prompt."""
    assets: int
    """Uploads in all: pictures told apart by bytes and caption."""


def first(folder: Path) -> Expected:
    """Write the manifest and its pictures."""
    for number, caption in enumerate(KAEL, 1):
        _put(folder / "kael", number, caption)
    for number, caption in enumerate(PROPS, 11):
        _put(folder / "props", number, caption)
    for number in (21, 22):
        for side in ("before", "after"):
            _put(folder / "water" / side, number, None, seed=number + (10 if side == "after" else 0))
    (folder / "kael" / "09.png").write_bytes(_large())
    (folder / "kael" / "09.txt").write_text("KAEL, every hair")
    (folder / "scenario.yaml").write_text(MANIFEST.format(rank=8, **PROMPTS))
    kael = (*((f"{n:02}.png", c) for n, c in enumerate(KAEL, 1)), ("09.png", "KAEL, every hair"))
    props = tuple((f"{n:02}.png", c) for n, c in enumerate(PROPS, 11))
    once = dict.fromkeys(("Kael", "Fast", "Props", "Water", "Ink"), 1)
    return Expected(
        images={"Kael": kael, "Fast": kael, "Props": props, "Ink": ()},
        versions=once,
        launches=once,
        draws=dict.fromkeys(("KAEL at a market", "KAEL on a boat", "paint the bridge", "two in ink"), 1),
        assets=len(kael) + len(props) + 4,
    )


def second(folder: Path) -> Expected:
    """Change it: kael and fast are replaced (their pictures changed), the composition is trained on the new ones."""
    (folder / "kael" / "02.txt").write_text(NEW_CAPTION)
    _put(folder / "kael", 5, NEW_PICTURE)
    (folder / "scenario.yaml").write_text(MANIFEST.format(rank=16, **OTHER_PROMPTS))
    kael = [("01.png", KAEL[0]), ("02.png", NEW_CAPTION), ("03.png", KAEL[2]), ("04.png", KAEL[3])]
    kael += [("05.png", NEW_PICTURE), ("09.png", "KAEL, every hair")]
    props = tuple((f"{n:02}.png", c) for n, c in enumerate(PROPS, 11))
    return Expected(
        images={"Kael": tuple(kael), "Fast": tuple(kael), "Props": props, "Ink": ()},
        versions={"Kael": 2, "Fast": 2, "Props": 1, "Water": 1, "Ink": 1},
        launches={"Kael": 2, "Fast": 2, "Props": 1, "Water": 1, "Ink": 2},
        draws={
            **{"KAEL at a market": 2, "KAEL on a boat": 1, "KAEL on a raft": 1},
            **{"paint the bridge": 1, "paint the mill": 1, "two in ink": 2},
        },
        assets=len(KAEL) + 1 + len(PROPS) + 4 + 2,  # the new picture, and the one whose caption changed
    )


def _put(folder: Path, number: int, caption: str | None, *, seed: int | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(number if seed is None else seed)
    image = Image.new("RGB", (512, 512), (dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = dice.randrange(512), dice.randrange(512)
        draw.ellipse((x, y, x + dice.randrange(200), y + dice.randrange(200)), fill=dice.randrange(1 << 24))
    image.save(folder / f"{number:02}.png", compress_level=1)
    if caption is not None:
        (folder / f"{number:02}.txt").write_text(caption)


def _large() -> bytes:
    """A picture above the size that is sent in parts."""
    out = io.BytesIO()
    Image.frombytes("RGB", (1280, 1280), random.Random(9).randbytes(1280 * 1280 * 3)).save(out, "PNG", compress_level=0)
    return out.getvalue()
