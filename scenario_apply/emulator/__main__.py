"""``python -m scenario_apply.emulator``: parse the options, serve until stopped."""

from __future__ import annotations

import argparse
import sys

from scenario_apply.emulator.options import OptionError, add_arguments, options_from


def main(argv: list[str] | None = None) -> int:
    """Exit code of the server; 64 for invalid options."""
    parser = argparse.ArgumentParser(
        prog="python -m scenario_apply.emulator",
        description="Serve an embedded Scenario on this machine. It trains nothing.",
    )
    add_arguments(parser)
    namespace = parser.parse_args(argv)
    try:
        options = options_from(namespace)
    except OptionError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 64
    from scenario_apply.emulator.server import serve

    return serve(options)


if __name__ == "__main__":
    raise SystemExit(main())
