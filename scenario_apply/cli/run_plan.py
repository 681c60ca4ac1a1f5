"""Apply a plan from the command line: read, lock, plan, show, ask, apply, and show the ledger."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.events import Event, Ledger
from scenario_apply.cli.apply_session import ApplySession, ApprovalImpossible, DeletesNotAllowed, apply_session
from scenario_apply.cli.locate import emulator_path
from scenario_apply.cli.plan_showing import drawn_plan, view_of
from scenario_apply.cli.price_approval import approval_of
from scenario_apply.cli.refresh_only import QUESTION, refreshed
from scenario_apply.cli.signals import stopping
from scenario_apply.errors import ApplyError, ExitCode, GateClosed, ManifestError
from scenario_apply.model.steps import DeleteModel
from scenario_apply.review.ledger_text import ledger_text
from scenario_apply.review.plan_view import service_name
from scenario_apply.review.screen import counted, safe

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.apply.price_round import Approval
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.plan_view import Mode
    from scenario_apply.state.state import State

PAGE_PORT = 8585
RESTORE_DAYS = 30
"""Days in which Scenario can restore a deleted model. Source: the API reference, POST /models/{modelId}/restore."""


def run_plan(
    call: Invocation, *, command: str, destroy: bool = False, saved: Mapping[str, object] | None = None
) -> int:
    """Make the plan and apply it; the exit code. saved: what a plan file holds, as plain values."""
    from scenario_apply.apply.prepare import make_plan, prepare_saved
    from scenario_apply.cli.lfs_pulling import may_pull, pulled, refuse_unpulled
    from scenario_apply.cli.plan_request import options_of_saved, plan_options
    from scenario_apply.cli.saved_plans import saved_plan
    from scenario_apply.cli.wiring import all_problems, refuse_errors

    with apply_session(call, command, destroy=destroy) as session:
        plan = None if saved is None else saved_plan(saved, call.settings.manifest or "the plan")
        request = session.read(plan)
        environment = session.open(request)
        for _ in ("as it is", "with pictures that were pulled"):
            if plan is None:
                wanted = plan_options(call, destroy=session.destroy)
                prepared = make_plan(environment, request.manifest, request.datasets, wanted, environment.clock.now())
            else:
                wanted = options_of_saved(call, plan, session.settings)
                prepared = prepare_saved(environment, plan, request.manifest, request.datasets, wanted)
                if not session.destroy:  # broken images stop no delete
                    refuse_errors(all_problems(request.manifest, request.datasets), strict=call.settings.strict)
            if not may_pull(session, prepared):
                break
            request = pulled(session, request, prepared.unpulled)
        session.prepared = prepared
        before = environment.store.read() if call.settings.webhook is not None else None
        _show_plan(session, request, environment, prepared)
        if prepared.plan.blocked:
            refused = GateClosed if prepared.plan.is_gated else ManifestError
            raise refused(prepared.plan.blocked[0].message, problems=prepared.plan.blocked)
        if plan is not None:
            _require_consent(call, prepared.plan)
        # without changes there may still be something to record: a training that ended since
        if prepared.is_to_be_approved and not _is_approved(session, prepared.plan):
            session.report(session.ledger(ApplyError("not approved")))
            call.tell("Nothing was done.")
            return session.code
        refuse_unpulled(prepared, request)
        session.has_begun = True
        _remember_state(session, request, environment)
        ledgers: list[Ledger] = []
        try:
            with ExitStack() as stack:
                emit, tell, pause = _emitter(session, environment, prepared, ledgers, stack)
                stack.enter_context(stopping(session.stop, tell))
                options = _options(session, request, approval_of(session, pause))
                ledger = apply_plan(environment, prepared, request.manifest.root, options, emit, session.stop)
            session.code = code_of(call, ledger)
            session.report_losses()
            _notify(session, environment, prepared.plan, ledger, before)
        finally:
            # also after an unexpected error: what was done and the next command are shown before it
            is_worth_it = ledgers and (prepared.is_to_be_approved or ledgers[-1].status != "done")
            if is_worth_it and call.arguments.format == "text":
                _show_ledger(session, request, prepared, ledgers[-1])
    return session.code


def _notify(session: ApplySession, environment: Environment, plan: Plan, ledger: Ledger, before: State | None) -> None:
    """Tell the webhook, if there is one: before is the state that the run began with."""
    if before is None:
        return
    from scenario_apply.cli.notifications import notify_of_run

    after = environment.store.read()
    notify_of_run(session.call, plan, ledger, before, after, destroy=session.destroy)


def _show_ledger(session: ApplySession, request: PlanRequest, prepared: Prepared, ledger: Ledger) -> None:
    call = session.call
    if prepared.took_over and ledger.status == "done":
        call.show(refreshed(prepared.took_over))
        return
    call.show(ledger_text(ledger, call.out_now, destroy=session.destroy))
    if call.settings.local and not session.destroy and ledger.status in ("done", "running"):
        for line in page_of_pictures(request.manifest.root, call.settings.cwd):
            call.tell(line)


def _remember_state(session: ApplySession, request: PlanRequest, environment: Environment) -> None:
    """Where --state put the state, so that a later command without it says so."""
    if session.settings.state is not None:
        from scenario_apply.cli.other_states import remember

        url = request.place.url
        remember(request.manifest, environment.store.shown if url is None else url.written)


def page_of_pictures(root: str, cwd: str) -> tuple[str, str]:
    """How to see what the embedded Scenario holds: its page goes with the command that started it."""
    data = os.path.relpath(emulator_path(root), cwd)
    command = shlex.join(["scenario-apply", "emulator", f"--port={PAGE_PORT}", f"--data={data}"])
    return f"Images and captions are on http://127.0.0.1:{PAGE_PORT}/ while this runs:", f"  {command}"


def _show_plan(session: ApplySession, request: PlanRequest, environment: Environment, prepared: Prepared) -> None:
    from scenario_apply.cli.saved_plans import saved_plan_line

    call, saved = session.call, session.saved
    if saved is not None:
        path = call.settings.manifest or "the plan"
        line = saved_plan_line(saved, path, request.manifest.path, session.settings)
        if call.arguments.format == "text":
            call.show(f"{safe(line)}\n\n")
        else:
            call.tell(line)
    for view in session.views:
        view.count_with(environment.counter, environment.rate_limit)
        view.planned(prepared.plan)
    if call.arguments.format == "text":
        call.show(drawn_plan(call, view_of(prepared, session.settings, request, mode=_mode(session))))


def _mode(session: ApplySession) -> Mode:
    if session.destroy:
        return "destroy"
    asked = vars(session.call.arguments)
    return "drift" if asked.get("refresh_only") else "plan" if asked.get("draw") is None else "samples"


def _options(session: ApplySession, request: PlanRequest, approval: Approval) -> ApplyOptions:
    from scenario_apply.cli.address_arguments import address_of
    from scenario_apply.cli.command_lines import again, watching

    asked, settings = session.asked, session.settings
    return ApplyOptions(
        parallelism=settings.parallelism,
        poll_interval_s=asked.get("poll_interval"),
        timeout_s=asked.get("timeout"),
        wait=not asked.get("no_wait"),
        command=again(asked, settings, session.command),
        status_command=watching(settings),
        command_line=session.call.command_line(request.place.secrets),
        replaced=tuple(address_of(text) for text in asked.get("replace") or ()),
        adopted=tuple(asked.get("adopt") or ()),
        outside=outside_files(session.settings, request),
        remote=settings.remote,
        approval=approval,
    )


def outside_files(settings: Settings, request: PlanRequest) -> frozenset[str]:
    """Files that may lie outside the manifest's folder: of datasets that say so, if the caller allows it."""
    if not settings.allow_outside_root:
        return frozenset()
    leaving = [name for name, spec in request.manifest.datasets.items() if spec.allow_outside_root]
    return frozenset(image.file for name in leaving for image in request.datasets[name].contents.images)


