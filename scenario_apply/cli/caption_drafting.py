"""The work of `captions draft`: find images without a caption, quote the price, ask for approval, write the drafts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenario_apply.apply.caption_drafts import DraftJob, DraftRun, Drafts, add_jobs
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.caption_commands import CaptionSession, caption_session
from scenario_apply.cli.signals import stopping
from scenario_apply.errors import AnswerLost, ApiError, ExitCode, GateClosed, ScenarioApplyError, UsageError
from scenario_apply.model.amounts import amount
from scenario_apply.planning.gates import merged
from scenario_apply.planning.own_captions import own_captions
from scenario_apply.review.captions_text import captions_json, written_text
from scenario_apply.review.plan_view import service_name
from scenario_apply.review.screen import counted, safe
from scenario_apply.state.stores.draft_requests import DraftRequests
from scenario_apply.state.stores.own_files import hint_of

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation


class DraftsNotKept(ScenarioApplyError):
    """The file with requests that may have been charged cannot be read or written."""

    code = "drafts-not-kept"


def draft(call: Invocation) -> int:
    """0 when every image that lacked a caption has a draft now, else 1."""
    _refuse_other_limits(call)
    stop, drafts = StopSignal(), Drafts()
    with caption_session(call, read_only=False, cancel=stop.requested, must_be_recorded=False) as session:
        try:
            run = _prepared(session, drafts)
            if drafts.jobs:
                quoted = run.quote(drafts.jobs)
                _check_limit(session, quoted)
                if not _is_approved(session, drafts, quoted):
                    call.tell("Nothing was done.")
                    return ExitCode.ERROR
                _write(session, run, drafts, quoted, stop)
        except OSError as error:
            raise DraftsNotKept(error.strerror or str(error), hint=hint_of(error)) from error
    if stop.requested.is_set():
        return ExitCode.INTERRUPTED
    return ExitCode.ERROR if drafts.left else ExitCode.OK


def _prepared(session: CaptionSession, drafts: Drafts) -> DraftRun:
    call, world, manifest = session.call, session.world, session.manifest
    assert world.api is not None
    requests = DraftRequests(manifest.root, world.endpoint)
    for name, models in session.models.items():
        if manifest.datasets[name].is_pairs:
            call.tell(f"{name}: edit pairs have instructions, which cannot be drafted")
            continue
        add_jobs(
            drafts,
            session.places(name),
            session.datasets[name].contents.images,
            models,
            requests,
            retry_lost=call.arguments.retry_lost,
            may_leave=call.settings.allow_outside_root and manifest.datasets[name].allow_outside_root,
        )
    if not drafts.jobs:
        _show(session, drafts)
    return DraftRun(
        api=world.api, clock=world.clock, root=manifest.root, requests=requests, details=call.arguments.details
    )


def _write(session: CaptionSession, run: DraftRun, drafts: Drafts, quoted: float, stop: StopSignal) -> None:
    call, of = session.call, len(drafts.jobs)

    def done(job: DraftJob, number: int) -> None:
        call.tell(f"{job.file}: {number} of {of}")

    try:
        with stopping(stop, call.tell):
            run.write(drafts, approved_cu=quoted, is_stopped=stop.requested.is_set, done=done)
    except AnswerLost as error:
        hint = "run it again for the other images; --retry-lost also repeats this one, which may be charged twice"
        raise ApiError(f"{error.message}; it may have been charged", hint=hint, code=error.code) from error
    finally:
        _show(session, drafts)
        call.tell(f"{amount(drafts.charged)} CU charged.")


def _show(session: CaptionSession, drafts: Drafts) -> None:
    call = session.call
    names = [name for name in session.models if not session.manifest.datasets[name].is_pairs]
    if call.arguments.format == "json":
        blocks = [
            {
                "dataset": name,
                "written": [{"file": file, "caption": text} for file, text in drafts.written.get(name, ())],
                "left": [{"path": path, "reason": why} for path, why in drafts.left.get(name, {}).items()],
            }
            for name in names
        ]
        call.show(captions_json(blocks))
        return
    for name in names:
        written = drafts.written.get(name, [])
        notes = []
        if written:
            notes.append("review each file and delete its first line; `validate` lists the drafts that are left")
            trained = [str(m.address) for m in session.models[name] if m.version.phase in ("trained", "training")]
            if trained:
                notes.append(f"the training of {', '.join(trained)} did not use them: the next plan proposes another")
        call.show(written_text(name, written, drafts.left.get(name, {}), notes, call.out_now))


# -- consent


def _refuse_other_limits(call: Invocation) -> None:
    other = next((key for key, _ in call.arguments.limit if key != "cost"), None)
    if other is not None:
        raise UsageError(f"--limit {other} does not apply to drafts", hint="--limit cost=CU bounds what they may cost")


def _check_limit(session: CaptionSession, quoted: float) -> None:
    limit = merged(session.manifest.limits, session.call.settings.limits).cost
    if limit is not None and quoted > limit:
        raise GateClosed(
            f"cost: {amount(quoted)} is over the limit of {amount(limit)}",
            hint=f"raise it for this run with --limit cost={math.ceil(quoted)}, or in the manifest's limits:",
        )


def _free(session: CaptionSession, drafts: Drafts) -> int:
    """How many of the images to be drafted have an automatic caption already."""
    own = {
        (name, sha256)
        for name, models in session.models.items()
        for model in models
        for sha256 in own_captions(model.version, model.remote)
    }
    return sum((job.dataset, job.image.sha256) in own for job in drafts.jobs)


def _is_approved(session: CaptionSession, drafts: Drafts, quoted: float) -> bool:
    call, world, count = session.call, session.world, len(drafts.jobs)
    service = safe(service_name(world.endpoint, world.project))
    if free := _free(session, drafts):
        call.tell(f"Scenario has captions of its own for {free} of them: captions pull writes these without charge.")
    call.tell(f"{counted(count, 'caption')} by {service}: {amount(quoted)} CU quoted, {counted(count, 'request')}.")
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible("approval is required, but no terminal is attached", hint="use --auto-approve")
    question = f"Have {counted(count, 'caption')} written by {service} for {amount(quoted)} CU?"
    return call.confirm(question, "Only 'yes' will be accepted.")
