"""scenario-apply as a program on a path, with the interpreter and the checkout that the tests run in."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def install_tool(program: Path, *options: str) -> None:
    """Write the program, and its folder. options: of the interpreter, before the words that the program is given."""
    words = shlex.join([sys.executable, *options])
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY))} exec {words} "$@"\n')
    program.chmod(0o755)
