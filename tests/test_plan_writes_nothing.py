"""What `plan` may send: its client refuses every write before anything leaves, whatever the engine asks of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scenario_apply.apply import prepare
from scenario_apply.apply.environment import Environment
from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.errors import WriteInPlan
from scenario_apply.model.ports import GenerationApi, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, PictureToCaption, UploadId
from scenario_apply.model.samples import Generation

QUICKSTART = Path(__file__).parent.parent / "manifests" / "quickstart"
MODEL, ASSET = ModelId("model_1"), AssetId("asset_1")

WRITES: dict[str, Callable[[ScenarioApi], object]] = {
    "update_model": lambda api: api.update_model(MODEL, name="x"),
    "update_tags": lambda api: api.update_tags(MODEL, add=["t"], delete=[]),
    "set_caption": lambda api: api.set_caption(ASSET, "x"),
    "replace_pairs": lambda api: api.replace_pairs(MODEL, []),
    "detach_image": lambda api: api.detach_image(MODEL, ASSET),
    "delete_model": lambda api: api.delete_model(MODEL),
    "put_part": lambda api: api.put_part("https://parts.example/1", b"x"),
    "complete_upload": lambda api: api.complete_upload(UploadId("upload_1")),
    "create_model": lambda api: api.create_model(name="x", type="flux.1-lora"),
    "add_image": lambda api: api.add_image(MODEL, name="x.png", mime="image/png", body=b"x"),
    "attach_assets": lambda api: api.attach_assets(MODEL, [ASSET]),
    "upload_asset": lambda api: api.upload_asset(name="x.png", body=b"x"),
    "create_upload": lambda api: api.create_upload(file_name="x.png", mime="image/png", size_bytes=1, parts=1),
    "train": lambda api: api.train(MODEL, {}),
    "set_card": lambda api: api.set_card(MODEL, "# Kael"),
    "generate": lambda api: api.generate(MODEL, Generation(prompt="a ranger")),
    "export_weights": lambda api: api.export_weights(MODEL),
    "generate_caption": lambda api: api.generate_caption(PictureToCaption(ASSET)),
}


def test_the_client_of_a_plan_refuses_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(QUICKSTART, tmp_path / "quickstart", ignore=shutil.ignore_patterns("state", ".scenario"))
    refused: list[str] = []

    def tries_to_write(environment: Environment, *_: object) -> None:
        assert environment.api is not None
        for name, write in WRITES.items():
            with pytest.raises(WriteInPlan):
                write(environment.api)
            refused.append(name)
        raise WriteInPlan("a plan may not write")

    monkeypatch.setattr(prepare, "make_plan", tries_to_write)
    with EmulatorThread() as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        assert run(["plan", str(tmp_path / "quickstart")]) == 1
        assert emulator.requests == ()
    assert refused == [*WRITES]


def test_the_list_of_writes_is_complete() -> None:
    """Every call of the port that is no read is tried above."""
    reads = {
        "get_model",
        "get_models",
        "list_models",
        "get_job",
        "list_assets",
        "get_asset",
        "get_assets",
        "get_upload",
        "get_score",
        "get_account",
        "get_base",
        "list_jobs",
        "get_weights",
        "get_card",
    }
    parts = vars(ScenarioApi).keys() | vars(GenerationApi).keys()
    calls = {name for name in parts if not name.startswith("_")}
    assert calls - reads - {"quote_training", "quote_captions", "quote_generation", "quote_weights"} == WRITES.keys()
