"""The card of a trained model: Markdown with a YAML head, in the form of the Hugging Face Hub's model cards. Pure.

Sources: huggingface.co/docs/hub/model-cards and model-cards-components. What is not known is left out: neither licence
nor base model is guessed. Other people's words stand in code spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.dataset.digest import digest_of_rows
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount, total
from scenario_apply.model.hub_bases import HUB_BASES, HUB_LICENSES
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.secret import without_secrets
from scenario_apply.model.timestamps import from_iso
from scenario_apply.model.training_types import SECRET_PARAMETERS, training_type
from scenario_apply.review.markdown.inline import code, table, words
from scenario_apply.review.screen import counted, duration
from scenario_apply.review.values import change_text, value_text
from scenario_apply.review.yaml_text import yaml_text
from scenario_apply.state.state import HISTORY_KEPT, HistoryEntry, Record, SampleRecord, Version

CARD_MARK = "<!-- written by scenario-apply card -->"
"""What every card of ours has near its start."""

_NOTHING = "—"
_SLUG = re.compile(r"[^a-z0-9.-]+")


class CardFacts(Struct, frozen=True, kw_only=True):
    """What a card says. name: of the model; description, license, trigger, dataset: of the manifest, where it has them.

    commit: of the checkout that the version was trained from. pictures: where the pictures of samples lie, relative to
    the card. parts: names of the models of a composition. best: what a person chose as the best, in words. order: names
    of samples as the manifest declares them.
    """

    address: Address
    record: Record
    version: Version
    description: str | None = None
    license: str | None = None
    trigger: str | None = None
    dataset: str | None = None
    commit: str | None = None
    pictures: Mapping[AssetId, str] = field(default_factory=dict)
    parts: Mapping[ModelId, str] = field(default_factory=dict)
    best: str | None = None
    order: tuple[str, ...] = ()


def card_markdown(facts: CardFacts) -> str:
    """The whole card."""
    body = [
        [CARD_MARK],
        [f"# {words(facts.version.name)}"],
        _about(facts),
        _trigger(facts),
        _samples(facts),
        _parts(facts),
        _training(facts),
        _dataset(facts),
        _versions(facts),
        _cost(facts),
        _license(facts),
    ]
    blocks = ["\n".join(lines) for lines in body if lines]
    return f"---\n{yaml_text(_head(facts))}---\n\n" + "\n\n".join(blocks) + "\n"


# -- the head


def _head(facts: CardFacts) -> dict[str, object]:
    version = facts.version
    task = _task(version)
    head: dict[str, object] = {}
    head |= _licensed(facts.license)
    if version.type in HUB_BASES:
        head |= {"base_model": HUB_BASES[version.type], "base_model_relation": "adapter"}
    head["pipeline_tag"] = task
    own = [tag for tag in version.tags if tag not in ("lora", task)]
    head["tags"] = [*(() if version.concepts else ("lora",)), task, *own]
    if facts.trigger:
        head["instance_prompt"] = facts.trigger
    if samples := list(_widget(facts)):
        head["widget"] = samples
    return head


def _licensed(text: str | None) -> dict[str, object]:
    """The keys for a licence. Source: huggingface.co/docs/hub/repositories-licenses."""
    if text is None:
        return {}
    if text.lower() in HUB_LICENSES:
        return {"license": text.lower()}
    if text.startswith("https://"):
        return {"license": "other", "license_name": "see-link", "license_link": text}
    return {"license": "other", "license_name": _SLUG.sub("-", text.lower()).strip("-")[:60] or "own"}


def _widget(facts: CardFacts) -> Iterator[dict[str, object]]:
    for sample in _drawn(facts.version, facts.order):
        shown = [facts.pictures[picture.asset_id] for picture in sample.pictures if picture.asset_id in facts.pictures]
        text = sample.request.prompt
        yield {"text": text, "output": {"url": shown[0]}} if shown else {"text": text}


def _task(version: Version) -> str:
    is_edit = bool(version.pairs) or training_type(version.type).dataset == "pairs"
    return "image-to-image" if is_edit else "text-to-image"


# -- the body


def _about(facts: CardFacts) -> list[str]:
    version = facts.version
    kind = "A composition" if version.concepts else "A LoRA"
    rows = [
        ("Address", code(str(facts.address))),
        ("Type", code(version.type)),
        ("Version", str(version.number) + ("" if version is facts.record.current else ", not the current one")),
        ("Model ID", code(version.id)),
        ("Epoch", None if version.epoch is None else code(version.epoch)),
        ("Status", version.phase),
        ("Trained", _when(version)),
        ("Best", None if facts.best is None else code(facts.best)),
        ("Commit", None if facts.commit is None else code(facts.commit)),
    ]
    lines = [f"{kind}, trained on [Scenario](https://www.scenario.com)."]
    if facts.description:
        lines += ["", words(facts.description)]
    return [*lines, "", *table(("", ""), [(name, text) for name, text in rows if text is not None])]


def _when(version: Version) -> str | None:
    if version.launched_at is None:
        return None
    started, ended = from_iso(version.launched_at), from_iso(version.ended_at or "")
    took = f", in {duration(ended - started)}" if started is not None and ended is not None and ended > started else ""
    return f"{version.launched_at[:10]}{took}"


def _trigger(facts: CardFacts) -> list[str]:
    return ["## Trigger", "", f"Use {code(facts.trigger)} in a prompt."] if facts.trigger else []


def _samples(facts: CardFacts) -> list[str]:
    rows = []
    for sample in _drawn(facts.version, facts.order):
        settings = sample.request.settings
        size = f"{settings.width}x{settings.height}" if settings.width and settings.height else _NOTHING
        scale = _NOTHING if settings.scale is None else value_text(settings.scale)
        pictures = " ".join(_picture(sample, picture.asset_id, facts) for picture in sample.pictures)
        rows.append((code(sample.request.prompt), str(sample.request.seed), scale, size, pictures or _NOTHING))
    if not rows:
        return []
    bases = dict.fromkeys(sample.request.base for sample in _drawn(facts.version, facts.order))
    title = f"Drawn with {', '.join(map(code, bases))}."
    return ["## Samples", "", title, "", *table(("Prompt", "Seed", "Scale", "Size", "Pictures"), rows)]


def _picture(sample: SampleRecord, asset: AssetId, facts: CardFacts) -> str:
    link = facts.pictures.get(asset)
    # names of files are ours: letters, digits, ., _ and -
    return code(asset) if link is None else f"![sample]({link})"


def _drawn(version: Version, order: Sequence[str]) -> list[SampleRecord]:
    """In the order of the manifest; those that it does not declare any more come last."""
    places = {name: place for place, name in enumerate(order)}
    drawn = (sample for sample in version.current_samples if sample.phase == "drawn")
    return sorted(drawn, key=lambda sample: places.get(sample.request.name, len(places)))


def _parts(facts: CardFacts) -> list[str]:
    concepts = facts.version.concepts
    if not concepts:
        return []
    rows = [
        (code(facts.parts.get(one.model_id, one.model_id)), value_text(one.scale), code(one.epoch) if one.epoch else "")
        for one in concepts
    ]
    return ["## Parts", "", *table(("Model", "Scale", "Epoch"), rows)]


def _training(facts: CardFacts) -> list[str]:
    shown = _parameters(facts.version)
    if not shown:
        return []
    rows = [(code(key), code(value_text(value))) for key, value in sorted(shown.items())]
    return ["## Parameters", "", *table(("Parameter", "Value"), rows)]


def _parameters(version: Version) -> dict[str, object]:
    """Without what is secret."""
    return {k: without_secrets(v) for k, v in version.parameters.items() if k not in SECRET_PARAMETERS}


def _dataset(facts: CardFacts) -> list[str]:
    version = facts.version
    if not version.images:
        return []
    rows = [
        ("Name", None if facts.dataset is None else code(facts.dataset)),
        ("Images", str(len(version.images))),
        ("Pairs", str(len(version.pairs)) if version.pairs else None),
        ("Captions", _captions(version)),
        ("Digest", code(_digest(version))),
    ]
    return ["## Dataset", "", *table(("", ""), [(name, text) for name, text in rows if text is not None])]


def _captions(version: Version) -> str | None:
    """How many there are, and how long. Pairs have instructions in their place."""
    texts = [pair.instruction for pair in version.pairs] or [image.caption for image in version.images]
    given = [text for text in texts if text]
    if not given:
        return "written by Scenario"
    lengths = sorted(len(text.split()) for text in given)
    middle = lengths[len(lengths) // 2]
    spread = f"{lengths[0]} to {lengths[-1]} words, median {middle}"
    rest = "" if len(given) == len(texts) else f"; {len(texts) - len(given)} written by Scenario"
    different = len(set(given))
    return f"{len(given)} ({different} different), {spread}{rest}"


def _digest(version: Version) -> str:
    """As the dataset's own, over what was sent: see Dataset.digest."""
    held = {image.asset_id: image.content for image in version.images}
    return digest_of_rows(
        ((image.content, image.caption or None) for image in version.images),
        (
            (held.get(one.source_id, one.source_id), held.get(one.target_id, one.target_id), one.instruction)
            for one in version.pairs
        ),
    )


