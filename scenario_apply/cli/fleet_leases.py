"""The leases of a fleet's task: one of its (endpoint, project) in every place where its states are kept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace as with_fields

from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.state_location import store_at
from scenario_apply.fleet.tasks import Task
from scenario_apply.model.timestamps import iso
from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.project_lease import ProjectLease
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.run_lease import RunLease
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.cli.fleet_planning import Opened
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.state.state_url import StateUrl

HOLDS_S = 60.0
"""Seconds for which a lease is held beyond the time until the next look."""
_LONGEST_LOOK_S = 10.0
_LONGEST_COMMAND = 150


class TaskLeases(Struct, frozen=True, kw_only=True):
    """Where the leases of a task are. folders: of states in files, each with the folder below which no link is
    followed. objects: URLs in object stores, one for each folder of states. databases: places in others, whose
    leases end with the task.
    """

    task: Task
    folders: tuple[tuple[str, str | None], ...]
    objects: tuple[str, ...] = ()
    databases: tuple[StateLocation, ...] = ()

    @classmethod
    def of(cls, task: Task, opened: Iterable[Opened]) -> TaskLeases:
        places = [one.request.place for one in opened]
        folders = {os.path.dirname(place.state): place.within for place in places if place.url is None}
        stores: dict[str, StateLocation] = {}
        for place in places:
            if place.url is not None and place.url.scheme not in ("http", "https"):
                beside = _beside(place.url, lease_name(task))
                stores[beside.shown] = with_fields(place, state=beside.shown, url=beside, notes=())
        return cls(
            task=task,
            folders=tuple(sorted(folders.items())),
            objects=tuple(sorted(shown for shown, place in stores.items() if _is_object(place))),
            databases=tuple(place for place in stores.values() if not _is_object(place)),
        )

    @classmethod
    def again(cls, task: Task) -> TaskLeases:
        """Those that an earlier task of the run took, and that outlive it."""
        folders = tuple((place, within) for place, within in task.leases if not is_state_url(place))
        return cls(task=task, folders=folders, objects=tuple(p for p, _ in task.leases if is_state_url(p)))

    @property
    def lasting(self) -> tuple[tuple[str, str | None], ...]:
        """Those that outlive the task, as Task.leases has them."""
        return (*self.folders, *((url, None) for url in self.objects))

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[None]:
        """Raises StateLocked, which names the other run. Those that are lasting outlive the task: see settle()."""
        with ExitStack() as stack:
            for lease in self._leases():
                lease.take(timeout_s)
            for object_lease in self._object_leases(stack):
                stack.enter_context(object_lease.held(timeout_s))
            for place in self.databases:
                store = stack.enter_context(store_at(place, endpoint=None))
                stack.enter_context(store.locked(self.task.run.command, timeout_s))
            yield

    def renew(self) -> None:
        """For a task that only looks. Raises StateLocked when they are another run's by now."""
        with self.held(0):
            pass

    def settle(self, *, is_over: bool) -> None:
        """At the end of a task: renew them for the next one, or give them up."""
        for lease in self._leases():
            if is_over:
                lease.give_up()
            else:
                lease.take()
        if is_over:
            with ExitStack() as stack, suppress(StoreUnavailable):  # they end by themselves, too
                for object_lease in self._object_leases(stack):
                    object_lease.give_up()

    def _object_leases(self, stack: ExitStack) -> Iterator[RunLease]:
        """stack: closes their stores."""
        from scenario_apply.state.stores.remote.open_backend import open_backend

        clock = SystemClock()
        for url in self.objects:
            backend = stack.enter_context(closing(open_backend(parse_state_url(url), clock=clock)))
            yield RunLease(backend=backend, holder=self._holder(), clock=clock)

    def _holder(self) -> Holder:
        """The run, with its id: two of them may have the same host name and process id."""
        run = self.task.run
        command = f"{run.command[:_LONGEST_COMMAND]} (run {run.id[:12]})"
        return Holder(who=run.who, host=run.host, pid=run.pid, since=run.since, command=command)

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


def _is_object(place: StateLocation) -> bool:
    return place.url is not None and place.url.is_object


def _beside(url: StateUrl, name: str) -> StateUrl:
    """The place of that name in the folder of a state."""
    ending = ".json" if url.is_object else ""
    head, slash, last = url.path.rpartition("/")
    shown = url.shown.removesuffix(last) + name + ending
    return replace(url, path=f"{head}{slash}{name}{ending}", shown=shown)
