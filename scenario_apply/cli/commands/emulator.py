"""emulator: the embedded Scenario, as a server in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply emulator --port 8585 --data /tmp/scenario --seed manifests/quickstart/emulator-seed.json
  export SCENARIO_SDK_API_KEY=any SCENARIO_SDK_API_SECRET=any
  SCENARIO_BASE_URL=http://127.0.0.1:8585/v1 scenario-apply plan manifests/quickstart
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from scenario_apply.emulator.options import add_arguments as add_emulator_arguments

    add_emulator_arguments(parser)


def run(call: Invocation) -> int:
    """Until SIGTERM or Ctrl-C. It trains nothing."""
    from scenario_apply.emulator.options import OptionError, options_from
    from scenario_apply.errors import UsageError

    try:
        options = options_from(call.arguments)
    except OptionError as error:
        raise UsageError(str(error)) from error
    from scenario_apply.emulator.server import serve

    return serve(options)
