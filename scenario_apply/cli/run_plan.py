"""Carrying out a plan from the command line: lock, plan, show, ask, run, ledger. Every way out ends in a ledger."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from scenario_apply.apply.events import Event, Ledger
from scenario_apply.cli.apply_session import ApplySession, DeletesNotAllowed, NobodyToAsk
from scenario_apply.cli.invocation import draw_error
from scenario_apply.cli.progress.json_lines import JsonLinesView
from scenario_apply.errors import ApplyError, ExitCode, GateClosed, ScenarioApplyError
from scenario_apply.model.steps import DeleteModel
from scenario_apply.review.ledger_text import ledger_text, not_begun_text
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.screen import counted, safe

if TYPE_CHECKING:
    from scenario_apply.apply.apply_options import ApplyOptions
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.apply.stop_signal import StopSignal
    from scenario_apply.cli.event_file import EventFile
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan


def run_plan(
    call: Invocation, *, command: str, destroy: bool = False, saved: Mapping[str, object] | None = None
) -> int:
    """Make the plan and carry it out; the exit code. saved: what a plan file holds, as plain values.

    Errors before the first step are drawn here, since the ledger comes after them.
    """
    from scenario_apply.cli.command_lines import the_same
    from scenario_apply.cli.saved_plans import saved_plan

    beginning = ApplySession(same=the_same(vars(call.arguments), call.settings, command))
    with _event_views(call) as (records, file):
        try:
            plan = None if saved is None else saved_plan(saved, call.settings.manifest or "the plan")
            return _run(call, command, destroy, plan, records, file, beginning)
        except BaseException as error:
            # whoever reads the events waits for a last line: also when nothing was begun
            ledger = _last_words(error, records, beginning)
            if beginning.is_over or call.arguments.format != "text":
                raise
            code = draw_error(error, call) if isinstance(error, ScenarioApplyError) else None
            if beginning.world is not None or ledger.next_command is not None:
                call.show(not_begun_text(ledger, call.out))
            if code is None:
                raise
            return code


def _run(
    call: Invocation,
    command: str,
    destroy: bool,
    saved: Plan | None,
    records: list[JsonLinesView],
    events: EventFile | None,
    beginning: ApplySession,
) -> int:
    from scenario_apply.apply.stop_signal import StopSignal
    from scenario_apply.cli.command_lines import asked_of, planning, the_same
    from scenario_apply.cli.plan_request import read_wanted, refuse_barred
    from scenario_apply.cli.wiring import open_world, require_service

    settings = _settings(call, saved)
    asked = vars(call.arguments)
    if saved is not None:
        flags = saved.source.flags
        beginning.plan_again = planning(asked, settings, call.settings.manifest or "plan.json", flags)
        # what a saved plan leaves undone is done by applying its manifest, with the options that the plan was made with
        command = "destroy" if flags.destroy else command
        asked = asked_of(flags, asked)
        beginning.carry_on = the_same(asked, settings, command)
    # pictures that are broken stop no delete; those of a saved plan are judged once it is known to be fresh
    destroy = destroy or (saved is not None and saved.source.flags.destroy)
    wanted = read_wanted(settings, check=saved is None and not destroy)
    if saved is not None:
        refuse_barred(wanted)
    if events is not None:
        events.begin(wanted)
    require_service(call.settings)
    stop = StopSignal()
    with open_world(wanted.place, call.settings, read_only=False, cancel=stop.requested) as world:
        beginning.world = world
        with world.store.locked(command, call.settings.lock_timeout_s) as notes:
            for note in notes:
                call.tell(note)
            prepared = _prepared(call, world, wanted, saved, settings, destroy, records)
            beginning.prepared = prepared
            if prepared.plan.blocked:
                raise _blocked(call, prepared)
            # without changes there may still be something to record: a training that ended since
            if saved is not None:
                _require_consent(call, prepared.plan)
            if prepared.plan.has_changes and not _approved(call, _question(prepared.plan, saved, destroy=destroy)):
                _finish(beginning.ledger(ApplyError("not approved")), records)
                call.tell("nothing was done")
                return ExitCode.ERROR
            options = _options(asked, settings, command, wanted)
            beginning.is_over = True
            ledger = _carry_out(call, world, prepared, wanted, stop, options, records)
    return code_of(call, ledger)


def _prepared(
    call: Invocation,
    world: Environment,
    wanted: PlanRequest,
    saved: Plan | None,
    settings: Settings,
    destroy: bool,
    records: list[JsonLinesView],
) -> Prepared:
    """The plan, shown. settings: of a saved plan, with its manifest and variables."""
    from scenario_apply.cli.plan_request import plan_options, prepare, prepare_again
    from scenario_apply.cli.saved_plans import saved_plan_line

    if saved is None:
        prepared = prepare(call, world, wanted, plan_options(call, destroy=destroy))
    else:
        prepared = prepare_again(call, world, wanted, saved, settings)
        line = saved_plan_line(saved, call.settings.manifest or "the plan", wanted.manifest.path, settings)
        if call.arguments.format == "text":
            call.show(f"{safe(line)}\n\n")
        else:
            call.tell(line)
    for record in records:
        record.count_with(world.counter, world.rate_limit)
        record.planned(prepared.plan)
    if call.arguments.format == "text":
        call.show(plan_text(prepared.plan, call.out, destroy=destroy, recorded=prepared.state.records))
    return prepared


def _carry_out(
    call: Invocation,
    world: Environment,
    prepared: Prepared,
    wanted: PlanRequest,
    stop: StopSignal,
    run_options: ApplyOptions,
    records: list[JsonLinesView],
) -> Ledger:
    from scenario_apply.apply.apply_plan import apply_plan
    from scenario_apply.cli.signals import stopping

    told: list[Ledger] = []
    try:
        with ExitStack() as stack:
            is_shown = bool(prepared.plan.has_changes or prepared.adopted)
            show = _emitter(call, world, records, stack, is_shown=is_shown)

            def emit(event: Event) -> None:
                if isinstance(event, Ledger):
                    told.append(event)
                show(event)

            stack.enter_context(stopping(stop, call.tell))
            return apply_plan(world, prepared, wanted.manifest.root, run_options, emit, stop)
    finally:
        # also on the way out of an error nobody foresaw: what was done and how to go on is said before it
        for ledger in told:
            if call.arguments.format == "text" and (prepared.plan.has_changes or ledger.status != "done"):
                call.show(ledger_text(ledger, call.out))


def _settings(call: Invocation, saved: Plan | None) -> Settings:
    if saved is None:
        return call.settings
    from scenario_apply.cli.saved_plans import refuse_other_wishes, settings_of_plan

    refuse_other_wishes(vars(call.arguments), call.settings.manifest or "the plan")
    return settings_of_plan(saved, call.settings)


def _options(asked: Mapping[str, Any], settings: Settings, command: str, wanted: PlanRequest) -> ApplyOptions:
    """asked: what was typed, with the options that a saved plan was made with."""
    from scenario_apply.apply.apply_options import ApplyOptions
    from scenario_apply.cli.address_arguments import address_of
    from scenario_apply.cli.command_lines import again, watching

    return ApplyOptions(
        parallelism=settings.parallelism,
        poll_interval_s=asked.get("poll_interval"),
        timeout_s=asked.get("timeout"),
        wait=not asked.get("no_wait"),
        command=again(asked, settings, command),
        status_command=watching(settings),
        replaced=tuple(address_of(text) for text in asked.get("replace") or ()),
        adopted=tuple(asked.get("adopt") or ()),
        outside=_outside(settings, wanted),
    )


def _outside(settings: Settings, wanted: PlanRequest) -> frozenset[str]:
    """Files of the datasets that may leave the manifest's folder: they say so, and the caller consents."""
    if not settings.allow_outside_root:
        return frozenset()
    leaving = [name for name, spec in wanted.manifest.datasets.items() if spec.allow_outside_root]
    return frozenset(image.file for name in leaving for image in wanted.datasets[name].contents.images)


