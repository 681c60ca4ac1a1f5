"""fleet_leases.py: the leases of a run of the fleet outlive its tasks and keep another run out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.cli.fleet_leases import TaskLeases
from scenario_apply.errors import StateLocked
from scenario_apply.fleet.tasks import FleetRun
from tests.cli.memory_stores import memory_stores
from tests.fleet.fleets import task


def leases(run: str, url: str = "s3://team/heroes/fleet-1.json") -> TaskLeases:
    """Of a later task of that run, which knows them from the first one."""
    ours = FleetRun(id=run, command="scenario-apply fleet apply", who="jane", host="runner", pid=7)
    return TaskLeases.again(replace(task(), run=ours, leases=((url, None),)))


def test_a_second_fleet_is_refused_while_the_first_one_waits_for_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an object store; it may begin once the first one is over."""
    memory_stores(monkeypatch)
    leases("first").renew()
    assert leases("first").lasting == (("s3://team/heroes/fleet-1.json", None),)
    with pytest.raises(StateLocked, match=r"jane on runner .*run first"):
        leases("second").renew()
    leases("first").renew()
    leases("first").settle(is_over=True)
    leases("second").renew()
