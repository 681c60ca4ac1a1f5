"""The parts of a composition: found by name among the project's models, resolved to ids, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec, Concept
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import nearest
from scenario_apply.model.kept_text import is_same_text, is_same_value
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.attributes import declared_parameters
from scenario_apply.planning.changes import Action
from scenario_apply.planning.decision import ContentWork, Decision, action_of, yields_new_weights
from scenario_apply.planning.epochs import epoch_beyond, epoch_missing
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.ownership import is_foreign
from scenario_apply.planning.reasons import ConceptAdded, ConceptChanged, ConceptRemoved, PartChanged, Reason
from scenario_apply.state.state import ConceptRecord, Record, State, Version

UNKNOWN_ID = ModelId("")
"""The id of a part that is still to be made."""


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of a composition, in order, or why they cannot be had."""

    concepts: tuple[ConceptRecord, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def are_known(concepts: tuple[ConceptRecord, ...]) -> bool:
    """Whether no part is still to be made."""
    return all(concept.model_id != UNKNOWN_ID for concept in concepts)


def resolve_parts(
    spec: CompositionSpec,
    record: Record | None,
    state: State,
    observed: Observed,
    decisions: Mapping[Address, Decision],
) -> Parts:
    """Ids of a composition's parts. decisions: of the declared ones, made already."""
    concepts: list[ConceptRecord] = []
    problems: list[Diagnostic] = []
    recorded = record.working.concepts if record is not None else ()
    for position, declared in enumerate(spec.concepts):
        known = recorded[position].model_id if position < len(recorded) else None
        part: ConceptRecord | Diagnostic
        if declared.model is not None:
            part = _declared_part(spec, declared, declared.model, state, decisions[declared.model])
            if isinstance(part, ConceptRecord) and observed.is_gone(part.model_id) and not _is_part_of(record, part):
                part = _untrained(spec, declared, declared.model)
        elif declared.find is not None:
            part = _found_part(declared, declared.find, observed, known)
        else:
            part = _named_part(spec, declared, record, observed)
        if isinstance(part, Diagnostic):
            problems.append(part)
            continue
        concepts.append(part)
        if (missing := _missing_epoch(spec, declared, part, record, observed, decisions)) is not None:
            problems.append(missing)
    return Parts(concepts=tuple(concepts), problems=tuple(problems))


def _declared_part(
    spec: CompositionSpec, declared: Concept, address: Address, state: State, decision: Decision
) -> ConceptRecord | Diagnostic:
    record = decision.record or state.records.get(address)
    if record is not None and record.current.is_usable and not decision.edit.gone:
        return ConceptRecord(record.current.id, declared.scale, declared.epoch, record.current.fingerprint)
    if yields_new_weights(decision):
        return ConceptRecord(UNKNOWN_ID, declared.scale, declared.epoch)
    return _untrained(spec, declared, address)


def _untrained(spec: CompositionSpec, declared: Concept, address: Address) -> Diagnostic:
    return Diagnostic(
        code="untrained-part",
        severity="warning",
        message=f"{spec.address} waits for {address}, which this plan does not train",
        location=declared.place,
        hint=f"add --train {address}, or select it too",
    )


def _named_part(
    spec: CompositionSpec, declared: Concept, record: Record | None, observed: Observed
) -> ConceptRecord | Diagnostic:
    """A part named by its id: the project's own, or any public model."""
    model_id = ModelId(declared.model_id or "")
    remote = observed.parts.get(model_id)
    part = ConceptRecord(model_id, declared.scale, declared.epoch)
    if remote is None and model_id in observed.named and not _is_composed_of(record, part):
        return Diagnostic(
            code="part-nothing",
            message=f"{spec.address} uses {model_id}, and the service shows no such model",
            location=declared.place,
            hint="check the id: it was mistyped, the model was deleted, or it is another project's private one",
        )
    if remote is not None and remote.privacy != "public" and is_foreign(remote, observed.owners):
        return Diagnostic(
            code="part-foreign",
            message=f"{spec.address} uses {model_id}, which is neither public nor one of the project's own models",
            location=declared.place,
            hint="name a model of this project, or a public one",
        )
    return part


def _missing_epoch(
    spec: CompositionSpec,
    declared: Concept,
    part: ConceptRecord,
    record: Record | None,
    observed: Observed,
    decisions: Mapping[Address, Decision],
) -> Diagnostic | None:
    """Why the part cannot be used at the epoch that it is pinned to, where its epochs are known."""
    if declared.epoch is None:
        return None
    uses = f"{spec.address} uses {declared.model or part.model_id} at"
    decision = None if declared.model is None else decisions[declared.model]
    if isinstance(decision, ContentWork) and decision.trains:
        return epoch_beyond(declared.epoch, uses, declared_parameters(decision.declared), declared.place)
    if _is_composed_of(record, replace(part, trained_from=None)):
        return None
    remote = observed.models.get(part.model_id) or observed.parts.get(part.model_id)
    return epoch_missing(declared.epoch, uses, remote, declared.place)


def _is_part_of(record: Record | None, part: ConceptRecord) -> bool:
    """Whether the trained composition holds that model already, at whatever scale."""
    if record is None or not record.working.is_usable:
        return False
    return any(known.model_id == part.model_id for known in record.working.concepts)


def _is_composed_of(record: Record | None, part: ConceptRecord) -> bool:
    """Whether the trained composition holds the part as declared: that it was deleted since changes nothing."""
    if record is None or not record.working.is_usable:
        return False
    return any(replace(known, trained_from=None) == part for known in record.working.concepts)


def _found_part(
    declared: Concept, find: tuple[str, str], observed: Observed, known: ModelId | None
) -> ConceptRecord | Diagnostic:
    name, kind = find
    if observed.own is None:
        return ConceptRecord(known or UNKNOWN_ID, declared.scale, declared.epoch)
    of_kind = [model for model in observed.own if model.type == kind]
    fitting = [model for model in of_kind if model.name == name]
    fitting = fitting or [model for model in of_kind if is_same_text(name, model.name or "")]
    if len(fitting) == 1:
        return ConceptRecord(fitting[0].id, declared.scale, declared.epoch)
    if known is not None and any(model.id == known for model in fitting):
        return ConceptRecord(known, declared.scale, declared.epoch)  # it was unambiguous when it was composed
    if fitting:
        ids = ", ".join(model.id for model in fitting)
        what = f"{len(fitting)} models of the project are called {name!r} and are of type {kind}: {ids}"
        return Diagnostic(code="find-ambiguous", message=what, location=declared.place, hint="name one with modelId:")
    named = {f"{model.name} ({model.type})": model for model in observed.own if model.name}
    near = nearest(f"{name} ({kind})", named, limit=4)
    return Diagnostic(
        code="find-nothing",
        message=f"no model of the project is called {name!r} and is of type {kind}",
        location=declared.place,
        hint=f"nearest: {', '.join(near)}" if near else "the project has no model with a name like it",
    )


def as_of_now(concepts: tuple[ConceptRecord, ...], state: State) -> tuple[ConceptRecord, ...]:
    """The same parts with what the declared ones among them are trained from now: right before they are composed."""
    trained = {record.current.id: record.current.fingerprint for record in state.records.values()}
    return tuple(
        replace(concept, trained_from=trained[concept.model_id]) if concept.model_id in trained else concept
        for concept in concepts
    )


def part_reasons(version: Version, concepts: tuple[ConceptRecord, ...]) -> list[Reason]:
    """How the parts differ from those that were composed."""
    before = {concept.model_id: concept for concept in version.concepts}
    after = {concept.model_id: concept for concept in concepts if concept.model_id != UNKNOWN_ID}
    reasons: list[Reason] = [ConceptAdded(model_id) for model_id in after if model_id not in before]
    reasons += [ConceptRemoved(model_id) for model_id in before if model_id not in after]
    for model_id, concept in after.items():
        old = before.get(model_id)
        is_shown = version.fingerprint is None  # then the service wrote what is recorded
        if (
            old is not None
            and old.scale != concept.scale
            and not (is_shown and is_same_value(concept.scale, old.scale))
        ):
            reasons.append(ConceptChanged(model_id, "scale", float(old.scale), float(concept.scale)))
        if old is not None and old.epoch != concept.epoch:
            reasons.append(ConceptChanged(model_id, "epoch", old.epoch, concept.epoch))
    return reasons


_HOW: Mapping[Action, Literal["created", "replaced"]] = {Action.CREATE: "created", Action.REPLACE: "replaced"}


def renewed_parts(
    spec: CompositionSpec,
    version: Version,
    concepts: tuple[ConceptRecord, ...],
    decisions: Mapping[Address, Decision],
) -> list[Reason]:
    """Declared parts that this plan replaces or retrains, or that were since this was composed."""
    recorded = {concept.model_id: concept.trained_from for concept in version.concepts}
    reasons: list[Reason] = []
    for declared, concept in zip(spec.concepts, concepts, strict=True):
        if declared.model is None:
            continue
        decision = decisions[declared.model]
        if yields_new_weights(decision):
            reasons.append(PartChanged(declared.model, _HOW.get(action_of(decision), "retrained")))
        elif recorded.get(concept.model_id) not in (None, concept.trained_from):
            reasons.append(PartChanged(declared.model, "retrained-before"))
        elif concept.model_id not in recorded and (record := decision.record) is not None:
            is_moved = any(known.id in recorded for known in record.versions())
            reasons += [PartChanged(declared.model, "other-version", record.current.number)] if is_moved else []
    return reasons
