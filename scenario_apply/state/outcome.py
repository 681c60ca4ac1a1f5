"""What a step's call came to, as data; and the state that follows from it. The journal replays the same function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar, assert_never

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import may_be_kept_of
from scenario_apply.model.remote import AssetId, JobId, ModelId
from scenario_apply.model.steps import (
    AttachImages,
    Attachment,
    AwaitSample,
    AwaitTraining,
    CreateModel,
    DeleteModel,
    DetachImage,
    DrawSample,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    UpdateModel,
    UploadImage,
)
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.sample_account import sample_ended, sample_launched
from scenario_apply.state.sample_records import with_ended, with_launched, with_version
from scenario_apply.state.spending import accounted, quote_terms
from scenario_apply.state.state import (
    ConceptRecord,
    DrawnPicture,
    Fingerprint,
    ImageRecord,
    KeptCaption,
    KeptLabels,
    PairRecord,
    Phase,
    Quote,
    Record,
    SamplePhase,
    SampleRecord,
    State,
    Version,
)

Answer = TypeVar("Answer")
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class SampleEnd(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a sample ended, well or not."""

    phase: SamplePhase
    pictures: tuple[DrawnPicture, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the service answered. Which fields are set depends on the step; at: ISO 8601, UTC.

    asset_ids: of an attach, in the order of its images. reason "vanished": a new model that replaces a deleted one.
    caption, labels: what the service kept of the texts it was sent, where it says so and they differ.
    sha256: of the bytes of an image that were sent, where they are not those of its file.
    cu, discount, details: what a training was charged; quoted: what its dry run said. job_id None, of a sample: whether
    it was launched is not known.
    """

    at: str
    model_id: ModelId | None = None
    asset_id: AssetId | None = None
    job_id: JobId | None = None
    phase: Phase | None = None
    reason: str | None = None
    cu: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    quoted: float | None = None
    fingerprint: Fingerprint | None = None
    concepts: tuple[ConceptRecord, ...] = ()
    pairs: tuple[PairRecord, ...] = ()
    asset_ids: tuple[AssetId, ...] = ()
    caption: KeptCaption | None = None
    labels: KeptLabels | None = None
    sha256: Sha256 | None = None
    sample: SampleEnd | None = None
    adopted: str | None = None  # by what it was recognised, after a lost answer


def after(state: State, planned: PlannedStep, outcome: Outcome) -> State:
    """The state once a step is done. Raises ValueError when the outcome is not that of such a step."""
    step = planned.step
    record = state.records.get(step.address)
    match step:
        case CreateModel():
            return state.with_record(step.address, _created(step, record, outcome))
        case UploadImage():
            return _uploaded(state, step, outcome)
        case AttachImages():
            added = tuple(
                _attached(state, asset_id, image)
                for image, asset_id in zip(step.images, outcome.asset_ids, strict=True)
            )
            state = replace(state, loose={k: v for k, v in state.loose.items() if k not in outcome.asset_ids})
            return _with_working(state, step.address, lambda v: replace(v, images=_joined(v.images, added)))
        case DetachImage():
            detached = [i for i in record.working.images if i.asset_id == step.asset_id] if record else []
            state = _with_working(state, step.address, lambda v: _without_image(v, step.asset_id))
            still = state.assets()
            loose = {i.asset_id: i.asset for i in detached if i.sha256 and i.asset_id not in still}
            return replace(state, loose={**state.loose, **loose}) if loose else state
        case SetCaption():
            asset_id = _answered(outcome.asset_id, step)
            return _captioned(state, asset_id, step.caption, outcome.caption or KeptCaption())
        case SetPairs():
            return _with_working(state, step.address, lambda v: replace(v, pairs=outcome.pairs))
        case UpdateModel():
            return _with_working(state, step.address, lambda v: _updated(v, step, outcome))
        case SetTags():
            return _with_working(state, step.address, lambda v: _tagged(v, step, outcome))
        case StartTraining():
            state = _with_working(state, step.address, lambda v: _launched(v, step, outcome))
            return _accounted(state, step.address)
        case AwaitTraining():
            return _ended(state, step, outcome)
        case DeleteModel():
            return state.with_record(step.address, without_version(record, step.model_id))
        case DrawSample():
            return _launched_sample(state, step, outcome)
        case AwaitSample():
            state = with_version(state, step.address, step.number, lambda v: _with_ended_sample(v, step, outcome))
            return sample_ended(state, step.address, step.number, step.key)
        case _:
            assert_never(step)


def _without_image(version: Version, asset_id: AssetId) -> Version:
    """The service removes the pairs of an image together with it."""
    return replace(
        version,
        images=tuple(image for image in version.images if image.asset_id != asset_id),
        pairs=tuple(pair for pair in version.pairs if asset_id not in (pair.source_id, pair.target_id)),
    )


def _answered(value: Answer | None, step: Step) -> Answer:
    """An id that the service gave for the step."""
    if value is None:
        raise ValueError(f"the outcome of a step of kind {step.kind} has no id")
    return value


def _created(step: CreateModel, record: Record | None, outcome: Outcome) -> Record:
    version = Version(
        number=step.number,
        id=_answered(outcome.model_id, step),
        phase="building",
        name=step.name,
        type=step.type,
        description=step.description,
        concepts=outcome.concepts,
        created_at=outcome.at,
        kept=outcome.labels,
        picture_options=step.picture_options or "",
    )
    if record is None:
        return Record(current=version, protected=step.protected)
    if outcome.reason == "vanished":
        return replace(record, current=version, pending=None)
    if record.pending is not None:
        return replace(record, pending=version, previous=(record.pending, *record.previous))
    return replace(record, pending=version)


def _uploaded(state: State, step: UploadImage, outcome: Outcome) -> State:
    asset_id, picture = _answered(outcome.asset_id, step), step.picture
    image = ImageRecord(picture.path, outcome.sha256 or picture.sha256, asset_id, "")
    if picture.recipe:
        image = replace(image, source_sha256=picture.sha256, recipe=picture.recipe)
    if step.way != "data":
        return replace(state, loose={**state.loose, asset_id: image.asset})
    return _with_working(state, step.address, lambda v: replace(v, images=_joined(v.images, (image,))))


def _joined(images: tuple[ImageRecord, ...], added: tuple[ImageRecord, ...]) -> tuple[ImageRecord, ...]:
    known = {image.asset_id: image for image in (*images, *added)}
    return tuple(known.values())


def _attached(state: State, asset_id: AssetId, image: Attachment) -> ImageRecord:
    """The record of an attached asset, with what is known of its caption."""
    known = state.loose.get(asset_id) or next(
        (held for r in state.records.values() for v in r.versions() for held in v.images if held.asset_id == asset_id),
        None,
    )
    made = ImageRecord(image.path, image.sha256, asset_id, image.caption)
    if image.recipe:
        sent = image.sha256 if known is None else known.sha256
        made = replace(made, sha256=sent, source_sha256=image.sha256, recipe=image.recipe)
    if known is None or known.caption != image.caption:
        return made
    return replace(made, kept=known.kept, silent=known.silent)


def _captioned(state: State, asset_id: AssetId, caption: str, kept: KeptCaption) -> State:
    """The caption belongs to the asset: every version that holds it sees the new one."""
    records = dict(state.records)
    for address, record in state.records.items():
        if any(image.asset_id == asset_id for version in record.versions() for image in version.images):
            records[address] = replace(
                record,
                current=_recaptioned(record.current, asset_id, caption, kept),
                pending=None if record.pending is None else _recaptioned(record.pending, asset_id, caption, kept),
                previous=tuple(_recaptioned(version, asset_id, caption, kept) for version in record.previous),
            )
    loose = state.loose
    if asset_id in loose:
        held = loose[asset_id]
        known = _kept_of(held.caption, caption, kept)
        loose = {**loose, asset_id: replace(held, caption=caption, kept=known.kept, silent=known.silent)}
    return replace(state, records=records, loose=loose)


def _recaptioned(version: Version, asset_id: AssetId, caption: str, kept: KeptCaption) -> Version:
    def recaptioned(image: ImageRecord) -> ImageRecord:
        known = _kept_of(image.caption, caption, kept)
        return replace(image, caption=caption, kept=known.kept, silent=known.silent)

    images = tuple(recaptioned(image) if image.asset_id == asset_id else image for image in version.images)
    return replace(version, images=images)


def _kept_of(before: str, sent: str, kept: KeptCaption) -> KeptCaption:
    """What is known of a new caption. before: the caption until now."""
    return KeptCaption() if _says_nothing(kept.kept, before, sent) else kept


def _says_nothing(kept: str | None, before: str | None, sent: str) -> bool:
    """Whether an answer may come from a copy that lags: it has the text of before, which is none of the new one."""
    return kept is not None and kept == before and not may_be_kept_of(sent, kept)


def _tagged(version: Version, step: SetTags, outcome: Outcome) -> Version:
    tags = {*version.tags, *step.add} - set(step.delete)
    earlier = {} if version.kept is None else version.kept.tags
    kept = {tag: form for tag, form in earlier.items() if tag in tags and tag not in step.add}
    kept |= {} if outcome.labels is None else outcome.labels.tags
    return replace(version, tags=tuple(sorted(tags)), kept=_labels(version, tags=kept))


def _labels(version: Version, **changed: object) -> KeptLabels | None:
    """What is known of a version's labels after a change; None where nothing is."""
    kept = replace(version.kept or KeptLabels(), **changed)
    return None if kept == KeptLabels() else kept


def _relabelled(version: Version, step: UpdateModel, outcome: Outcome) -> KeptLabels | None:
    answered, changed = outcome.labels or KeptLabels(), {}
    if step.name is not None:
        changed["name"] = None if _says_nothing(answered.name, version.name, step.name) else answered.name
    if step.description is not None:
        stale = _says_nothing(answered.description, version.description, step.description)
        changed["description"] = None if stale else answered.description
    return _labels(version, **changed)


def _updated(version: Version, step: UpdateModel, outcome: Outcome) -> Version:
    return replace(
        version,
        name=version.name if step.name is None else step.name,
        description=version.description if step.description is None else step.description,
        concepts=version.concepts if step.concepts is None else _as_trained(outcome.concepts, version),
        epoch=step.epoch or version.epoch,
        kept=_relabelled(version, step, outcome),
    )


def _as_trained(concepts: tuple[ConceptRecord, ...], version: Version) -> tuple[ConceptRecord, ...]:
    """New parts. Only a launch says what they were trained from: until then the version is not up to date."""
    known = {concept.model_id: concept.trained_from for concept in version.concepts}
    return tuple(replace(concept, trained_from=known.get(concept.model_id)) for concept in concepts)


def _accounted(state: State, address: Address) -> State:
    record = state.records.get(address)
    return state if record is None else accounted(state, address, record.working)


def _quote_of(version: Version, step: StartTraining, outcome: Outcome) -> Quote | None:
    """The quote of this very training; None where there was none."""
    terms = quote_terms(version.type, step.parameters, len(version.images))
    held = version.quote
    if held is not None and held.terms == terms and outcome.quoted in (None, held.cu):
        return held
    return None if outcome.quoted is None else Quote(cu=outcome.quoted, terms=terms, at=outcome.at)


def _launched(version: Version, step: StartTraining, outcome: Outcome) -> Version:
    return replace(
        version,
        phase="training",
        job_id=outcome.job_id,
        fingerprint=outcome.fingerprint,
        parameters={key: plain_parameter(value) for key, value in step.parameters.items()},
        concepts=outcome.concepts or version.concepts,
        reason=None,
        charged=outcome.cu,
        discount=outcome.discount,
        cost_details=outcome.details,
        quote=_quote_of(version, step, outcome),
        launched_at=outcome.at,
        ended_at=None,
        picture_options=step.picture_options or "",
        epoch=None,  # it was one of the training before
    )


def _ended(state: State, step: AwaitTraining, outcome: Outcome) -> State:
    phase = outcome.phase or "trained"
    state = _with_working(
        state,
        step.address,
        lambda v: replace(
            v,
            phase=phase,
            reason=outcome.reason,
            ended_at=outcome.at,
            job_id=outcome.job_id or v.job_id,
            charged=v.charged if outcome.cu is None else outcome.cu,
            discount=v.discount if outcome.discount is None else outcome.discount,
            cost_details=outcome.details or v.cost_details,
        ),
    )
    state = _accounted(state, step.address)
    record = state.records.get(step.address)
    if phase == "trained" and record is not None:
        state = state.with_record(step.address, record.promoted())
    return state


def without_version(record: Record | None, model_id: ModelId) -> Record | None:
    """The record after one of its versions was deleted; None when that was the last."""
    if record is None:
        return None
    previous = tuple(version for version in record.previous if version.id != model_id)
    pending = None if record.pending is not None and record.pending.id == model_id else record.pending
    if record.current.id != model_id:
        return replace(record, pending=pending, previous=previous)
    heirs = [version for version in (pending, *previous) if version is not None]
    if not heirs:
        return None
    return replace(record, current=heirs[0], pending=None, previous=tuple(heirs[1:]))


def _with_working(state: State, address: Address, change: Callable[[Version], Version]) -> State:
    record = state.records.get(address)
    if record is None:
        return state
    return state.with_record(address, record.with_working(change(record.working)))


def _launched_sample(state: State, step: DrawSample, outcome: Outcome) -> State:
    record = SampleRecord(
        request=step.sample,
        phase="drawing",
        at=outcome.at,
        job_id=outcome.job_id,
        charged=outcome.cu,
        discount=outcome.discount,
        details=outcome.details,
    )
    state = with_version(state, step.address, step.number, lambda version: with_launched(version, record))
    if outcome.job_id is None:
        return state  # whether anything was paid is not known
    return sample_launched(state, step.address, step.number, record, outcome.quoted)


def _with_ended_sample(version: Version, step: AwaitSample, outcome: Outcome) -> Version:
    return with_ended(version, step.key, lambda sample: _ended_sample(sample, outcome))


def _ended_sample(sample: SampleRecord, outcome: Outcome) -> SampleRecord:
    end = outcome.sample
    if end is None:
        return sample
    return replace(
        sample,
        phase=end.phase,
        pictures=end.pictures,
        reason=outcome.reason,
        ended_at=outcome.at,
        charged=sample.charged if outcome.cu is None else outcome.cu,
        discount=sample.discount if outcome.discount is None else outcome.discount,
        details=outcome.details or sample.details,
    )
