"""Decisions -> typed steps in their order. Everything is decided before: this only writes it down as steps. Pure.

Steps come resource by resource, so that the first training starts while the next resource still uploads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from msgspec import UNSET

from scenario_apply.dataset.types import Image
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.limits import IDS_PER_ATTACH
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import (
    AssetRef,
    AttachImages,
    Attachment,
    AwaitTraining,
    ConceptRef,
    CreateModel,
    DeleteModel,
    DetachImage,
    PairRef,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    StepId,
    UpdateModel,
    UploadImage,
    UploadWay,
)
from scenario_apply.planning.attributes import LabelChange, Spec, declared_parameters
from scenario_apply.planning.decision import (
    Complete,
    ContentWork,
    Create,
    Decision,
    Delete,
    Forget,
    Keep,
    Relabel,
    Replace,
    Retrain,
    Wait,
)
from scenario_apply.planning.epochs import declared_epoch
from scenario_apply.planning.image_placement import (
    EarlierUpload,
    ImagePlacement,
    Key,
    KnownAsset,
    NewAsset,
    assets_by_content,
    key_of,
    place_images,
)
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.owed_samples import NO_SAMPLES, SampleWork
from scenario_apply.planning.pair_diff import holds_pairs
from scenario_apply.planning.reasons import EpochChanged
from scenario_apply.planning.retention import users_of_versions
from scenario_apply.planning.sample_steps import add_sample_steps, picture_ref
from scenario_apply.state.state import State


def make_steps(
    decisions: Mapping[Address, Decision],
    state: State,
    observed: Observed,
    samples: Mapping[Address, SampleWork] = NO_SAMPLES.works,
) -> list[PlannedStep]:
    """The steps of all decisions, in the order of their needs, then their samples; those that delete last."""
    builder = _Builder(decisions, place_images(decisions, state, observed), observed)
    for decision in decisions.values():
        builder.build(decision)
    if samples:
        known = assets_by_content(state, observed, decisions.values())
        add_sample_steps(builder.add, samples, known, builder.uploads, builder.ended)
    for decision in decisions.values():
        builder.deletes(decision)
    return builder.steps


class _Builder:
    def __init__(
        self, decisions: Mapping[Address, Decision], placements: Mapping[Address, ImagePlacement], observed: Observed
    ) -> None:
        self.observed = observed
        self.decisions = decisions
        self.placements = placements
        self.users = users_of_versions(decisions)
        self.steps: list[PlannedStep] = []
        self.ended: dict[Address, StepId] = {}  # of a resource: its last wait, or the choice of its epoch
        self.deleted: dict[Address, list[StepId]] = {}
        self.uploads: dict[Key, AssetRef] = {}
        self.captioned: dict[AssetRef, StepId] = {}

    def add(self, step: Step, *after: StepId | None) -> StepId:
        step_id = f"s{len(self.steps) + 1}"
        needs = tuple(dict.fromkeys(need for need in after if need is not None))
        self.steps.append(PlannedStep(id=step_id, step=step, after=needs))
        return step_id

    def build(self, decision: Decision) -> None:
        match decision:
            case Create() | Replace():
                made = self.create(decision)
                self.train(decision, [made, *self.images(decision, made)])
            case Complete() | Retrain():
                self.train(decision, [*self.update(decision), *self.images(decision, None)])
            case Relabel():
                self.labels(decision.address, decision.labels, epoch=decision.labels.epoch)
            case Wait():
                self.wait(decision.address, decision.declared, self.labels(decision.address, decision.labels))
            case Keep() | Delete() | Forget():
                pass
            case _:
                assert_never(decision)

    # -- the model itself

    def create(self, work: ContentWork) -> StepId:
        spec = work.declared
        concepts, needs = self.concepts(work)
        step = CreateModel(
            address=work.address,
            number=1 if work.record is None else work.record.next_number,
            name=spec.name,
            type=spec.type,
            description=spec.description,
            concepts=concepts,
            protected=bool(spec.lifecycle.prevent_destroy),
            picture_options=work.picture_options or UNSET,
        )
        made = self.add(step, *needs)
        return self.add(SetTags(address=work.address, add=spec.tags), made) if spec.tags else made

    def update(self, work: ContentWork) -> list[StepId]:
        """Labels, and the parts of a composition that is changed in place."""
        if not isinstance(work.declared, CompositionSpec):
            return self.labels(work.address, work.labels)
        concepts, needs = self.concepts(work)
        if not needs and self.are_composed(work, concepts):
            return self.labels(work.address, work.labels)
        return self.labels(work.address, work.labels, concepts, needs)

    def labels(
        self,
        address: Address,
        labels: LabelChange,
        concepts: tuple[ConceptRef, ...] | None = None,
        needs: Iterable[StepId] = (),
        epoch: EpochChanged | None = None,
    ) -> list[StepId]:
        """epoch: of a version that is trained already."""
        added = []
        if labels.labels or concepts is not None or epoch is not None:
            step = UpdateModel(
                address=address,
                name=labels.labels.get("name"),
                description=labels.labels.get("description"),
                concepts=concepts,
                epoch=UNSET if epoch is None else epoch.new,
            )
            added.append(self.add(step, *needs))
            if epoch is not None:
                self.ended[address] = added[-1]
        if labels.tags_add or labels.tags_delete:
            added.append(self.add(SetTags(address=address, add=labels.tags_add, delete=labels.tags_delete)))
        return added

    def are_composed(self, work: ContentWork, concepts: tuple[ConceptRef, ...]) -> bool:
        """Whether the version holds exactly these parts already, so that only a training is missing."""
        if work.target is None:
            return False
        wanted = [(self.resolved(concept), float(concept.scale), concept.epoch) for concept in concepts]
        return wanted == [(c.model_id, float(c.scale), c.epoch) for c in work.target.concepts]

    def resolved(self, concept: ConceptRef) -> ModelId | None:
        if concept.model is None:
            return None if concept.model_id is None else ModelId(concept.model_id)
        record = self.decisions[concept.model].record
        return None if record is None else record.current.id

    def concepts(self, work: ContentWork) -> tuple[tuple[ConceptRef, ...], list[StepId]]:
        spec = work.declared
        if not isinstance(spec, CompositionSpec):
            return (), []
        refs = []
        for concept, part in zip(spec.concepts, work.resource.parts, strict=True):
            model_id = part.model_id if concept.find is not None else ModelId(concept.model_id or "")
            refs.append(
                ConceptRef(
                    model=concept.model,
                    model_id=None if concept.model else model_id,
                    scale=concept.scale,
                    epoch=concept.epoch,
                )
            )
        needs = [self.ended[c.model] for c in spec.concepts if c.model is not None and c.model in self.ended]
        return tuple(refs), needs

    def train(self, work: ContentWork, ready: Iterable[StepId | None]) -> None:
        if work.trains:
            parameters = dict(declared_parameters(work.declared))
            step = StartTraining(
                address=work.address,
                parameters=parameters,
                dataset=work.dataset_digest,
                picture_options=work.picture_options or UNSET,
            )
            self.wait(work.address, work.declared, [self.add(step, *ready)])

    def wait(self, address: Address, spec: Spec, ready: Iterable[StepId]) -> None:
        """Until the training has ended and the declared epoch is chosen; what uses the model comes after that."""
        self.ended[address] = self.add(AwaitTraining(address=address, type=spec.type), *ready)
        if (epoch := declared_epoch(spec)) is not None:
            self.ended[address] = self.add(UpdateModel(address=address, epoch=epoch), self.ended[address])

    # -- images

    def images(self, work: ContentWork, made: StepId | None) -> list[StepId | None]:
        """Uploads, captions, attaches, detaches and pairs; the ids of all of them that a training must wait for."""
        placement = self.placements.get(work.address)
        if placement is None:
            return []
        done: list[StepId | None] = []
        refs: dict[Key, AssetRef] = {}
        attach: list[tuple[Attachment, StepId | None]] = []
        for image, place in placement.places:
            match place:
                case KnownAsset():
                    ref, attaches = AssetRef(id=place.id), not place.is_attached
                    if place.recaption:
                        self.captioned[ref] = self.caption(work, image, ref)
                case NewAsset(way):
                    ref, attaches = self.upload(work, image, way, made), way != "data"
                case EarlierUpload():
                    ref, attaches = self.uploads[key_of(image)], True
                case _:
                    assert_never(place)
            refs[key_of(image)] = ref
            needs = self.captioned.get(ref) or ref.step
            if attaches:
                caption = image.caption or ""
                attachment = Attachment(
                    asset=ref, path=image.path, sha256=image.sha256, caption=caption, recipe=image.recipe
                )
                attach.append((attachment, needs))
            else:
                done.append(needs)
        for asset_id, name in placement.detach:
            done.append(self.add(DetachImage(address=work.address, asset_id=asset_id, path=name), made))
        for start in range(0, len(attach), IDS_PER_ATTACH):
            batch = attach[start : start + IDS_PER_ATTACH]
            step = AttachImages(address=work.address, images=tuple(attachment for attachment, _ in batch))
            done.append(self.add(step, made, *(need for _, need in batch)))
        return [*done, *self.pairs(work, refs, done)]

    def upload(self, work: ContentWork, image: Image, way: UploadWay, made: StepId | None) -> AssetRef:
        """A step that uploads the image, and one that captions it."""
        step = UploadImage(address=work.address, picture=picture_ref(image), way=way)
        ref = AssetRef(step=self.add(step, made if way == "data" else None))
        self.uploads[key_of(image)] = ref
        if image.caption:
            self.captioned[ref] = self.caption(work, image, ref)
        return ref

    def caption(self, work: ContentWork, image: Image, ref: AssetRef) -> StepId:
        step = SetCaption(
            address=work.address, asset=ref, path=image.path, sha256=image.sha256, caption=image.caption or ""
        )
        return self.add(step, ref.step)

    def pairs(self, work: ContentWork, by_key: Mapping[Key, AssetRef], done: Iterable[StepId | None]) -> list[StepId]:
        """A step that sets the pairs, also to none, where the recorded ones or those on the service differ."""
        by_path = {image.path: by_key[key_of(image)] for image in work.contents.images}
        refs = tuple(
            PairRef(source=by_path[pair.before], target=by_path[pair.after], instruction=pair.instruction)
            for pair in work.contents.pairs
        )
        target = work.target
        recorded = () if target is None else target.pairs
        is_held = target is None or holds_pairs(target, self.observed.models.get(target.id))
        held = {(pair.source_id, pair.target_id, pair.instruction) for pair in recorded}
        if is_held and held == {(ref.source.id, ref.target.id, ref.instruction) for ref in refs}:
            return []
        return [self.add(SetPairs(address=work.address, pairs=refs), *done)]

    # -- deletes

    def deletes(self, decision: Decision) -> None:
        if not decision.delete or (isinstance(decision, Delete) and not decision.consented):
            return
        after = [step for user in self.users_of(decision) for step in self.last_steps(user)]
        if decision.address in self.ended:
            after.insert(0, self.ended[decision.address])
        self.deleted[decision.address] = [
            self.add(DeleteModel(address=decision.address, model_id=version.id, number=version.number), *after)
            for version in decision.delete
        ]

    def users_of(self, decision: Decision) -> list[Address]:
        """Resources composed, until now, of any version of this one."""
        if decision.record is None:
            return []
        # in the order of the record: the same inputs give the same plan, step by step
        ids = dict.fromkeys(version.id for version in decision.record.versions())
        return [user for model_id in ids for user in self.users.get(model_id, ())]

    def last_steps(self, user: Address) -> list[StepId]:
        """After which steps a composition no longer needs what it was made of."""
        if user in self.ended:
            return [self.ended[user]]
        return self.deleted.get(user, []) if isinstance(self.decisions[user], Delete) else []
