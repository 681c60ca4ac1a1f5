"""rollback: make the previous version of a model current again, without training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.model.address import Address
    from scenario_apply.planning.desired import Desired

_ASSUMED = "the manifest is assumed to match the version that was trained last"

EXAMPLES = """
  scenario-apply rollback model.kael manifests/quickstart --local
  scenario-apply rollback --lift model.kael manifests/quickstart --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    options.reading(parser)
    parser.add_argument("--lift", action="store_true", help="unpin it: the next plan follows the manifest again")
    options.service(parser)
    options.state(parser, locks=True)


def run(call: Invocation) -> int:
    """The resource stays pinned to that version until its manifest entry changes or --lift unpins it."""
    from scenario_apply.apply.rollback import lift, roll_back
    from scenario_apply.cli.address_arguments import address_of
    from scenario_apply.cli.command_hints import completed
    from scenario_apply.cli.wiring import open_world, place_of, require_service
    from scenario_apply.review.screen import safe

    address = address_of(call.arguments.address)
    lifting = call.arguments.lift
    place, desired = (place_of(call.settings), None) if lifting else _wanted(call, address)
    if not lifting:
        require_service(call.settings)
    with (
        open_world(place, call.settings, offline=lifting, read_only=True) as world,
        world.store.locked("rollback", call.settings.lock_timeout_s) as notes,
    ):
        for note in notes:
            call.tell(note)
        typed = call.command_line(place.secrets)
        if lifting:
            done = lift(world, address, command=typed)
        else:
            done = roll_back(world, address, desired, command=typed)
    call.show(f"{safe(completed(done, call.settings))}\n")
    return 0


def _wanted(call: Invocation, address: Address) -> tuple[StateLocation, Desired | None]:
    """Where the state is, and what the manifest asks for; None where it or its pictures cannot be read."""
    from scenario_apply.cli.wiring import open_datasets, open_manifest, place_of, place_of_manifest, state_alone
    from scenario_apply.errors import ManifestError
    from scenario_apply.planning.desired import desire

    try:
        manifest = open_manifest(call.settings)
    except ManifestError as error:
        if call.settings.state is None:
            raise state_alone(error) from error
        call.tell(f"the manifest cannot be read ({error}); {_ASSUMED}")
        return place_of(replace(call.settings, manifest=None)), None
    datasets = open_datasets(manifest, call.settings)
    spec = manifest.models.get(address)
    needed = datasets.values() if spec is None else [datasets[spec.dataset]]
    broken = [d.name for d in needed if any(problem.severity == "error" for problem in d.problems)]
    if broken:
        call.tell(f"the images of {', '.join(broken)} have errors; {_ASSUMED}")
    return place_of_manifest(manifest, call.settings), None if broken else desire(manifest, datasets)
