"""The work of `promote`: a chosen version or epoch goes into the manifest, with who chose it and when.

Nothing is sent to Scenario and the state stays as it is: the next apply does what the manifest says then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.apply.promoted_files import promoted_files
from scenario_apply.apply.refresh import read_models, refresh
from scenario_apply.cli.address_arguments import address_of, recorded_address
from scenario_apply.cli.command_hints import completed
from scenario_apply.cli.plan_request import PlanRequest, read_request
from scenario_apply.cli.wiring import open_manifest, open_world, require_service
from scenario_apply.dataset.scan.caption_writing import NotWritten, replace_caption_file
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import ExitCode, Location, ScenarioApplyError, StateError, UsageError
from scenario_apply.manifest.spec import Json
from scenario_apply.manifest.yaml.edits import TEMPLATE_SIGNS, one_line
from scenario_apply.manifest.yaml.own_maps import CannotEdit
from scenario_apply.model.secret import Secret
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.as_sent import as_sent
from scenario_apply.planning.desired import desire
from scenario_apply.planning.observed import settle
from scenario_apply.planning.pointer_recipes import with_known_recipes, with_recorded_recipes
from scenario_apply.planning.promotion import Choice, Promotion, promotion
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.review.file_diff import file_diff
from scenario_apply.review.reason_words import reason_text
from scenario_apply.review.screen import safe
from scenario_apply.state.stores.provenance import whoami

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.manifest_edits import FileEdit
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.model.address import Address
    from scenario_apply.state.state import Record

LONGEST_WHY = 1000
_OWN = "parameters."


class NotPromoted(ScenarioApplyError):
    code = "not-promoted"


def promote(call: Invocation) -> int:
    """0 once the manifest says it. Raises NotPromoted, with what to write by hand, where it cannot be written."""
    _check_arguments(call)
    require_service(call.settings)
    address = address_of(call.arguments.address)
    request = read_request(call.settings, depth=Depth.HEADERS)
    with open_world(request.place, call.settings, read_only=True) as world:
        record, promoted = _promotion(call, request, world, address)
    _refuse(promoted, record)
    edits = _edits(call, request, promoted)
    if not edits:
        call.tell(f"Nothing to write: the manifest says so already. {_next(call, record, promoted)}")
        return ExitCode.OK
    for edit in edits:
        before, after = ((text or b"").decode(errors="backslashreplace") for text in (edit.before, edit.after))
        call.show(file_diff(edit.file, before, after, call.out_now, encoding="UTF-8", kinds=("as chosen",)))
    if call.arguments.dry_run:
        call.tell("Nothing was written (--dry-run).")
        return ExitCode.OK
    if call.is_interactive and not call.arguments.auto_approve:
        question = f"Write {edits[0].file}? Nothing is changed on Scenario."
        if not call.confirm(safe(question), "Only 'yes' will be accepted."):
            call.tell("Nothing was written.")
            return ExitCode.ERROR
    return _write(call, request, record, promoted, edits)


def _check_arguments(call: Invocation) -> None:
    asked = call.arguments
    if asked.number is None and asked.epoch is None:
        raise UsageError("promote needs --version N or --epoch N", hint="status shows the versions")
    for option, value in (("--version", asked.number), ("--epoch", asked.epoch)):
        if value is not None and (not value.isascii() or not value.isdigit() or int(value[:9]) < 1 or len(value) > 9):
            raise UsageError(f"{option} {value[:40]!r} is not a number from 1 on")
    if asked.why is not None and not (asked.why.strip() and asked.why.isprintable() and len(asked.why) <= LONGEST_WHY):
        raise UsageError(f"--why takes one line of 1 to {LONGEST_WHY} characters")
    if asked.why is not None and (sign := next((sign for sign in TEMPLATE_SIGNS if sign in asked.why), None)):
        raise UsageError(f"--why cannot contain {sign}: the manifest would read it as a template")


def _promotion(
    call: Invocation, request: PlanRequest, world: Environment, address: Address
) -> tuple[Record, Promotion]:
    """The record as it is now, and what the manifest is to say."""
    loaded = world.store.load()
    if loaded.has_journal:
        raise StateError(
            "an earlier run did not end properly, and its journal is left over",
            code="journal-left",
            hint="run scenario-apply apply, which settles it, then try again",
        )
    recorded_address(str(address), loaded.state)
    spec = request.manifest.models.get(address)
    if spec is None:
        is_composition = address.kind == "composition"
        why = "it is no model" if is_composition else "the manifest does not declare it"
        parts = "; `epoch:` of a concept chooses the epoch of a part" if is_composition else ""
        raise NotPromoted(
            f"{address} cannot be promoted: {why}",
            hint=f"scenario-apply rollback {address} makes its previous version current again{parts}",
        )
    state = with_known_recipes(loaded.state, request.datasets)
    desired = desire(request.manifest, with_recorded_recipes(request.datasets, state))
    now = world.clock.now()
    assert world.api is not None
    observed = as_sent(refresh(world.api, world.clock, state, desired, project=world.project), state)
    state, _ = settle(state, observed, now=iso(now))
    record = state.records[address]
    asked = call.arguments
    number = None if asked.number is None else int(asked.number)
    chosen = next((one.id for one in record.versions() if one.number == number), record.current.id)
    models = read_models(world.api, [chosen], images=True)
    if chosen not in models:
        raise StateError(f"version {number or record.current.number} of {address} was deleted", code="version-gone")
    observed = as_sent(replace(observed, models={**observed.models, **models}), state)
    given = Inputs(desired=desired, state=state, observed=observed, asked=PlanRequestOptions(), now=now)
    epoch = None if asked.epoch is None else str(int(asked.epoch))
    choice = Choice(number=number, epoch=epoch, by=whoami(), at=iso(now)[:10], why=asked.why)
    return record, promotion(given, spec, record, choice)


def _refuse(promoted: Promotion, record: Record) -> None:
    """Raises NotPromoted where the next plan would train in place of bringing the version back."""
    if promoted.obstacle is None:
        return
    address, number = promoted.address, promoted.version.number
    newest = next((one for one in record.previous if one.is_usable), None)
    is_newest = newest is promoted.version
    back = f"scenario-apply rollback {address} makes {'it' if is_newest else 'the previous version'} current again"
    if promoted.obstacle == "same":
        why = f"version {number} of {address} and a newer one were trained on the same, so no manifest tells them apart"
    elif promoted.obstacle == "kept":
        why = f"{address} has lifecycle.on_change: {promoted.spec.lifecycle.on_change}, which brings no version back"
    else:
        differs = "; ".join(map(reason_text, promoted.left))
        why = f"version {number} of {address} was trained on other images or captions than there are now ({differs})"
        back = f"promote writes no images or captions; {back}"
    raise NotPromoted(why, location=promoted.spec.place, hint=back)


def _edits(call: Invocation, request: PlanRequest, promoted: Promotion) -> Sequence[FileEdit]:
    manifest, settings = request.manifest, call.settings
    try:
        return promoted_files(manifest, promoted, settings.cwd, lambda edited: open_manifest(settings, edited))
    except CannotEdit as error:
        raise NotPromoted(
            f"the choice for {promoted.address} cannot be written: {error}",
            location=promoted.spec.place if error.line is None else Location(file=error.file, line=error.line),
            hint=_by_hand(promoted),
        ) from error


def _by_hand(promoted: Promotion) -> str:
    if promoted.address.label:
        return _as_own_model(promoted)
    fields: dict[str, Json] = {key: value for key, value in promoted.values.items() if not key.startswith(_OWN)}
    own: dict[str, Json] = {key[len(_OWN) :]: value for key, value in promoted.values.items() if key.startswith(_OWN)}
    lines = [f"{key}: {one_line(value, is_flow=False)}" for key, value in fields.items()]
    lines += [f"in `parameters`, {key}: {one_line(value, is_flow=False)}" for key, value in own.items()]
    lines += [f"without {key}" for key in promoted.removed]
    return f"write by hand: {'; '.join(lines)}"


def _as_own_model(promoted: Promotion) -> str:
    """How a child of a matrix is declared apart from the others, with the choice."""
    spec, address = promoted.spec, promoted.address
    own = f"{address.name}-{''.join(sign if sign.isalnum() else '-' for sign in address.label)}"
    parameters = {
        key: value
        for key, value in spec.parameters.items()
        if key not in spec.inherited and not isinstance(value, Secret)
    }
    fields: dict[str, Json] = {"extends": address.name, "name": spec.name, "parameters": parameters}
    chosen = {key: value for key, value in promoted.values.items() if key in ("epoch", "best")}
    return (
        f"give it an entry of its own, `{own}: {one_line({**fields, **chosen}, is_flow=True)}`, exclude it from the "
        f"matrix, and add `moved: [{{ from: {address}, to: model.{own} }}]`: nothing is trained"
    )


def _write(
    call: Invocation, request: PlanRequest, record: Record, promoted: Promotion, edits: Sequence[FileEdit]
) -> int:
    for edit in edits:
        try:
            replace_caption_file(request.manifest.root, edit.file, edit.after, before=edit.before or b"")
        except NotWritten as error:
            raise NotPromoted(f"{edit.file}: {error}; nothing was written", hint=_by_hand(promoted)) from error
    written = ", ".join(edit.file for edit in edits)
    call.tell(f"Wrote {written}. {_next(call, record, promoted)}")
    return ExitCode.OK


def _next(call: Invocation, record: Record, promoted: Promotion) -> str:
    """What the next apply does about it."""
    address, version, spec = promoted.address, promoted.version, promoted.spec
    draws = bool(spec.samples.samples) and "trained" in spec.samples.on
    if not spec.enabled:
        what = f"{address} has `enabled: false`: nothing is done about it until that is removed."
    elif version is not record.current:
        rest = "Samples that it lacks are charged, and compositions" if draws else "Compositions"
        what = (
            f"Version {version.number} becomes current again with the next apply: it is not trained again, 0 CU. "
            f"{rest} of it may be trained again: see scenario-apply plan."
        )
    elif record.held is not None and "parameters" not in " ".join(promoted.values):
        lift = f"scenario-apply rollback --lift {address}"
        what = f"{address} is pinned to version {version.number} by a rollback: an epoch is chosen after `{lift}`."
    elif promoted.left:
        chosen = "" if spec.epoch is None else f", and uses epoch {spec.epoch} of that one"
        what = (
            f"The manifest asks for something else than version {version.number}, so the next apply trains or brings "
            f"back another version{chosen}: see scenario-apply plan."
        )
        if call.arguments.number is None:
            what += f" promote --version {version.number} writes the parameters of this one."
    elif spec.epoch in (None, version.epoch):
        what = "See scenario-apply plan."
    elif "epoch" in spec.lifecycle.ignore_changes:
        what = f"{address} has `lifecycle.ignore_changes: [epoch]`, so apply chooses no epoch."
    else:
        what = f"The next apply chooses epoch {spec.epoch} of version {version.number}: free."
        if draws:
            what += " Samples that this epoch lacks are drawn and charged: see scenario-apply plan."
    return completed(what, call.settings)
