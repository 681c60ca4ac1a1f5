"""The state of one running emulator, which every handler receives."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from scenario_apply.emulator.blobs import Blobs
from scenario_apply.emulator.clock import MANUAL_START_MS, ManualClock, RealClock
from scenario_apply.emulator.data_folder import DataFolder
from scenario_apply.emulator.faults import Faults
from scenario_apply.emulator.grids import Grids
from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.request_budget import Budgets
from scenario_apply.emulator.request_log import RequestLog
from scenario_apply.emulator.store import Store

NEVER_MS = 1 << 62


class World:
    """Options, clock, database, pictures, budgets, faults and the log of requests."""

    def __init__(self, options: EmulatorOptions) -> None:
        self.options = options
        self._temporary = options.data is None
        given = Path(tempfile.mkdtemp(prefix="scenario-emulator-")) if options.data is None else options.data
        self.folder = DataFolder(given)
        self.root = self.folder.path
        try:
            self.db = Store(self.root / "scenario.db", lasting=not self._temporary)
            self.folder.mark()
        except BaseException:
            self.folder.release()
            raise
        self.blobs = Blobs(self.root, open_uploads(self.db))
        self.clock: RealClock | ManualClock = self._clock()
        self.faults = Faults(options.chaos, options.chaos_seed, options.slow_s)
        self.log = RequestLog()
        self.grids = Grids()
        self.budgets = Budgets(options.rate_limit)
        self.secret = self._secret()
        self.next_due_ms = 0
        self.projects: set[str] = {row["id"] for row in self.db.all("SELECT id FROM projects")}
        self.started_ms = self.clock.now_ms()
        self.wake: Callable[[], None] = lambda: None
        """Called when background work may be due; the server puts its own in here."""

    @property
    def default_project(self) -> str:
        """The project of a request that names none."""
        return self.options.projects[0] if self.options.projects else "proj_default"

    def now_ms(self) -> int:
        """The emulator's time."""
        return self.clock.now_ms()

    def advance(self, seconds: float) -> None:
        """Move the clock forward, and remember it for the next start."""
        self.clock.advance(seconds)
        if isinstance(self.clock, ManualClock):
            self.db.set_meta("manual_now_ms", str(self.clock.now_ms()))
        else:
            self.db.set_meta("ahead_ms", str(self.clock.ahead_ms))
        self.wake()

    def ensure_project(self, project: str) -> None:
        """Make a project exist."""
        if project in self.projects:
            return
        now = self.now_ms()
        name = "Default project" if project == self.default_project else project
        self.db.run(
            "INSERT OR IGNORE INTO projects VALUES (?, (SELECT count(*) FROM projects) + 1, ?, ?)", (project, name, now)
        )
        self.projects.add(project)

    def forget(self) -> None:
        """Back to an empty world: database, pictures, budgets, log, and the faults of the options."""
        with self.db.transaction():
            self.db.clear()
        self.blobs.clear()
        self.projects.clear()
        self.budgets = Budgets(self.options.rate_limit)
        self.log.clear()
        self.faults = Faults(self.options.chaos, self.options.chaos_seed, self.options.slow_s)
        self.next_due_ms = 0

    def close(self) -> None:
        """Close the database; a temporary world is removed."""
        self.grids.close()
        self.db.close()
        self.folder.release()
        if self._temporary:
            shutil.rmtree(self.root, ignore_errors=True)

    def _clock(self) -> RealClock | ManualClock:
        if self.options.clock == "manual":
            return ManualClock(int(self.db.meta("manual_now_ms") or MANUAL_START_MS))
        return RealClock(int(self.db.meta("ahead_ms") or 0))

    def _secret(self) -> bytes:
        kept = self.db.meta("secret")
        if kept is None:
            kept = secrets.token_hex(32)
            self.db.set_meta("secret", kept)
        return bytes.fromhex(kept)


def open_uploads(db: Store) -> frozenset[str]:
    """Uploads whose parts are still needed."""
    return frozenset(row["id"] for row in db.all("SELECT id FROM uploads WHERE status IN ('pending', 'validating')"))
