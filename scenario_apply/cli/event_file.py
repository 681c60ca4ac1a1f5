"""The file of --events: opened once it is known to overwrite nothing; earlier lines are kept until then."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TextIO

from scenario_apply.cli.named_files import named_file, open_stream
from scenario_apply.cli.output_targets import TargetTaken, is_event_log, refuse_reserved, refuse_taken
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.state.stores.own_files import hint_of

if TYPE_CHECKING:
    from scenario_apply.cli.plan_request import PlanRequest


class EventFile:
    """Lines are buffered until begin(), which needs the manifest and its state; later ones are flushed at once."""

    def __init__(self, path: str, cwd: str) -> None:
        refuse_taken(path, cwd, option="--events", kind="event log", is_own=is_event_log)
        self._path = path
        self._cwd = cwd
        self._waiting: list[str] = []
        self._file: TextIO | None = None
        self._is_refused = False

    def write(self, text: str) -> None:
        if self._file is None:
            self._waiting.append(text)
            return
        self._file.write(text)
        self._file.flush()

    def begin(self, request: PlanRequest | None) -> None:
        """Open it. request None: no manifest could be read. Raises TargetTaken, or an error of code events."""
        try:
            root = None
            if request is not None:
                root = request.manifest.root
                refuse_reserved(self._path, self._cwd, request, option="--events")
            refuse_taken(self._path, self._cwd, option="--events", kind="event log", is_own=is_event_log, root=root)
            stream = open_stream(self._path, self._cwd, root)
            self._file = stream or named_file(self._path, self._cwd, root).open_again()
        except TargetTaken:
            self._is_refused = True
            raise
        except OSError as error:
            self._is_refused = True
            what = f"the events cannot be written to {self._path}: {error.strerror}"
            raise ScenarioApplyError(what, code="events", hint=hint_of(error)) from error
        waiting, self._waiting = self._waiting, []
        self.write("".join(waiting))

    def close(self) -> None:
        """Also writes what was buffered when no manifest was read: readers wait for a last line."""
        if self._file is None and self._waiting and not self._is_refused:
            with contextlib.suppress(ScenarioApplyError):  # the error that ended the run is the one to report
                self.begin(None)
        if self._file is not None:
            self._file.close()
