"""The leases of a fleet's task: one of its (endpoint, project) in every place where its states are kept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.state_location import store_at
from scenario_apply.fleet.tasks import Task
from scenario_apply.model.timestamps import iso
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.project_lease import ProjectLease

if TYPE_CHECKING:
    from scenario_apply.cli.fleet_planning import Opened
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.state.state_url import StateUrl

HOLDS_S = 60.0
"""Seconds for which a lease is held beyond the time until the next look."""
_LONGEST_LOOK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLeases:
    """Where the leases of a task are. folders: of states in files, each with the folder below which no link is
    followed. stores: places in stores, one for each folder of them.
    """

    task: Task
    folders: tuple[tuple[str, str | None], ...]
    stores: tuple[StateLocation, ...] = ()

    @classmethod
    def of(cls, task: Task, opened: Iterable[Opened]) -> TaskLeases:
        places = [one.request.place for one in opened]
        folders = {os.path.dirname(place.state): place.within for place in places if place.url is None}
        stores: dict[str, StateLocation] = {}
        for place in places:
            if place.url is not None and place.url.scheme not in ("http", "https"):
                beside = _beside(place.url, lease_name(task))
                stores[beside.shown] = replace(place, state=beside.shown, url=beside, notes=())
        return cls(task=task, folders=tuple(sorted(folders.items())), stores=tuple(stores.values()))

    @classmethod
    def again(cls, task: Task) -> TaskLeases:
        """Those that an earlier task of the run took in folders."""
        return cls(task=task, folders=tuple((folder, within) for folder, within in task.leases))

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[None]:
        """Raises StateLocked, which names the other run. Those in folders outlive the task: see settle()."""
        with ExitStack() as stack:
            for lease in self._leases():
                lease.take(timeout_s)
            for place in self.stores:
                store = stack.enter_context(store_at(place, endpoint=None))
                stack.enter_context(store.locked(self.task.run.command, timeout_s))
            yield

    def settle(self, *, is_over: bool) -> None:
        """At the end of a task: renew them for the next one, or give them up."""
        for lease in self._leases():
            if is_over:
                lease.give_up()
            else:
                lease.take()

    def _leases(self) -> Iterator[ProjectLease]:
        run, clock = self.task.run, SystemClock()
        since = run.since or iso(clock.now())
        holder = Holder(who=run.who, host=run.host, pid=run.pid, since=since, command=run.command)
        for folder, within in self.folders:
            yield ProjectLease(
                folder=own_folder(folder, within=within),
                name=f"{lease_name(self.task)}.lock",
                run=run.id,
                holder=holder,
                clock=clock,
                holds_s=HOLDS_S + 2 * (self.task.poll_interval_s or _LONGEST_LOOK_S),
            )


def lease_name(task: Task) -> str:
    """fleet- and a digest of endpoint and project: a name that any store takes."""
    parts = (task.endpoint, task.project or "")
    return f"fleet-{sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


def _beside(url: StateUrl, name: str) -> StateUrl:
    """The place of that name in the folder of a state."""
    ending = ".json" if url.is_object else ""
    head, slash, last = url.path.rpartition("/")
    shown = url.shown.removesuffix(last) + name + ending
    return replace(url, path=f"{head}{slash}{name}{ending}", shown=shown)
