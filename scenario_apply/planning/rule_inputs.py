"""What the rules of decide.py decide from, and how they leave a resource alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import Import
from scenario_apply.model.address import Address
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.attributes import LabelChange, Spec, label_change
from scenario_apply.planning.decision import Decision, Keep, Resource
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.import_blocks import undeclared_imports
from scenario_apply.planning.moves import Moves, resolve_moves
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.reasons import Prevented, Reason
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.planning.up_to_date import UpToDate
from scenario_apply.state.state import Record, State, Version


class Inputs(Struct, frozen=True, kw_only=True, dict=True):
    """What rules decide from. decided: the resources before this one; those it needs are among them.

    state is settled against observed. now: seconds since the epoch; without it no queue is called too long.
    """

    desired: Desired
    state: State
    observed: Observed
    asked: PlanRequestOptions
    now: float | None = None
    decided: dict[Address, Decision] = field(default_factory=dict)

    @cached_property
    def imports(self) -> Mapping[Address, Import]:
        return {block.target: block for block in self.desired.imports}

    @cached_property
    def moves(self) -> Moves:
        """The moves that are still to be recorded. A destroy moves nothing."""
        if self.asked.destroy:
            return Moves()
        free = {address for address, spec in self.desired.specs.items() if spec.enabled and self.is_selected(address)}
        return resolve_moves(self.desired.moved, self.state.records, self.desired.specs, free, self.forgotten)

    @cached_property
    def declared_for(self) -> Mapping[Address, Spec]:
        """What the manifest says of recorded resources, at the addresses that `moved:` leads them to."""
        declared = self.desired.specs
        moves = resolve_moves(self.desired.moved, self.state.records, declared, declared, self.forgotten)
        return {**declared, **{source: declared[target] for target, source in moves.sources.items()}}

    @property
    def block_problems(self) -> tuple[Diagnostic, ...]:
        """Of `moved:` and `import:` blocks as a whole; errors among them stop a plan."""
        return (*self.moves.problems, *undeclared_imports(self.desired, self.state))

    @cached_property
    def moved_state(self) -> State:
        """The state with every record at its new address."""
        if not (sources := self.moves.sources):
            return self.state
        leaving = set(sources.values())
        records = {address: record for address, record in self.state.records.items() if address not in leaving}
        records |= {target: self.state.records[source] for target, source in sources.items()}
        return replace(self.state, records=records)

    @cached_property
    def forgotten(self) -> frozenset[Address]:
        return frozenset(removed.source for removed in self.desired.removed)

    @cached_property
    def up_to_date(self) -> UpToDate:
        return UpToDate(self.desired, self.observed)

    def is_selected(self, address: Address) -> bool:
        return self.asked.selected is None or address in self.asked.selected

    def is_gone(self, record: Record) -> bool:
        return record.pending is None and self.observed.is_gone(record.current.id)

    def may_train(self, address: Address, spec: Spec) -> bool:
        return spec.lifecycle.train == "auto" or address in self.asked.train or address in self.asked.replace

    def labels(self, spec: Spec, version: Version) -> LabelChange:
        return label_change(spec, version, self.remote(version))

    def remote(self, version: Version) -> RemoteModel | None:
        return self.observed.models.get(version.id)


Rule = Callable[[Inputs, Resource], Decision | Resource]
"""Answers with a decision, or passes the resource on, amended where it found something out that later rules need."""


def left_alone(resource: Resource, *why: Reason | Diagnostic) -> Keep:
    """Nothing is done about it, its edit included. why: notes, and problems."""
    problems = tuple(one for one in why if isinstance(one, Diagnostic))
    untouched = replace(resource, edit=StateEdit(), problems=(*resource.problems, *problems))
    return Keep(resource=untouched, notes=tuple(one for one in why if not isinstance(one, Diagnostic)))


def prevented(resource: Resource, *problems: Diagnostic) -> Keep:
    return left_alone(resource, Prevented(problems[0].code, problems[0].message), *problems)
