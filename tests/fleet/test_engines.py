"""engines.py: executors by name."""

from __future__ import annotations

import os

import pytest

from scenario_apply.errors import UsageError
from scenario_apply.fleet.engines import open_engine


def test_tasks_run_in_other_processes() -> None:
    """A task gets what it was given, in a process of its own."""
    with open_engine("processes", workers=1) as engine:
        assert engine.submit(os.getpid).result() != os.getpid()
        assert engine.submit(len, "four").result() == 4


def test_an_engine_that_is_not_known_is_named() -> None:
    """With the ones that are."""
    with pytest.raises(UsageError, match="there is no engine 'ray'"), open_engine("ray", workers=1):
        pass
