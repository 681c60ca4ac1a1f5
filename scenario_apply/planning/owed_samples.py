"""Which samples each resource owes once a plan is carried out, and which are being drawn. Pure.

A sample is owed by the version that will be in use: the one that this plan trains, else the one that is trained. It is
owed until it is recorded for the weights in use, and again where it failed. Samples are no content: nothing is trained
because of them, and one that is no longer declared stays recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace as with_values

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.dataset.sample_references import edits, missing_reference, reference_of
from scenario_apply.dataset.types import Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import ModelSpec, SampleSpec
from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count
from scenario_apply.model.remote import ModelId
from scenario_apply.model.sample_bases import KNOWN_BASES, SAMPLE_BASES, SampleBase, WantedBase
from scenario_apply.model.samples import SampleRequest, derived_seed
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.changes import SampleNews
from scenario_apply.planning.decision import (
    Complete,
    ContentWork,
    Decision,
    Delete,
    Forget,
    Keep,
    Relabel,
    Resource,
    Retrain,
    Wait,
)
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.ignore_changes import as_recorded
from scenario_apply.planning.reasons import ManifestChangedMeanwhile, Reason
from scenario_apply.planning.rule_inputs import Inputs, prevented
from scenario_apply.planning.sample_reasons import SampleFailed, SamplesChanged, SamplesDrawing, SamplesMissing
from scenario_apply.state.state import Record, SampleRecord, State, Version

DEFAULT_SCALE = 1.0
"""Of a LoRA, where none is declared: sent always, since the service takes a missing scale without a word."""


FindBase = Callable[[WantedBase], SampleBase | Diagnostic]


class OwedSample(Struct, frozen=True, kw_only=True):
    """One sample to draw. reference: the picture that an edit starts from. previous, reason: see SampleChange."""

    request: SampleRequest
    news: SampleNews = "new"
    reference: Image | None = None
    previous: str | None = None
    reason: str | None = None


class DrawingSample(Struct, frozen=True, kw_only=True):
    """A sample of a version that was launched and has not ended. is_undecided: perhaps it was never launched."""

    number: Count
    key: str
    name: str
    is_undecided: bool = False


class SampleWork(Struct, frozen=True, kw_only=True):
    """The samples of one resource. number: the version that draws; weights: that version, None until it is trained."""

    address: Address
    type: str
    number: Count
    weights: Version | None = None
    draw: tuple[OwedSample, ...] = ()
    waiting: tuple[DrawingSample, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.draw or self.waiting)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why an unchanged version draws."""
        found: list[Reason] = []
        if missing := tuple(one.request.name for one in self.draw if one.news == "new"):
            found.append(SamplesMissing(missing))
        if changed := tuple(one.request.name for one in self.draw if one.news == "changed"):
            found.append(SamplesChanged(changed))
        found += [SampleFailed(one.request.name, one.reason) for one in self.draw if one.news == "again"]
        return tuple(found)

    @property
    def drawing(self) -> tuple[Reason, ...]:
        return (SamplesDrawing(tuple(one.name for one in self.waiting)),) if self.waiting else ()


class SamplePlan(Struct, frozen=True, kw_only=True):
    """What is drawn and waited for, by resource. problems: samples that cannot be drawn as they are declared."""

    works: Mapping[Address, SampleWork] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()


NO_SAMPLES = SamplePlan()


def has_samples(given: Inputs) -> bool:
    """Whether any sample is declared or recorded: a plan without them does nothing about them."""
    return any(spec.samples.samples for spec in given.desired.specs.values()) or any(
        version.samples for record in given.state.records.values() for version in record.versions()
    )


def samples_alone(given: Inputs) -> dict[Address, Decision]:
    """The decisions of `samples draw`: whatever else would change waits, and trained versions are drawn with."""
    found: dict[Address, Decision] = {}
    for address in sorted(given.asked.draw or ()):
        spec, record = given.desired.specs[address], given.state.records.get(address)
        resource = Resource(address=address, spec=spec, record=record)
        if not spec.enabled or not spec.samples.samples:
            continue
        version = _drawing_version(record, given.asked.draw_version)
        if version is None or not version.is_usable or given.observed.is_gone(version.id):
            found[address] = prevented(resource, _untrained(spec, given.asked.draw_version))
            continue
        resource = replace(resource, spec=as_recorded(spec, version))
        found[address] = Keep(resource=resource, version=version)
    return found


