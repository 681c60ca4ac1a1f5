"""rollback: go back to the previous version of a model. No training, 0 CU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.faces import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.faces.call import Call

EXAMPLES = """
  scenario-apply rollback model.kael manifests/quickstart --local
  scenario-apply rollback --lift model.kael manifests/quickstart --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    parser.add_argument("--lift", action="store_true", help="follow the manifest again")
    options.service(parser)
    options.state(parser, locks=True)


def run(call: Call) -> int:
    """The resource is held there until its part of the manifest changes, or --lift."""
    from scenario_apply.core.desired import desire
    from scenario_apply.effects.rollback import lift, roll_back
    from scenario_apply.faces.addresses import address_of
    from scenario_apply.faces.planning import read_wanted
    from scenario_apply.faces.wiring import open_world, require_service

    address = address_of(call.arguments.address)
    lifting = call.arguments.lift
    wanted = read_wanted(call.settings)
    if not lifting:
        require_service(call.settings)
    with (
        open_world(wanted.place, call.settings, offline=lifting, read_only=True) as world,
        world.store.locked("rollback", call.settings.lock_timeout_s) as notes,
    ):
        for note in notes:
            call.tell(note)
        done = lift(world, address) if lifting else roll_back(world, address, desire(wanted.manifest, wanted.datasets))
    call.show(f"{done}\n")
    return 0
