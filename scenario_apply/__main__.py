"""The entry point. --version is answered before anything is imported; everything else goes to faces.cli."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command line, sys.argv without the program when argv is None; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) == 1 and arguments[0] in ("--version", "-V"):
        from scenario_apply.version import VERSION

        sys.stdout.write(f"scenario-apply {VERSION}\n")
        return 0
    from scenario_apply.faces.cli import run

    return run(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
