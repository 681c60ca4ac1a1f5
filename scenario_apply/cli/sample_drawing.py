"""samples draw: an apply of nothing but samples, with its approval, limits, lock and journal."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.run_plan import run_plan
from scenario_apply.cli.sample_arguments import with_addresses
from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation

COMMAND = "samples draw"


def draw(call: Invocation) -> int:
    """Draw what is missing, also where the manifest draws only when asked for."""
    call, addresses = with_addresses(call)
    if call.arguments.version is not None and len(addresses) != 1:
        raise UsageError("--version is about one ADDRESS", hint="as in samples draw model.kael --version 1")
    asked = {**vars(call.arguments), "draw": [str(address) for address in addresses]}
    return run_plan(replace(call, arguments=argparse.Namespace(**asked)), command=COMMAND)