def _require_consent(call: Invocation, plan: Plan) -> None:
    """Raises DeletesNotAllowed for deletes of a saved plan that nobody here consents to: the file is not consent."""
    deletes = deletes_of(plan)
    can_ask = call.is_interactive and not call.arguments.auto_approve
    if not deletes or call.arguments.allow_destroy or can_ask:
        return
    raise DeletesNotAllowed(
        f"the plan deletes {counted(len(deletes), 'model')}: {', '.join(deletes)}",
        hint="--allow-destroy consents to that; a plan without them is made without it",
    )


def deletes_of(plan: Plan) -> list[str]:
    """The models that the steps delete, each as `model.kael version 1 (model_8Nb...)`."""
    steps = [planned.step for planned in plan.steps]
    return [f"{s.address} version {s.number} ({s.model_id})" for s in steps if isinstance(s, DeleteModel)]


def _question(plan: Plan, saved: Plan | None, *, destroy: bool) -> str:
    """What the user is asked. The deletes of a saved plan are listed: the answer is the consent to them."""
    deletes = deletes_of(plan) if saved is not None else []
    listed = "".join(f"  - {delete}\n" for delete in deletes)
    if destroy:
        return f"{listed}Delete all of this?"
    return f"{listed}Do this, and delete {counted(len(deletes), 'model')}?" if deletes else "Do this?"


