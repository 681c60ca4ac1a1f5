"""Every folder beside this file: a dataset as people of one trainer keep it, read as it is meant.

scenario.yaml: what has to be written. expected.yaml: the pictures to draw; then the captions as sent, the codes of the
conventions, and the warnings and errors, each as `severity CODE: fragment`. All other files are those of the dataset.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.review.convention_words import convention_sentence
from tests.dataset.build import make_picture

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "expected.yaml").is_file())
OF_SMALL_SETS = {"R01", "N02", "C09"}
"""What is said of few and small pictures with short captions, which is no subject here."""


def lay_out(case: str, root: Path) -> dict[str, Any]:
    """Copies a case and draws its pictures; what is expected of it."""
    shutil.copytree(HERE / case, root, ignore=shutil.ignore_patterns("expected.yaml"))
    expected: dict[str, Any] = yaml.safe_load((HERE / case / "expected.yaml").read_text(encoding="utf-8"))
    for seed, name in enumerate(expected["pictures"]):
        make_picture(root / name, seed=seed + 1, size=(64, 64))
    for name, text in expected.get("hidden", {}).items():  # what Git would not keep
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return expected


def scan(root: Path, cache: str | None = None) -> Dataset:
    manifest = load_manifest("scenario.yaml", variables={}, var_files=[], env={}, cwd=str(root))
    found = scan_datasets(
        {"d": manifest.datasets["d"]}, root=manifest.root, cache_path=cache, types_of={}, cwd=str(root)
    )
    return found["d"]


@pytest.mark.parametrize("case", CASES)
def test_a_dataset_of_another_trainer_is_read(case: str, tmp_path: Path) -> None:
    """Its pictures, captions and findings; and the convention is reported, also from the cache."""
    root = tmp_path / "root"
    expected = lay_out(case, root)
    if "refused" in expected:
        with pytest.raises(ScenarioApplyError) as refused:
            scan(root)
        reasons = " ".join(f"{d.location}: {d.message} {d.hint}" for d in refused.value.problems)
        assert all(part in reasons for part in expected["refused"]), reasons
        return
    for _ in range(2):
        found = scan(root, str(root / ".scenario" / "datasets"))
        captions = {image.path: image.caption for image in found.contents.images}
        said = [f"{p.severity} {p.code}: {p.message} ({p.hint})" for p in found.problems if p.code not in OF_SMALL_SETS]
        assert captions == expected["captions"], said
        assert [convention.kind for convention in found.conventions] == expected["conventions"]
        assert all(map(convention_sentence, found.conventions))
        loud = [line for line in said if not line.startswith("info")]
        for line in expected.get("problems", []):
            head, _, fragment = line.partition(": ")
            fitting = [text for text in said if text.startswith(head + ":") and fragment in text]
            assert fitting, (line, said)
            loud = [text for text in loud if text not in fitting]
        assert not loud
