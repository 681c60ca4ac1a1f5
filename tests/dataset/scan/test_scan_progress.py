"""What a scan says of how far it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply.dataset.scan import build_dataset
from tests.dataset.scan.test_scanner import make, scan_many, spec


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("processes", [False, True])
def test_a_first_scan_reports_a_share_that_grows_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deep: bool, processes: bool
) -> None:
    """From nothing to all, whether pictures are read here or in other processes, and with pictures that are shared."""
    if processes:
        monkeypatch.setattr(build_dataset, "_FILES_FOR_PROCESSES", 1)
        monkeypatch.setattr(build_dataset, "usable_cores", lambda: 2)
    told: list[tuple[float, int]] = []
    specs = {}
    for name in ("a", "b", "c"):
        make(tmp_path, name, 8)
        specs[name] = spec(name=name, images=(f"./{name}",))
    specs["d"] = spec(name="d", images=("./a",))
    scan_many(tmp_path, specs, deep=deep, show=lambda share, images: told.append((share, images)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert processes or shares[0] < 0.5, "other processes may be done before they are asked"
    assert shares[-1] == 1.0
    assert {images for _, images in told} == {32}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking a test process that has threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_pictures_of_one_dataset_are_counted_in_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture once: the share never sinks, and the next dataset begins where this one ended."""
    monkeypatch.setattr(build_dataset, "_DECODED_BY_A_PROCESS", 4)
    monkeypatch.setattr(build_dataset, "can_fork", lambda: True)
    monkeypatch.setattr(build_dataset, "usable_cores", lambda: 2)
    shares: list[float] = []
    make(tmp_path, "a", 8)
    make(tmp_path, "b", 2)
    specs = {name: spec(name=name, images=(f"./{name}",)) for name in ("a", "b")}
    scan_many(tmp_path, specs, deep=True, show=lambda share, images: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert 0.8 in shares, "16 of the 20 units are those of the first dataset"


def test_what_is_cached_reports_nothing(tmp_path: Path) -> None:
    told: list[float] = []
    make(tmp_path)
    scan_many(tmp_path, {"set": spec()})
    scan_many(tmp_path, {"set": spec()}, show=lambda share, images: told.append(share))
    assert not told


def test_a_deep_scan_after_a_plain_one_counts_what_it_decodes(tmp_path: Path) -> None:
    told: list[float] = []
    make(tmp_path)
    scan_many(tmp_path, {"set": spec()})
    scan_many(tmp_path, {"set": spec()}, deep=True, show=lambda share, images: told.append(share))
    assert told[0] <= 0.2
    assert told[-1] == 1.0