def _approved(call: Invocation, question: str) -> bool:
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise NobodyToAsk(
            "there is no terminal to ask for approval on",
            hint="--auto-approve asks nothing; `plan --out FILE` and `apply FILE --auto-approve` do a reviewed plan",
        )
    return call.confirm(question, "Only 'yes' will be accepted.")


def _blocked(call: Invocation, prepared: Prepared) -> GateClosed:
    """Drawn with the plan already when that was shown; the error itself is for those who read stderr only."""
    return GateClosed(prepared.plan.blocked[0].message, problems=prepared.plan.blocked)


def code_of(call: Invocation, ledger: Ledger) -> int:
    """The exit code of a run."""
    if ledger.gated and ledger.status in ("partial", "failed"):
        return call.code(ExitCode.GATE)
    match ledger.status:
        case "done":
            return ExitCode.OK
        case "running":
            # left as asked is done; left because time was up is not
            return call.code(ExitCode.RUNNING, ExitCode.OK if vars(call.arguments).get("no_wait") else ExitCode.ERROR)
        case "partial":
            return call.code(ExitCode.PARTIAL)
        case "interrupted":
            return ExitCode.INTERRUPTED
        case "failed" | "stopped":
            return ExitCode.ERROR


# -- who is told


@contextmanager
def _event_views(call: Invocation) -> Iterator[tuple[list[JsonLinesView], EventFile | None]]:
    """The JSON views of this run: on stdout, in a file, both or none."""
    from scenario_apply.apply.system_clock import SystemClock

    records: list[JsonLinesView] = []
    if call.arguments.format == "jsonl":
        records.append(JsonLinesView(call.show, SystemClock()))
    if call.arguments.events is None:
        yield records, None
        return
    from scenario_apply.cli.event_file import EventFile

    with closing(EventFile(call.arguments.events, call.settings.cwd)) as file:
        yield [*records, JsonLinesView(file.write, SystemClock())], file


def _emitter(
    call: Invocation, world: Environment, records: list[JsonLinesView], stack: ExitStack, *, is_shown: bool
) -> Callable[[Event], None]:
    views: list[Callable[[Event], None]] = [*records]
    if call.arguments.format == "text" and not call.settings.quiet and is_shown:
        if call.err.terminal:
            from scenario_apply.cli.progress.live_view import ProgressView

            live = ProgressView(sys.stderr, world.clock, call.err, counter=world.counter, rate_limit=world.rate_limit)
            stack.callback(live.close)
            views.append(live)
        else:
            from scenario_apply.cli.progress.plain_view import PlainView

            views.append(PlainView(call.say, world.clock, verbose=call.settings.verbose, counter=world.counter))

    def emit(event: Event) -> None:
        for view in views:
            view(event)

    return emit


def _finish(ledger: Ledger, records: list[JsonLinesView]) -> None:
    for record in records:
        record(ledger)


def _last_words(error: BaseException, records: list[JsonLinesView], beginning: ApplySession) -> Ledger:
    ledger = beginning.ledger(error)
    for record in records:
        if not record.has_ledger:
            if isinstance(error, ScenarioApplyError):
                record.problems(error.problems)
            record(ledger)
    return ledger