# -- approval


def _without_a_terminal(session: ApplySession, plan: Plan) -> str:
    """What approves where no user can be asked: the option, or a plan that was saved and reviewed."""
    from scenario_apply.cli.command_lines import applying, planning

    if session.saved is not None or _mode(session) in ("drift", "samples"):
        return "use --auto-approve"
    save = planning(session.asked, session.settings, "FILE", plan.source.flags)
    deletes = " --allow-destroy" if session.destroy else ""
    return (
        f"use --auto-approve, or apply a saved plan: {save}, then "
        f"{applying(session.settings, 'FILE')} --auto-approve{deletes}"
    )


def _require_consent(call: Invocation, plan: Plan) -> None:
    """Raises DeletesNotAllowed for deletes of a saved plan that the caller does not allow: the file itself cannot."""
    deletes = deletes_of(plan)
    can_ask = call.is_interactive and not call.arguments.auto_approve
    if not deletes or call.arguments.allow_destroy or can_ask:
        return
    raise DeletesNotAllowed(
        f"the plan deletes {counted(len(deletes), 'model')}: {', '.join(deletes)}",
        hint="allow it with --allow-destroy, or create a plan without --allow-destroy",
    )


def deletes_of(plan: Plan) -> list[str]:
    """The models that the steps delete, each as `model.kael version 1 (model_8Nb...)`."""
    steps = [planned.step for planned in plan.steps]
    return [f"{s.address} version {s.number} ({s.model_id})" for s in steps if isinstance(s, DeleteModel)]


