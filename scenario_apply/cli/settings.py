"""Settings: flags over environment over defaults, built once and handed down. Secrets mask their repr."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess, remote_access
from scenario_apply.model.variable_names import ALLOW_VARIABLE, is_variable_name

DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
LOCAL = "local"
"""What states and plans record as their endpoint when they belong to the embedded Scenario."""

ALLOW_OUTSIDE_ROOT = "SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT"
ALLOW_REMOTE = "SCENARIO_APPLY_ALLOW_REMOTE"
LFS_PULL = "SCENARIO_APPLY_LFS_PULL"
WEBHOOK = "SCENARIO_APPLY_WEBHOOK"

_KEYS = ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY")
_SECRETS = ("SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key and its secret; neither shows itself."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a command. Times in seconds, rate_limit in requests a minute (0: none), paths as given.

    missing: names of the credential variables that are not set; empty when credentials are there.
    """

    manifest: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    allow_env: tuple[str, ...] = ()  # by --allow-env
    allowed_env: frozenset[str] = frozenset()  # by --allow-env and SCENARIO_APPLY_ENV
    state: str | None = None
    lock_timeout_s: float = 0
    local: bool = False
    local_training_s: str = "20"
    local_queue_s: str | None = None  # None: a tenth of the training
    local_seed: str | None = None
    base_url: str = DEFAULT_BASE_URL
    credentials: Credentials | None = field(default=None, repr=False)
    missing: tuple[str, ...] = ()
    allow_http: bool = False
    rate_limit: int = REQUESTS_PER_MINUTE
    parallelism: int = 24
    limits: Limits = Limits()
    strict: bool = False
    allow_outside_root: bool = False
    remote: RemoteAccess = NO_REMOTE
    lfs_pull: bool | None = None  # None: a person is asked; with --auto-approve, without the caller's credentials
    detailed: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool | None = None  # None: when there is a terminal
    debug: bool = False
    webhook: str | None = field(default=None, repr=False)  # a secret: who knows it can post there
    cwd: str = "."
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def endpoint(self) -> str:
        """What a state records of where it belongs."""
        return LOCAL if self.local else self.base_url

    @property
    def has_runner(self) -> bool:
        """Whether GitHub Actions or Azure Pipelines reads what is printed, and acts on commands in it."""
        return bool(self.environment.get("GITHUB_ACTIONS") or self.environment.get("TF_BUILD"))

    @property
    def in_ci(self) -> bool:
        """Whether a CI system runs the command, whose log more people read than typed it: they all set CI."""
        return self.environment.get("CI", "").lower() not in ("", "0", "false")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never be shown."""
        others: tuple[str, ...] = () if self.webhook is None else (self.webhook,)
        for word in (self.state, self.manifest):  # a URL in the place of the manifest is a mistake, and shown as one
            if word is not None and "@" in word:
                others += _password_of(word)
        return others if self.credentials is None else (*others, self.credentials.secret, self.credentials.key)


def read_settings(arguments: argparse.Namespace, environment: Mapping[str, str], cwd: str | None = None) -> Settings:
    """One value from a command line and its surroundings. Empty variables count as not set. Raises UsageError."""
    given = vars(arguments)
    allow_env = tuple(given.get("allow_env") or ())
    key, secret = _first(environment, _KEYS), _first(environment, _SECRETS)
    missing = tuple(names[0] for names, value in ((_KEYS, key), (_SECRETS, secret)) if value is None)
    return Settings(
        manifest=given.get("manifest"),
        variables=dict(given.get("var") or ()),
        var_files=tuple(given.get("var_file") or ()),
        allow_env=allow_env,
        allowed_env=frozenset((*allow_env, *_allowed_names(environment, given))),
        state=given.get("state"),
        lock_timeout_s=given.get("lock_timeout") or 0,
        local=bool(given.get("local")),
        local_training_s=environment.get("SCENARIO_APPLY_LOCAL_TRAINING_SECONDS") or "20",
        local_queue_s=environment.get("SCENARIO_APPLY_LOCAL_QUEUE_SECONDS") or None,
        local_seed=environment.get("SCENARIO_APPLY_LOCAL_SEED") or None,
        base_url=(environment.get("SCENARIO_BASE_URL") or DEFAULT_BASE_URL).rstrip("/"),
        credentials=Credentials(key=key, secret=secret) if key is not None and secret is not None else None,
        missing=missing,
        allow_http=_allows_http(given, environment),
        rate_limit=REQUESTS_PER_MINUTE if (rate := given.get("rate_limit")) is None else int(rate),
        parallelism=int(given.get("parallelism", 24)),
        limits=_limits(given.get("limit") or ()),
        strict=bool(given.get("strict")),
        allow_outside_root=bool(given.get("allow_outside_root")) or environment.get(ALLOW_OUTSIDE_ROOT) == "1",
        remote=_remote(given, environment),
        lfs_pull=_lfs_pull(environment.get(LFS_PULL), given),
        detailed=bool(given.get("detailed_exitcode")),
        quiet=bool(given.get("quiet")),
        verbose=bool(given.get("verbose")),
        color=False if given.get("no_color") or environment.get("NO_COLOR") else None,
        debug=bool(given.get("debug")) or environment.get("SCENARIO_APPLY_DEBUG", "") not in ("", "0"),
        webhook=environment.get(WEBHOOK) or None,
        cwd=cwd if cwd is not None else _here(),
        environment=environment,
    )


def _allows_http(given: Mapping[str, object], environment: Mapping[str, str]) -> bool:
    return bool(given.get("allow_http")) or environment.get("SCENARIO_APPLY_ALLOW_HTTP", "") not in ("", "0")


def _remote(given: Mapping[str, object], environment: Mapping[str, str]) -> RemoteAccess:
    text, asked = environment.get(ALLOW_REMOTE, ""), bool(given.get("allow_remote"))
    return remote_access(text, asked=asked, allow_http=_allows_http(given, environment))


def _allowed_names(environment: Mapping[str, str], given: Mapping[str, object]) -> list[str]:
    """The names in SCENARIO_APPLY_ENV, for commands that read a manifest. Raises UsageError for what can be no name."""
    text = environment.get(ALLOW_VARIABLE, "") if "allow_env" in given else ""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if all(map(is_variable_name, names)):
        return names
    from scenario_apply.errors import UsageError

    # the text is not repeated: it may be a value that was given in place of a name
    raise UsageError(
        f"{ALLOW_VARIABLE} is no list of names of environment variables",
        hint=f"write names, separated by commas: {ALLOW_VARIABLE}=WANDB_API_KEY,TEAM",
    )


def _lfs_pull(value: str | None, given: Mapping[str, object]) -> bool | None:
    """--lfs-pull, else 1 or 0 of the variable, for the command that pulls. Raises UsageError for other values."""
    if given.get("lfs_pull") or "lfs_pull" not in given or not value:
        return True if given.get("lfs_pull") else None
    if value in ("0", "1"):
        return value == "1"
    from scenario_apply.errors import UsageError

    raise UsageError(f"{LFS_PULL} is {value!r}", hint=f"{LFS_PULL}=1 allows git-lfs to pull pictures, 0 forbids it")


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # the folder was deleted under us; what needs a path will say so
        return "."


def _password_of(state: str) -> tuple[str, ...]:
    """The password in the URL of --state, as it is written and as it is sent."""
    from scenario_apply.state.state_url import BadStateUrl, parse_state_url
    from scenario_apply.state.url_texts import is_state_url

    if not is_state_url(state):
        return ()
    try:
        url = parse_state_url(state, "name")
    except BadStateUrl:
        return ()
    secret = url.password or (None if url.scheme == "postgres" else url.user)
    return () if not secret else (secret,)


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)


def _limits(pairs: object) -> Limits:
    values: dict[str, float] = dict(pairs)  # type: ignore[call-overload]  # argparse gives KEY=N pairs, untyped
    deletes, retrains = values.get("deletes"), values.get("retrains")
    return Limits(
        cost=values.get("cost"),
        samples_cost=values.get("samples_cost"),
        deletes=None if deletes is None else int(deletes),
        retrains=None if retrains is None else int(retrains),
        changes_percent=values.get("changes_percent"),
        min_score=values.get("min_score"),
    )
