"""Notifications: each once per change, never in the way of a run, and the URL of the webhook is never shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace as with_fields

from scenario_apply.api.webhook import post_to_webhook
from scenario_apply.apply.events import Ledger
from scenario_apply.cli import notifications
from scenario_apply.cli.notifications import notify_of_run
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.model.remote import ModelId
from scenario_apply.review.notice_text import Notice, notice_body, notice_format
from scenario_apply.state.state import Phase, Record, State, Version
from tests.cli.plans import KAEL
from tests.cli.runs import PLAN
from tests.cli.saving import MODELS, rename_on_service, run, trained, write_manifest

PATH = "/hooks/T0/sEcReT-path"


class Hook(HTTPServer):
    """status: what it answers. bodies: what it was sent."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    @property
    def events(self) -> list[str]:
        return [body["event"] for body in self.bodies]


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.bodies.append(body)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with listening() as server:
        monkeypatch.setenv(notifications.VARIABLE, server.url)
        yield server


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    with trained(tmp_path / "project", monkeypatch) as emulator:
        yield emulator


def test_applies_and_drift_are_told_once(
    hook: Hook, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run and a second plan have nothing to tell; what was not taken, or comes again, is told again."""
    assert (hook.events, hook.bodies[0]["status"]) == (["apply.finished"], "done")
    assert hook.bodies[0]["cu_charged"] > 0
    assert run("apply --auto-approve -q") == 0
    assert len(hook.bodies) == 1
    rename_on_service(service, "other", "Theirs @channel")
    hook.status = 500
    assert run("plan --refresh-only") == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "did not take the notification drift.found: it answered 500" in told
    hook.status = 200
    for _ in range(2):
        assert run("plan --refresh-only -q") == 0
    assert (hook.events[1:], hook.bodies[1]["drift"][0]["address"]) == (["drift.found"], "model.other")
    for name, count in (("Other", 1), ("Theirs @channel", 2)):
        rename_on_service(service, "other", name)
        assert run("plan --refresh-only -q") == 0
        assert hook.events[1:] == ["drift.found"] * count
    name = "{{ env.SCENARIO_APPLY_WEBHOOK }}"  # not even where the caller allows it by mistake
    write_manifest({**MODELS, "kael": f'{{ name: "{name}", type: flux.1-lora, dataset: ./kael }}'})
    assert run(f"validate --allow-env {notifications.VARIABLE}") == 1
    said = capsys.readouterr()
    assert "is a credential, which manifests must not read" in said.out + said.err
    assert "sEcReT" not in said.out + said.err + told
    assert not [path for path in Path().rglob("*") if path.is_file() and b"sEcReT" in path.read_bytes()]


def call_of(url: str | None) -> Any:
    """As much of an invocation as notifications need."""
    told: list[str] = []
    settings = SimpleNamespace(webhook=url, environment={}, allow_http=False)
    return SimpleNamespace(settings=settings, tell=told.append, told=told)


def failed_state(phase: Phase, serial: int) -> State:
    version = Version(
        number=2,
        id=ModelId("model_1"),
        phase=phase,
        name="K",
        type="flux.1-lora",
        reason="training failed: <!channel> no GPU" if phase == "failed" else None,
        charged=0,
        launched_at="2026-11-01T10:00:00Z",
    )
    return State(lineage="l", serial=serial, records={KAEL: Record(current=version)})


def test_a_failed_training_is_told_by_the_run_that_records_it(hook: Hook) -> None:
    """Whether it waited for the training or found it failed; the next run has nothing to tell of it."""
    before, after, ledger = failed_state("training", 1), failed_state("failed", 2), Ledger(status="partial")
    call = call_of(hook.url)
    notify_of_run(call, PLAN, ledger, before, after, destroy=False)
    assert hook.events == ["training.failed", "apply.finished"]
    first = hook.bodies[0]
    assert (first["address"], first["cu_charged"], first["version"]) == ("model.kael", 0, 2)
    assert "no GPU" in first["text"]
    assert "(refunded)" in first["text"]
    notify_of_run(call, PLAN, ledger, after, after, destroy=False)
    notify_of_run(call, PLAN, Ledger(status="interrupted"), before, after, destroy=False)
    notify_of_run(call_of(None), PLAN, ledger, before, after, destroy=False)
    assert (len(hook.bodies), call.told) == (2, [])


def test_a_training_that_was_not_waited_for_is_told_by_the_run_that_finds_it_ended(hook: Hook) -> None:
    """That run has no changes to make; the one after it has nothing to tell."""
    before, after, ledger = failed_state("training", 1), failed_state("trained", 2), Ledger(status="done")
    call, nothing = call_of(hook.url), with_fields(PLAN, changes=(), steps=())
    assert not nothing.has_changes
    notify_of_run(call, nothing, ledger, before, after, destroy=False)
    assert (hook.events, hook.bodies[0]["trained"]) == (["apply.finished"], ["model.kael"])
    assert "trained: model.kael" in hook.bodies[0]["text"]
    notify_of_run(call, nothing, ledger, after, with_fields(after, serial=3), destroy=False)
    assert len(hook.bodies) == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_only_a_success_counts_as_taken(hook: Hook, status: int) -> None:
    hook.status = status
    assert post_to_webhook(hook.url, b"{}", deadline_s=5) == f"it answered {status}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("not a url", "no http or https URL"),
        ("file:///etc/passwd", "no http or https URL"),
        ("http://hooks.example/T0", "--allow-http"),
        ("http://127.0.0.1:9/T0", "could not be reached (ConnectionRefusedError)"),
    ],
)
def test_what_cannot_be_a_webhook_is_told_without_being_shown(url: str, why: str) -> None:
    problem = post_to_webhook(url, b"{}", deadline_s=5)
    assert problem is not None
    assert why in problem
    assert "T0" not in problem


def test_a_webhook_that_never_answers_holds_nothing_up() -> None:
    with listening() as server:
        latch = threading.Event()
        server.RequestHandlerClass = type("Silent", (_Handler,), {"do_POST": lambda self: latch.wait(10)})
        try:
            assert post_to_webhook(server.url, b"{}", deadline_s=0.05) == "it did not answer within 0.05 s"
        finally:
            latch.set()


def test_slack_gets_the_text_alone_and_nothing_in_it_is_markup() -> None:
    text = "model.a: <!channel> & <http://x|y>"
    notice = Notice(event="training.failed", text=text, at="t", manifest="m", endpoint="e", facts={"address": "a"})
    assert json.loads(notice_body(notice, "slack")) == {"text": "model.a: &lt;!channel&gt; &amp; &lt;http://x|y&gt;"}
    assert json.loads(notice_body(notice, "json"))["text"] == text
    assert notice_format("https://hooks.slack.com/services/T/B/x", None) == "slack"
    assert notice_format("https://slack.com.evil.example/x", None) == "json"
    assert notice_format("https://hooks.slack.com/x", "json") == "json"
    with pytest.raises(ValueError, match="teams"):
        notice_format("https://x.example", "teams")
