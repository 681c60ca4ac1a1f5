"""Runs the official SDK's own per-endpoint tests against a seeded emulator: a pytest plugin for the SDK's source tree.

The tests come with the SDK's source distribution and are not kept here. `run_sdk_suite.py` fetches them and starts
pytest in their folder with this plugin and `--noconftest`. They use placeholder ids ("modelId", "jobId" ...) and are
marked as skipped; here the marks come off, and before each test the world is made anew with things of those ids, in
the state the call needs. What is left out stands in LEFT_OUT with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from scenario_sdk import Scenario

from scenario_apply.emulator import account, assets, models, seeding, webhooks
from scenario_apply.emulator.server import Server
from scenario_apply.emulator.store import dump
from scenario_apply.emulator.thread import EmulatorThread, manual_options

MODULES = (
    "test_models.py",
    "models/test_train.py",
    "models/test_training_images.py",
    "models/test_description.py",
    "models/test_scores.py",
    "test_jobs.py",
    "test_assets.py",
    "test_uploads.py",
    "test_teams.py",
    "test_projects.py",
    "projects/test_webhook_endpoints.py",
    "projects/webhook_endpoints/test_events.py",
)

LEFT_OUT: dict[str, str] = {
    "TestAsync": "needs pytest-asyncio; the same requests as the synchronous tests",
    "TestModels::test_*_transfer": "not in the contract",
    "TestAssets::test_*_lock": "not in the contract",
    "TestAssets::test_*_unlock": "not in the contract",
    "TestAssets::test_*_list_snapshots": "not in the contract",
    "TestScores::test_*_retrieve_prompt": "not in the contract",
    "TestTeams::test_*_retrieve": "not in the contract",
    "TestTeams::test_*_update": "not in the contract",
    "TestTeams::test_*_list": "not in the contract",
    "TestTeams::test_*_delete_invitations": "not in the contract",
    "TestProjects::test_*_create": "not in the contract",
    "TestProjects::test_*_update": "not in the contract",
    "TestProjects::test_*_delete": "not in the contract",
    "TestTrain::test_method_trigger_with_all_params": "sends dryRun but expects the body of a launch",
    "TestModels::test_method_download_with_all_params": "sends dryRun but expects the body of a launch",
    "TestModels::test_method_create_with_all_params": "a model of type custom has no concepts",
    "TestModels::test_method_update_with_all_params": "a model of type custom has no concepts",
    "TestModels::test_method_list_with_all_params": "paginationToken was never handed out, createdAfter is no date",
    "TestAssets::test_method_list_with_all_params": "paginationToken was never handed out, createdAfter is no date",
    "TestJobs::test_method_list_with_all_params": "paginationToken was never handed out, updatedAfter is no date",
    "TestProjects::test_method_list_with_all_params": "paginationToken was never handed out",
    "TestEvents::test_method_list_with_all_params": "paginationToken was never handed out",
    "TestModels::test_method_update_tags_with_all_params": "strict, and the same tag is to be added and deleted",
    "TestAssets::test_method_update_tags_with_all_params": "strict, and the same tag is to be added and deleted",
    "TestAssets::test_*_upload": "sends no picture, or the word `image`",
    "TestTrainingImages::test_*_add": "sends no picture, or every form at once",
    "TestTrainingImages::test_*_replace": "sends no picture, or every form at once",
    "TestTrainingImages::test_method_replace_pairs_with_all_params": "pairs of images that are not attached",
    "TestUploads::test_*_create": "sends nothing, or a size of 0 and every form at once",
    "TestWebhookEndpoints::test_*_create": "the address `url` is not absolute",
    "TestWebhookEndpoints::test_method_update_with_all_params": "the address `url` is not absolute",
}

_FORMS = ("method", "raw_response", "streaming_response")
_emulator = EmulatorThread(
    manual_options(port=int(os.environ.get("SDK_SUITE_PORT", "0")), projects=("projectId", "targetProjectId"))
)


def reason_to_leave_out(owner: str, name: str) -> str | None:
    """Why a test is not run; None when it is."""
    if owner.startswith("TestAsync"):
        return LEFT_OUT["TestAsync"]
    plain = name.partition("[")[0]
    for key, reason in LEFT_OUT.items():
        known, _, pattern = key.partition("::")
        if known != owner or not pattern:
            continue
        if "*" not in pattern:
            if plain == pattern:
                return reason
            continue
        operation = pattern.removeprefix("test_*_")
        calls = {f"test_{form}_{operation}" for form in _FORMS} | {f"test_method_{operation}_with_all_params"}
        if plain in calls:
            return reason
    return None


def pytest_configure(config: pytest.Config) -> None:
    """The emulator runs as long as pytest does."""
    account.TEAM = "teamId"
    _emulator.__enter__()


def pytest_unconfigure(config: pytest.Config) -> None:
    """And no longer."""
    _emulator.__exit__()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the skip marks off; leave out what LEFT_OUT names."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        item.own_markers = [mark for mark in item.own_markers if mark.name != "skip"]
        owner = item.parent.name if item.parent is not None else ""
        (kept if reason_to_leave_out(owner, item.name) is None else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The fixture the SDK's tests ask for, on a world made for the test."""
    _emulator._do(lambda server: make_world(server, request.node.name.partition("[")[0]))
    with Scenario(
        base_url=_emulator.url,
        api_key="key",
        api_secret="secret",
        max_retries=0,
        _strict_response_validation=bool(getattr(request, "param", True)),
    ) as made:
        yield made


