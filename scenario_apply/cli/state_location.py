"""Where the state of a command lies, and the store that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from scenario_apply.errors import Diagnostic
from scenario_apply.model.secret import Secret
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.state.state_url import StateUrl
    from scenario_apply.state.stores.state_store import StateStore


class StateLocation(Struct, frozen=True, kw_only=True):
    """Where a state lies and what it belongs to. root: the folder .scenario/ is in.

    state: a path; with a url that URL as it is shown, which is no path.
    is_bare: no manifest was read, so that only the state itself knows its project. secrets: those of the manifest.
    within: the folder below which no link is followed on the way to the state; None: the state's own folder.
    notes: warnings about a state that lies elsewhere, or is another manifest's, too.
    allow_http: a store on another machine may be asked unencrypted.
    """

    state: str
    root: str
    project: str | None
    is_bare: bool = False
    secrets: tuple[Secret, ...] = ()
    within: str | None = None
    notes: tuple[Diagnostic, ...] = ()
    url: StateUrl | None = None
    allow_http: bool = False


@contextmanager
def store_at(place: StateLocation, *, endpoint: str | None) -> Iterator[StateStore]:
    """The state's store; its connections are closed at the end. endpoint None: whatever the state belongs to."""
    from scenario_apply.apply.system_clock import SystemClock

    clock = SystemClock()
    if place.url is None:
        from scenario_apply.state.stores.file_store import FileStore

        yield FileStore(
            place.state,
            endpoint=endpoint,
            project=place.project,
            tool_version=VERSION,
            clock=clock,
            within=place.within,
        )
        return
    from scenario_apply.state.stores.own_files import own_folder
    from scenario_apply.state.stores.remote.open_backend import open_backend
    from scenario_apply.state.stores.remote.remote_store import RemoteStore

    store = RemoteStore(
        open_backend(place.url, clock=clock, allow_http=place.allow_http),
        endpoint=endpoint,
        project=place.project,
        tool_version=VERSION,
        clock=clock,
        journal_folder=own_folder(place.root, within=place.root).within(".scenario"),
    )
    with closing(store):
        yield store
