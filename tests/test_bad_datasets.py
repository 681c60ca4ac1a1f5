"""Every folder tests/bad/dataset-*: every problem is reported with its code, location and hint.

case.yaml: the dataset as declared, and good pictures, copies and links to make; the bad files lie beside it.
expected.txt: a finding a line, `severity CODE place: fragment; fragment`.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import Diagnostic
from tests.dataset.build import make_picture, spec_from

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.name for path in BAD.glob("dataset-*"))


def prepare(case: str, root: Path) -> dict[str, object]:
    shutil.copytree(BAD / case, root)
    outside = root.parent / "outside"
    outside.mkdir()
    make_picture(outside / "secret.png", seed=999)
    (outside / "secret.yaml").write_text("hunter2: [\n")
    (outside / "secret.csv").write_text("hunter2,hunter2\nhunter2\n")
    declared = yaml.safe_load((root / "case.yaml").read_text())
    many = [f"set/{n:03d}.png" for n in range(declared.get("many", 0))]
    for seed, name in enumerate([*declared.get("pictures", []), *many]):
        make_picture(root / name, seed=seed)
    for name, source in declared.get("copies", {}).items():
        shutil.copy(root / source, root / name)
    for name, target in declared.get("links", {}).items():
        (root / name).symlink_to(target)
    return declared  # type: ignore[no-any-return]  # a map, or the test fails here


def fits(problem: Diagnostic, line: str) -> bool:
    head, _, rest = line.partition(": ")
    severity, code, place = head.split(" ")
    said = f"{problem.message} | {problem.hint}"
    return (problem.severity, problem.code, str(problem.location)) == (severity, code, place) and all(
        fragment in said for fragment in rest.split("; ")
    )


@pytest.mark.parametrize("case", CASES)
def test_a_bad_dataset_is_reported(case: str, tmp_path: Path) -> None:
    """Each expected finding is there, from a first scan and from the cache, within seconds."""
    root = tmp_path / "root"
    declared = prepare(case, root)
    spec = spec_from(declared["dataset"])
    start = time.perf_counter()
    cache = str(root / ".scenario" / "datasets")
    for _ in range(2):
        found = scan_datasets(
            {spec.name: spec},
            root=str(root),
            cache_path=cache,
            types_of={spec.name: tuple(declared.get("types", ("flux.1-lora",)))},  # type: ignore[arg-type]  # a list of names
            cwd=str(root),
        )[spec.name]
        problems = list(found.problems)
        shown = "\n".join(f"{p.severity} {p.code} {p.location}: {p.message} | {p.hint}" for p in problems)
        assert "hunter2" not in shown
        for line in (root / "expected.txt").read_text().splitlines():
            assert any(fits(problem, line) for problem in problems), f"missing: {line}\nfound:\n{shown}"
        expected_errors = {line.split()[1] for line in (root / "expected.txt").read_text().splitlines()}
        surprising = [p for p in problems if p.severity == "error" and p.code not in expected_errors]
        assert not surprising, shown
        assert len(found.contents.images) == found.image_count
    assert time.perf_counter() - start < 5


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 20
    assert all((BAD / case / "expected.txt").read_text().strip() for case in CASES)
    assert os.path.isdir(BAD)
