"""The captions commands on the embedded Scenario, as somebody at a shell uses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.test_local import PICTURES, run

MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: { images: ./kael } }\n"
HUMAN = "a hooded ranger, written by a person\n"


def uncaptioned(home: Path, count: int = 3) -> Path:
    (home / "kael").mkdir(parents=True)
    for picture in sorted(PICTURES.glob("*.jpg"))[:count]:
        shutil.copy(picture, home / "kael")
    (home / "scenario.yaml").write_text(MANIFEST)
    return home


def test_pulled_captions_are_files_and_no_reason_to_train(tmp_path: Path) -> None:
    """The service's own captions become files; then nothing is to be trained, and the service holds the same."""
    home = uncaptioned(tmp_path)
    assert run(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05").returncode == 0
    drafts = run(home, "captions", "draft", "kael", "--local")
    assert "has captions of its own for 3 of them: captions pull writes these without charge" in drafts.stderr
    pulled = run(home, "captions", "pull", "--all", "--local", "--format", "json")
    assert pulled.returncode == 0, pulled.stderr
    texts = sorted((home / "kael").glob("*.txt"))
    written = json.loads(pulled.stdout)["datasets"][0]["written"]
    assert [one["file"] for one in written] == [f"kael/{text.name}" for text in texts]
    assert len(texts) == 3
    assert [one["caption"] + "\n" for one in written] == [text.read_text() for text in texts]
    plan = run(home, "plan", "--local", "--detailed-exitcode")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    texts[0].write_text(HUMAN)
    texts[1].unlink()
    again = run(home, "captions", "pull", "kael", "--local")
    assert again.returncode == 0
    assert texts[0].read_text() == HUMAN
    assert texts[1].exists()
    check = run(home, "captions", "check", "kael", "--local", "--detailed-exitcode")
    assert check.returncode == 4, check.stderr
    assert "[-tall picture-] {+hooded ranger+}" in " ".join(check.stdout.split())
    assert "1 differs" in check.stdout
