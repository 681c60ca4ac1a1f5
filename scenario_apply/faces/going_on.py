"""The command lines that go on with a run; every one may be typed as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from scenario_apply.faces.settings import Settings

_DEFAULTS = Settings()


def again(asked: Mapping[str, Any], settings: Settings, command: str) -> str:
    """The command that goes on with this one. A saved plan is spent once begun: its manifest takes its place.

    Without --replace and --adopt: whether they are still to be given, only the run knows (bookkeeping.py).
    """
    words = ["scenario-apply", command, *_shared(settings)]
    words += [f"--{name}={value}" for name in ("select", "exclude", "train") for value in asked.get(name) or ()]
    words += [f"--limit={name}={value:.12g}" for name, value in asked.get("limit") or ()]
    words += ["--allow-destroy"] if asked.get("allow_destroy") else []
    words += ["--strict"] if settings.strict else []
    words += _consent(asked)
    return shlex.join(words)


def the_same(asked: Mapping[str, Any], settings: Settings, command: str) -> str:
    """The command as it was given, for a run that did nothing: nothing of what it asked for is answered yet."""
    words = [f"--{name}={value}" for name in ("replace", "adopt") for value in asked.get(name) or ()]
    return " ".join([again(asked, settings, command), *map(shlex.quote, words)])


def planning(asked: Mapping[str, Any], settings: Settings, path: str) -> str:
    """The command that makes a saved plan anew. settings: with the plan's manifest and variables."""
    words = ["scenario-apply", "plan", *_shared(settings)]
    words += [f"--limit={name}={value:.12g}" for name, value in asked.get("limit") or ()]
    return shlex.join([*words, *(["--strict"] if settings.strict else []), *_consent(asked), f"--out={path}"])


def watching(settings: Settings) -> str:
    """The command that watches what was left running."""
    return shlex.join(["scenario-apply", "status", *_shared(settings), "--watch"])


def _consent(asked: Mapping[str, Any]) -> list[str]:
    """What a command that reads datasets was allowed; a variable of the environment is there the next time, too."""
    return ["--allow-outside-root"] if asked.get("allow_outside_root") else []


def _shared(settings: Settings) -> list[str]:
    """What every command that asks the service takes."""
    words = [settings.manifest] if settings.manifest is not None else []
    words += [f"--var={name}={value}" for name, value in settings.variables.items()]
    words += [f"--var-file={name}" for name in settings.var_files]
    words += [f"--state={settings.state}"] if settings.state is not None else []
    words += ["--local"] if settings.local else []
    words += [f"--rate-limit={settings.rate_limit}"] if settings.rate_limit != _DEFAULTS.rate_limit else []
    words += [f"--parallelism={settings.parallelism}"] if settings.parallelism != _DEFAULTS.parallelism else []
    return words
