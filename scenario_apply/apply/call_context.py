"""What the steps of a run may need besides themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from scenario_apply.apply.call_notes import CallNotes
from scenario_apply.model.address import Address
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.steps import AssetRef, StepId, UploadImage
from scenario_apply.state.baseline import Baseline
from scenario_apply.state.state import Record, State
from scenario_apply.state.stores.journal import Journal

LONGEST_COOLDOWN_S = 3600.0
"""A longer cooldown is not waited for: the run ends with its ledger, and a later apply continues."""


class CallContext(Struct, frozen=True, kw_only=True):
    """What a step may need besides itself.

    state: as of its start. read: the bytes of an image, checked against its digest. assets: created by earlier steps.
    vanished: resources whose model was deleted on the service. notes: shared by the calls of the run.
    """

    api: ScenarioApi
    clock: Clock
    journal: Journal
    state: State
    read: Callable[[UploadImage], bytes]
    assets: Mapping[StepId, AssetId] = field(default_factory=dict)
    vanished: frozenset[Address] = frozenset()
    stop: threading.Event = field(default_factory=threading.Event)
    notes: CallNotes = field(default_factory=CallNotes)
    baseline: Baseline = Baseline()

    def record(self, address: Address) -> Record:
        return self.state.records[address]

    def model_id(self, address: Address) -> ModelId:
        return self.state.records[address].working.id

    def asset(self, ref: AssetRef) -> AssetId:
        if ref.id is not None:
            return ref.id
        return self.assets[ref.step or ""]
