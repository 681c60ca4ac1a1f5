"""An `import:` block: a model that exists on the service becomes the record of a declared resource. Nothing is sent.

The service returns names of images, not their bytes: images are matched with the manifest's by name, or by the name
that an export gives them.
Parameters are taken over where the manifest declares them, so that what the service filled in by itself is no change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec, Import
from scenario_apply.model.address import Address
from scenario_apply.model.file_names import IMAGE_SUFFIXES, stem_of, suffix_of
from scenario_apply.model.kept_text import is_kept_form, is_same_tag, is_same_value, normal_form
from scenario_apply.model.remote import AssetId, ModelId, RemoteConcept, RemoteModel, RemotePair, TrainingImage
from scenario_apply.model.yaml_word import yaml_word
from scenario_apply.planning.as_sent import captions_held
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.epochs import declared_epoch
from scenario_apply.planning.observed import PHASE_OF, Observed, shown_parameter
from scenario_apply.planning.ownership import is_own
from scenario_apply.state.state import AssetRecord, ConceptRecord, ImageRecord, PairRecord, Record, State, Version


def imported(wanted: Import, spec: Spec, contents: Contents, state: State, observed: Observed) -> Record | Diagnostic:
    """The record of the model that the block names, or why there can be none."""
    model_id = ModelId(wanted.model_id)
    owner = _owner(state, model_id)
    if owner is not None:
        return Diagnostic(
            code="import-recorded",
            message=f"{model_id} is recorded as {owner} already",
            location=wanted.place,
            hint=f"moved: {{ from: {yaml_word(str(owner))}, to: {yaml_word(str(wanted.target))} }} gives it the new "
            "address",
        )
    remote = observed.models.get(model_id)
    if remote is None and not observed.refreshed:
        return Diagnostic(
            code="import-unseen",
            message=f"{model_id} can only be imported by a plan that asks the service",
            location=wanted.place,
            hint="leave out --no-refresh",
        )
    if remote is None:
        return Diagnostic(
            code="import-nothing", message=f"the service knows of no model {model_id}", location=wanted.place
        )
    if not is_own(remote, observed.owners, observed.own or ()):  # before anything about it is shown
        return Diagnostic(
            code="import-foreign",
            message=f"{model_id} is not one of the project's own models",
            location=wanted.place,
            hint="import a model of this project; another's public model can be a part of a composition: modelId",
        )
    if remote.type != spec.type:
        return Diagnostic(
            code="import-type",
            message=f"{model_id} is of type {remote.type}, {wanted.target} is declared as {spec.type}",
            location=wanted.place,
            hint=f"declare type: {remote.type}",
        )
    return Record(current=imported_version(remote, spec, contents), protected=bool(spec.lifecycle.prevent_destroy))


def taken_address(wanted: Import, record: Record) -> Diagnostic | None:
    """Why a block cannot import onto an address that records another model; None when it did so already."""
    if any(version.id == wanted.model_id for version in record.versions()):
        return None
    return Diagnostic(
        code="import-taken",
        message=f"{wanted.target} records {record.current.id} already: {wanted.model_id} is not imported over it",
        location=wanted.place,
        hint=f"take the import block out, or forget the record first: scenario-apply state rm {wanted.target}",
    )


def undeclared_imports(desired: Desired, state: State) -> tuple[Diagnostic, ...]:
    """A warning for each block that imports nothing, because the manifest does not declare what it names."""
    return tuple(
        Diagnostic(
            code="import-undeclared",
            severity="warning",
            message=f"{block.model_id} is not imported: {block.target} is not declared",
            location=block.place,
            hint="scenario-apply import --blocks writes its part of the manifest, with images and captions",
        )
        for block in desired.imports
        if block.target not in desired.specs and block.target not in state.records
    )


def _owner(state: State, model_id: ModelId) -> Address | None:
    for address, record in state.records.items():
        if any(version.id == model_id for version in record.versions()):
            return address
    return None


def imported_version(remote: RemoteModel, spec: Spec, contents: Contents) -> Version:
    """The model as the service shows it; where it only writes what is declared in another way, as declared."""
    name, description = _as_declared(spec.name, remote.name), _as_declared(spec.description, remote.short_description)
    declared = declared_parameters(spec)
    return Version(
        number=1,
        id=remote.id,
        phase=PHASE_OF.get(remote.status or "", "building"),
        name=name or spec.name,
        type=remote.type,
        description=description if spec.description is not None else None,
        tags=tuple(tag for tag in spec.tags if any(is_same_tag(tag, held) for held in remote.tags or ())),
        parameters={key: shown_parameter(key, value, remote.parameters or {}) for key, value in declared.items()},
        concepts=tuple(_concept(concept, spec) for concept in remote.concepts or ()),
        images=_images(remote, contents),
        pairs=tuple(_pair(pair, contents) for pair in remote.pairs or ()),
        job_id=remote.job_id,
        epoch=None if declared_epoch(spec) is None else remote.epoch,
    )


def _as_declared(declared: str | None, held: str | None) -> str | None:
    return declared if declared and held and is_kept_form(declared, held) else held


def _concept(concept: RemoteConcept, spec: Spec) -> ConceptRecord:
    scales = [one.scale for one in spec.concepts] if isinstance(spec, CompositionSpec) else []
    scale = next((scale for scale in scales if is_same_value(scale, concept.scale)), concept.scale)
    return ConceptRecord(concept.model_id, scale, concept.epoch)


def _pair(pair: RemotePair, contents: Contents) -> PairRecord:
    declared = (one.instruction for one in contents.pairs)
    instruction = next((one for one in declared if is_kept_form(one, pair.instruction)), pair.instruction)
    return PairRecord(pair.source_id, pair.target_id, instruction)


def _images(remote: RemoteModel, contents: Contents) -> tuple[ImageRecord, ...]:
    """Images with the manifest's that they are. A caption of the service's own is none of ours."""
    images = list(remote.images or ())
    declared = declared_images(remote, contents)
    found = [declared.get(image.id) for image in images]
    sent = [None if one is None else AssetRecord(one.sha256, one.caption or "") for one in found]
    are_held = captions_held(list(zip(sent, images, strict=True)))
    return tuple(
        _image(image, one, is_held or _takes_no_caption(image, one, contents))
        for image, one, is_held in zip(images, found, are_held, strict=True)
    )


def _takes_no_caption(image: TrainingImage, declared: Image | None, contents: Contents) -> bool:
    """Whether the caption that the service holds is of no use: blanks, or that of a picture of edit pairs."""
    return declared is not None and not declared.caption and (bool(contents.pairs) or not image.description.strip())


def declared_images(remote: RemoteModel, contents: Contents) -> Mapping[AssetId, Image]:
    """The manifest's image that each image of the model is: by its name, its normal form, or its name in an export."""
    from scenario_apply.planning.picture_stems import pairs_of, picture_stems  # few plans import anything

    by_path = {image.path: image for image in contents.images}
    by_form = {normal_form(image.path): image for image in contents.images}
    by_stem = {stem_of(image.path): image for image in contents.images}
    images = remote.images or ()
    times = Counter(normal_form(image.name) for image in images)
    stems = picture_stems(images, pairs_of(remote))
    found: dict[AssetId, Image] = {}
    for image in images:
        one, form = None, normal_form(image.name)
        if times[form] == 1:  # several of one name were made unique by an export
            one = by_path.get(image.name) or by_form.get(form)
        renamed = [stem for stem in stems.get(image.id, ()) if _is_renamed(image, stem) or times[form] > 1]
        one = one or next((by_stem[stem] for stem in renamed if stem in by_stem), None)
        one = one or by_path.get(image.name)
        if one is not None:
            found[image.id] = one
    return found


def _is_renamed(image: TrainingImage, stem: str) -> bool:
    """Whether its file in an export has another name than it has on the service."""
    return stem_of(image.name) != stem or suffix_of(image.name) not in IMAGE_SUFFIXES


def _image(image: TrainingImage, declared: Image | None, is_held: bool) -> ImageRecord:
    if declared is None:
        return ImageRecord(image.name, "", image.id, image.description)
    caption = (declared.caption or "") if is_held else image.description
    kept = None if caption == image.description else image.description
    record = ImageRecord(declared.path, declared.sha256, image.id, caption, kept)
    # which bytes were sent is not known: assume those of the file, altered as declared
    return replace(record, source_sha256=declared.sha256, recipe=declared.recipe) if declared.recipe else record
