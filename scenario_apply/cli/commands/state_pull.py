"""state pull: the state file as it is, on stdout, for a look or a copy. A leftover journal is not part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state pull manifests/quickstart > copy.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)


def run(call: Invocation) -> int:
    """Exit code 1 when nothing is recorded: a redirected empty file would look like a state."""
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.errors import StateError

    store = recorded_store(call.settings)
    loaded = store.load()
    content = store.content
    if content is None:
        raise StateError(f"nothing is recorded in {store.path}", code="no-state")
    call.show_json(content.decode())
    if loaded.has_journal:
        call.tell(
            "a run that did not end properly left a journal: what it did is not in this file until the next apply"
        )
    return 0
