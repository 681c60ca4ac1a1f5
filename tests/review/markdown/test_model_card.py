"""review.markdown.model_card: what is known, in a head that YAML readers take; and no foreign word breaks the card."""

from __future__ import annotations

import yaml
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.review.markdown.model_card import CardFacts, card_commit, card_markdown, card_pictures, is_card
from scenario_apply.state.state import (
    HISTORY_KEPT,
    ConceptRecord,
    DrawnPicture,
    HistoryEntry,
    ImageRecord,
    PairRecord,
    Record,
    SampleRecord,
    Version,
)

KAEL = Address("model", "kael")
BASE = ModelId("model_bfl-flux-1-dev")


def image(number: int, caption: str) -> ImageRecord:
    return ImageRecord(f"{number}.png", f"{number:064x}", AssetId(f"asset_{number}"), caption)


def sample(prompt: str, asset: str, *, name: str = "portrait", phase: str = "drawn") -> SampleRecord:
    settings = SampleSettings(scale=0.8, width=1024, height=768)
    request = SampleRequest(name=name, prompt=prompt, seed=7, base=BASE, settings=settings)
    picture = DrawnPicture(asset_id=AssetId(asset), thumbnail="ab" * 32)
    return SampleRecord(
        request=request, phase=phase, at="2026-11-02T00:00:00Z", training=LAUNCHED, pictures=(picture,), charged=10.75  # type: ignore[arg-type]  # a word of SamplePhase
    )  # fmt: skip


LAUNCHED = "2026-11-01T10:00:00Z"
CURRENT = Version(
    number=2,
    id=ModelId("model_2"),
    phase="trained",
    name="Kael the ranger",
    type="flux.1-lora",
    tags=("hero",),
    parameters={"learningRate": 0.0001, "nbEpochs": 12},
    images=(image(1, "KAEL_07, a ranger"), image(2, "KAEL_07, aiming at a far tree"), image(3, "")),
    charged=130.0,
    launched_at=LAUNCHED,
    ended_at="2026-11-01T12:30:00Z",
    samples=(sample("KAEL_07 at dawn", "asset_p"), sample("KAEL_07 fails", "asset_q", phase="failed")),
)
BEFORE = replace(
    CURRENT,
    number=1,
    id=ModelId("model_1"),
    parameters={"learningRate": 0.0002, "nbEpochs": 12},
    images=(image(1, "KAEL_07, a hunter"), image(4, "KAEL_07")),
    launched_at="2026-10-01T10:00:00Z",
    samples=(),
)


def card(version: Version = CURRENT, **facts: object) -> str:
    record = Record(current=CURRENT, previous=(BEFORE,))
    return card_markdown(CardFacts(address=KAEL, record=record, version=version, **facts))  # type: ignore[arg-type]  # as its fields


def head(text: str) -> dict[str, object]:
    _, content, _ = text.split("---\n", 2)
    found: dict[str, object] = yaml.safe_load(content)
    return found


def test_the_head_is_that_of_the_hub() -> None:
    """Samples with a picture have its link; those that failed are left out."""
    text = card(trigger="KAEL_07", license="CC-BY-4.0", pictures={AssetId("asset_p"): "kael-samples/01.webp"})
    assert head(text) == {
        "license": "cc-by-4.0",
        "base_model": "black-forest-labs/FLUX.1-dev",
        "base_model_relation": "adapter",
        "pipeline_tag": "text-to-image",
        "tags": ["lora", "text-to-image", "hero"],
        "instance_prompt": "KAEL_07",
        "widget": [{"text": "KAEL_07 at dawn", "output": {"url": "kael-samples/01.webp"}}],
    }
    assert "![sample](kael-samples/01.webp)" in text
    assert is_card(text.encode())


def test_what_is_not_known_is_left_out() -> None:
    text = card(replace(CURRENT, type="flux.9-lora", samples=(), images=(), charged=None, parameters={}))
    assert head(text) == {"pipeline_tag": "text-to-image", "tags": ["lora", "text-to-image", "hero"]}
    assert "No licence is named" in text
    assert not any(title in text for title in ("## Samples", "## Dataset", "## Parameters", "## Cost", "## Trigger"))


def test_licences_that_the_hub_does_not_know() -> None:
    assert head(card(license="Studio Ink, internal use"))["license_name"] == "studio-ink-internal-use"
    assert head(card(license="https://ink.example/licence"))["license_link"] == "https://ink.example/licence"
    assert head(card(license="***"))["license"] == "other"


def test_the_body_says_what_a_reviewer_asks() -> None:
    text = card(dataset="kael", commit="0123abc", best="version 2, chosen by Ada", description="Green hood")
    for line in (
        "| Trained | 2026-11-01, in 2 h 30 min |",
        "| `learningRate` | `0.0001` |",
        "| Images | 3 |",
        "| Captions | 2 (2 different), 3 to 6 words, median 6; 1 written by Scenario |",
        "| `KAEL_07 at dawn` | 7 | 0.8 | 1024x768 | `asset_p` |",
        "| 2 samples | 21.5 CU |",
        "| Commit | `0123abc` |",
        "| Best | `version 2, chosen by Ada` |",
        "Green hood",
    ):
        assert f"\n{line}\n" in text, line


