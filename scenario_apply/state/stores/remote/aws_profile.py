"""Keys and region of a profile in ~/.aws, which obstore does not read: that of AWS_PROFILE, else the default one.

Only keys that stand there. Single sign-on, roles and programs that print credentials are for AWS's own tools.
"""

from __future__ import annotations

import configparser
import os

_LARGEST_BYTES = 1 << 20
_ELSEWHERE = (
    *("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)
"""Variables that come before a profile."""
_NAMES = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "token",
}


def profile_settings() -> dict[str, str]:
    """What obstore needs of the profile; nothing where the environment itself says which credentials are used.

    Raises OSError and ValueError for a file that cannot be read.
    """
    if any(os.environ.get(name) for name in _ELSEWHERE):
        return {}
    name = os.environ.get("AWS_PROFILE") or "default"
    config = _section("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}")
    held = {**config, **_section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)}
    if not (held.get("aws_access_key_id") and held.get("aws_secret_access_key")):
        return {}
    found = {ours: held[theirs] for theirs, ours in _NAMES.items() if held.get(theirs)}
    if held.get("region") and not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        found["region"] = held["region"]
    return found


def _section(variable: str, file: str, name: str) -> dict[str, str]:
    """One section of a file of AWS's tools; empty where there is none."""
    path = os.environ.get(variable) or os.path.join("~", ".aws", file)
    try:
        with open(os.path.expanduser(path), "rb") as opened:
            content = opened.read(_LARGEST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    parser = configparser.RawConfigParser(strict=False, default_section="")
    try:
        parser.read_string(content.decode())
    except configparser.Error as error:
        raise ValueError(f"{path} is no file of AWS's tools") from error
    return dict(parser[name]) if parser.has_section(name) else {}
