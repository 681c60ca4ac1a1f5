"""What a plan would make though it seems to exist: renamed resources, unrecorded models, identical trainings. Pure.

Notes only: each says what would save the training, as the line to add to the manifest. Nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.attributes import declared_parameters
from scenario_apply.planning.composition_parts import are_known
from scenario_apply.planning.decision import ContentWork, Create, Decision, Delete, Keep, Relabel
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import Record, Version

_MOST_NAMED = 5
_MOST_COMPARED = 1_000_000  # new resources with recorded ones that were trained alike


def lookalikes(
    given: Inputs, decisions: Mapping[Address, Decision], on_service: Sequence[RemoteModel]
) -> tuple[Diagnostic, ...]:
    """on_service: own models of the project, as far as they were listed, newest first."""
    if not any(isinstance(decision, ContentWork) for decision in decisions.values()):
        return ()
    pairs = _renamed(given, decisions)
    return (
        *_rename_notes(given, pairs),
        *_unrecorded(given, decisions, on_service, set(pairs)),
        *_identical(decisions, set(pairs)),
    )


# -- renamed


def _created(decisions: Mapping[Address, Decision]) -> list[Create]:
    """Resources that never existed: not those that were deleted on the service."""
    return [d for d in decisions.values() if isinstance(d, Create) and d.record is None]


def _leaving(given: Inputs, decisions: Mapping[Address, Decision]) -> dict[Address, Record]:
    """What is recorded and no longer declared, and would be deleted or stays only because it is protected."""
    found = {}
    for address, decision in decisions.items():
        record = given.state.records.get(address)  # as it is: a move would find it so, lost versions included
        is_leaving = decision.spec is None and isinstance(decision, Delete | Keep) and given.is_selected(address)
        if is_leaving and record is not None and not given.is_gone(record):
            found[address] = record
    return found


def _renamed(given: Inputs, decisions: Mapping[Address, Decision]) -> dict[Address, Address]:
    """New address -> the one it seems to have had: trained on exactly what is declared now."""
    leaving = _leaving(given, decisions)
    if not leaving:
        return {}
    trained: dict[str, list[Address]] = {}
    for address, record in leaving.items():
        for version in record.versions():
            if version.fingerprint is not None and version.phase in ("trained", "training"):
                trained.setdefault(version.fingerprint, []).append(address)
    algorithms = {text.partition(":")[0] for text in trained}
    found: dict[Address, Address] = {}
    taken: set[Address] = set()
    budget = _MOST_COMPARED
    for decision in _created(decisions):
        texts = {_fingerprint(decision, f"{algorithm}:") for algorithm in algorithms}
        fitting = [a for text in texts if text is not None for a in trained.get(text, ())]
        budget -= len(fitting)
        if budget < 0:
            break
        free = [a for a in fitting if a.kind == decision.address.kind and a not in taken]
        if free:
            found[decision.address] = min(free, key=lambda a: _distance(a, leaving[a], decision))
            taken.add(found[decision.address])
    return found


def _distance(address: Address, record: Record, decision: Create) -> tuple[bool, bool, Address]:
    """Of several that were trained alike: the one of the same label, then of the same name on the service."""
    return (address.label != decision.address.label, record.current.name != decision.declared.name, address)


def _fingerprint(decision: ContentWork, like: str) -> str | None:
    """What would be trained, in the algorithm of a recorded fingerprint; None while a part does not exist yet."""
    if not are_known(decision.resource.parts):
        return None
    return fingerprint(
        type=decision.declared.type,
        parameters=declared_parameters(decision.declared),
        dataset=decision.dataset_digest,
        concepts=decision.resource.parts,
        like=like,
    )


def _rename_notes(given: Inputs, pairs: Mapping[Address, Address]) -> Iterator[Diagnostic]:
    """One note for a whole matrix that kept its labels."""
    matrices: dict[tuple[str, str], list[Address]] = {}
    for new, old in pairs.items():
        if new.label and new.label == old.label:
            matrices.setdefault((old.name, new.name), []).append(new)
    for new, old in pairs.items():
        children = matrices.get((old.name, new.name), []) if new.label == old.label else []
        source, target = old, new
        if len(children) > 1:
            if new != children[0]:
                continue
            source, target = Address(old.kind, old.name), Address(new.kind, new.name)
        spec = given.desired.specs[new]
        line = f"- {{ from: {source}, to: {target} }}"
        where = f"add to moved: {line}" if given.desired.moved else f"add moved: [{line.removeprefix('- ')}]"
        yield Diagnostic(
            code="looks-renamed",
            severity="info",
            message=f"{target} is declared as {source} was trained: the same dataset and parameters",
            location=spec.place,
            hint=f"if it was renamed, {where}; then nothing is trained and nothing deleted",
        )


# -- on the service, and not recorded


def _unrecorded(
    given: Inputs,
    decisions: Mapping[Address, Decision],
    on_service: Sequence[RemoteModel],
    renamed: set[Address],
) -> Iterator[Diagnostic]:
    known = given.state.model_ids()
    by_label: dict[tuple[str | None, str], list[RemoteModel]] = {}
    for remote in on_service:
        if remote.id not in known:
            by_label.setdefault((remote.name, remote.type), []).append(remote)
    for decision in _created(decisions):
        found = by_label.get((decision.declared.name, decision.declared.type), ())
        if not found or decision.address in renamed:
            continue
        ids = [f"{remote.id} ({remote.status or 'status unknown'})" for remote in found[:_MOST_NAMED]]
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        yield Diagnostic(
            code="unrecorded-model",
            severity="info",
            message=f"Scenario holds {listed(ids)}{more}, recorded nowhere, with name and type of {decision.address}",
            location=decision.declared.place,
            hint=f"if it is that model, add import: [{{ to: {decision.address}, id: {found[0].id} }}]; "
            "then it is compared and not made again",
        )


# -- the same training more than once


def _identical(decisions: Mapping[Address, Decision], renamed: set[Address]) -> Iterator[Diagnostic]:
    groups: dict[str, list[Decision]] = {}
    for decision in decisions.values():
        if decision.address in renamed:
            continue
        text = _trains(decision)
        if text is not None:
            groups.setdefault(text, []).append(decision)
    for group in groups.values():
        paid = [decision for decision in group if isinstance(decision, ContentWork)]
        if len(group) < 2 or not paid:
            continue
        names = [str(decision.address) for decision in group]
        yield Diagnostic(
            code="same-training",
            severity="info",
            message=f"{listed(names, _MOST_NAMED)} are trained on the same content with the same parameters",
            location=None if paid[0].spec is None else paid[0].spec.place,
            hint="each is paid for; if one is enough, declare only one",
        )


def _trains(decision: Decision) -> str | None:
    """The fingerprint of what is trained now, or was: of resources that stay declared."""
    if isinstance(decision, ContentWork):
        return _fingerprint(decision, "2:") if decision.trains else None
    if decision.spec is None or not isinstance(decision, Keep | Relabel):
        return None
    return _of(decision.version)


def _of(version: Version | None) -> str | None:
    return None if version is None or not version.is_usable else version.fingerprint