def make_world(server: Server, test: str) -> None:
    """Things with the ids the tests use."""
    world = server.world
    world.forget()
    with world.db.transaction():
        seeding.add_public_models(world)
        for project in ("projectId", "targetProjectId"):
            world.ensure_project(project)
        status = "trained" if "download" in test else "new"
        doc: dict[str, Any] = {"tags": ["official"]}
        models.insert_model(world, "projectId", "flux.1-lora", status, "Kael", doc, id="modelId")
        from .pictures import png

        for number, name in enumerate(("assetId", "string", "trainingImageId")):
            owner = "modelId" if "delete_images" in test and name == "string" else None
            assets.keep_picture(world, "projectId", name, png(number), id=name, model=owner)
        world.db.run("INSERT INTO training_images (model, asset, created) VALUES ('modelId', 'trainingImageId', 0)")
        if "restore" in test:
            world.db.run("UPDATE models SET deleted = ?", (world.now_ms(),))
        now = world.now_ms()
        world.db.run(
            "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
            " VALUES ('jobId', 'projectId', 'inference', 'modelId', ?, ?, ?, 'success', ?)",
            (now, now, now + 10_000, dump({"input": {}})),
        )
        if "action" in test:
            world.db.run("UPDATE models SET status = 'training', job = 'jobId' WHERE id = 'modelId'")
        _make_upload_and_endpoint(server)


def _make_upload_and_endpoint(server: Server) -> None:
    world, now = server.world, server.world.now_ms()
    doc = {"kind": "image", "fileName": "a.png", "contentType": "image/png", "fileSize": 1, "parts": 1}
    world.db.run(
        "INSERT INTO uploads (id, project, status, created, updated, doc)"
        " VALUES ('uploadId', 'projectId', 'pending', ?, ?, ?)",
        (now, now, dump(doc | {"source": "multipart"})),
    )
    world.blobs.part("uploadId", 1).write_bytes(b"x")
    world.db.run(
        "INSERT INTO webhook_endpoints (id, project, url, secret, enabled, events, created, updated)"
        " VALUES ('webhookEndpointId', 'projectId', 'http://127.0.0.1:9/', 's', 0, '[\"*\"]', ?, ?)",
        (now, now),
    )
    world.db.run(
        "INSERT INTO webhook_events (id, endpoint, type, status, created, updated, payload, attempts)"
        " VALUES ('eventId', 'webhookEndpointId', ?, 'success', ?, ?, '{}', '[]')",
        (webhooks.EVENT_TYPES[-2], now, now),
    )
