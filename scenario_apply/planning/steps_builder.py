"""Verdicts -> a plan: typed steps, their order, their requests and cost. Pure.

Steps come resource by resource, so that the first training starts while the next resource still uploads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from scenario_apply.dataset.types import Image
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.limits import IDS_PER_ATTACH, SINGLE_UPLOAD_BYTES
from scenario_apply.model.remote import AssetId, ModelId
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
    PictureRef,
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
    requests_of,
)
from scenario_apply.planning.asset_pool import AssetPool, Key, key_of
from scenario_apply.planning.attributes import declared_parameters
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import State, Version


def make_steps(
    verdicts: Mapping[Address, Decision], state: State, observed: Observed, *, delete: bool
) -> tuple[list[PlannedStep], dict[Address, Change], list[Address]]:
    """The steps, each resource's change with its steps and requests, and the deletes that wait for consent.

    verdicts: in the order of their needs. delete: whether there is consent to delete.
    """
    builder = _Builder(verdicts, state, observed, delete)
    for verdict in verdicts.values():
        builder.build(verdict)
    for verdict in verdicts.values():
        builder.build_deletes(verdict)
    return builder.steps, builder.changes, builder.withheld


class _Builder:
    def __init__(self, verdicts: Mapping[Address, Decision], state: State, observed: Observed, delete: bool) -> None:
        self.verdicts = verdicts
        self.observed = observed
        self.delete = delete
        self.steps: list[PlannedStep] = []
        self.changes = {address: verdict.change for address, verdict in verdicts.items()}
        self.withheld: list[Address] = []
        self.ended: dict[Address, StepId] = {}  # the last wait of a resource
        self.users = _users(verdicts)
        working = [verdict for verdict in verdicts.values() if verdict.work and verdict.contents.images]
        # thousands of unchanged resources cost nothing here: the pool is only filled when an image is placed
        self.pool = AssetPool(state, observed, verdicts.values() if working else ())
        self.shared = _shared(working)
        self.made: dict[Key, AssetRef] = {}
        self.ways: dict[StepId, UploadWay] = {}
        self.captioned: dict[AssetRef, StepId] = {}

    def add(self, step: Step, *after: StepId | None) -> StepId:
        step_id = f"s{len(self.steps) + 1}"
        needs = tuple(dict.fromkeys(need for need in after if need is not None))
        self.steps.append(PlannedStep(id=step_id, step=step, after=needs))
        change = self.changes[step.address]
        self.changes[step.address] = replace(
            change, steps=(*change.steps, step_id), requests=change.requests + requests_of(step)
        )
        return step_id

    # -- one resource

    def build(self, verdict: Decision) -> None:
        address = verdict.address
        made: StepId | None = None
        ready: list[StepId | None] = []
        if verdict.work and verdict.fresh:
            made = self.create(verdict)
            ready.append(made)
        ready += self.labels(verdict, made)
        if verdict.work:
            ready += self.images(verdict, made)
        if verdict.train and verdict.spec is not None:
            parameters = dict(declared_parameters(verdict.spec))
            step = StartTraining(address=address, parameters=parameters, dataset=verdict.dataset_digest)
            ready = [self.add(step, *ready)]
        if verdict.wait and verdict.spec is not None:
            self.ended[address] = self.add(AwaitTraining(address=address, type=verdict.spec.type), *ready)

    def create(self, verdict: Decision) -> StepId:
        spec = verdict.spec
        assert spec is not None
        concepts, needs = self.concepts(verdict)
        number = 1 if verdict.record is None else verdict.record.next_number
        step = CreateModel(
            address=verdict.address,
            number=number,
            name=spec.name,
            type=spec.type,
            description=spec.description,
            concepts=concepts,
            protected=bool(spec.lifecycle.prevent_destroy),
        )
        made = self.add(step, *needs)
        if spec.tags:
            return self.add(SetTags(address=verdict.address, add=spec.tags), made)
        return made

    def labels(self, verdict: Decision, made: StepId | None) -> list[StepId]:
        labels = verdict.labels
        added = []
        concepts: tuple[ConceptRef, ...] | None = None
        needs: list[StepId] = []
        if verdict.work and not verdict.fresh and isinstance(verdict.spec, CompositionSpec):
            concepts, needs = self.concepts(verdict)
            if not needs and self.are_composed(verdict, concepts):
                concepts = None
        if labels.labels or concepts is not None:
            step = UpdateModel(
                address=verdict.address,
                name=labels.labels.get("name"),
                description=labels.labels.get("description"),
                concepts=concepts,
            )
            added.append(self.add(step, made, *needs))
        if labels.tags_add or labels.tags_delete:
            tags = SetTags(address=verdict.address, add=labels.tags_add, delete=labels.tags_delete)
            added.append(self.add(tags, made))
        if needs and concepts is None:
            added += needs
        return added

    def are_composed(self, verdict: Decision, concepts: tuple[ConceptRef, ...]) -> bool:
        """Whether the version holds exactly these parts already, so that only a training is missing."""
        version = verdict.target
        if version is None:
            return False
        ids = [self.resolved(concept) for concept in concepts]
        held = [(c.model_id, float(c.scale), c.epoch) for c in version.concepts]
        return held == [(i, float(c.scale), c.epoch) for i, c in zip(ids, concepts, strict=True)]

    def resolved(self, concept: ConceptRef) -> ModelId | None:
        if concept.model is None:
            return None if concept.model_id is None else ModelId(concept.model_id)
        record = self.verdicts[concept.model].record
        return None if record is None else record.current.id

    def concepts(self, verdict: Decision) -> tuple[tuple[ConceptRef, ...], list[StepId]]:
        spec = verdict.spec
        if not isinstance(spec, CompositionSpec):
            return (), []
        refs = []
        for position, concept in enumerate(spec.concepts):
            model_id = concept.model_id
            if concept.find is not None:
                model_id = verdict.parts[position].model_id
            refs.append(
                ConceptRef(
                    model=concept.model,
                    model_id=None if concept.model else ModelId(model_id or ""),
                    scale=concept.scale,
                    epoch=concept.epoch,
                )
            )
        needs = [self.ended[c.model] for c in spec.concepts if c.model is not None and c.model in self.ended]
        return tuple(refs), needs

    # -- images

    def images(self, verdict: Decision, made: StepId | None) -> list[StepId | None]:
        """Uploads, captions, attaches, detaches and pairs; the ids of all of them that a training must wait for."""
        if not verdict.contents.images:
            return []
        there = self.attached(verdict)
        work = _ImageWork(there=there)
        for image in verdict.contents.images:
            if key_of(image) not in work.refs_by_key:
                self.place(verdict, image, work, made)
            work.refs[image.path] = work.refs_by_key[key_of(image)]
        kept = {ref.id for ref in work.refs.values()}
        # what is recorded and hangs there no more is detached, too: a run that died had done it and not written it down
        target = verdict.target
        recorded = {} if target is None else {image.asset_id: image.path for image in target.images}
        for asset_id, name in {**recorded, **there}.items():
            if asset_id not in kept:
                work.done.append(self.add(DetachImage(address=verdict.address, asset_id=asset_id, path=name), made))
        for start in range(0, len(work.attach), IDS_PER_ATTACH):
            batch = work.attach[start : start + IDS_PER_ATTACH]
            step = AttachImages(address=verdict.address, images=tuple(attachment for attachment, _ in batch))
            work.done.append(self.add(step, made, *(need for _, need in batch)))
        if verdict.contents.pairs:
            work.done += self.pairs(verdict, work)
        return work.done

    def attached(self, verdict: Decision) -> dict[AssetId, str]:
        """What hangs on the target now, by id, with its name: as observed, else as recorded."""
        version = verdict.target
        if version is None:
            return {}
        recorded = {image.asset_id: image.path for image in version.images}
        remote = self.observed.models.get(version.id)
        if remote is None or remote.images is None:
            return recorded
        # by id, not in the order of the answer: the same inputs give the same plan, step by step
        images = sorted(remote.images, key=lambda image: image.id)
        return {image.id: recorded.get(image.id, image.name or image.id) for image in images}

    def place(self, verdict: Decision, image: Image, work: _ImageWork, made: StepId | None) -> None:
        """Find or make the asset of one image, caption it, and note it for attaching."""
        key = key_of(image)
        found = self.pool.find(key, work.there)
        if found is not None:
            asset_id, recaption = found
            ref = AssetRef(id=asset_id)
            if recaption:
                self.captioned[ref] = self.caption(verdict, image, ref)
            attaches = asset_id not in work.there
        elif key in self.made:
            ref, attaches = self.made[key], True
        else:
            ref = self.upload(verdict, image, made)
            attaches = ref.step is not None and self.ways[ref.step] != "data"
        work.refs_by_key[key] = ref
        needs = self.captioned.get(ref) or ref.step
        if attaches:
            attachment = Attachment(asset=ref, path=image.path, sha256=image.sha256, caption=image.caption or "")
            work.attach.append((attachment, needs))
        else:
            work.done.append(needs)

    def upload(self, verdict: Decision, image: Image, made: StepId | None) -> AssetRef:
        """A step that uploads the image, and one that captions it."""
        key = key_of(image)
        way: UploadWay = "asset" if key in self.shared else "data"
        if image.size_bytes > SINGLE_UPLOAD_BYTES:
            way = "multipart"
        picture = PictureRef(
            path=image.path, file=image.file, sha256=image.sha256, size_bytes=image.size_bytes, mime=image.mime
        )
        step = UploadImage(address=verdict.address, picture=picture, way=way)
        step_id = self.add(step, made if way == "data" else None)
        ref = AssetRef(step=step_id)
        self.ways[step_id] = way
        self.made[key] = ref
        if image.caption:
            self.captioned[ref] = self.caption(verdict, image, ref)
        return ref

    def caption(self, verdict: Decision, image: Image, ref: AssetRef) -> StepId:
        step = SetCaption(
            address=verdict.address, asset=ref, path=image.path, sha256=image.sha256, caption=image.caption or ""
        )
        return self.add(step, ref.step)

    def pairs(self, verdict: Decision, work: _ImageWork) -> list[StepId]:
        refs = tuple(
            PairRef(source=work.refs[pair.before], target=work.refs[pair.after], instruction=pair.instruction)
            for pair in verdict.contents.pairs
        )
        version = verdict.target
        if version is not None:
            held = {(pair.source_id, pair.target_id, pair.instruction) for pair in version.pairs}
            if held == {(ref.source.id, ref.target.id, ref.instruction) for ref in refs}:
                return []
        return [self.add(SetPairs(address=verdict.address, pairs=refs), *work.done)]

    # -- deletes

    def build_deletes(self, verdict: Decision) -> None:
        """Versions that go: of a resource no longer declared, or beyond keep_versions."""
        if verdict.delete:
            if not self.delete:
                self.withheld.append(verdict.address)
                self.note(verdict.address, "kept until there is consent: --allow-destroy")
                return
            users = [step for user in self.users_of(verdict) for step in self.last_steps(user)]
            for version in verdict.delete:
                self.delete_version(verdict.address, version, *users)
        elif verdict.spec is not None and verdict.record is not None and verdict.spec.enabled:
            self.prune(verdict)

    def prune(self, verdict: Decision) -> None:
        excess = excess_versions(verdict)
        left_behind = {v.id: user for v in excess for user in sorted(self.users.get(v.id, ())) if self.stays(user)}
        for version in excess:
            if version.id in left_behind:
                self.note(verdict.address, f"version {version.number} is kept: {left_behind[version.id]} is made of it")
        excess = [version for version in excess if version.id not in left_behind]
        if not excess:
            return
        kept = f"{len(excess)} previous version{'s' if len(excess) > 1 else ''} beyond keep_versions"
        if verdict.is_protected:
            self.note(verdict.address, f"{kept}: kept, the resource is protected")
            return
        if not self.delete:
            self.note(verdict.address, f"{kept}: kept until there is consent: --allow-destroy")
            return
        users = [self.ended[user] for user in self.users_of(verdict) if user in self.ended]
        for version in excess:
            self.delete_version(verdict.address, version, self.ended.get(verdict.address), *users)
        change = self.changes[verdict.address]
        if change.action is Action.NONE:
            change = replace(change, action=Action.UPDATE)
        self.changes[verdict.address] = replace(change, reasons=(*change.reasons, f"{kept} deleted"))

    def delete_version(self, address: Address, version: Version, *after: StepId | None) -> None:
        # also one that is gone on the service: deleting it once more does no harm, and takes it out of the record
        self.add(DeleteModel(address=address, model_id=version.id, number=version.number), *after)

    def users_of(self, verdict: Decision) -> list[Address]:
        """Resources composed, until now, of any version of this one."""
        if verdict.record is None:
            return []
        # in the order of the record: the same inputs give the same plan, step by step
        ids = dict.fromkeys(version.id for version in verdict.record.versions())
        return [user for model_id in ids for user in self.users.get(model_id, ())]

    def stays(self, user: Address) -> bool:
        """Whether a resource goes on using what it was composed of: this plan neither trains nor deletes it."""
        verdict = self.verdicts[user]
        moves = verdict.work and user in self.ended
        return not (moves or verdict.delete or verdict.edit.forget)

    def last_steps(self, address: Address) -> list[StepId]:
        """After which steps a resource no longer needs what it was made of."""
        if address in self.ended:
            return [self.ended[address]]
        return list(self.changes[address].steps) if self.verdicts[address].delete else []

    def note(self, address: Address, note: str) -> None:
        change = self.changes[address]
        self.changes[address] = replace(change, notes=(*change.notes, note))


@dataclass(slots=True)
class _ImageWork:
    """One resource's images while they are placed. attach: what is to be attached, and after which step."""

    there: Mapping[AssetId, str]
    refs: dict[str, AssetRef] = field(default_factory=dict)  # by path
    refs_by_key: dict[Key, AssetRef] = field(default_factory=dict)
    attach: list[tuple[Attachment, StepId | None]] = field(default_factory=list)
    done: list[StepId | None] = field(default_factory=list)


