"""The work of `card`: what is known of a version as Markdown, printed, written with its pictures, or pushed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from scenario_apply.cli.address_arguments import recorded_address
from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.invocation import masked
from scenario_apply.cli.manifest_if_readable import place_and_manifest
from scenario_apply.cli.named_files import is_stream, untrusted_top
from scenario_apply.cli.output_targets import TargetTaken
from scenario_apply.cli.page_file import PageFile
from scenario_apply.cli.plan_request import PlanRequest
from scenario_apply.cli.wiring import open_world, require_service
from scenario_apply.dataset.scan.sample_thumbnails import read_sample_thumbnails
from scenario_apply.dataset.scan.thumbnails import Thumbnail
from scenario_apply.errors import ExitCode, StateError, UsageError
from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.review.best_words import best_text
from scenario_apply.review.file_diff import file_diff
from scenario_apply.review.markdown.model_card import CardFacts, card_commit, card_markdown, card_pictures, is_card
from scenario_apply.review.screen import counted
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, own_folder, temporary_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.address import Address
    from scenario_apply.model.remote import AssetId
    from scenario_apply.state.state import Record, State, Version

_MOST_PICTURE_BYTES = 64_000
_MOST_BYTES = 16_000_000


def write_card(call: Invocation) -> int:
    """0, or 1 when a push was not approved."""
    asked = call.arguments
    if asked.push:
        require_service(call.settings)
    place, manifest = place_and_manifest(call.settings, call.tell)
    with open_world(place, call.settings, offline=not asked.push, read_only=not asked.push) as world:
        state = world.store.load().state
        address = recorded_address(asked.address, state)
        record = state.records[address]
        version = _version(address, record, asked.version)
        secrets = (*call.settings.secrets, *(secret.reveal() for secret in place.secrets))

        def text_with(pictures: Mapping[AssetId, str]) -> str:
            return masked(card_markdown(_facts(address, version, state, manifest, pictures)), secrets)

        if asked.out not in (None, "-"):
            target = _target(call, place, manifest)
            target.write(text_with(_written_pictures(call, place, version, _order(address, manifest))))
            call.tell(f"The card is in {asked.out}.")
        if asked.push:
            return _push(call, world, version, text_with({}))
        if asked.out in (None, "-"):
            call.show(text_with({}))
        return ExitCode.OK


def _version(address: Address, record: Record, number: int | None) -> Version:
    found = next((version for version in record.versions() if number in (None, version.number)), None)
    if found is None:
        known = ", ".join(str(number) for number in sorted(version.number for version in record.versions()))
        raise StateError(f"{address} has no version {number}", code="not-recorded", hint=f"recorded versions: {known}")
    return found


def _facts(
    address: Address, version: Version, state: State, manifest: Manifest | None, pictures: Mapping[AssetId, str]
) -> CardFacts:
    """What the state records, and what the manifest adds to it: a trigger only where it is that of the captions."""
    spec = _spec(address, manifest)
    dataset = manifest.datasets[spec.dataset] if manifest is not None and isinstance(spec, ModelSpec) else None
    trigger = None if dataset is None else dataset.trigger
    captions = [image.caption for image in version.images if image.caption]
    is_used = trigger is not None and (not captions or any(trigger in caption for caption in captions))
    names = {one.id: str(other) for other, record in state.records.items() for one in record.versions()}
    return CardFacts(
        address=address,
        record=state.records[address],
        version=version,
        description=version.description,
        license=None if spec is None else spec.license,
        trigger=trigger if is_used else None,
        dataset=None if dataset is None else dataset.name,
        commit=card_commit(version, state.history),
        pictures=pictures,
        parts={one.model_id: names[one.model_id] for one in version.concepts if one.model_id in names},
        order=_order(address, manifest),
        best=best_text(spec.best) if isinstance(spec, ModelSpec) and spec.best is not None else None,
    )


def _spec(address: Address, manifest: Manifest | None) -> ModelSpec | CompositionSpec | None:
    return None if manifest is None else manifest.models.get(address) or manifest.compositions.get(address)


def _order(address: Address, manifest: Manifest | None) -> tuple[str, ...]:
    """Names of its samples, as declared."""
    spec = _spec(address, manifest)
    return () if spec is None else tuple(sample.name for sample in spec.samples.samples)


# -- files


def _target(call: Invocation, place: StateLocation, manifest: Manifest | None) -> PageFile:
    out, cwd = call.arguments.out, call.settings.cwd
    if is_stream(out, cwd):
        raise UsageError(f"--out takes a file: {out} is a device or a pipe", hint="without --out the card is printed")
    target = PageFile(out, cwd, option="--out", may_stream=False, kind="card", is_own=is_card)
    target.begin(None if manifest is None else PlanRequest(manifest=manifest, datasets={}, place=place))
    return target


def _written_pictures(
    call: Invocation, place: StateLocation, version: Version, order: tuple[str, ...]
) -> dict[AssetId, str]:
    """Copies the small pictures of samples into a folder beside the card; links to them, by asset."""
    wanted = card_pictures(version, order)
    here = read_sample_thumbnails(
        place.root, [one.thumbnail for one in wanted], most_bytes=_MOST_PICTURE_BYTES, most_in_all=_MOST_BYTES
    )
    path = os.path.abspath(os.path.join(call.settings.cwd, call.arguments.out))
    name = f"{os.path.splitext(os.path.basename(path))[0]}-samples"
    folder = own_folder(os.path.join(os.path.dirname(path), name), within=untrusted_top(path, call.settings.cwd))
    links: dict[AssetId, str] = {}
    for one in wanted:
        shown = here[one.thumbnail]
        if isinstance(shown, Thumbnail):
            _place(folder, one.name, shown.data)
            links[one.asset] = f"{_quoted(name)}/{one.name}"
    if missing := len(wanted) - len(links):
        call.tell(f"{counted(missing, 'picture')} of samples could not be copied: the card names the asset instead.")
    return links


def _place(folder: OwnFolder, name: str, data: bytes) -> None:
    """Raises TargetTaken for what is there and is not that picture."""
    temporary, path = temporary_name(name), os.path.join(folder.path, name)
    try:
        descriptor = folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, create_folder=True)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(data)
            folder.link(temporary, name)
        except FileExistsError:
            if folder.read(name)[0] != data:
                hint = "delete it, or name another file"
                raise TargetTaken(f"{path} exists, and is not overwritten", hint=hint) from None
        finally:
            with suppress(FileNotFoundError):
                folder.unlink(temporary)
    except UnsafeFile as error:
        raise TargetTaken(str(error.strerror), hint=error.hint) from error
    except OSError as error:
        what = f"the pictures of the card cannot be written to {folder.path}: {error.strerror or error}"
        raise TargetTaken(what, hint="name a file in a folder that exists") from error


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


# -- Scenario


def _push(call: Invocation, world: Environment, version: Version, text: str) -> int:
    """Shows what the card replaces, asks, and sends it, unless Scenario has it already."""
    assert world.api is not None
    held = world.api.get_card(version.id) or ""
    if held.strip() == text.strip():
        call.tell(f"Model {version.id} has this card already; nothing was sent.")
        return ExitCode.OK
    kinds = ("as it will be",)
    call.show(file_diff(f"description of {version.id}", held, text, call.out_now, encoding="UTF-8", kinds=kinds))
    if not _is_approved(call, version, replaces=bool(held)):
        call.tell("Nothing was changed.")
        return ExitCode.ERROR
    world.api.set_card(version.id, text)
    call.tell(f"Model {version.id} has the card as its description now.")
    return ExitCode.OK


def _is_approved(call: Invocation, version: Version, *, replaces: bool) -> bool:
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible(
            "approval is required, but no terminal is attached; nothing was changed",
            hint="add --auto-approve to send what is shown above",
        )
    what = "Replace the description" if replaces else "Set the description"
    return call.confirm(f"{what} of model {version.id} on Scenario?", "Only 'yes' will be accepted.")