def _versions(facts: CardFacts) -> list[str]:
    known = sorted(facts.record.versions(), key=lambda version: version.number)
    rows = []
    for before, version in zip((None, *known), known, strict=False):
        place = " (current)" if version is facts.record.current else ""
        launched = _NOTHING if version.launched_at is None else version.launched_at[:10]
        cu = _NOTHING if version.charged is None else amount(version.charged)
        rows.append((f"{version.number}{place}", launched, version.phase, _changed(before, version), cu))
    return ["## Versions", "", *table(("Version", "Trained", "Status", "Changed", "CU"), reversed(rows))]


def _changed(before: Version | None, version: Version) -> str:
    if before is None:
        return _NOTHING
    return "; ".join(_changes(before, version)) or "nothing that is recorded"


def _changes(before: Version, version: Version) -> Iterator[str]:
    if before.type != version.type:
        yield code(f"type {before.type} -> {version.type}")
    old, new = _parameters(before), _parameters(version)
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield code(f"{key} {change_text(old.get(key), new.get(key), '(default)')}")
    images_before, images = _contents(before), _contents(version)
    if added := len(images.keys() - images_before.keys()):
        yield f"{counted(added, 'image')} added"
    if removed := len(images_before.keys() - images.keys()):
        yield f"{counted(removed, 'image')} removed"
    if captions := sum(images[key] != images_before[key] for key in images.keys() & images_before.keys()):
        yield f"{counted(captions, 'caption')} changed"
    if before.concepts != version.concepts:
        yield "parts changed"


