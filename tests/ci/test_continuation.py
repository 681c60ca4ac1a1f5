"""ci continues: a scheduled job finishes what was reviewed, and starts nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.ci.continuation import new_in
from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.test_local import PICTURES

MANIFEST = """\
version: 1
models:
  kael: { type: flux.1-lora, dataset: { images: ./kael } }
compositions:
  ink: { concepts: [{ model: kael, scale: 0.8 }] }
"""


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """A manifest with a model and a composition of it, against the embedded Scenario."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kael").mkdir()
    for picture in sorted(PICTURES.glob("*.jpg"))[:3]:
        shutil.copy(picture, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        yield running


def resume() -> int:
    """What the scheduled job runs."""
    assert run(["plan", "--out", "now.json"]) == 0
    code = run(["ci", "continues", "reviewed.json", "now.json", "--detailed-exitcode"])
    return code or run(["apply", "now.json", "--auto-approve", "--no-wait", "--detailed-exitcode"])


def launch() -> None:
    assert run(["plan", "--out", "reviewed.json"]) == 0
    assert run(["apply", "reviewed.json", "--auto-approve", "--no-wait", "--detailed-exitcode"]) == 3


def test_a_scheduled_job_finishes_the_reviewed_plan_and_pays_nothing_twice(emulator: EmulatorThread) -> None:
    """3 while the model trains and while the composition trains, then 0; two trainings in all, one of each."""
    launch()
    assert resume() == 3
    emulator.advance(100_000)
    assert resume() == 3
    assert run(["status", "--detailed-exitcode"]) == 3
    emulator.advance(100_000)
    assert resume() == 0
    assert run(["status", "--detailed-exitcode"]) == 0
    trainings = [call for call in emulator.requests if call.method == "PUT" and call.path.endswith("/train")]
    assert len([call for call in trainings if "dryRun" not in call.query]) == 2


def test_what_was_merged_since_is_not_started(emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    launch()
    emulator.advance(100_000)
    shutil.copy(PICTURES / "05_campfire.jpg", "kael")
    capsys.readouterr()
    assert resume() == 5
    assert "error[not-reviewed]: images, captions or variables differ from what was reviewed" in capsys.readouterr().err


PLAN = {
    "endpoint": "local",
    "project": None,
    "inputs": {"datasets": {"kael": "sha256:1"}},
    "manifest": {"digest": "sha256:2"},
    "changes": [
        {"address": "model.kael", "action": "replace", "reasons": [{"code": "images-changed"}]},
        {"address": "composition.ink", "action": "retrain", "reasons": [{"code": "part-changed"}]},
        {"address": "model.props", "action": "none", "reasons": []},
    ],
}


@pytest.mark.parametrize(
    ("address", "action", "code", "said"),
    [
        ("model.kael", "wait", "training-running", None),
        ("model.kael", "replace", "not-trained", None),
        ("model.kael", "replace", "training-ended", "model.kael: its training failed or was cancelled"),
        ("model.kael", "create", "remotely-deleted", "model.kael: it was deleted on Scenario"),
        ("composition.ink", "retrain", "part-changed", None),
        ("model.props", "update", "label-drift", "model.props: it was changed on Scenario"),
        ("model.props", "retrain", "parameter-changed", "model.props: retrain was not part of the reviewed plan"),
        ("model.new", "create", "not-created", "model.new: create was not part of the reviewed plan"),
    ],
)
def test_only_what_is_left_of_the_reviewed_plan_is_continued(
    address: str, action: str, code: str, said: str | None
) -> None:
    """A training that failed is charged again: a person decides on that, not a schedule."""
    change = {"address": address, "action": action, "reasons": [{"code": code}]}
    found = new_in(PLAN | {"changes": [change]}, PLAN)
    assert [one[: len(said or "")] for one in found] == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("before", "after", "is_new"),
    [
        (("update", "none"), ("retrain", "quoted"), True),
        (("import", "none"), ("replace", "unknown"), True),
        (("update", "none"), ("delete", "none"), True),
        (("update", "none"), ("update", "none"), False),
        (("create", "history"), ("replace", "quoted"), False),
        (("delete", "none"), ("delete", "none"), False),
    ],
)
def test_what_was_free_does_not_become_a_training_or_a_delete(
    before: tuple[str, str], after: tuple[str, str], is_new: bool
) -> None:
    """A model that was to be renamed or taken over is not trained without another review."""

    def plan(action: str, source: str) -> dict[str, Any]:
        cost = {"cu": None, "source": source}
        return PLAN | {"changes": [{"address": "model.kael", "action": action, "reasons": [], "cost": cost}]}

    assert bool(new_in(plan(*after), plan(*before))) == is_new


@pytest.mark.parametrize("key", ["endpoint", "project", "inputs", "manifest"])
def test_other_inputs_are_no_continuation(key: str) -> None:
    assert new_in(PLAN | {key: {"digest": "other"}}, PLAN)


def _plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"manifest": {"digest": "sha256:1"}, "changes": list(changes)}


def _change(action: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "address": "model.kael",
        "action": action,
        "reasons": [{"code": code}],
        "cost": {"source": "quoted"},
        **more,
    }


def test_samples_that_were_reviewed_are_drawn_once_the_training_has_ended_and_a_failed_one_is_reviewed_again() -> None:
    """The reviewed plan waits for a training, and draws after it."""
    now = _plan(_change("update", "samples-missing"))
    assert new_in(now, _plan(_change("create", "not-created"))) == []
    assert new_in(now, _plan(_change("wait", "training-running", samples={"draw": [{"name": "1"}]}))) == []
    assert new_in(now, _plan(_change("wait", "training-running"))) == [
        "model.kael: update was not part of the reviewed plan"
    ]
    again = _plan(_change("update", "sample-failed"))
    assert new_in(again, _plan(_change("create", "not-created"))) == [
        "model.kael: a sample failed, and another try is charged again"
    ]
