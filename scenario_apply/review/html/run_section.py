"""A run on a page: how far it is while it goes, and its ledger once it has ended."""

from __future__ import annotations

from typing import NamedTuple

from scenario_apply.apply.events import Ledger
from scenario_apply.review.html.page import Section
from scenario_apply.review.ledger_text import LEDGER_LISTS, headline, ledger_entry, ledger_sums


class KindRow(NamedTuple):
    """Steps of one kind. share: of those that ended, 0 to 1."""

    label: str
    done: int
    failed: int
    total: int

    @property
    def share(self) -> float:
        return (self.done + self.failed) / self.total if self.total else 0.0


class TrainingBar(NamedTuple):
    """share: 0 to 1; None where it is not known."""

    address: str
    words: str
    share: float | None


class Happening(NamedTuple):
    """A line of the log. at: ISO 8601, UTC. tone: bad, good or ""."""

    at: str
    text: str
    tone: str = ""


class RunView(NamedTuple):
    """A run as far as it is. command: what was run. started_at, written_at: ISO 8601, UTC.

    at_least_every_s: how often the page is written while the run goes. facts: pairs of a name and a text.
    ledger: once it has ended. earlier: lines of the log that are not shown. next_command: what continues a run that
    was killed.
    """

    command: str
    started_at: str
    written_at: str
    at_least_every_s: int
    facts: tuple[tuple[str, str], ...] = ()
    kinds: tuple[KindRow, ...] = ()
    trainings: tuple[TrainingBar, ...] = ()
    log: tuple[Happening, ...] = ()
    earlier: int = 0
    ledger: Ledger | None = None
    is_destroy: bool = False
    next_command: str = ""

    @property
    def headline(self) -> str:
        return "" if self.ledger is None else headline(self.ledger, destroy=self.is_destroy)

    @property
    def tone(self) -> str:
        """good, busy or bad."""
        status = None if self.ledger is None else self.ledger.status
        return "busy" if status in (None, "running") else "good" if status == "done" else "bad"

    @property
    def sums(self) -> str:
        return "" if self.ledger is None or not self.ledger.begun else ledger_sums(self.ledger)

    @property
    def entries(self) -> tuple[tuple[str, str, str], ...]:
        """Of the ledger: the list, the resource, and what happened to it."""
        if self.ledger is None:
            return ()
        return tuple(
            (title, str(entry.address), ledger_entry(title, entry))
            for name, title, _ in LEDGER_LISTS
            for entry in getattr(self.ledger, name)
        )


def run_section(view: RunView) -> Section:
    note = f"at {view.written_at[11:19]}" if view.ledger is None else view.ledger.status
    return Section("run", "This run", "run.html.jinja", view, note)
