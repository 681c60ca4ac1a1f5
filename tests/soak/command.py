"""scenario-apply in a process that may be killed: forked from a warm one, so that a kill costs no start-up.

The process is a real one, with its own files, sockets and locks. One thing is not as in life: a request that hangs is
given up after a second and a half instead of a minute.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.soak.service import environment

GIVEN_UP_AFTER_S = 1.5
_WARM = [
    "requests",
    "msgspec",
    "orjson",
    "yaml",
    "jsonschema_rs",
    "pybase64",
    "scenario_apply.cli.main",
    "scenario_apply.cli.run_plan",
    "scenario_apply.cli.plan_request",
    "scenario_apply.cli.wiring",
    "scenario_apply.cli.commands.apply",
    "scenario_apply.cli.commands.plan",
    "scenario_apply.apply.apply_plan",
    "scenario_apply.apply.prepare",
    "scenario_apply.apply.recovery",
    "scenario_apply.apply.poller",
    "scenario_apply.dataset.scan.scan_all",
    "scenario_apply.api.client",
    "scenario_apply.api.transport",
    "scenario_apply.cli.progress.plain_view",
    "tests.soak.command",
]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(_WARM)

APPLY = ("apply", "--auto-approve", "--poll-interval", "0.1", "--rate-limit", "0")


def start(folder: Path, url: str, log: Path, *words: str, has_children: bool = False) -> ForkServerProcess:
    """The command, running in folder; what it says goes to the end of log. has_children: it may start processes."""
    arguments = (str(folder), environment(url), str(log), words)
    process = _CONTEXT.Process(target=_command, args=arguments, daemon=not has_children)
    process.start()
    return process


def finish(process: ForkServerProcess, timeout_s: float = 90) -> int | None:
    """Its exit code; None when it had to be killed."""
    process.join(timeout_s)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    return code


def _command(folder: str, env: dict[str, str], log: str, words: tuple[str, ...]) -> None:
    from scenario_apply.api import transport

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(descriptor, number)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    transport.Timeouts = functools.partial(transport.Timeouts, read=GIVEN_UP_AFTER_S)  # type: ignore[assignment, misc]
    from scenario_apply.__main__ import main

    print("$", *words, file=sys.stderr)
    code = main(list(words))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