def _contents(version: Version) -> dict[str, str]:
    return {image.content: image.caption for image in version.images}


def _cost(facts: CardFacts) -> list[str]:
    version = facts.version
    charged = [one.charged for one in version.samples if one.charged and one.training == version.launched_at]
    rows = [] if version.charged is None else [("Training", f"{amount(version.charged)} CU")]
    if charged:
        rows.append((counted(len(charged), "sample"), f"{amount(total(charged))} CU"))
    return ["## Cost", "", *table(("", ""), rows)] if rows else []


def _license(facts: CardFacts) -> list[str]:
    if facts.license is None:
        return ["## Licence", "", "No licence is named."]
    return ["## Licence", "", code(facts.license)]


def is_card(content: bytes) -> bool:
    """Whether a file holds a card of ours."""
    head, mark, _ = content.partition(CARD_MARK.encode())
    return bool(mark) and head.startswith(b"---\n") and head.rstrip().endswith(b"\n---")


class CardPicture(NamedTuple):
    """A picture that a card shows. thumbnail: SHA-256 of the small copy; name: of its file beside the card."""

    asset: AssetId
    thumbnail: str
    name: str


def card_pictures(version: Version, order: Sequence[str] = ()) -> list[CardPicture]:
    """Pictures of the samples that have a small copy, with names that are safe in links and file systems."""
    found = []
    for number, sample in enumerate(_drawn(version, order), 1):
        for picture in sample.pictures:
            if picture.thumbnail is not None:
                name = f"{number:02}-{_slug(sample.request.name)}-{picture.thumbnail[:8]}.webp"
                found.append(CardPicture(picture.asset_id, picture.thumbnail, name))
    return found


def _slug(name: str) -> str:
    return _SLUG.sub("-", name.lower()).strip("-.")[:40] or "sample"


def card_commit(version: Version, history: Sequence[HistoryEntry]) -> str | None:
    """The commit of the run that launched a version, from the state's history; None where it is not known.

    That is the first line since the launch, whether it has a commit or not. Lines before the first may be dropped.
    """
    launched = version.launched_at
    if launched is None or (len(history) >= HISTORY_KEPT and launched <= history[0].at):
        return None
    return next((line.commit for line in history if line.at >= launched), None)
