"""One of several commands that share a module of commands/."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation


class CommandOfModule(NamedTuple):
    """What a module of a single command defines at its top."""

    EXAMPLES: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Invocation], int]
