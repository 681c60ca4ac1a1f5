"""Every error and exit code. Imports nothing of ours.

ScenarioApplyError                  carries diagnostics and an exit code
├── UsageError                      the command line is wrong
├── ManifestError                   a manifest, variable file, dataset or caption file is wrong
├── StateError
│   ├── StateDamaged                cannot be read as a state
│   ├── StateNewer                  written by a newer tool
│   ├── StateForeign                another lineage, endpoint or project, or an older serial
│   ├── StateLocked                 another run holds it
│   └── StateNotSaved               the disk refused
├── ApiError                        the service, or the connection to it
│   ├── Unreachable                 no connection; the request was not carried out
│   ├── AnswerLost                  it was sent and may have been carried out
│   ├── BadAnswer                   an answer that breaks the contract
│   ├── Refused                     4xx with the service's own reason
│   │   ├── Unauthorized            401
│   │   ├── NotFound                404
│   │   ├── RateLimited             429: too many requests
│   │   ├── CoolingDown             429: launch cooldown
│   │   └── PlanCeiling             429: a limit of the account's plan; waiting does not help
│   └── WriteInPlan                 a bug of ours: a plan tried to write
└── ApplyError
    ├── PlanStale                   a saved plan no longer fits manifest, state or service
    │   └── PlanBegun               a killed run did part of it
    ├── GateClosed                  a limit of the manifest or the command line stops the plan
    ├── LaunchHeld                  a launch that the limits of a fleet leave to a later run
    └── Interrupted                 Ctrl-C
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Severity = Literal["error", "warning", "info"]


class ExitCode(IntEnum):
    """Exit codes of the process. Codes 2 to 8 only with --detailed-exitcode."""

    OK = 0  # done, or nothing to do
    ERROR = 1  # not everything is done
    CHANGES = 2  # plan: there are changes
    RUNNING = 3  # trainings are still running
    DRIFT = 4  # plan --refresh-only: recorded and observed disagree
    STALE = 5  # a saved plan no longer fits manifest, state or service
    GATE = 6  # a limit stopped the plan
    LOCKED = 7  # another run holds the state
    PARTIAL = 8  # some steps failed, the rest is done
    USAGE = 64  # wrong command line
    INTERRUPTED = 130  # Ctrl-C


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a file: the path as the user would write it, line and column counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None
    text: str | None = None  # the line itself, if known

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One error, warning or note: a code that never changes, a message, a location, and a hint how to fix it."""

    code: str  # kebab-case, or a lint code such as D01
    message: str
    location: Location | None = None
    hint: str | None = None
    severity: Severity = "error"


class ScenarioApplyError(Exception):
    """The root of every error this package raises on purpose."""

    code = "error"
    exit_code = ExitCode.ERROR

    def __init__(
        self,
        message: str,
        *,
        location: Location | None = None,
        hint: str | None = None,
        code: str | None = None,
        problems: Iterable[Diagnostic] = (),
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.message = message
        given = tuple(problems)
        self.problems: tuple[Diagnostic, ...] = given or (
            Diagnostic(code=self.code, message=message, location=location, hint=hint),
        )


class UsageError(ScenarioApplyError):
    code = "usage"
    exit_code = ExitCode.USAGE


class ManifestError(ScenarioApplyError):
    code = "manifest"


class StateError(ScenarioApplyError):
    code = "state"


class StateDamaged(StateError):
    code = "state-damaged"


class StateNewer(StateError):
    code = "state-newer"


class StateForeign(StateError):
    code = "state-foreign"


class StateLocked(StateError):
    code = "state-locked"
    exit_code = ExitCode.LOCKED


class StateNotSaved(StateError):
    code = "state-not-saved"


class ApiError(ScenarioApplyError):
    """The service refused a request, or the connection failed. status: the HTTP status, if there was an answer."""

    code = "api"

    def __init__(
        self, what: str, *, status: int | None = None, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(what, hint=hint, code=code)
        self.status = status


class Unreachable(ApiError):
    """No connection, name or TLS handshake: the request never left."""

    code = "unreachable"


class AnswerLost(ApiError):
    """The request left and no whole answer came: whether it was carried out is unknown.

    timed_out: the service may still be working on it, so an immediate check proves nothing.
    """

    code = "answer-lost"

    def __init__(self, what: str, *, status: int | None = None, timed_out: bool = False) -> None:
        super().__init__(what, status=status)
        self.timed_out = timed_out


class BadAnswer(ApiError):
    code = "bad-answer"


class Refused(ApiError):
    code = "refused"


class Unauthorized(Refused):
    code = "unauthorized"


class NotFound(Refused):
    code = "not-found"


class RateLimited(Refused):
    code = "rate-limited"


class CoolingDown(Refused):
    """A launch came too soon after another. remaining_s: seconds the service asks to wait."""

    code = "cooldown"

    def __init__(self, what: str, *, remaining_s: float) -> None:
        super().__init__(what, status=429)
        self.remaining_s = remaining_s


class PlanCeiling(Refused):
    """A limit of the account's plan. action is the service's name for it, e.g. parallel-training."""

    code = "plan-ceiling"

    def __init__(self, what: str, *, action: str, limit: float | None) -> None:
        super().__init__(what, status=429)
        self.action = action
        self.limit = limit


class WriteInPlan(ApiError):
    code = "write-in-plan"


class ApplyError(ScenarioApplyError):
    code = "apply"


class PlanStale(ApplyError):
    code = "plan-stale"
    exit_code = ExitCode.STALE


class PlanBegun(PlanStale):
    """A killed run left its journal: applying the manifest completes what it began."""


class PlanElsewhere(PlanStale):
    """The plan is for a state in another place: planning again here would make everything once more."""


class GateClosed(ApplyError):
    code = "gate"
    exit_code = ExitCode.GATE


class LaunchHeld(ApplyError):
    """As many trainings run as the fleet allows: a later run launches this one."""

    code = "launch-held"


class Interrupted(ApplyError):
    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED
