"""force-unlock: break the lock of a run that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.faces import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.faces.call import Call

EXAMPLES = """
  scenario-apply force-unlock manifests/quickstart
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)


def run(call: Call) -> int:
    """Says whose lock it was."""
    from scenario_apply.faces.views.screen import safe
    from scenario_apply.faces.wiring import recorded_store

    holder = recorded_store(call.settings).force_unlock()
    if holder is None:
        call.show("the state is not locked\n")
    else:
        call.show(f"the lock is broken; it was held by {safe(str(holder))}\n")
    return 0