def _drawing_version(record: Record | None, number: int | None) -> Version | None:
    if record is None or number is None:
        return None if record is None else record.current
    return next((version for version in record.versions() if version.number == number), None)


def _untrained(spec: Spec, number: int | None) -> Diagnostic:
    which = "trained version" if number is None else f"trained version {number}"
    return Diagnostic(
        code="samples-untrained",
        severity="warning",
        message=f"{spec.address} has no {which} to draw samples with",
        location=spec.place,
        hint="apply trains it, and draws its samples then",
    )


def plan_samples(
    given: Inputs,
    decisions: Mapping[Address, Decision],
    find_base: FindBase,
) -> SamplePlan:
    """The samples of all decisions. find_base: asked only for what the state does not answer."""
    planner = _Planner(given.desired, given.state, find_base)
    works = {}
    for address, decision in decisions.items():
        is_asked = given.asked.draw is not None and address in given.asked.draw
        work = planner.work(decision, is_asked=is_asked)
        if work is not None:
            gone = {v.number for v in _versions(decision) if given.observed.is_gone(v.id)}
            works[address] = _with_waits(work, decision, gone, planner)
    return SamplePlan(works={a: work for a, work in works.items() if work}, problems=tuple(planner.problems))


def _versions(decision: Decision) -> Iterator[Version]:
    if decision.record is not None:
        yield from decision.record.versions()


def _with_waits(work: SampleWork, decision: Decision, gone: set[int], planner: _Planner) -> SampleWork:
    """With all samples of the resource that were launched and have not ended, whichever weights draw them.

    One that this plan draws again with newer weights is not waited for: nothing would distinguish the two.
    """
    drawn = {(work.number, one.request.key) for one in work.draw}
    waiting: dict[tuple[int, str], DrawingSample] = {}
    for version in _versions(decision):
        for sample in version.samples:
            known = version.number, sample.key
            is_open = sample.phase == "drawing" and known not in drawn and version.number not in gone
            if is_open and (sample.job_id is not None or planner.wants(decision, work, sample)):
                one = DrawingSample(
                    number=version.number,
                    key=sample.key,
                    name=sample.request.name,
                    is_undecided=sample.job_id is None,
                )
                waiting.setdefault(known, one)
    return replace(work, waiting=tuple(waiting.values()))


