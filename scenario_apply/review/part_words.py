"""The parts of compositions in words: by address and version where the state knows the model, else as declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.steps import ConceptRef, CreateModel, PlannedStep, UpdateModel
from scenario_apply.planning.changes import Change
from scenario_apply.planning.reasons import ConceptAdded, ConceptChanged, ConceptRemoved, PartChanged, Reason
from scenario_apply.review.values import value_text
from scenario_apply.state.state import Record


class KnownModel(NamedTuple):
    """A version of a recorded resource."""

    address: Address
    number: int

    @property
    def text(self) -> str:
        return f"{self.address} (version {self.number})"


def known_models(records: Mapping[Address, Record]) -> dict[str, KnownModel]:
    """By id, all versions that a state holds."""
    return {
        version.id: KnownModel(address, version.number)
        for address, record in records.items()
        for version in record.versions()
    }


def name_of(model_id: str, known: Mapping[str, KnownModel]) -> str:
    """'model.kael (version 2)'; the id where the state does not hold it."""
    return known[model_id].text if model_id in known else model_id


class PartTexts(NamedTuple):
    """All parts of a composition on one line, before and after. Equal where no more than a version moves."""

    before: str | None
    after: str | None


class PartNames(Struct, frozen=True):
    """What parts are called. records: of the state; refs: the parts that a plan gives a composition, in order."""

    records: Mapping[Address, Record] = {}
    refs: Mapping[Address, Sequence[ConceptRef]] = {}
    known: Mapping[str, KnownModel] = {}

    @classmethod
    def of(cls, records: Mapping[Address, Record], steps: Iterable[PlannedStep]) -> PartNames:
        refs = {
            planned.address: planned.step.concepts
            for planned in steps
            if isinstance(planned.step, CreateModel | UpdateModel) and planned.step.concepts
        }
        return cls(records, refs, known_models(records) if any(a.kind == "composition" for a in records) else {})

    def texts(self, change: Change) -> PartTexts:
        """Of a change of a composition."""
        before, after = (_parts(side) for side in (change.before, change.after))
        ids = self._ids(change, after)
        found = _found_by_id(after, ids)
        numbers = {reason.part: self._number(reason) for reason in change.reasons if isinstance(reason, PartChanged)}
        old = "; ".join(_scaled(self._of_id(part, found), part) for part in before)
        new = "; ".join(_scaled(self._declared(part, numbers), part) for part in after)
        is_same = len(before) == len(after) and all(map(self._is_same, before, after, ids))
        return PartTexts((new if is_same else old) or None, new or None)

    def in_reason(self, reason: Reason, change: Change) -> Reason:
        """The reason with the model's name in place of its id, where that is known."""
        if not isinstance(reason, ConceptAdded | ConceptRemoved | ConceptChanged):
            return reason
        after = _parts(change.after)
        found = _found_by_id(after, self._ids(change, after))
        return replace(reason, model_id=self._of_id({"modelId": reason.model_id}, found))

    def _ids(self, change: Change, after: Sequence[Mapping[str, object]]) -> list[str | None]:
        """The id of each part after the change; None where that is not known. A plan without a step that sets the
        parts leaves them as they are."""
        refs = self.refs.get(change.address)
        ids = (
            [ref.model_id or None for ref in refs] if refs else [_text(p.get("modelId")) for p in _parts(change.before)]
        )
        return ids if len(ids) == len(after) else [None] * len(after)

    def _is_same(self, old: Mapping[str, object], new: Mapping[str, object], made: str | None) -> bool:
        """Whether both are the same model, of whatever version, at the same scale and epoch."""
        before = _text(old.get("modelId"))
        if any(value_text(old.get(key)) != value_text(new.get(key)) for key in ("scale", "epoch")):
            return False
        if "model" in new:
            known = self.known.get(before or "")
            return known is not None and str(known.address) == new["model"]
        return before is not None and before == (made if "find" in new else new.get("modelId"))

    def _of_id(self, part: Mapping[str, object], found: Mapping[str, str]) -> str:
        model_id = str(part.get("modelId"))
        if model_id in found:
            return found[model_id]
        return name_of(model_id, self.known)

    def _declared(self, part: Mapping[str, object], numbers: Mapping[Address, int | None]) -> str:
        if "find" in part:
            return _found(part)
        if "model" not in part:
            return self._of_id(part, {})
        address = parse_address(str(part["model"]))
        record = self.records.get(address)
        number = numbers.get(address) or (None if record is None else record.current.number)
        return str(address) if number is None else KnownModel(address, number).text

    def _number(self, reason: PartChanged) -> int | None:
        """The version that the plan makes of a part; None: the one that is current."""
        record = self.records.get(reason.part)
        if record is None or reason.how not in ("created", "replaced"):
            return None
        return record.pending.number if record.pending is not None else record.next_number


def _parts(side: Mapping[str, object] | None) -> list[Mapping[str, object]]:
    listed = (side or {}).get("concepts")
    return [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list | tuple) else []


def _found_by_id(parts: Sequence[Mapping[str, object]], ids: Sequence[str | None]) -> dict[str, str]:
    return {made: _found(part) for part, made in zip(parts, ids, strict=True) if made and "find" in part}


def _found(part: Mapping[str, object]) -> str:
    find = part["find"]
    return f"{find.get('name')} ({find.get('type')})" if isinstance(find, Mapping) else value_text(find)


def _scaled(name: str, part: Mapping[str, object]) -> str:
    epoch = f", epoch {value_text(part['epoch'])}" if "epoch" in part else ""
    return f"{name} at {value_text(part.get('scale'))}{epoch}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
