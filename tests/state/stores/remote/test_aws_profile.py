"""state.stores.remote.aws_profile: the files that AWS's own tools write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply.state.stores.remote.aws_profile import profile_settings
from scenario_apply.state.stores.remote.object_access import NotOpened, open_bucket

CREDENTIALS = """
[default]
aws_access_key_id = AKIA1
aws_secret_access_key = pass%word/1

[ci]
aws_access_key_id = AKIA2
aws_secret_access_key = two
aws_session_token = three
"""
CONFIG = """
[default]
region = eu-west-1
[profile ci]
region = us-west-2
s3 =
  max_concurrent_requests = 20
[profile sso]
sso_session = team
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """~/.aws with two profiles."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(CREDENTIALS)
    (folder / "config").write_text(CONFIG)
    return folder


def test_the_keys_and_the_region_of_a_profile_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default one, or that of AWS_PROFILE; a region in the environment comes first."""
    assert profile_settings() == {
        "access_key_id": "AKIA1",
        "secret_access_key": "pass%word/1",
        "region": "eu-west-1",
    }
    monkeypatch.setenv("AWS_PROFILE", "ci")
    found = profile_settings()
    assert (found["access_key_id"], found["token"], found["region"]) == ("AKIA2", "three", "us-west-2")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert "region" not in profile_settings()
    assert open_bucket("s3://b", allow_http=False, timeout_s=1, connect_timeout_s=1, retries=0) is not None


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE"])
def test_credentials_of_the_environment_come_first(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "true")
    assert profile_settings() == {}


def test_without_keys_there_is_nothing_to_take(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Of a profile for single sign-on, of one that does not exist, and without the files."""
    for name in ("sso", "none"):
        monkeypatch.setenv("AWS_PROFILE", name)
        assert profile_settings() == {}
    monkeypatch.delenv("AWS_PROFILE")
    for file in folder.iterdir():
        file.unlink()
    assert profile_settings() == {}


def test_a_file_that_is_none_of_aws_is_an_error_that_repeats_nothing(folder: Path) -> None:
    for content in (b"aws_secret_access_key = secret", b"\xff\xfe"):
        (folder / "credentials").write_bytes(content)
        with pytest.raises(NotOpened) as caught:
            open_bucket("s3://b", allow_http=False, timeout_s=1, connect_timeout_s=1, retries=0)
        assert caught.value.why == "the profiles of AWS cannot be read"