class _Planner(Struct, frozen=True):
    desired: Desired
    state: State
    find_base: FindBase
    problems: list[Diagnostic] = field(default_factory=list)
    seen: dict[str, Sequence[str]] = field(default_factory=dict)

    def work(self, decision: Decision, *, is_asked: bool) -> SampleWork | None:
        """The samples that a decision leads to; None where nothing is to be done about the resource's samples."""
        spec = decision.spec
        empty = None if spec is None else _drawn_with(decision)
        if spec is None or empty is None:
            return None
        is_outdated = isinstance(decision, Wait) and ManifestChangedMeanwhile() in decision.notes
        trains = isinstance(decision, ContentWork | Wait)
        if is_outdated or (isinstance(decision, ContentWork) and not decision.trains):
            return empty
        if not trains and (empty.weights is None or not empty.weights.is_usable):
            return empty
        if not is_asked and "trained" not in spec.samples.on:
            return empty
        return replace(empty, draw=tuple(self.owed(spec, decision.record, empty)))

    def owed(self, spec: Spec, record: Record | None, work: SampleWork) -> Iterator[OwedSample]:
        requests = [self.request(declared, spec, record, work.type) for declared in spec.samples.samples]
        by_key = {one.request.key: one for one in requests if one is not None}
        held = () if work.weights is None else work.weights.current_samples
        known = {sample.key: sample for sample in held}
        others = {sample.request.name: sample for sample in held if sample.key not in by_key}
        for key, one in by_key.items():
            recorded = known.get(key)
            if recorded is not None and recorded.phase != "failed":
                continue
            yield one if work.weights is None else _told(one, recorded, others.get(one.request.name))

    def wants(self, decision: Decision, work: SampleWork, sample: SampleRecord) -> bool:
        """Whether a sample that was perhaps never launched is still declared, and of the weights in use."""
        if decision.spec is None or work.weights is None or sample not in work.weights.current_samples:
            return False
        spec = decision.spec
        requests = (self.request(declared, spec, decision.record, work.type) for declared in spec.samples.samples)
        return any(one is not None and one.request.key == sample.key for one in requests)

    def request(self, declared: SampleSpec, spec: Spec, record: Record | None, type: str) -> OwedSample | None:
        """What is asked of the service; None, and a problem, where that cannot be said."""
        base = self.base(declared, spec, type)
        if base is None:
            return None
        dataset = self.desired.dataset_of(spec)
        is_needed = base.needs_reference or edits(type)
        reference = None if dataset is None else reference_of(declared, dataset, is_needed=is_needed)
        if base.needs_reference and reference is None and isinstance(spec, ModelSpec):
            self.problems.append(missing_reference(spec, declared))
            return None
        settings = declared.settings
        if settings.scale is None and spec.address.kind == "model":
            settings = replace(settings, scale=DEFAULT_SCALE)
        request = SampleRequest(
            name=declared.name,
            prompt=declared.prompt,
            seed=_seed(declared, spec, record),
            base=base.id,
            settings=settings,
            reference=None if reference is None else reference.sha256,
        )
        return OwedSample(request=request, reference=reference)

    def base(self, declared: SampleSpec, spec: Spec, type: str) -> SampleBase | None:
        """The base that is declared or goes with the type; else the one that drew with the type before."""
        known = SAMPLE_BASES.get(type)
        if known is not None and declared.base in (None, known.id):
            return known
        seen = self.bases_seen(type)
        if declared.base is None and seen:
            return _known_base(seen[-1])
        if declared.base is not None and declared.base in seen:
            return _known_base(declared.base)
        found = self.find_base(WantedBase(type, None if declared.base is None else ModelId(declared.base)))
        if isinstance(found, SampleBase):
            return found
        what = f"{spec.address}: {found.message}"
        if all(problem.message != what for problem in self.problems):  # once for all samples of the resource
            self.problems.append(with_values(found, message=what, location=declared.place))
        return None

    def bases_seen(self, type: str) -> Sequence[str]:
        """The bases that drew with models of a type, in the order of the records."""
        if type not in self.seen:
            versions = (version for record in self.state.records.values() for version in record.versions())
            samples = (sample for version in versions if version.type == type for sample in version.samples)
            self.seen[type] = [sample.request.base for sample in samples if sample.phase == "drawn"]
        return self.seen[type]


def _drawn_with(decision: Decision) -> SampleWork | None:
    """The version that draws once the decision is carried out, with no samples yet; None: nothing is done about it."""
    address, record = decision.address, decision.record
    match decision:
        case Complete() | Retrain() if record is not None:
            return SampleWork(address=address, type=decision.declared.type, number=record.working.number)
        case ContentWork():
            number = 1 if record is None else record.next_number
            return SampleWork(address=address, type=decision.declared.type, number=number)
        case Wait():
            return SampleWork(address=address, type=decision.version.type, number=decision.version.number)
        case Relabel(version=version):
            chosen = decision.labels.epoch  # whose weights are in use by then
            version = version if chosen is None else replace(version, epoch=chosen.new)
            return SampleWork(address=address, type=version.type, number=version.number, weights=version)
        case Keep(version=Version() as version):
            return SampleWork(address=address, type=version.type, number=version.number, weights=version)
        case Keep() | Relabel() | Delete() | Forget():
            return None


def _told(one: OwedSample, failed: SampleRecord | None, other: SampleRecord | None) -> OwedSample:
    if failed is not None:
        return replace(one, news="again", reason=failed.reason)
    if other is None:
        return one
    previous = other.request.prompt
    return replace(one, news="changed", previous=None if previous == one.request.prompt else previous)


def _seed(declared: SampleSpec, spec: Spec, record: Record | None) -> int:
    """The seed as given. A derived one stays what it was when the prompt was drawn first: a resource that is renamed
    is not drawn again, and its next version is drawn with the seeds of the last one."""
    if record is None or declared.seed != derived_seed(spec.address, declared.prompt):
        return declared.seed
    others = {one.seed for one in spec.samples.samples if one.prompt == declared.prompt and one is not declared}
    for version in record.versions():
        seeds = [s.request.seed for s in version.samples if s.request.prompt == declared.prompt]
        if declared.seed in seeds:
            return declared.seed
        if kept := [seed for seed in seeds if seed not in others]:
            return kept[-1]
    return declared.seed


def _known_base(base: str) -> SampleBase:
    return next((one for one in KNOWN_BASES if one.id == base), SampleBase(id=ModelId(base)))
