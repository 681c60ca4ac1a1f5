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

    with recorded_store(call.settings) as store:
        still_running = store.still_running()
        holder = store.force_unlock()
    if holder is None:
        call.show("the state is not locked\n")
        return 0
    call.show(f"the lock was removed; it was held by {safe(str(holder))}\n")
    if still_running is not None:
        call.tell(f"warning: {safe(still_running)}. End it; the next apply finds what it did.")
    return 0
