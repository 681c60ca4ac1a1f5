"""Pictures of one dataset that several processes read: what threads find is found, within the same limits."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.assemble import describe
from scenario_apply.dataset.scan import build_dataset as making
from scenario_apply.dataset.scan import decoding
from scenario_apply.dataset.scan import read_images as reading
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Diagnostic
from tests.dataset.build import make_picture
from tests.dataset.scan.test_scanner import codes, grow_old, make, scan_many, scan_one, spec

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # forking a test process that has threads
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eleven pictures that differ, one of them again in another size and once more as it is, and a damaged one."""
    folder = make(tmp_path, count=11)
    make_picture(folder / "larger.png", seed=3, size=(1100, 1100))
    (folder / "same.png").write_bytes((folder / "4.png").read_bytes())
    (folder / "damaged.png").write_bytes((folder / "5.png").read_bytes().replace(b"IDAT", b"IDAT\0", 1))
    grow_old(folder)
    return folder


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_DECODED_BY_A_PROCESS", 2)
    monkeypatch.setattr(making, "can_fork", lambda: True)
    monkeypatch.setattr(making, "usable_cores", lambda: 3)


def found(root: Path, *, forks: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[str, tuple[Diagnostic, ...], Contents]:
    with monkeypatch.context() as patch:
        patch.setattr(making, "can_fork", lambda: forks)
        dataset = scan_one(root, spec(missing="auto"), cache=False, deep=True)
    return dataset.digest, dataset.problems, dataset.contents


@pytest.mark.usefixtures("forks")
def test_several_processes_find_in_one_dataset_what_one_finds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies, the damaged picture, and hashes for the cache; no picture is read or decoded in this process."""
    alone = found(folder.parent, forks=False, monkeypatch=monkeypatch)
    assert {"D01", "D02", "F02"} <= {problem.code for problem in alone[1]}
    parent, read = os.getpid(), reading.read_facts

    def elsewhere(*given: Any) -> Any:
        assert os.getpid() != parent
        return read(*given)

    monkeypatch.setattr(making, "read_facts", elsewhere)
    assert found(folder.parent, forks=True, monkeypatch=monkeypatch) == alone


@pytest.mark.usefixtures("forks")
def test_captions_are_checked_while_other_processes_read_the_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readers wait here for the captions, which would be too long if these were checked afterwards."""
    ready, say = os.pipe()
    read = reading.read_facts

    def described(*given: Any) -> Any:
        made = describe(*given)
        os.write(say, b"x")
        return made

    def waiting(*given: Any) -> Any:
        assert select.select([ready], [], [], 10)[0], "the captions were not checked meanwhile"
        return read(*given)

    monkeypatch.setattr(making, "describe", described)
    monkeypatch.setattr(making, "read_facts", waiting)
    assert "D02" in codes(scan_one(folder.parent, spec(missing="auto"), cache=False, deep=True))
    os.close(ready)
    os.close(say)


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("pictures", [0, 1, 3, 8, 30])
def test_processes_decode_together_no_more_than_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pictures: int
) -> None:
    """As many as one process, however few they are: what exceeds a part of the allowance is decoded with the rest."""
    (folder / "cut.png").write_bytes((folder / "6.png").read_bytes()[:-12])
    monkeypatch.setattr(decoding, "_FREE_PIXELS", pictures * 1024 * 1024)
    monkeypatch.setattr(decoding, "_PIXELS_A_BYTE", 0)
    few = [one for one in found(folder.parent, forks=False, monkeypatch=monkeypatch)[1] if one.code == "F10"]
    forked = [one for one in found(folder.parent, forks=True, monkeypatch=monkeypatch)[1] if one.code == "F10"]
    assert [one.message for one in forked] == [one.message for one in few]
    assert bool(few) == (pictures < 30)


@pytest.mark.usefixtures("forks")
def test_what_other_processes_read_is_not_read_again_for_the_next_dataset(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = {name: spec(name=name, missing="auto") for name in ("one", "two")}
    parent, read = os.getpid(), reading.read_facts

    def elsewhere(*given: Any) -> Any:
        assert os.getpid() != parent
        return read(*given)

    monkeypatch.setattr(making, "_FILES_FOR_PROCESSES", 1_000)
    monkeypatch.setattr(making, "read_facts", elsewhere)
    first, second = scan_many(folder.parent, specs, cache=False, deep=True).values()
    assert first.digest == second.digest
    assert "D02" in codes(second)


def test_an_allowance_is_lent_to_processes_and_less_what_they_spent_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_FREE_PIXELS", 1_000_000)
    allowance = DecodingAllowance()
    with allowance.lent(2):
        assert not allowance.take(500_001)
        assert allowance.has_refused()
        assert allowance.take(500_000)
    assert allowance.left == 1_000_000
    assert not allowance.has_refused()
    allowance.spend(600_000)
    assert not allowance.take(400_001)
    assert allowance.take(400_000)
