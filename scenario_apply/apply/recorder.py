"""Records a run: the state as a value, the journal line by line, and the state file at intervals.

Used by the thread that runs the loop; only the journal is also written by workers, right before a request leaves.
"""

from __future__ import annotations

import contextlib

from scenario_apply.errors import StateError
from scenario_apply.model.ports import Clock
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import PlannedStep, StepId, UploadImage
from scenario_apply.state.baseline import Baseline
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.remote.backend import LeaseLost, StoreUnavailable
from scenario_apply.state.stores.state_store import StateStore

CHECKPOINT_EVERY_S = 5.0
FLUSH_EVERY_S = 0.1


class Recorder:
    """state: as of the last step that ended. outcomes: of the steps that are done. assets: created by uploads."""

    def __init__(self, state: State, journal: Journal, store: StateStore, clock: Clock) -> None:
        self.state = state
        self.journal = journal
        self.outcomes: dict[StepId, Outcome] = {}
        self.assets: dict[StepId, AssetId] = {}
        self._store = store
        self._clock = clock
        self._saved_at = self._flushed_at = clock.monotonic()
        self._unflushed = False

    def mark_baseline(self, baseline: Baseline) -> None:
        """Journal what existed before the run created anything."""
        self.journal.mark(baseline)

    def intend(self, planned: PlannedStep) -> None:
        """Journal that a step is about to start."""
        self.journal.intend(planned, self._clock.now())

    def keep(self, planned: PlannedStep, outcome: Outcome) -> None:
        """Keep a finished step in memory, so that the rescue file holds it when the disk refuses the journal."""
        self.ended(planned, outcome)
        self.outcomes[planned.id] = outcome
        if outcome.asset_id is not None and isinstance(planned.step, UploadImage):
            self.assets[planned.id] = outcome.asset_id

    def keep_late(self, planned: PlannedStep, outcome: Outcome, fatal: BaseException | None) -> None:
        """Keep a step that finished after the run could not save any more. The journal takes it where it still can."""
        self.keep(planned, outcome)
        if isinstance(fatal, LeaseLost | StoreUnavailable):
            with contextlib.suppress(StateError):  # it is the first error that is reported
                self.journal.settle(planned, outcome)

    def settle(self, planned: PlannedStep, outcome: Outcome) -> None:
        """Journal the outcome of a step; on disk at the next flush()."""
        self.journal.settle(planned, outcome)
        self._unflushed = True

    def ended(self, planned: PlannedStep, outcome: Outcome) -> None:
        """Update the state by an outcome, whether the training succeeded or not."""
        self.state = after(self.state, planned, outcome)

    def note(self, state: State) -> None:
        """Save a state that differs from the current one by what no step says, such as prices."""
        self.journal.flush()
        self.state = self._store.save(state, self.journal, back_up=False)
        self._saved_at = self._clock.monotonic()

    def fail(self, planned: PlannedStep, reason: str) -> None:
        """Journal that the service refused the step: it was not carried out."""
        self.journal.fail(planned, reason)
        self._unflushed = True

    def flush(self) -> None:
        """Write everything journalled so far to disk."""
        self.journal.flush()
        self._unflushed, self._flushed_at = False, self._clock.monotonic()

    def flush_when_due(self, *, is_idle: bool) -> None:
        """Flush `done` lines a few at a time, or at once when no request is in flight.

        A request that creates or spends flushes all earlier lines right before its bytes leave (journal.sending). So a
        power loss can only take the line of a caption, which the next run finds on the service.
        """
        if self._unflushed and (is_idle or self._clock.monotonic() - self._flushed_at >= FLUSH_EVERY_S):
            self.flush()

    def checkpoint(self) -> None:
        """Save the state at intervals, so that a leftover journal is short to replay."""
        now = self._clock.monotonic()
        if now - self._saved_at < CHECKPOINT_EVERY_S:
            return
        self.journal.flush()
        self.state = self._store.save(self.state, self.journal, back_up=False)
        self._saved_at = now