def excess_versions(verdict: Decision) -> list[Version]:
    """Previous versions that keep_versions does not cover once the plan is carried out, oldest last."""
    record, spec = verdict.record, verdict.spec
    if record is None or spec is None:
        return []
    previous = list(record.previous)
    if verdict.fresh and not verdict.edit.gone:
        previous = [version for version in (record.pending, record.current) if version is not None] + previous
    elif record.pending is not None and verdict.wait:
        previous = [record.current, *previous]  # the pending one takes its place
    elif verdict.wait and record.pending is not None:  # begun by an earlier run, and current once it is trained
        previous = [record.current, *previous]
    usable = [version for version in previous if version.is_usable]
    return [v for v in previous if not v.is_usable] + usable[max(0, spec.lifecycle.keep_versions) :]


def _shared(working: list[Decision]) -> set[Key]:
    """Keys that several resources of this plan want: uploaded once as an asset, attached by id."""
    seen: dict[Key, Address] = {}
    shared: set[Key] = set()
    for verdict in working:
        for image in verdict.contents.images:
            if seen.setdefault(key_of(image), verdict.address) != verdict.address:
                shared.add(key_of(image))
    return shared


def _users(verdicts: Mapping[Address, Decision]) -> dict[ModelId, list[Address]]:
    users: dict[ModelId, list[Address]] = {}
    for address, verdict in verdicts.items():
        if verdict.record is not None:
            for concept in verdict.record.current.concepts:
                users.setdefault(concept.model_id, []).append(address)
    return users
