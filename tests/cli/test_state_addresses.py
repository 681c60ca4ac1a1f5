"""Which stores a manifest may choose: object stores by the environment's endpoints, servers that the caller named."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.settings import Settings
from scenario_apply.cli.state_addresses import is_named, url_of_manifest, url_of_option
from scenario_apply.errors import ManifestError, UsageError
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.remote_urls import remote_access
from scenario_apply.state.state_url import parse_state_url

GITLAB = "https://gitlab.example/api/v4/projects/1/terraform/state/kael"
DATABASE = "postgres://kael@db.example/states/kael"


def manifest_at(folder: Path, state: str) -> Manifest:
    path = folder / "hero.yaml"
    path.write_text(f'version: 1\nstate: "{state}"\n')
    return load_manifest(str(path), variables={}, var_files=(), env={}, cwd=str(folder))


def settings(environment: dict[str, str] | None = None, **fields: Any) -> Settings:
    text = (environment or {}).get("SCENARIO_APPLY_ALLOW_REMOTE", "")
    remote = remote_access(text, asked=bool(fields.pop("asked", False)), allow_http=False)
    return Settings(environment=environment or {}, remote=remote, **fields)


@pytest.mark.parametrize(
    ("state", "environment"),
    [
        (GITLAB, {"CI_API_V4_URL": "https://gitlab.example/api/v4"}),
        (GITLAB, {"CI_SERVER_URL": "https://gitlab.example"}),
        (GITLAB, {"TF_HTTP_ADDRESS": GITLAB}),
        (GITLAB, {"SCENARIO_APPLY_ALLOW_REMOTE": "https://gitlab.example/"}),
        (DATABASE, {"PGHOST": "db.example"}),
        (DATABASE, {"PGHOST": "a.example, db.example"}),
        ("postgres://db.example:6543/states", {"PGHOST": "db.example", "PGPORT": "6543"}),
        ("postgres://db.example:6543/states", {"SCENARIO_APPLY_ALLOW_REMOTE": "postgresql://db.example:6543"}),
        ("postgres://db.example/states", {"SCENARIO_APPLY_ALLOW_REMOTE": "postgres://db.example:5432/"}),
        ("postgres:///states", {"PGHOST": "db.example"}),
        ("postgres://127.0.0.1:6543/states", {"PGHOST": "127.0.0.1", "PGPORT": "6543"}),
        ("http://localhost:8080/states/", {"TF_HTTP_ADDRESS": "http://localhost:8080/states/hero"}),
        ("s3://bucket/kael.json", {}),
    ],
)
def test_a_host_that_the_caller_named_is_asked(tmp_path: Path, state: str, environment: dict[str, str]) -> None:
    url = url_of_manifest(manifest_at(tmp_path, state), settings(environment))
    assert url.is_named or url.is_object


@pytest.mark.parametrize(
    ("state", "environment"),
    [
        (GITLAB, {}),
        (GITLAB, {"CI_SERVER_URL": "https://gitlab.example:8443"}),
        (GITLAB, {"CI_SERVER_URL": "http://gitlab.example"}),
        (GITLAB, {"SCENARIO_APPLY_ALLOW_REMOTE": "1"}),
        (GITLAB, {"SCENARIO_APPLY_ALLOW_REMOTE": "https://gitlab.example.org/,https://gitlab"}),
        (DATABASE, {"PGPASSWORD": "secret"}),
        ("postgres://db.example:5432/states", {"PGHOST": "db.example", "PGPORT": "6543"}),
        ("postgres://db.example:6543/states", {"PGHOST": "db.example"}),
        ("postgres://127.0.0.1.evil.example/states", {}),
        ("postgres://%2Ftmp%2Fevil/states", {}),
    ],
)
def test_a_host_that_only_the_manifest_names_is_not_asked(
    tmp_path: Path, state: str, environment: dict[str, str]
) -> None:
    """--allow-remote, too, is consent for datasets, and names no host."""
    manifest = manifest_at(tmp_path, state)
    with pytest.raises(ManifestError, match="nothing is sent to a host that only the manifest names") as caught:
        url_of_manifest(manifest, settings(environment, asked=True))
    problem = caught.value.problems[0]
    assert problem.location is not None
    assert (problem.code, problem.location.line) == ("state-host", 2)
    assert "SCENARIO_APPLY_ALLOW_REMOTE=" in (problem.hint or "")


@pytest.mark.parametrize("state", ["postgres://127.0.0.1:6543/states", "http://localhost:8080/states/"])
def test_a_server_of_this_machine_is_asked_without_credentials(tmp_path: Path, state: str) -> None:
    """Whoever listens there may be another user."""
    url = url_of_manifest(manifest_at(tmp_path, state), settings({"PGPASSWORD": "secret", "TF_HTTP_PASSWORD": "s"}))
    assert not url.is_named


@pytest.mark.parametrize("state", ["postgres://kael:pa55w0rd@127.0.0.1/db", "https://glpat-pa55w0rd@localhost/x"])
def test_a_password_in_a_manifest_is_refused_and_not_shown(
    tmp_path: Path, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest_at(tmp_path, state)
    for command in ("validate", "plan", "config"):
        assert main([command, str(tmp_path / "hero.yaml")]) == (0 if command == "config" else 1)
    printed = "".join(capsys.readouterr())
    assert "pa55w0rd" not in printed
    assert "secret-in-clear" in printed


@pytest.mark.parametrize("command", ["validate", "plan", "status", "state list", "output", "force-unlock", "apply"])
def test_no_command_connects_to_a_host_that_only_the_manifest_names(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even its address is looked up."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    manifest_at(tmp_path, GITLAB)
    code = main([*command.split(), str(tmp_path / "hero.yaml"), "--no-color"])
    assert code == (0 if command == "validate" else 1)
    if command != "validate":
        assert "hero.yaml:2:8" in capsys.readouterr().err


def test_http_is_for_this_machine_or_with_consent(tmp_path: Path) -> None:
    for url in ("http://host.example/x", "http://127.evil.example/x"):
        with pytest.raises(UsageError, match="not encrypted"):
            url_of_option(url, settings())
        assert url_of_option(url, settings(allow_http=True)).is_named
    assert url_of_option("http://[::1]:8080/x", settings()).is_loopback
    environment = {"SCENARIO_APPLY_ALLOW_REMOTE": "http://host.example/"}
    with pytest.raises(ManifestError, match="not encrypted"):
        url_of_manifest(manifest_at(tmp_path, "http://host.example/x"), settings(environment))


def test_what_the_command_line_names_is_named() -> None:
    url = url_of_option(GITLAB, settings())
    assert url.is_named
    assert not is_named(parse_state_url(GITLAB), settings())
