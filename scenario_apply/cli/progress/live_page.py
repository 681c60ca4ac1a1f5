"""The page of apply --report: rewritten while the run goes, with its ledger at the end.

Pages are made and written by a thread of their own, at most one a second, and less often where that takes long. So the
run waits for none, and a page that cannot be written is a warning.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from scenario_apply.apply.events import Event, Ledger, RunStarted, StepFinished
from scenario_apply.cli.progress.eta import Eta, eta_text
from scenario_apply.cli.progress.live_view import event_line, training_bar
from scenario_apply.cli.progress.run_progress import RunProgress
from scenario_apply.model.amounts import amount
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.model.timestamps import iso
from scenario_apply.review.html.page import Section, page_text, rendered
from scenario_apply.review.html.run_section import Happening, KindRow, RunView, TrainingBar, run_section
from scenario_apply.review.screen import counted, duration
from scenario_apply.review.step_words import KIND_NOUNS

if TYPE_CHECKING:
    from scenario_apply.cli.page_file import PageFile

WRITE_EVERY_S = 1.0
AT_LEAST_EVERY_S = 10
"""Seconds after which a page is written though nothing happened: its time tells a run from one that was killed."""
RELOAD_S = 5
_SHARE = 20  # a page is written no more often than that it takes 1/20 of the time
_LINES_KEPT = 200
_TONES = {"red": "bad", "green": "good"}
_WRONG = "the page of --report"

Sections = Callable[[], Sequence[Section]]


class LivePage:
    """Takes events from any thread, and never raises because of its page.

    tell: takes a sentence for the user. mask: takes what must not be shown out of a page.
    """

    def __init__(
        self,
        file: PageFile,
        clock: Clock,
        *,
        tell: Callable[[str], None],
        mask: Callable[[str], str],
        command: str,
        next_command: str,
    ) -> None:
        self._file = file
        self._clock = clock
        self._tell = tell
        self._mask = mask
        self._command = command
        self._next_command = next_command
        self._title = "Apply"
        self._counter: RequestCounter | None = None
        self._rate_limit = 0
        self._progress = RunProgress()
        self._eta = Eta(None)
        self._log: deque[Happening] = deque(maxlen=_LINES_KEPT)
        self._logged = 0
        self._charged = 0.0
        self._started_at = iso(clock.now())
        self._ledger: Ledger | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._below: list[Section] = []
        self._is_changed = threading.Event()
        self._is_closed = threading.Event()
        self._writer: threading.Thread | None = None
        self._maker: threading.Thread | None = None
        self._is_warned = False

    @property
    def has_ledger(self) -> bool:
        return self._ledger is not None

    def start(self, title: str, counter: RequestCounter | None, rate_limit: int, below: Sections) -> None:
        """The run begins. below: makes the sections below that of the run, which may take long."""
        self._title, self._counter, self._rate_limit = title, counter, rate_limit
        self._eta = Eta(counter)
        self._write()
        self._writer = threading.Thread(target=self._write_until_closed, name="page", daemon=True)
        self._maker = threading.Thread(target=self._make, args=(below,), name="page sections", daemon=True)
        self._writer.start()
        self._maker.start()

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self._progress.take(event, now)
            self._eta.take(event, now)
            if isinstance(event, StepFinished):
                self._charged += event.cu_charged or 0
            line, color = event_line(event, self._progress)
            if isinstance(event, RunStarted) and event.resumed:
                line = "an earlier run is continued"
            if line:
                self._logged += 1
                self._log.append(Happening(iso(self._clock.now()), line, _TONES.get(color or "", "")))
        self._is_changed.set()
        if isinstance(event, Ledger):
            self.finish(event)

    def finish(self, ledger: Ledger) -> None:
        """The run has ended: the page says how, and is not written again but to add what is still being made."""
        self._ledger = ledger
        self._is_closed.set()
        self._is_changed.set()
        if self._writer is not None:
            self._writer.join()
        self._write()

    def close(self, after: Sections) -> None:
        """Adds the sections that are still being made, unless the user wants to leave.

        after: makes sections that take the place of those with the same ids. May be called twice.
        """
        maker, self._maker = self._maker, None
        if self._ledger is None or maker is None:
            return
        if self._ledger.status != "interrupted":
            with suppress(KeyboardInterrupt):  # what is missing is not waited for
                maker.join()
        if maker.is_alive():
            self._is_warned = True  # what ends with the process is no fault
        else:
            self._make(lambda: _replaced(self._below, after()))
            self._write()

    def _make(self, below: Sections) -> None:
        try:
            self._below = [section if section.is_drawn else rendered(section) for section in below()]
        except Exception as error:  # of a picture or a template: the run must not end over it
            self._warn(f"{_WRONG} has no pictures: {type(error).__name__}: {error}")
        self._is_changed.set()

    def _write_until_closed(self) -> None:
        pause_s = WRITE_EVERY_S
        while not self._is_closed.wait(pause_s):
            self._is_changed.wait(AT_LEAST_EVERY_S - pause_s if pause_s < AT_LEAST_EVERY_S else 0)
            self._is_changed.clear()
            if self._is_closed.is_set():
                return
            since = self._clock.monotonic()
            self._write()
            pause_s = max(WRITE_EVERY_S, _SHARE * (self._clock.monotonic() - since))

    def _write(self) -> None:
        try:
            with self._writing:
                view = self._view()
                page = page_text(
                    self._title,
                    [run_section(view), *self._below],
                    made=f"Written {view.written_at} by scenario-apply.",
                    refresh_s=None if view.ledger is not None else RELOAD_S,
                )
                self._file.replace(self._mask(page).encode("utf-8", "xmlcharrefreplace"))
        except OSError as error:
            self._warn(f"{_WRONG} cannot be written: {error.strerror or error}; the run is not affected")
        except Exception as error:  # a bug in a template, say: the run must not end over it
            self._warn(f"{_WRONG} cannot be made: {type(error).__name__}: {error}; the run is not affected")
        else:
            self._is_warned = False

    def _warn(self, text: str) -> None:
        if not self._is_warned:
            self._tell(f"warning: {text}")
        self._is_warned = True

    def _view(self) -> RunView:
        with self._lock:
            now, progress = self._clock.monotonic(), self._progress
            trainings = [(str(address), *training_bar(one, now)) for address, one in progress.trainings.items()]
            return RunView(
                command=self._command,
                started_at=self._started_at,
                written_at=iso(self._clock.now()),
                at_least_every_s=AT_LEAST_EVERY_S,
                facts=tuple(self._facts(now)) if self._ledger is None else (),
                kinds=tuple(
                    KindRow(nouns[1], progress.done[kind], progress.failed[kind], progress.total[kind])
                    for kind, nouns in KIND_NOUNS.items()
                    if progress.total[kind]
                ),
                trainings=tuple(TrainingBar(address, words, share) for address, share, words in trainings),
                log=tuple(self._log),
                earlier=self._logged - len(self._log),
                ledger=self._ledger,
                next_command=self._next_command,
            )

    def _facts(self, now: float) -> list[tuple[str, str]]:
        facts = []
        if self._counter is not None:
            facts.append(("Requests", f"{self._counter.sent:,}"))
        if self._charged:
            facts.append(("Charged", f"{amount(self._charged)} CU"))
        left = self._progress.throttled_until - now
        if left > 0:
            facts.append(("Waiting for", f"{self._progress.throttled_why}, continues in {duration(left)}"))
        if words := eta_text(self._eta, now, self._rate_limit):
            facts.append(("Requests left", words))
        if running := len(self._progress.trainings):
            facts.append(("Trainings", counted(running, "running", "running")))
        return facts


def _replaced(sections: Sequence[Section], others: Sequence[Section]) -> list[Section]:
    by_id = {section.id: section for section in others}
    return [by_id.get(section.id, section) for section in sections]
