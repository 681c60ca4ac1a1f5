"""Files and answers with nodes of other kinds: each gives a value that can be written again, or an error on purpose."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.api import job_answers, wire
from scenario_apply.apply.before_run import earlier_from_details
from scenario_apply.errors import BadAnswer, StateDamaged, StateNewer
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.step_codec import step_to_json
from scenario_apply.model.steps import PlannedStep, Step
from scenario_apply.model.timestamps import iso
from scenario_apply.state.state import State
from scenario_apply.state.state_file import file_of, read_state_file, state_of
from scenario_apply.state.stores.journal import replay
from tests.fakes.foreign_nodes import with_foreign_nodes
from tests.state.test_state_file import plain

COUNT = int(os.environ.get("SCENARIO_FOREIGN_NODES", "20"))
"""Variations of each file; thousands find what is rare."""

GOLDEN = Path(__file__).parent.parent / "golden"
STATES = sorted(GOLDEN.glob("*/state.json"))
PLANS = sorted(GOLDEN.glob("*/plan.json"))


def _states() -> Iterator[Any]:
    yield plain()
    for path in STATES:
        yield json.loads(path.read_bytes())


def test_a_state_is_read_whole_or_refused() -> None:
    for seed, value in enumerate(_states()):
        for varied in with_foreign_nodes(value, COUNT, seed):
            content = json.dumps(varied).encode()
            with contextlib.suppress(StateDamaged, StateNewer):
                state = state_of(read_state_file(content, source="state.json"), source="state.json")
                assert _written(state_of(read_state_file(_written(state), source="a"), source="a")) == _written(state)


def _written(state: State) -> bytes:
    """Outside the suppression of what is refused: what was read can be written."""
    return codec.document(file_of(state, tool_version="1"))


def test_a_golden_state_is_read_and_written_byte_for_byte() -> None:
    """Sorted, indented by two: as orjson wrote them before msgspec."""
    assert len(STATES) > 100
    for path in STATES:
        file = read_state_file(path.read_bytes(), source=str(path))
        written = codec.document(file_of(state_of(file, source=str(path)), tool_version=file.tool_version or ""))
        value = json.loads(path.read_bytes())
        for record in value["resources"].values():
            for version in (record["current"], record.get("pending") or {}, *record.get("previous", ())):
                version.get("images", []).sort(key=lambda image: image["path"])
        assert written.decode() == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path


def test_a_step_is_read_whole_or_refused() -> None:
    steps = [step for path in PLANS for step in json.loads(path.read_bytes())["steps"]]
    assert len(steps) > 500
    for seed, value in enumerate(steps):
        planned = PlannedStep(id=value["id"], step=codec.fitted(value, Step), after=tuple(value["after"]))
        assert step_to_json(planned) == value
        for varied in with_foreign_nodes(value, max(1, COUNT // 4), seed):
            with contextlib.suppress(Misfit):
                codec.line(codec.fitted(varied, Step))


JOURNAL: list[dict[str, Any]] = [
    {"phase": "run", "run": "r", "ts": "2026-01-01T00:00:00Z"},
    {"phase": "baseline", "baseline": {"models": {"ids": ["m"], "newest_at": 1.5}}},
    {
        "op": "s1",
        "phase": "intent",
        "ts": "t",
        "step": {"kind": "create", "address": "model.kael", "number": 1, "name": "n", "type": "flux.1-lora"},
    },
    {"op": "s1", "phase": "sent", "at": 1e9, "details": {}},
    {
        "op": "s1",
        "phase": "done",
        "outcome": {"at": "t", "model_id": "m1", "concepts": [{"model_id": "m", "scale": 1}]},
    },
    {
        "op": "s2",
        "phase": "intent",
        "ts": "t",
        "step": {
            "kind": "attach",
            "address": "model.kael",
            "images": [{"asset": {"id": "a"}, "path": "p", "sha256": "s", "caption": ""}],
        },
    },
    {"op": "s2", "phase": "sent", "at": 1e9, "details": {"asset_ids": "a,b"}},
    {"op": "s2", "phase": "adopted", "outcome": {"at": "t", "asset_ids": ["a"], "adopted": "there"}},
    {
        "op": "s3",
        "phase": "intent",
        "ts": "t",
        "step": {"kind": "train", "address": "model.kael", "parameters": {"seed": 1}, "dataset": "d"},
    },
    {"op": "s3", "phase": "sent", "at": 1e9, "details": {"earlier_job": "j", "earlier_start": "1.5"}},
    {"op": "s3", "phase": "done", "outcome": {"at": "t", "job_id": "j", "cu": 1, "fingerprint": "1:a"}},
    {"op": "s4", "phase": "intent", "ts": "t", "step": {"kind": "tag", "address": "model.kael", "add": ["a"]}},
    {"op": "s4", "phase": "failed", "reason": "no"},
    {"op": "s5", "phase": "intent", "ts": "t", "step": {"kind": "wait", "address": "model.kael", "type": "t"}},
    {"op": "s5", "phase": "done", "outcome": {"at": "t", "phase": "trained", "cu": 4.5}},
    {
        "op": "s6",
        "phase": "intent",
        "ts": "t",
        "step": {
            "kind": "upload",
            "address": "model.kael",
            "way": "multipart",
            "picture": {"path": "p", "file": "f", "sha256": "s", "size_bytes": 4, "mime": "image/png"},
        },
    },
    {"op": "s6", "phase": "sent", "at": 1e9, "details": {"upload_id": "u"}},
]


def test_a_journal_is_replayed_whole_or_refused(tmp_path: Path) -> None:
    """What it gives can be saved; what it refuses names the line and says what to do."""
    path = tmp_path / "m.journal"
    for varied in (JOURNAL, *with_foreign_nodes(JOURNAL, 60 * COUNT, 7)):
        if not isinstance(varied, list):
            continue
        path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in varied))
        refusal, replayed = None, None
        try:
            replayed = replay(str(path), State(lineage="l"), None)
        except StateDamaged as error:
            refusal = error
        if refusal is not None:
            assert "is damaged in line " in str(refusal)
            assert refusal.problems[0].hint
            continue
        assert replayed is not None
        written = _written(replayed.state)
        assert _written(state_of(read_state_file(written, source="again"), source="again")) == written
        for call in replayed.unanswered:
            earlier_from_details(call.details)
            iso(call.sent_at)


MODEL: dict[str, Any] = {
    "id": "m1",
    "type": "flux.1-lora",
    "status": "new",
    "name": "Kael",
    "shortDescription": "s",
    "tags": ["t"],
    "concepts": [{"modelId": "m2", "scale": 1, "modelEpoch": "e"}],
    "trainingImages": [{"id": "a1", "name": "1.png", "description": "", "automaticCaptioning": "a cat"}],
    "trainingImagesNumber": 1,
    "trainingImagePairs": [{"sourceId": "a1", "targetId": "a2", "instruction": "i"}],
    "parameters": {"nbEpochs": 3},
    "jobId": "j1",
    "createdAt": "2026-08-01T10:00:00.500Z",
    "trainingStats": {"startedAt": "2026-08-01T10:00:00+02:00"},
    "trainingProgress": {"stage": "running-train", "progress": 0.5, "position": 3, "remainingTimeMs": 1500},
}
ASSET = {"id": "a", "metadata": {"name": "x.png"}, "properties": {"size": 12.0}, "status": "success", "createdAt": 1e12}
ANSWERS: list[tuple[Callable[[object], object], Any]] = [
    (lambda v: wire.model_of(v, complete=True), {"model": MODEL}),
    (lambda v: wire.models_of(v, complete=False), {"models": [MODEL]}),
    (wire.model_page_of, {"models": [MODEL], "nextPaginationToken": "t"}),
    (wire.training_image_of, {"trainingImage": MODEL["trainingImages"][0]}),
    (
        job_answers.job_of,
        {
            "job": {
                "jobId": "j",
                "status": "failure",
                "progress": 1,
                "metadata": {"error": "e"},
                "billing": {"cuCost": 1},
            }
        },
    ),
    (wire.launch_of, {"job": {"jobId": "j", "billing": {"cuCost": 1}}, "model": MODEL, "creativeUnitsCost": 5}),
    (wire.quote_of, {"creativeUnitsCost": 5}),
    (wire.asset_of, {"asset": ASSET}),
    (wire.asset_page_of, {"assets": [ASSET], "nextPaginationToken": None}),
    (
        wire.upload_of,
        {"upload": {"id": "u", "status": "pending", "entityId": "a", "parts": [{"number": 1, "url": "u"}]}},
    ),
    (wire.score_of, {"score": 0.5, "status": "complete", "assetsWarnings": [{"assetId": "a", "message": ["M"]}]}),
]


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_an_answer_is_read_or_refused(number: int) -> None:
    read, value = ANSWERS[number]
    read(value)
    for varied in with_foreign_nodes(value, 30 * COUNT, number):
        with contextlib.suppress(BadAnswer):
            read(varied)
