"""Flags over environment over defaults; secrets that do not show themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenario_apply.cli import wiring
from scenario_apply.cli.main import load, parser_of
from scenario_apply.cli.settings import DEFAULT_BASE_URL, Settings, read_settings
from scenario_apply.errors import UsageError

BOTH = {"SCENARIO_SDK_API_KEY": "key_1", "SCENARIO_SDK_API_SECRET": "s3cr3t"}


def settings(environment: dict[str, str], *words: str) -> Settings:
    return read_settings(parser_of("apply", load("apply")).read(words), environment, cwd="/somewhere")


def test_defaults() -> None:
    found = settings({})
    assert found.base_url == DEFAULT_BASE_URL
    assert found.rate_limit == 100
    assert found.parallelism == 24
    assert found.credentials is None
    assert found.missing == ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET")
    assert found.color is None


@pytest.mark.parametrize(
    "place",
    [
        "gs://b/k",
        "S3://bucket/kael.json",
        "file:///tmp/a.json",
        "ftp://u:pa55@host/kael.json",
        "s3:/bucket/kael.json",
        "s3//bucket/kael.json",
        "s3:bucket/kael.json",
        " az://container/kael.json",
        "https://u:pa55@host/state?token=pa55",
    ],
)
def test_a_url_that_names_no_state_is_refused_and_never_taken_for_a_folder(place: str) -> None:
    """An empty state in a folder `s3:` would make and pay for everything again."""
    with pytest.raises(UsageError, match="--state: ") as caught:
        settings({}, "--state", place)
    assert caught.value.problems[0].hint
    assert "pa55" not in f"{caught.value} {caught.value.problems}"


def test_the_password_in_the_url_of_a_state_is_a_secret() -> None:
    found = settings({}, "--state", "postgres://kael:pa%40ss55@db.example/states")
    assert found.secrets == ("pa@ss55",)


@pytest.mark.parametrize("words", [["--state", ""], ["--events", " "], ["--select", "model.a", "--select", ""], [""]])
def test_an_empty_name_is_a_variable_that_is_not_set(words: list[str]) -> None:
    """An empty MANIFEST would be this folder, with a state of its own."""
    name = "MANIFEST" if words == [""] else words[-2]
    with pytest.raises(UsageError, match=f"{name} is empty"):
        settings({}, *words)


@pytest.mark.parametrize("place", ["state/kael.json", "/tmp/a.json", "a:b.json", "./s3:/kael.json", "C:/kael.json"])
def test_any_other_state_is_a_path(place: str) -> None:
    assert settings({}, "--state", place).state == place


def test_secrets_mask_their_repr() -> None:
    found = settings(BOTH)
    assert found.credentials is not None
    assert found.credentials.secret == "s3cr3t"
    for text in (repr(found), str(found), repr(found.credentials), f"{found.credentials}"):
        assert "s3cr3t" not in text
        assert "key_1" not in text


@pytest.mark.parametrize(
    ("environment", "secret"),
    [
        (BOTH, "s3cr3t"),
        ({"SCENARIO_API_KEY": "k", "SCENARIO_API_SECRET": "other"}, "other"),
        ({**BOTH, "SCENARIO_API_SECRET": "other"}, "s3cr3t"),
        ({**BOTH, "SCENARIO_SDK_API_SECRET": "", "SCENARIO_API_SECRET": "other"}, "other"),
    ],
)
def test_the_sdk_names_win_over_the_short_ones(environment: dict[str, str], secret: str) -> None:
    credentials = settings(environment).credentials
    assert credentials is not None
    assert credentials.secret == secret


def test_flags_win_over_the_environment() -> None:
    found = settings(
        {"SCENARIO_BASE_URL": "http://127.0.0.1:1/v1/", "NO_COLOR": "1"},
        *("--local", "--var", "rate=1e-4", "--var", "name=a=b", "--var-file", "v.yaml", "--rate-limit", "0"),
        *("--limit", "cost=500", "--limit", "deletes=0", "--state", "s.json", "--lock-timeout", "1.5", "-q"),
    )
    assert found.base_url == "http://127.0.0.1:1/v1"
    assert found.endpoint == "local"
    assert found.variables == {"rate": "1e-4", "name": "a=b"}
    assert found.limits.cost == 500
    assert found.limits.deletes == 0
    assert found.limits.retrains is None
    assert found.color is False
    assert found.lock_timeout_s == 1.5
    assert found.rate_limit == 0


def test_a_command_without_an_option_has_its_default() -> None:
    found = read_settings(argparse.Namespace(), {}, cwd="/somewhere")
    assert found.manifest is None
    assert found.rate_limit == 100


def test_variables_shorten_trainings_of_the_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """How long they take, how much of it they are queued, and what exists before; left out, the emulator decides."""
    asked: list[Sequence[str]] = []

    @contextmanager
    def noting(data: str, options: Sequence[str], environment: object, *, within: str) -> Iterator[str]:
        asked.append(options)
        yield "http://127.0.0.1:1/v1"

    monkeypatch.setattr("scenario_apply.cli.local_service.local_service", noting)
    seed = tmp_path / "seed.json"
    variables = {
        "SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": "3",
        "SCENARIO_APPLY_LOCAL_QUEUE_SECONDS": "0",
        "SCENARIO_APPLY_LOCAL_SEED": str(seed),
    }
    for given in (variables, {}):
        settings = read_settings(argparse.Namespace(local=True), given, cwd=str(tmp_path))
        with wiring._service(str(tmp_path), settings):
            pass
    first, second = (" ".join(options) for options in asked)
    assert "--training-seconds 3 --queue-seconds 0 " in first
    assert first.endswith(f"--seed {seed}")
    assert "--training-seconds 20 --rate-limit" in second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SCENARIO_APPLY_LOCAL_QUEUE_SECONDS": "soon"}, "SCENARIO_APPLY_LOCAL_QUEUE_SECONDS is 'soon'"),
        ({"SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": "-1"}, "SCENARIO_APPLY_LOCAL_TRAINING_SECONDS is '-1'"),
        ({"SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": "nan"}, "no number of seconds"),
        ({"SCENARIO_APPLY_LOCAL_QUEUE_SECONDS": "30"}, "more than a training takes"),
    ],
)
def test_a_time_that_cannot_be_names_its_variable(given: dict[str, str], said: str, tmp_path: Path) -> None:
    settings = read_settings(argparse.Namespace(local=True), given, cwd=str(tmp_path))
    with pytest.raises(UsageError, match=said), wiring._service(str(tmp_path), settings):
        pass
