"""The command lines that continue a run; each can be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scenario_apply.cli.settings import Settings
from scenario_apply.state.url_texts import without_password

if TYPE_CHECKING:
    from scenario_apply.planning.plan import PlanFlags

_DEFAULTS = Settings()
_SECRET_NAME = re.compile(r"(?i:secret|token|passw|credential|wandb|(?:^|_)(?:api_?)?key$)|[a-z]Key$")
HIDDEN = "***"


def again(asked: Mapping[str, Any], settings: Settings, command: str) -> str:
    """The command that continues this one. A saved plan cannot be applied twice: its manifest takes its place.

    Without --replace and --adopt: only the run knows whether they are still needed (apply/next_command.py).
    """
    words = ["scenario-apply", *command.split(), *(asked.get("draw") or ()), *_shared(settings)]
    words += [f"--{name}={value}" for name in ("select", "exclude", "train") for value in asked.get(name) or ()]
    words += [f"--version={asked['draw_version']}"] if asked.get("draw_version") else []
    if command == "destroy":
        return shlex.join(words)  # it allows its own deletes, and nothing is trained
    words += [f"--limit={name}={value:.12g}" for name, value in asked.get("limit") or ()]
    words += ["--allow-destroy"] if asked.get("allow_destroy") else []
    words += ["--strict"] if settings.strict else []
    words += ["--refresh-only"] if command == "apply" and asked.get("refresh_only") else []
    words += _consent(asked)
    words += ["--lfs-pull"] if asked.get("lfs_pull") else []
    return shlex.join(words)


def the_same(asked: Mapping[str, Any], settings: Settings, command: str) -> str:
    """The command as it was given, for a run that did nothing."""
    words = [f"--{name}={value}" for name in ("replace", "adopt") for value in asked.get(name) or ()]
    return " ".join([again(asked, settings, command), *map(shlex.quote, words)])


def asked_of(flags: PlanFlags, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run that applies a saved plan's manifest: the plan's own beside those that were typed."""
    return {
        **asked,
        "select": list(flags.select),
        "exclude": list(flags.exclude),
        "replace": [str(address) for address in flags.replace],
        "train": [str(address) for address in flags.train],
        "allow_destroy": bool(flags.deletes and asked.get("allow_destroy")),
    }


def planning(asked: Mapping[str, Any], settings: Settings, path: str, flags: PlanFlags) -> str:
    """The command that creates a saved plan again. settings: with the plan's manifest and variables."""
    words = ["scenario-apply", "plan", *_shared(settings)]
    of_plan = asked_of(flags, asked)
    words += [f"--{name}={value}" for name in ("select", "exclude", "replace", "train") for value in of_plan[name]]
    words += ["--destroy"] if flags.destroy else ["--allow-destroy"] if flags.deletes else []
    words += [f"--limit={name}={value:.12g}" for name, value in asked.get("limit") or ()]
    return shlex.join([*words, *(["--strict"] if settings.strict else []), *_consent(asked), f"--out={path}"])


def watching(settings: Settings) -> str:
    """The command that watches trainings that were left running."""
    return shlex.join(["scenario-apply", "status", *_shared(settings), "--watch"])


def applying(settings: Settings, path: str) -> str:
    """The command that applies a saved plan. What its manifest may read has to be allowed each time."""
    words = ["scenario-apply", "apply", path, *(f"--allow-env={name}" for name in settings.allow_env)]
    words += state_option(settings)
    words += ["--allow-outside-root"] if settings.allow_outside_root else []
    words += ["--allow-remote"] if settings.remote.everything else []
    return shlex.join([*words, *(["--local"] if settings.local else [])])


def comparing(asked: Mapping[str, Any], settings: Settings, path: str) -> str:
    """The command that makes a page of the same comparison, in path."""
    words = ["scenario-apply", "compare", *asked["words"], *_shared(replace(settings, manifest=None))]
    words += ["--epochs"] if asked.get("epochs") else []
    return shlex.join([*words, *_consent(asked), "--format=html", f"--out={path}"])


def _consent(asked: Mapping[str, Any]) -> list[str]:
    """What a command that reads datasets was allowed by an option."""
    return [f"--{name.replace('_', '-')}" for name in ("allow_outside_root", "allow_remote") if asked.get(name)]


def _shared(settings: Settings) -> list[str]:
    """Options of every command that sends requests."""
    words = [settings.manifest] if settings.manifest is not None else []
    words += [f"--var={pair}" for pair in shown_variables(settings.variables, settings)]
    words += [f"--var-file={name}" for name in settings.var_files]
    words += [f"--allow-env={name}" for name in settings.allow_env]
    words += state_option(settings)
    words += ["--local"] if settings.local else []
    words += [f"--rate-limit={settings.rate_limit}"] if settings.rate_limit != _DEFAULTS.rate_limit else []
    words += [f"--parallelism={settings.parallelism}"] if settings.parallelism != _DEFAULTS.parallelism else []
    return words


def state_option(settings: Settings) -> list[str]:
    """--state as it was given, without the password of a URL, and what a URL without encryption needs."""
    if settings.state is None:
        return []
    consent = ["--allow-http"] if settings.allow_http and settings.state.startswith("http://") else []
    return [f"--state={without_password(settings.state)}", *consent]


def typed(words: Sequence[str], secrets: Iterable[str] = ()) -> str:
    """A command line for the state's history, as it was typed: without the values of variables that may be secrets.

    secrets: texts that it must not hold anywhere.
    """
    hidden = sorted(filter(None, secrets), key=len, reverse=True)
    masked = ["scenario-apply"]
    for number, word in enumerate(words):
        if number and words[number - 1] == "--var":
            word = _for_history(word)
        elif word.startswith("--var="):
            word = f"--var={_for_history(word.removeprefix('--var='))}"
        else:
            word = without_password(word)
        for secret in hidden:  # before the word is quoted: quoting may take a secret apart
            word = word.replace(secret, HIDDEN)
        masked.append(word)
    return shlex.join(masked).encode(errors="backslashreplace").decode()  # a word need not be Unicode, a state is


def _for_history(pair: str) -> str:
    """NAME=VALUE; the value is hidden where the name or the value may be a secret. It is not pasted again."""
    from scenario_apply.manifest.secret_detection import is_secret_name

    name, sign, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if sign and is_secret_name(name) else without_secret(pair)


def shown_variables(variables: Mapping[str, str], settings: Settings) -> list[str]:
    """NAME=VALUE for commands that are printed to be pasted, as typed. A value that looks like a secret is hidden.

    In CI every value is: more people read its log than typed the command. --var refuses what stands for it.
    """
    if settings.in_ci:
        return [f"{name}={HIDDEN}" for name in variables]
    return [without_secret(f"{name}={value}") for name, value in variables.items()]


def without_secret(pair: str) -> str:
    """NAME=VALUE; the value is hidden where the name says that it is a secret, or where it looks like one."""
    from scenario_apply.manifest.secret_detection import is_secret_value

    name, sign, value = pair.partition("=")
    is_secret = sign and (_SECRET_NAME.search(name) or is_secret_value(value))
    return f"{name}={HIDDEN}" if is_secret else pair
