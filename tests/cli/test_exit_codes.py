"""Which exit code a run ends with, told apart only where that was asked for."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from scenario_apply.apply.events import EndStatus, Ledger
from scenario_apply.cli.invocation import Invocation
from scenario_apply.cli.run_plan import code_of
from scenario_apply.cli.settings import Settings
from scenario_apply.errors import ExitCode


@pytest.mark.parametrize(
    ("status", "gated", "detailed"),
    [
        ("done", False, ExitCode.OK),
        ("partial", False, ExitCode.PARTIAL),
        ("partial", True, ExitCode.GATE),
        ("failed", False, ExitCode.ERROR),
        ("failed", True, ExitCode.GATE),
        ("running", False, ExitCode.RUNNING),
        ("interrupted", True, ExitCode.INTERRUPTED),
        ("stopped", False, ExitCode.ERROR),
    ],
)
def test_the_code_of_a_run(status: EndStatus, gated: bool, detailed: ExitCode) -> None:
    call = Invocation(arguments=argparse.Namespace(), settings=Settings(detailed=True))
    ledger = Ledger(status=status, gated=gated)
    assert code_of(call, ledger) == detailed
    plain = replace(call, settings=Settings())
    always = {ExitCode.OK, ExitCode.INTERRUPTED}
    assert code_of(plain, ledger) == (detailed if detailed in always else ExitCode.ERROR)
