"""Pictures that Scenario drew while it trained, as samples of each epoch, to be compared like those asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.model.samples import SampleRequest
from scenario_apply.review.values import value_text
from scenario_apply.state.state import DrawnPicture, SampleRecord, State, Version

WHILE_TRAINING = ModelId("(training)")
"""The base of such samples, which is no id: they have no seed and no settings that are known."""
WHILE_TRAINING_WORDS = "drawn while training"


def sample_prompts(version: Version) -> tuple[str, ...]:
    """Those that its training draws pictures of, epoch by epoch."""
    found = version.parameters.get("samplePrompts")
    return tuple(map(value_text, found)) if isinstance(found, list | tuple) else ()


def with_epochs(state: State, remote: Mapping[ModelId, RemoteModel]) -> State:
    """The state for a comparison of epochs, never to be written: trained versions with the pictures of their epochs.

    What was drawn with the service's choice is of the last epoch, which a training leaves in use.
    """
    for address, record in state.records.items():
        found = {
            version.id: _with_epochs(version, remote[version.id])
            for version in record.versions()
            if version.is_usable and version.id in remote and remote[version.id].epochs
        }
        if found:
            changed = replace(
                record,
                current=found.get(record.current.id, record.current),
                pending=None if record.pending is None else found.get(record.pending.id, record.pending),
                previous=tuple(found.get(one.id, one) for one in record.previous),
            )
            state = state.with_record(address, changed)
    return state


def _with_epochs(version: Version, remote: RemoteModel) -> Version:
    last = (remote.epochs or ())[-1].name
    samples = tuple(
        replace(one, epoch=last) if one.training == version.launched_at and one.epoch is None else one
        for one in version.samples
    )
    return replace(version, epoch=version.epoch or remote.epoch or last, samples=(*samples, *_drawn(version, remote)))


def _drawn(version: Version, remote: RemoteModel) -> Iterator[SampleRecord]:
    prompts = sample_prompts(version)
    for epoch in remote.epochs or ():
        for number, asset_id in enumerate(epoch.assets):
            prompt = prompts[number] if number < len(prompts) else ""
            yield SampleRecord(
                request=SampleRequest(name=f"training {number + 1}", prompt=prompt, seed=number, base=WHILE_TRAINING),
                phase="drawn",
                at=version.ended_at or "",
                training=version.launched_at,
                epoch=epoch.name,
                pictures=(DrawnPicture(asset_id=asset_id),),
            )