def question(plan: Plan, *, destroy: bool, is_saved: bool) -> str:
    """What the user is asked. Deletes of a saved plan are listed: the answer allows them."""
    service = safe(service_name(plan.source.endpoint, plan.source.project))
    deletes = deletes_of(plan)
    listed = "".join(f"  - {safe(delete)}\n" for delete in deletes) if is_saved else ""
    these = "this model" if len(deletes) == 1 else f"these {len(deletes):,} models"
    if destroy and deletes:
        restore = f" Depending on your subscription, they can be restored there for {RESTORE_DAYS} days."
        return f"{listed}Delete {these} from {service}?{'' if plan.source.endpoint == 'local' else restore}"
    delete = f", and delete {these}" if listed else ""
    return f"{listed}Apply these changes to {service}{delete}?"


def _is_approved(session: ApplySession, plan: Plan) -> bool:
    call = session.call
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible(
            "approval is required, but no terminal is attached",
            hint=_without_a_terminal(session, plan),
        )
    if plan.drift and not plan.has_changes:
        return call.confirm(QUESTION, "Only 'yes' will be accepted.")
    text = question(plan, destroy=session.destroy, is_saved=session.saved is not None)
    return call.confirm(text, "Only 'yes' will be accepted.")


# -- the end and the views


def code_of(call: Invocation, ledger: Ledger) -> int:
    """The exit code of a run."""
    if ledger.gated and ledger.status in ("partial", "failed"):
        return call.code(ExitCode.GATE)
    match ledger.status:
        case "done":
            return ExitCode.OK
        case "running":
            # with --no-wait that is the wanted end; after --timeout it is not
            return call.code(ExitCode.RUNNING, ExitCode.OK if vars(call.arguments).get("no_wait") else ExitCode.ERROR)
        case "partial":
            return call.code(ExitCode.PARTIAL)
        case "interrupted":
            return ExitCode.INTERRUPTED
        case "failed" | "stopped":
            return ExitCode.ERROR


def _emitter(
    session: ApplySession, environment: Environment, prepared: Prepared, ledgers: list[Ledger], stack: ExitStack
) -> tuple[Callable[[Event], None], Callable[[str], None], Callable[[], AbstractContextManager[None]]]:
    """What passes events to every view, and keeps the ledger; what says a sentence beside them; what pauses them."""
    call, counter, rate_limit = session.call, environment.counter, environment.rate_limit
    views: list[Callable[[Event], None]] = [*session.views]
    if session.report_page is not None:
        views.append(session.report_page.follow(environment, prepared))
    tell = call.tell
    pause: Callable[[], AbstractContextManager[None]] = nullcontext
    is_shown = bool(prepared.plan.has_changes or prepared.adopted)
    if call.arguments.format == "text" and not call.settings.quiet and is_shown:
        if call.err.terminal and call.err.color:  # no bars with NO_COLOR
            from scenario_apply.cli.progress.live_view import ProgressView

            live = ProgressView(sys.stderr, environment.clock, call.err, counter=counter, rate_limit=rate_limit)
            stack.callback(live.close)
            views.append(live)
            tell, pause = live.tell, live.paused
        else:
            from scenario_apply.cli.progress.plain_view import PlainView

            verbose = call.settings.verbose
            views.append(
                PlainView(call.say, environment.clock, verbose=verbose, counter=counter, rate_limit=rate_limit)
            )

    def emit(event: Event) -> None:
        if isinstance(event, Ledger):
            ledgers.append(event)
        for view in tuple(views):
            try:
                view(event)
            except OSError as error:  # a reader that left must not end what is being paid for
                views.remove(view)
                session.lose(view, error)

    return emit, tell, pause
