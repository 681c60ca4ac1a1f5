"""Runs the official SDK's own per-endpoint tests against a seeded emulator: a pytest plugin for the SDK's source tree.

The tests come with the SDK's source distribution and are not kept here. `run_sdk_suite.py` fetches them and starts
pytest in their folder with this plugin and `--noconftest`. They use placeholder ids ("modelId", "jobId" ...) and are
marked as skipped; here the marks come off, and before each test the world is created again with things of those ids, in
the state the call needs. Values that are mere words become what they stand for (`sdk_placeholders`). What is left out
stands in LEFT_OUT with the reason.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from scenario_sdk import AsyncScenario, Scenario

from scenario_apply.emulator import account, assets, models, seeding
from scenario_apply.emulator.server import Server
from scenario_apply.emulator.store import dump
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from .sdk_placeholders import AsyncFixing, Fixing

MODULES = (
    "test_models.py",
    "models/test_train.py",
    "models/test_training_images.py",
    "models/test_description.py",
    "models/test_scores.py",
    "models/test_examples.py",
    "assets/test_download.py",
    "test_generate.py",
    "test_usages.py",
    "test_jobs.py",
    "test_assets.py",
    "test_uploads.py",
    "test_teams.py",
    "test_projects.py",
    "projects/test_webhook_endpoints.py",
    "projects/webhook_endpoints/test_events.py",
)

LEFT_OUT: dict[str, str] = {
    "aiohttp": "needs httpx-aiohttp; the same requests as the other asynchronous tests",
    "trio": "the SDK's asynchronous client runs on asyncio",
    "TestAssets::test_*_lock": "not in the contract",
    "TestAssets::test_*_unlock": "not in the contract",
    "TestAssets::test_*_list_snapshots": "not in the contract",
    "TestExamples::test_*_list": "not in the contract",
    "TestDownload::test_*_request": "not in the contract",
    "TestDownload::test_*_request_batch": "not in the contract",
    "TestGenerate::test_*_describe_style": "not in the contract",
    "TestGenerate::test_*_detect": "not in the contract",
    "TestGenerate::test_*_embed": "not in the contract",
    "TestGenerate::test_*_ip_detection": "not in the contract",
    "TestGenerate::test_*_patch": "not in the contract",
    "TestGenerate::test_*_prompt": "not in the contract",
    "TestGenerate::test_*_quality_gate": "not in the contract",
    "TestGenerate::test_*_translate": "not in the contract",
    "TestTeams::test_*_retrieve": "not in the contract",
    "TestTeams::test_*_update": "not in the contract",
    "TestTeams::test_*_list": "not in the contract",
    "TestTeams::test_*_delete_invitations": "not in the contract",
    "TestProjects::test_*_create": "not in the contract",
    "TestProjects::test_*_update": "not in the contract",
    "TestProjects::test_*_delete": "not in the contract",
}

_FORMS = ("method", "raw_response", "streaming_response")
_PROJECTS = ("projectId", "targetProjectId", "destinationProjectId")
_left_out: Counter[str] = Counter()
_emulator = EmulatorThread(
    manual_options(
        port=int(os.environ.get("SDK_SUITE_PORT", "0")),
        projects=_PROJECTS,
        allow_local_webhooks=True,
    )
)


def reason_to_leave_out(owner: str, name: str) -> str | None:
    """Why a test is not run; None when it is."""
    plain, _, variant = name.partition("[")
    for key in ("aiohttp", "trio"):
        if key in variant:
            return LEFT_OUT[key]
    owner = owner.replace("TestAsync", "Test")
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
        reason = reason_to_leave_out(owner, item.name)
        (kept if reason is None else left).append(item)
        if reason is not None:
            _left_out[reason] += 1
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests were left out, by reason."""
    for reason, count in _left_out.most_common():
        terminalreporter.write_line(f"left out: {count:4} {reason}")


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The fixture the SDK's tests ask for, on a world made for the test."""
    _emulator._do(lambda server: make_world(server, request.node.name.partition("[")[0]))
    strict = bool(getattr(request, "param", True))
    with (
        httpx.Client(transport=Fixing(verify=False), verify=False) as http,
        Scenario(http_client=http, _strict_response_validation=strict, **_connection()) as made,
    ):
        yield made


@pytest.fixture
async def async_client(request: pytest.FixtureRequest) -> AsyncIterator[AsyncScenario]:
    """The same for the asynchronous client."""
    _emulator._do(lambda server: make_world(server, request.node.name.partition("[")[0]))
    strict = bool(getattr(request, "param", True))
    async with (
        httpx.AsyncClient(transport=AsyncFixing(verify=False), verify=False) as http,
        AsyncScenario(http_client=http, _strict_response_validation=strict, **_connection()) as made,
    ):
        yield made


def _connection() -> dict[str, Any]:
    return {"base_url": _emulator.url, "api_key": "key", "api_secret": "secret", "max_retries": 0}


def make_world(server: Server, test: str) -> None:
    """Things with the ids the tests use."""
    world = server.world
    world.forget()
    with world.db.transaction():
        seeding.add_public_models(world)
        for project in _PROJECTS:
            world.ensure_project(project)
        status = "trained" if "download" in test else "new"
        doc: dict[str, Any] = {"tags": ["official"]}
        if status == "trained":
            doc |= {"epochs": [{"epoch": "modelEpoch", "assets": []}]}
        models.insert_model(world, "projectId", "flux.1-lora", status, "Kael", doc, id="modelId")
        models.insert_model(world, "projectId", "flux.1-lora", "trained", "Ink", {}, id="loraId")
        from .pictures import png

        for number, name in enumerate(("assetId", "string", "trainingImageId")):
            owner = "modelId" if "delete_images" in test and name == "string" else None
            assets.keep_picture(world, "projectId", name, png(number), id=name, model=owner, doc={"tags": ["official"]})
        world.db.run("INSERT INTO training_images (model, asset, created) VALUES ('modelId', 'trainingImageId', 0)")
        if "restore" in test:
            world.db.run("UPDATE models SET deleted = ?", (world.now_ms(),))
        now = world.now_ms()
        world.db.run(
            "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
            " VALUES ('jobId', 'projectId', ?, 'modelId', ?, ?, ?, 'success', ?)",
            ("model-download" if "get_status" in test else "inference", now, now, now + 10_000, dump({"input": {}})),
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
        ("model.training.started", now, now),
    )
