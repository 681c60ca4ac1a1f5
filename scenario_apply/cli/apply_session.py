"""One run of apply or destroy: its event views, environment and plan, and the ledger of a run that never started.

Used as a context manager. An error before the first step becomes a ledger too: on the screen, and as the last event.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from scenario_apply.apply.events import Ledger, LedgerLine
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.command_lines import asked_of, planning, the_same
from scenario_apply.cli.invocation import Invocation, draw_error
from scenario_apply.cli.progress.json_lines import JsonLinesView
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import (
    ApiError,
    ApplyError,
    CoolingDown,
    ExitCode,
    GateClosed,
    Interrupted,
    PlanBegun,
    PlanElsewhere,
    PlanStale,
    RateLimited,
    Refused,
    ScenarioApplyError,
    StateError,
    StateLocked,
    StateNotSaved,
)
from scenario_apply.review.ledger_text import not_begun_text

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.event_file import EventFile
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.run_page import ReportPage
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan


class ApprovalImpossible(ScenarioApplyError):
    """No terminal to ask on, and no --auto-approve."""

    code = "no-approval"


class DeletesNotAllowed(ScenarioApplyError):
    """A saved plan deletes models, and the command line that applies it does not allow that."""

    code = "no-consent-to-deletes"


class ApplySession(Struct, kw_only=True):
    """A run between its start and its end. command: apply or destroy; of a saved plan, the one it stands for.

    settings and asked: the command line, of a saved plan with the manifest, variables and options it was made with.
    has_begun: apply_plan is next, and it reports every error in its own ledger. code: the exit code once it is known.
    """

    call: Invocation
    command: str
    destroy: bool
    settings: Settings
    asked: dict[str, Any]
    views: list[JsonLinesView]
    event_file: EventFile | None
    stack: ExitStack
    report_page: ReportPage | None = None
    stop: StopSignal = field(default_factory=StopSignal)
    saved: Plan | None = None
    request: PlanRequest | None = None
    environment: Environment | None = None
    prepared: Prepared | None = None
    has_begun: bool = False
    code: int = ExitCode.ERROR
    started_at: float = field(default_factory=time.monotonic)
    losses: list[str] = field(default_factory=list)

    @property
    def same_command(self) -> str:
        """The command as it was given."""
        command = "apply" if self.saved is not None else self.command
        return the_same(vars(self.call.arguments), self.call.settings, command)

    def read(self, saved: Plan | None) -> PlanRequest:
        """The manifest and its datasets; of a saved plan, those it was made for. Raises before any request is sent."""
        from scenario_apply.cli.plan_origin import require_origin
        from scenario_apply.cli.saved_plans import refuse_plan_options, settings_of_plan
        from scenario_apply.cli.wiring import require_service

        if saved is not None:
            given = self.call.settings
            if self.asked.get("plan_of") is None:
                refuse_plan_options(self.asked, given.manifest or "the plan")
                self.settings = settings_of_plan(saved, given)
            else:
                refuse_plan_options({"refresh_only": self.asked.get("refresh_only")}, given.manifest or "the plan")
                self.settings = settings_of_plan(saved, replace(given, variables={}))
                require_origin(self.call, saved, self.settings)
            self.asked = asked_of(saved.source.flags, self.asked)
            self.saved = saved
            self.destroy = saved.source.flags.destroy
            self.command = "destroy" if self.destroy else self.command
        self.request = self.read_again()
        if self.event_file is not None:
            self.event_file.begin(self.request)
        if self.report_page is not None:
            self.report_page.begin(self.request, self.same_command, self._manifest_command)
        require_service(self.call.settings)
        return self.request

    def read_again(self) -> PlanRequest:
        """The manifest and its datasets as they are now. Raises as read does."""
        from scenario_apply.cli.plan_request import read_request, refuse_barred

        # broken images stop no delete; those of a saved plan are checked once it is known to be fresh
        request = read_request(
            self.settings,
            check=self.saved is None and not self.destroy,
            depth=Depth.HEADERS if self.destroy else Depth.FEW_PIXELS,
        )
        if self.saved is not None:
            refuse_barred(request)
        return request

    def open(self, request: PlanRequest) -> Environment:
        """Connect to service and state, and lock the state until the session ends."""
        from scenario_apply.cli.wiring import open_world

        opened = open_world(request.place, self.call.settings, read_only=False, cancel=self.stop.requested)
        self.environment = environment = self.stack.enter_context(opened)
        lock = environment.store.locked(self.command, self.call.settings.lock_timeout_s)
        for note in self.stack.enter_context(lock):
            self.call.tell(note)
        return environment

    def lose(self, view: object, error: OSError) -> None:
        """The reader of that view has left. The run continues; one whose events were lost does not end with 0."""
        if view in self.views:
            self.views.remove(view)
            self.losses.append(f"the events could not all be written: {error.strerror or error}")

    def report_losses(self) -> None:
        """After the run: which events were lost, and the exit code that says so."""
        for text in self.losses:
            self.call.tell(text)
        if self.losses and self.code == ExitCode.OK:
            self.code = ExitCode.ERROR

    def report(self, ledger: Ledger) -> None:
        """Write the ledger to the JSON views."""
        for view in self.views:
            view(ledger)
        if self.report_page is not None:
            self.report_page.end(ledger, self.prepared)

    def end(self, error: BaseException) -> bool:
        """Report an error as a ledger, which readers of events wait for; True when it was drawn on the screen, too."""
        ledger = self.ledger(error)
        for view in self.views:
            if not view.has_ledger:
                view.problems(error.problems if isinstance(error, ScenarioApplyError) else ())
                view(ledger)
        if self.report_page is not None:
            self.report_page.end(ledger, self.prepared)
        if self.has_begun or self.call.arguments.format != "text":
            return False
        is_ours = isinstance(error, ScenarioApplyError)
        if isinstance(error, ScenarioApplyError):
            self.code = draw_error(error, self.call)
        if self.environment is not None or ledger.next_command is not None:
            self.call.show(not_begun_text(ledger, self.call.out_now))
        return is_ours

    def ledger(self, error: BaseException) -> Ledger:
        """The ledger of a run that ended with this error."""
        counter = None if self.environment is None else self.environment.counter
        is_gated = isinstance(error, GateClosed)
        is_interrupted = isinstance(error, KeyboardInterrupt | Interrupted)
        return Ledger(
            status="interrupted" if is_interrupted else "failed" if is_gated else "stopped",
            unknown=() if self.has_begun else self._unknown(error),
            not_started=() if self.has_begun else self._not_started(error),
            requests=0 if counter is None else counter.sent,
            refused=0 if counter is None else counter.refused,
            took_s=time.monotonic() - self.started_at,
            error=str(error) or type(error).__name__,
            next_command=(self._manifest_command or self.same_command) if self.has_begun else self._next_command(error),
            gated=is_gated,
            begun=self.has_begun,
        )

    @property
    def _manifest_command(self) -> str | None:
        """Of a saved plan: the command that applies its manifest with the options the plan was made with."""
        return None if self.saved is None else the_same(self.asked, self.settings, self.command)

    def _next_command(self, error: BaseException) -> str | None:
        """None where the error has to be fixed first and no command does that."""
        from scenario_apply.apply.lost_answers import AmbiguousAdoption
        from scenario_apply.state.stores.remote.backend import StoreUnavailable

        same = self.same_command
        match error:
            case PlanBegun():
                return self._manifest_command
            case PlanElsewhere():
                return None
            case PlanStale() if self.saved is not None:
                path = self.call.settings.manifest or "plan.json"
                return planning(vars(self.call.arguments), self.settings, path, self.saved.source.flags)
            case GateClosed():
                return self._with_raised_limits()
            case AmbiguousAdoption():
                return f"{same} {shlex.quote(f'--adopt={error.address}=ID')}"
            case DeletesNotAllowed():
                return f"{same} --allow-destroy --auto-approve"
            case ApprovalImpossible():
                return f"{same} --auto-approve"
            case (
                StateLocked()
                | StateNotSaved()
                | StoreUnavailable()
                | KeyboardInterrupt()
                | ApplyError()
                | RateLimited()
                | CoolingDown()
            ):
                return same
            case ApiError() if not isinstance(error, Refused):
                return same
        return None

    def _with_raised_limits(self) -> str | None:
        from scenario_apply.apply.next_command import with_limits
        from scenario_apply.planning.gates import needed

        if self.prepared is None or any(problem.code != "gate" for problem in self.prepared.plan.blocked):
            return None  # no limit lifts a protection
        return with_limits(self.same_command, needed(self.prepared.plan, self.prepared.limits))

    def _unknown(self, error: BaseException) -> tuple[LedgerLine, ...]:
        """Requests of an earlier run whose outcome is unknown; none while another run holds the lock.

        A store that has just not answered is not asked again.
        """
        from scenario_apply.apply.ledger import line_of
        from scenario_apply.apply.lost_answers import AmbiguousAdoption
        from scenario_apply.state.stores.remote.backend import StoreUnavailable

        if self.environment is None or isinstance(error, StateLocked | StoreUnavailable):
            return ()
        unanswered = []
        with contextlib.suppress(StateError):  # it is the error that is being reported
            unanswered = [call.step for call in self.environment.store.load().unanswered]
        reasons = {}
        if isinstance(error, AmbiguousAdoption):
            reasons[error.address] = f"its answer was lost, and several fit: {', '.join(error.ids)}"
        return tuple(
            line_of(step, reasons.get(step.address) if step.kind == "create" else "no answer yet")
            for step in unanswered
        )

    def _not_started(self, error: BaseException) -> tuple[LedgerLine, ...]:
        """Everything that was planned."""
        if self.prepared is None:
            return ()
        reason = "a limit stopped the plan" if isinstance(error, GateClosed) else None
        return tuple(
            LedgerLine(
                address=change.address,
                what=f"{len(change.steps)} step{'s' if len(change.steps) > 1 else ''}",
                reason=reason,
            )
            for change in self.prepared.plan.changes
            if change.steps
        )


@contextmanager
def apply_session(call: Invocation, command: str, *, destroy: bool) -> Iterator[ApplySession]:
    """A session whose lock, connection and event file are closed at its end, whatever that is.

    Errors before the first step are drawn, and leave their exit code in the session; all others are raised.
    """
    with ExitStack() as files:
        views, event_file = _event_views(call, files, destroy=destroy)
        with_environment = ExitStack()
        session = ApplySession(
            call=call,
            command=command,
            destroy=destroy,
            settings=call.settings,
            asked=dict(vars(call.arguments)),
            views=views,
            event_file=event_file,
            stack=with_environment,
            report_page=_report_page(call, files),
        )
        try:
            with with_environment:
                yield session
        except BaseException as error:
            if not session.end(error):
                raise


def _event_views(call: Invocation, files: ExitStack, *, destroy: bool) -> tuple[list[JsonLinesView], EventFile | None]:
    """The JSON views of a run: on stdout, in the file of --events, both or none."""
    views: list[JsonLinesView] = []
    if call.arguments.format == "jsonl":
        views.append(JsonLinesView(call.show, SystemClock(), destroy=destroy))
    if call.arguments.events is None:
        return views, None
    from scenario_apply.cli.event_file import EventFile

    file = files.enter_context(contextlib.closing(EventFile(call.arguments.events, call.settings.cwd)))
    return [*views, JsonLinesView(file.write, SystemClock(), destroy=destroy)], file


def _report_page(call: Invocation, files: ExitStack) -> ReportPage | None:
    """The page of --report; it is finished once the lock is released and the ledger shown."""
    path = vars(call.arguments).get("report")
    if path is None:
        return None
    from scenario_apply.cli.run_page import ReportPage

    return files.enter_context(contextlib.closing(ReportPage(path, call)))
