"""What a run keeps: the state as a value, the journal line by line, and the state file now and then.

Used by the thread that runs the loop; only the journal is also written by workers, right before a request leaves.
"""

from __future__ import annotations

from scenario_apply.model.ports import Clock
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import PlannedStep, StepId, UploadImage
from scenario_apply.state.baseline import Baseline
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.journal import Journal

CHECKPOINT_EVERY_S = 5.0
FLUSH_EVERY_S = 0.1


class Recorder:
    """state: as of the last step that ended. outcomes: of the steps that are done. assets: made by uploads."""

    def __init__(self, state: State, journal: Journal, store: FileStore, clock: Clock) -> None:
        self.state = state
        self.journal = journal
        self.outcomes: dict[StepId, Outcome] = {}
        self.assets: dict[StepId, AssetId] = {}
        self._store = store
        self._clock = clock
        self._saved_at = self._flushed_at = clock.monotonic()
        self._unflushed = False

    def mark_baseline(self, baseline: Baseline) -> None:
        """What existed before the run made anything."""
        self.journal.mark(baseline)

    def intend(self, planned: PlannedStep) -> None:
        """A step is about to be done."""
        self.journal.intend(planned, self._clock.now())

    def keep(self, planned: PlannedStep, outcome: Outcome) -> None:
        """A step is done, in memory only: a disk that refuses the journal must not lose it for the rescue file."""
        self.ended(planned, outcome)
        self.outcomes[planned.id] = outcome
        if outcome.asset_id is not None and isinstance(planned.step, UploadImage):
            self.assets[planned.id] = outcome.asset_id

    def settle(self, planned: PlannedStep, outcome: Outcome) -> None:
        """What came of a step, in the journal; on disk at the next flush()."""
        self.journal.settle(planned, outcome)
        self._unflushed = True

    def ended(self, planned: PlannedStep, outcome: Outcome) -> None:
        """What a training's end means for the state, whether it ended well or not."""
        self.state = after(self.state, planned, outcome)

    def fail(self, planned: PlannedStep, reason: str) -> None:
        """The service refused the step: it surely was not carried out."""
        self.journal.fail(planned, reason)
        self._unflushed = True

    def flush(self) -> None:
        """Everything noted so far is on disk."""
        self.journal.flush()
        self._unflushed, self._flushed_at = False, self._clock.monotonic()

    def flush_when_due(self, *, is_idle: bool) -> None:
        """`done` lines go to disk a few at a time; at once when no call is in flight.

        A call that creates or spends flushes all lines before it by itself, right before its bytes leave
        (journal.sending); so what a power loss can take is a caption's line, which the next run finds on the service.
        """
        if self._unflushed and (is_idle or self._clock.monotonic() - self._flushed_at >= FLUSH_EVERY_S):
            self.flush()

    def checkpoint(self) -> None:
        """The state is written now and then, so that a leftover journal stays short to replay."""
        now = self._clock.monotonic()
        if now - self._saved_at < CHECKPOINT_EVERY_S:
            return
        self.journal.flush()
        self.state = self._store.save(self.state, self.journal, back_up=False)
        self._saved_at = now
