"""samples draw: an apply of nothing but samples, with its approval, limits, lock and journal."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.run_plan import run_plan
from scenario_apply.cli.sample_arguments import with_addresses
from scenario_apply.cli.state_edits import edited_state
from scenario_apply.cli.wiring import open_world, place_of, recorded_state
from scenario_apply.errors import ApplyError, ExitCode, UsageError
from scenario_apply.review.screen import counted
from scenario_apply.state.sample_records import unseen_pictures, with_pictures

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation

COMMAND = "samples draw"


def draw(call: Invocation) -> int:
    """Draw what is missing, also where the manifest draws only when asked for."""
    call, addresses = with_addresses(call)
    if call.arguments.draw_version is not None and len(addresses) != 1:
        raise UsageError("--version is about one ADDRESS", hint="as in samples draw model.kael --version 1")
    asked = {**vars(call.arguments), "draw": [str(address) for address in addresses]}
    code = run_plan(replace(call, arguments=argparse.Namespace(**asked)), command=COMMAND)
    if code != ExitCode.INTERRUPTED and unseen_pictures(recorded_state(call.settings)):
        _look_again(call)
    return code


def _look_again(call: Invocation) -> None:
    """Download pictures of earlier runs that could not be downloaded then, and record what they are."""
    with (
        open_world(place_of(call.settings), call.settings, read_only=True) as world,
        edited_state(world.store, call, COMMAND, "looked at drawn samples") as edit,
    ):
        unseen = unseen_pictures(edit.state)
        if world.thumbnails is None or not unseen:
            return
        try:
            seen = world.thumbnails(unseen)
        except ApplyError as error:
            call.tell(f"pictures of samples cannot be downloaded: {error}")
            return
        edit.save(with_pictures(edit.state, seen))
        call.tell(f"{counted(len(seen), 'picture')} of earlier samples downloaded")
