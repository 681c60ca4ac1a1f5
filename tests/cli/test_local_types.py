"""Training types whose rules were learned late, from manifest to trained model on the embedded Scenario."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.test_local import PICTURES, run

PAIRS = Path(__file__).resolve().parents[2] / "manifests" / "examples" / "pairs"
MANIFEST = """\
version: 1
datasets:
  night: { before: ./pairs/before, after: ./pairs/after, instruction: turn the picture into a MYSTYLE linocut }
  kael: { images: ./kael, trigger: KAEL_07 }
defaults: { models: { parameters: { conceptPrompt: MYSTYLE linocut } } }
models:
  kontext: { type: flux.1-kontext-lora, dataset: night }
  qwen: { type: qwen-image-edit-2511-lora, dataset: night }
  zimage: { type: zimage-turbo-lora, dataset: kael }
  single: { type: flux.1-kontext-lora, dataset: kael }
"""


def test_kontext_and_concept_prompts_train(tmp_path: Path) -> None:
    """Pairs and single images, a concept prompt for every family; then nothing is left to do."""
    shutil.copytree(PAIRS, tmp_path / "pairs")
    shutil.copytree(PICTURES, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    made = run(tmp_path, "apply", "--local", "--auto-approve", "--poll-interval", "0.05", "--detailed-exitcode")
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("warning[single-images]") == 1, made.stdout
    state = json.loads((tmp_path / "state" / "scenario.json").read_text())
    trained = {address: record["current"] for address, record in state["resources"].items()}
    assert {version["phase"] for version in trained.values()} == {"trained"}
    assert {version["parameters"]["conceptPrompt"] for version in trained.values()} == {"MYSTYLE linocut"}
    assert len(trained["model.kontext"]["pairs"]) == len(trained["model.qwen"]["pairs"]) == 5
    again = run(tmp_path, "apply", "--local", "--detailed-exitcode")
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1].startswith("No changes.")
