"""What was changed on Scenario, as values that manifest and caption files are to say: for `accept`. Pure.

A value is taken over where only Scenario moved. Where the manifest or a file moved as well, a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.dataset.types import Image
from scenario_apply.manifest.spec import Json, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.epochs import as_written
from scenario_apply.planning.ignore_changes import is_ignored
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.state import ImageRecord, Record, Version

_BY_HAND = {
    "image": "its images were changed on Scenario; accept downloads and deletes no pictures",
    "pair": "its edit pairs were changed on Scenario: change the instructions in the dataset by hand",
    "model": "it was deleted on Scenario: remove it from the manifest, or apply to create it again",
}


class AcceptedValue(Struct, frozen=True, kw_only=True):
    """key: name, description, tags, epoch or parameters.NAME. value: what the manifest is to say."""

    address: Address
    key: str
    value: Json


class AcceptedCaption(Struct, frozen=True, kw_only=True):
    """caption: as it is to be sent. before: as it is sent now. addresses: of the models that hold it."""

    dataset: str
    path: str
    before: str
    caption: str
    addresses: tuple[Address, ...]


class Acceptance(Struct, kw_only=True):
    """settled: (address, what) that files say already or will say. left: (address, sentence) for a person to do."""

    values: list[AcceptedValue] = field(default_factory=list)
    captions: list[AcceptedCaption] = field(default_factory=list)
    settled: set[tuple[Address, str]] = field(default_factory=set)
    left: list[tuple[Address, str]] = field(default_factory=list)


def acceptance(given: Inputs, drift: Iterable[Drift]) -> Acceptance:
    """drift: all of it, of the selected resources; see taken_over.py."""
    out = Acceptance()
    by_address: dict[Address, list[Drift]] = {}
    for one in drift:
        by_address.setdefault(one.address, []).append(one)
    captions: dict[tuple[str, str], list[tuple[Address, Image, str]]] = {}
    for address, record in sorted(given.state.records.items()):
        spec, found = given.desired.specs.get(address), by_address.get(address, [])
        remote = given.observed.models.get(record.working.id)
        if spec is None:
            if found:
                out.left.append((address, "it is not declared, so no file is to say what was changed"))
            continue
        out.left += [(address, why) for what, why in _BY_HAND.items() if any(one.what == what for one in found)]
        if remote is None or not given.is_selected(address) or not spec.enabled:
            continue
        _labels(address, spec, record.working, remote, found, out)
        _parameters(address, spec, record, out)
        if isinstance(spec, ModelSpec) and any(one.what == "caption" for one in found):
            for image, caption in _captions(given, spec, record.working, remote, out):
                captions.setdefault((spec.dataset, image.path), []).append((address, image, caption))
    for (dataset, _), wanted in captions.items():
        _agreed(given, dataset, wanted, out)
    return out


def _labels(
    address: Address, spec: Spec, version: Version, remote: RemoteModel, drift: Sequence[Drift], out: Acceptance
) -> None:
    whats = {one.what for one in drift}
    texts = (
        ("name", spec.name, version.name, remote.name or ""),
        ("description", spec.description or "", version.description or "", remote.short_description or ""),
    )
    for key, declared, recorded, shown in texts:
        if key not in whats:
            continue
        if shown not in (declared, recorded) and declared != recorded:
            out.left.append((address, f"{key}: the manifest says another one, and it was changed on Scenario, too"))
            continue
        if declared != shown:
            out.values.append(AcceptedValue(address=address, key=key, value=shown))
        out.settled.add((address, key))
    if "epoch" in whats and isinstance(spec, ModelSpec) and remote.epoch is not None:
        if spec.epoch not in (version.epoch, remote.epoch):
            out.left.append((address, "epoch: the manifest names another one, and it was changed on Scenario, too"))
        else:
            if spec.epoch != remote.epoch:
                out.values.append(AcceptedValue(address=address, key="epoch", value=as_written(remote.epoch)))
            out.settled.add((address, "epoch"))
    if remote.tags is None or "tags" in spec.lifecycle.ignore_changes:
        return
    gone = {tag for tag in version.tags if tag not in remote.tags}
    new = [tag for tag in remote.tags if tag not in version.tags and tag not in spec.tags]
    tags = [*(tag for tag in spec.tags if tag not in gone), *new]
    if tags != list(spec.tags):
        out.values.append(AcceptedValue(address=address, key="tags", value=list[Json](tags)))
    if gone or new:
        out.settled.add((address, "tags"))


def _parameters(address: Address, spec: Spec, record: Record, out: Acceptance) -> None:
    """Of a model that was trained on Scenario: it has the parameters that the service shows."""
    version = record.current
    if not isinstance(spec, ModelSpec) or version.fingerprint is not None or not version.is_usable:
        return
    for name, declared in spec.parameters.items():
        shown = version.parameters.get(name)
        if shown is None or is_ignored(spec, name) or plain_parameter(declared) == shown:
            continue
        if isinstance(shown, bool | int | float | str):
            out.values.append(AcceptedValue(address=address, key=f"parameters.{name}", value=shown))
            out.settled.add((address, "parameters"))


def _captions(
    given: Inputs, spec: ModelSpec, version: Version, remote: RemoteModel, out: Acceptance
) -> Iterator[tuple[Image, str]]:
    """Images of the dataset with the captions they have on Scenario, where only that changed."""
    shown = {image.id: image for image in remote.images or ()}
    images: dict[str, list[Image]] = {}
    for image in given.desired.contents_of(spec).images:
        images.setdefault(image.sha256, []).append(image)
    for recorded in version.images:
        held = shown.get(recorded.asset_id)
        caption = recorded.caption if held is None else held.caption_beside(recorded.caption)
        if caption == recorded.caption:
            continue
        own = _image_of(recorded, images.get(recorded.source, []), caption)
        if own is not None and caption:
            yield own, caption
            continue
        why = f"the caption of {recorded.path} was changed on Scenario, and the dataset says another one, too"
        if own is not None:
            why = f"the caption of {recorded.path} was removed on Scenario: delete it from the dataset by hand"
        out.left.append((spec.address, why))


def _image_of(recorded: ImageRecord, images: Sequence[Image], caption: str) -> Image | None:
    """The image of the dataset that still has the recorded caption, or has the new one already."""
    fitting = [image for image in images if (image.caption or "") in (recorded.caption, caption)]
    same_path = [image for image in fitting if image.path == recorded.path]
    return next(iter(same_path or fitting), None)


def _agreed(given: Inputs, dataset: str, wanted: Sequence[tuple[Address, Image, str]], out: Acceptance) -> None:
    """Takes one caption of an image over, unless a model of that dataset holds another: that would be trained again."""
    _, image, caption = wanted[0]
    others = {
        address: held
        for address, spec in given.desired.specs.items()
        if isinstance(spec, ModelSpec) and spec.dataset == dataset and spec.enabled and "captions" not in
        spec.lifecycle.ignore_changes and (held := _held(given, address, image)) is not None and held != caption
    }  # fmt: skip
    addresses = tuple(address for address, _, _ in wanted)
    if others:
        named = ", ".join(map(str, sorted(others)))
        out.left += [
            (a, f"the caption of {image.path}: {named} of the same dataset has another one") for a in addresses
        ]
        return
    out.settled |= {(address, "caption") for address in _models_of(given, dataset)}
    if (image.caption or "") != caption:
        out.captions.append(
            AcceptedCaption(
                dataset=dataset, path=image.path, before=image.caption or "", caption=caption, addresses=addresses
            )
        )


def _models_of(given: Inputs, dataset: str) -> Iterator[Address]:
    for address, spec in given.desired.specs.items():
        if isinstance(spec, ModelSpec) and spec.dataset == dataset:
            yield address


def _held(given: Inputs, address: Address, image: Image) -> str | None:
    """The caption of an image on Scenario, as a model holds it; None where it holds no such image."""
    record = given.state.records.get(address)
    if record is None:
        return None
    shown = _shown(given.observed, record.working)
    for recorded in record.working.images:
        if recorded.source == image.sha256 and recorded.asset_id in shown:
            return shown[recorded.asset_id] if recorded.caption else None
    return None


def _shown(observed: Observed, version: Version) -> Mapping[str, str]:
    remote = observed.models.get(version.id)
    return {image.id: image.description for image in (remote.images if remote is not None else None) or ()}
