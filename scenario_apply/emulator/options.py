"""The options of the emulator: one frozen value, its command line, and their validation. Fast to import."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scenario_apply.emulator.addresses import is_loopback

_ALLOWED_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

PLANS = (
    "cu-basic",
    "cu-creator",
    "cu-max",
    "cu-pro",
    "cu-pro-q3-25",
    "cu-team",
    "cu-team-v2",
    "enterprise",
    "essential",
    "free",
    "premium",
    "pro",
)
FAULT_KINDS = (
    "drop-before",
    "drop-answer",
    "500",
    "502",
    "503",
    "500-after",
    "502-after",
    "html",
    "429",
    "429-ceiling",
    "429-cooldown",
    "slow",
    "hang",
    "truncate",
)


class OptionError(ValueError):
    """An invalid option; the text is shown to the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """The behaviour of one emulator. Times are in seconds unless the name says otherwise, and may be fractions."""

    host: str = "127.0.0.1"
    port: int = 0
    data: Path | None = None
    """Folder of the database and the pictures; None keeps them in a temporary folder that goes with the server."""
    training_s: float = 20.0
    """From the launch to the end, the queue included."""
    queue_s: float | None = None
    """Share of the training time spent queued; None takes a tenth, at most two seconds."""
    rate_limit: int = 100
    """Requests per minute and project; 0 for none."""
    fail_training: tuple[str, ...] = ()
    """Names or globs of models whose training fails."""
    fail_generation: tuple[str, ...] = ()
    """Prompts or globs of prompts whose pictures fail."""
    legacy: bool = True
    """Accept the retired sd-xl-lora; otherwise creating one answers 410."""
    show_captions: bool = False
    """Show the automatic caption of an image without a caption as its description, too. Either may be the service's."""
    api_key: str | None = None
    api_secret: str | None = None
    """When set, the only accepted credentials; otherwise any are accepted, but some must be sent."""
    projects: tuple[str, ...] = ()
    """The only projects that exist, the first being the default; when empty, a request creates the project it names."""
    latency_ms: float = 0.0
    plan: str = "enterprise"
    max_training_images: int = 100
    parallel_training: int = 100
    parallel_custom_jobs: int = 10
    """Generations that run at once, by plan, over all projects."""
    download_models: int = 100
    """Exports of weights in a month, by plan, over all projects."""
    restricted: tuple[str, ...] = ()
    """Ids, names or globs of models that need a higher plan to be drawn with or exported."""
    weights_address: str = "both"
    """Where the address of exported weights appears: in `download`, the typed place, in the `job`, or in both."""
    cooldown_s: float = 0.0
    """Time that must pass between two launches of a project."""
    chaos: Mapping[str, float] = field(default_factory=dict)
    """Fault kind to its probability per request."""
    chaos_seed: int = 0
    slow_s: float = 1.0
    """How long the fault `slow` holds an answer back."""
    seed_file: Path | None = None
    """JSON that says what the emulator holds at its first start."""
    clock: str = "real"
    until_stdin_closes: bool = False
    admin: bool = False
    """Serve /__emulator__/ on addresses other than loopback, too, to users with the API key."""
    allowed_hosts: tuple[str, ...] = ()
    """Names, with or without a port, that a Host or Origin header may have besides those of this machine."""
    allow_local_webhooks: bool = False
    """Deliver webhooks to this machine and to private networks, too."""

    @property
    def generation_s(self) -> tuple[float, float]:
        """Seconds a generation waits in the queue, and runs: 0.5 and 3, less where trainings are short."""
        return min(0.5, self.queued_s / 4), min(3.0, self.training_s * 0.15)

    @property
    def export_s(self) -> float:
        """Seconds an export of weights takes."""
        return min(2.0, self.training_s * 0.1)

    @property
    def queued_s(self) -> float:
        """Seconds a training waits in the queue."""
        if self.queue_s is not None:
            return self.queue_s
        return min(2.0, self.training_s * 0.1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add every option of the emulator to a parser; `options_from` reads them back."""
    _add_place(parser.add_argument_group("server"))
    _add_trainings(parser.add_argument_group("trainings"))
    _add_limits(parser.add_argument_group("limits"))
    _add_access(parser.add_argument_group("access"))
    _add_faults(parser.add_argument_group("faults"))


def _add_place(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    group.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one (default 0)")
    group.add_argument("--data", metavar="DIR", help="data folder, new or of an emulator (default: a temporary one)")
    group.add_argument("--seed", metavar="FILE", help="JSON file with initial content, or a number that seeds --chaos")
    group.add_argument("--clock", choices=("real", "manual"), default="real", help="manual: moved by the admin API")
    group.add_argument("--until-stdin-closes", action="store_true", help="exit when standard input ends")
    group.add_argument("--admin", action="store_true", help="serve /__emulator__/ on any address, not only loopback")
    group.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="additional host name to accept in the Host header; repeatable",
    )
    group.add_argument(
        "--allow-local-webhooks", action="store_true", help="send webhooks to this machine and private networks, too"
    )
    group.add_argument(
        "--weights-address",
        choices=("both", "download", "job"),
        default="both",
        help="where exported weights have their address: GET /assets/download/{jobId}, the job, or both",
    )


def _add_trainings(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--training-seconds", type=float, default=20.0, metavar="S", help="default %(default)s")
    group.add_argument(
        "--queue-seconds",
        type=float,
        metavar="S",
        help="part of it spent queued (default: a tenth)",
    )
    group.add_argument(
        "--fail-training",
        action="append",
        default=[],
        metavar="NAME",
        help="name or glob of models; repeatable",
    )
    group.add_argument(
        "--fail-generation",
        action="append",
        default=[],
        metavar="PROMPT",
        help="prompt or glob of prompts whose pictures fail; repeatable",
    )
    group.add_argument("--legacy", action=argparse.BooleanOptionalAction, default=True, help="accept sd-xl-lora")
    group.add_argument("--show-captions", action="store_true", help="show automatic captions as descriptions, too")


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--rate-limit",
        type=int,
        default=100,
        metavar="N",
        help="per minute and project; 0 for none (default 100)",
    )
    group.add_argument("--plan", choices=PLANS, default="enterprise", metavar="NAME", help="default %(default)s")
    group.add_argument("--max-training-images", type=int, default=100, metavar="N", help="per model, by plan")
    group.add_argument("--parallel-training", type=int, default=100, metavar="N", help="concurrent trainings, by plan")
    group.add_argument(
        "--parallel-custom-jobs", type=int, default=10, metavar="N", help="concurrent generations, by plan"
    )
    group.add_argument("--download-models", type=int, default=100, metavar="N", help="weights exports a month, by plan")
    group.add_argument(
        "--restrict-model",
        action="append",
        default=[],
        metavar="NAME",
        help="id, name or glob of models that need a higher plan to be drawn with or exported; repeatable",
    )
    group.add_argument("--cooldown", type=float, default=0.0, metavar="S", help="pause between two launches")


def _add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--api-key", help="the only accepted API key (default: any)")
    group.add_argument("--api-secret", help="the only accepted API secret")
    group.add_argument(
        "--project", action="append", default=[], metavar="ID", help="allow this project only; repeatable"
    )


def _add_faults(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--latency", type=float, default=0.0, metavar="MS", help="delay added to every response")
    group.add_argument("--chaos", default="", metavar="LIST", help='such as "drop-answer=0.05,500=0.02,slow=0.1"')
    group.add_argument("--chaos-seed", type=int, default=0, metavar="N", help="seed of --chaos, for repeatable faults")
    group.add_argument("--slow-seconds", type=float, default=1.0, metavar="S", help="delay added by the fault `slow`")


def options_from(namespace: argparse.Namespace) -> EmulatorOptions:
    """The options a parser with `add_arguments` read. Raises OptionError with one sentence on the first bad one."""
    seed_text = str(namespace.seed) if namespace.seed is not None else None
    chaos_seed = int(namespace.chaos_seed)
    seed_file: Path | None = None
    if seed_text is not None and seed_text.lstrip("-").isdigit():
        chaos_seed = int(seed_text)
    elif seed_text is not None:
        seed_file = Path(seed_text)
        if not seed_file.is_file():
            raise OptionError(f"--seed: there is no file {seed_text}")
    options = EmulatorOptions(
        host=namespace.host,
        port=namespace.port,
        data=Path(namespace.data) if namespace.data else None,
        training_s=namespace.training_seconds,
        queue_s=namespace.queue_seconds,
        rate_limit=namespace.rate_limit,
        fail_training=tuple(namespace.fail_training),
        fail_generation=tuple(namespace.fail_generation),
        legacy=namespace.legacy,
        show_captions=namespace.show_captions,
        api_key=namespace.api_key,
        api_secret=namespace.api_secret,
        projects=tuple(namespace.project),
        latency_ms=namespace.latency,
        plan=namespace.plan,
        max_training_images=namespace.max_training_images,
        parallel_training=namespace.parallel_training,
        parallel_custom_jobs=namespace.parallel_custom_jobs,
        download_models=namespace.download_models,
        restricted=tuple(namespace.restrict_model),
        weights_address=namespace.weights_address,
        cooldown_s=namespace.cooldown,
        chaos=parse_chaos(namespace.chaos),
        chaos_seed=chaos_seed,
        slow_s=namespace.slow_seconds,
        seed_file=seed_file,
        clock=namespace.clock,
        until_stdin_closes=namespace.until_stdin_closes,
        admin=namespace.admin,
        allowed_hosts=tuple(namespace.allowed_host),
        allow_local_webhooks=namespace.allow_local_webhooks,
    )
    check_options(options)
    return options


def parse_chaos(text: str) -> dict[str, float]:
    """`drop-answer=0.05,500=0.02` as a mapping. Raises OptionError for an unknown kind or a bad probability."""
    chaos: dict[str, float] = {}
    for piece in filter(None, (part.strip() for part in text.split(","))):
        kind, _, number = piece.partition("=")
        if kind not in FAULT_KINDS:
            raise OptionError(f"--chaos: unknown fault {kind!r}; there are {', '.join(FAULT_KINDS)}")
        try:
            probability = float(number)
        except ValueError:
            raise OptionError(f"--chaos: {piece!r} needs a probability, as in {kind}=0.05") from None
        if not 0 <= probability <= 1:
            raise OptionError(f"--chaos: the probability in {piece!r} must be within 0 and 1")
        chaos[kind] = probability
    return chaos


def check_options(options: EmulatorOptions) -> None:
    """Raise OptionError for the first invalid option, or one that opens the server to other machines without a key."""
    if not 0 <= options.port <= 65535:
        raise OptionError("--port must be within 0 and 65535")
    for name, value in (
        ("--training-seconds", options.training_s),
        ("--queue-seconds", options.queue_s or 0.0),
        ("--rate-limit", options.rate_limit),
        ("--latency", options.latency_ms),
        ("--cooldown", options.cooldown_s),
        ("--max-training-images", options.max_training_images),
        ("--parallel-training", options.parallel_training),
        ("--parallel-custom-jobs", options.parallel_custom_jobs),
        ("--download-models", options.download_models),
        ("--slow-seconds", options.slow_s),
    ):
        if not 0 <= value < float("inf"):
            raise OptionError(f"{name} must be 0 or more")
    if (options.api_key is None) != (options.api_secret is None):
        raise OptionError("--api-key and --api-secret belong together")
    if options.api_key == "" or options.api_secret == "":
        raise OptionError("--api-key and --api-secret must not be empty")
    if options.api_key is None and not is_loopback(options.host):
        raise OptionError(
            f"--host {options.host}: other machines can reach it, so --api-key and --api-secret must be given"
        )
    for host in options.allowed_hosts:
        if not _ALLOWED_HOST.fullmatch(host):
            raise OptionError(f"--allowed-host: {host!r} is not a host, or a host and a port")
    if options.queue_s is not None and options.queue_s > options.training_s:
        raise OptionError("--queue-seconds is a part of --training-seconds and cannot exceed it")
