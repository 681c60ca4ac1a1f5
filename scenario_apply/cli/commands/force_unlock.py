"""force-unlock: remove the lock of a run that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply force-unlock manifests/quickstart --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)


def run(call: Invocation) -> int:
    """Prints who held the lock."""
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.screen import safe
    from scenario_apply.state.stores.file_store import FileStore

    with recorded_store(call.settings) as store:
        is_alive = store.is_held_alive()
        holder = store.force_unlock()
    if holder is None:
        call.show("the state is not locked\n")
        return 0
    call.show(f"the lock was removed; it was held by {safe(str(holder))}\n")
    if is_alive and isinstance(store, FileStore):
        call.tell(
            f"warning: process {holder.pid} is still running. It stops before its next paid request once another run"
            " has started. End it; the next apply finds what it did."
        )
    elif is_alive:
        call.tell(
            "warning: whether that run has ended is not known here. If it is still running, it notices within a minute"
            " and pays for nothing more. End it; the next apply finds what it did."
        )
    return 0