def test_the_cost_is_that_of_the_training_that_the_card_is_about() -> None:
    """Samples of an earlier training of the same version are not part of it; those of its other epochs are."""
    one = sample("KAEL_07 at dawn", "asset_p")
    samples = (replace(one, epoch="8"), replace(one, training="2026-10-01T10:00:00Z"), one)
    assert "| 2 samples | 21.5 CU |" in card(replace(CURRENT, samples=samples))


def test_the_versions_say_what_changed() -> None:
    """Newest first, in parameters, pictures and captions."""
    rows = [line for line in card().splitlines() if line.startswith(("| 2 (", "| 1 |"))]
    changed = "`learningRate 0.0002 -> 0.0001`; 2 images added; 1 image removed; 1 caption changed"
    assert rows == [
        f"| 2 (current) | 2026-11-01 | trained | {changed} | 130 |",
        "| 1 | 2026-10-01 | trained | — | 130 |",
    ]


def test_edits_and_compositions() -> None:
    """A composition is no LoRA; its parts are named, and those that are not known by their id."""
    edit = replace(
        CURRENT, type="flux.1-kontext-lora", pairs=(PairRecord(AssetId("asset_1"), AssetId("asset_2"), "red"),)
    )
    assert head(card(edit))["pipeline_tag"] == "image-to-image"
    assert "| Captions | 1 (1 different), 1 to 1 words, median 1 |" in card(edit)
    parts = (ConceptRecord(ModelId("m1"), 0.8), ConceptRecord(ModelId("m2"), 0.3, epoch="8"))
    mixed = card(replace(CURRENT, type="flux.1-composition", concepts=parts), parts={ModelId("m1"): "model.kael"})
    assert head(mixed)["tags"] == ["text-to-image", "hero"]
    assert "| `model.kael` | 0.8 |  |" in mixed
    assert "| `m2` | 0.3 | `8` |" in mixed


HOSTILE = "x | y` <script>alert(1)</script> @team #1 ![a](http://evil.example/p.png)\n---\nlicense: mit\n# Title\u202e"


def test_nobodys_words_break_the_card() -> None:
    """They stay within code spans, rows keep their cells, and the head has no key that they bring."""
    version = replace(
        CURRENT, name=HOSTILE, parameters={"x": HOSTILE}, samples=(sample(HOSTILE, "asset_p", name="../x"),)
    )
    text = card(version, description=HOSTILE, dataset="kael", best=HOSTILE, commit="c", trigger=HOSTILE)
    found = head(text)
    assert "license" not in found
    assert found["instance_prompt"] == HOSTILE
    body = text.split("<!-- written by scenario-apply card -->", 1)[1]
    assert "\n# Title" not in body
    assert "\u202e" not in body
    outside = "".join(part for line in body.splitlines() for part in _outside_code(line))
    assert "<script>" not in outside
    assert "![a]" not in outside
    assert "@team" not in outside
    rows = [line for line in body.splitlines() if line.startswith("| `") and "x \\| y" in line]
    assert rows
    assert [one.name for one in card_pictures(version)] == ["01-x-abababab.webp"]


def _outside_code(line: str) -> list[str]:
    """What is not in a code span that begins with two backticks, as those of HOSTILE do."""
    return line.split("``")[::2]


def test_the_commit_is_that_of_the_run_that_launched() -> None:
    """A run outside of a checkout had none, and that of a later one is not it. Old lines of the history are dropped."""
    before, run = line("2026-10-01T10:05:00Z", "old"), line("2026-11-01T10:30:00Z", "new")
    assert card_commit(CURRENT, [before, run]) == "new"
    assert card_commit(CURRENT, [before, line("2026-11-01T10:00:01Z", None), run]) is None
    assert card_commit(CURRENT, [before]) is None
    assert card_commit(replace(CURRENT, launched_at=None), [before, run]) is None
    assert card_commit(CURRENT, [run] * HISTORY_KEPT) is None
    assert card_commit(CURRENT, [before, *[run] * (HISTORY_KEPT - 1)]) == "new"


def line(at: str, commit: str | None) -> HistoryEntry:
    return HistoryEntry(serial=1, at=at, who="ada", command="apply", what="", commit=commit)


def test_samples_are_in_the_order_of_the_manifest() -> None:
    """However they were drawn; those that it does not declare come last."""
    samples = tuple(sample(f"prompt {name}", f"asset_{name}", name=name) for name in "cab")
    text = card(replace(CURRENT, samples=samples), order=("a", "b"))
    assert [text.index(f"`prompt {name}`") for name in "abc"] == sorted(
        text.index(f"`prompt {name}`") for name in "abc"
    )
    assert [one.name[:4] for one in card_pictures(replace(CURRENT, samples=samples), ("a", "b"))] == [
        "01-a",
        "02-b",
        "03-c",
    ]
