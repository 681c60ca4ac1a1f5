"""A short soak in every test run: two seeds of chaos and kills. benchmarks/soak.py runs as many as one likes.

SCENARIO_SOAK_SEEDS=1,2,3 chooses others. The first seed changes the manifest half way, the others do not.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.soak.run import SERVICE, Soaked, soak
from tests.soak.service import Service

SEEDS = tuple(int(seed) for seed in os.environ.get("SCENARIO_SOAK_SEEDS", "1,6").split(","))


def test_chaos_and_kills_double_and_lose_nothing(tmp_path: Path) -> None:
    """Every picture once, every training once, every record there; judged by the emulator's own store."""

    def one(seed: int) -> Soaked:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with Service(*SERVICE) as service:
            return soak(seed, service, folder, kills=2, changed=seed == SEEDS[0])

    with ThreadPoolExecutor(len(SEEDS)) as pool:
        found = list(pool.map(one, SEEDS))
    for soaked in found:
        assert not soaked.complaints, f"seed {soaked.seed}: {soaked.complaints}\n{soaked.log[-6000:]}"
    assert sum(soaked.kills for soaked in found), "nothing was killed"
    assert sum(soaked.faults.total() for soaked in found), "nothing went wrong"
