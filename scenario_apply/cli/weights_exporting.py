"""The work of `export --weights`: which weights, into which folder, and what is said in the end. Writes no state."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scenario_apply.apply.export.weights_choice import NotChosen, WeightsTarget, chosen_weights
from scenario_apply.apply.export.weights_export import WeightsExport, WeightsResult
from scenario_apply.apply.export.weights_record import WeightsError, WeightsRecord
from scenario_apply.apply.signed_pictures import may_ask
from scenario_apply.cli.accepting import words_of
from scenario_apply.cli.address_arguments import address_of
from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.named_files import untrusted_top
from scenario_apply.cli.progress.export_view import ExportView
from scenario_apply.cli.wiring import nothing_recorded, open_world, place_of, require_service
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import ExitCode, StateError, UsageError
from scenario_apply.model.amounts import amount
from scenario_apply.model.globs import has_magic
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.review.screen import counted, safe
from scenario_apply.review.weights_text import WeightsWords, weights_json, weights_text
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, own_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.model.address import Address
    from scenario_apply.model.secret import Secret
    from scenario_apply.state.state import State


def export_weights(call: Invocation) -> int:
    """0 when all that was asked for is in the folder now, else 1."""
    asked = call.arguments
    if asked.source or asked.select or asked.exclude:
        raise UsageError(
            "--weights cannot be combined with --from, --select and --exclude",
            hint="name addresses: export --weights DIR model.kael [MANIFEST]",
        )
    globs = [word for word in asked.words if has_magic(word)]
    words, manifest = words_of(
        [word for word in asked.words if word not in globs], None, call.settings.cwd, "export --weights"
    )
    call = replace(call, settings=replace(call.settings, manifest=manifest))
    named = [address_of(word) for word in words]
    if any(address.kind == "dataset" for address in named):
        raise UsageError("a dataset has no weights", hint="name a model, such as model.kael")
    require_service(call.settings)
    place = place_of(call.settings)
    with (
        open_world(place, call.settings, read_only=False) as world,
        closing(ExportView.on_stderr(call.settings)) as view,
    ):
        state = world.store.load().state
        addresses = [*named, *(address for glob in globs for address in _matching(glob, state))]
        targets, missing = chosen_weights(state, addresses, version=asked.version, epoch=asked.epoch)
        if not (targets or missing):
            why = "nothing is trained yet" if state.records else nothing_recorded(call.settings)
            raise WeightsError(f"no weights to export: {why}", hint="scenario-apply status shows what is trained")
        if not addresses and (left := _left_out(state, targets, missing)):
            call.tell(f"Left out, because they are not trained: {', '.join(left)}")
        results = _carried_out(call, world, view, targets, place.secrets) if targets else []
        view.close()
        return _say(call, world, results, missing)


def _matching(glob: str, state: State) -> list[Address]:
    """What is recorded under addresses that a glob means. Raises StateError where there is nothing."""
    found = [address for address in sorted(state.records) if fnmatchcase(str(address), glob)]
    if not found:
        hint = "scenario-apply state list shows what is recorded"
        raise StateError(f"no recorded address matches {glob}", code="not-recorded", hint=hint)
    return found


def _left_out(state: State, targets: Sequence[WeightsTarget], missing: Sequence[NotChosen]) -> list[str]:
    known = {*(one.address for one in targets), *(one.address for one in missing)}
    return [str(address) for address in sorted(state.records) if address.kind == "model" and address not in known]


def _carried_out(
    call: Invocation,
    world: Environment,
    view: ExportView,
    targets: Sequence[WeightsTarget],
    secrets: tuple[Secret, ...],
) -> list[WeightsResult]:
    assert world.api is not None
    assert world.pictures is not None
    base_url, remote = world.pictures.base_url, call.settings.remote
    base = urlsplit(base_url)
    access = RemoteAccess(
        everything=True,
        prefixes=(f"{base.scheme}://{base.netloc}", *remote.prefixes),
        allow_http=base.scheme == "http",
    )

    def is_allowed(address: str) -> bool:
        return may_ask(address, base_url, remote)

    folder = _folder(call)
    try:
        with WeightsRecord(folder).opened() as record:
            return WeightsExport(
                api=world.api,
                record=record,
                source=WebReader(access, is_signed=True, may_ask=is_allowed),
                may_ask=is_allowed,
                clock=world.clock,
                told=view.weights,
                waiting=view.waiting,
                approved=lambda cu, number: _approve(call, world, cu, number),
            ).run(targets)
    except KeyboardInterrupt:
        view.close()
        typed = call.command_line(secrets) or "scenario-apply export --weights"
        call.say(f"What was downloaded is kept. The same command continues: {safe(typed)}\n")
        raise
    except UnsafeFile as error:
        raise WeightsError(str(error.strerror), hint=error.hint) from error
    except OSError as error:
        what = f"weights cannot be written to {folder.path}: {error.strerror or error}"
        raise WeightsError(what, hint="what was downloaded is kept; the same command continues") from error


def _folder(call: Invocation) -> OwnFolder:
    """DIR. A link on the way to it is followed only outside the repository. Raises UsageError, WeightsError."""
    named, cwd = call.arguments.weights, call.settings.cwd
    if not named:
        raise UsageError("--weights needs the name of a folder")
    path = os.path.abspath(os.path.join(cwd, named))
    if os.path.lexists(path) and not os.path.isdir(path):
        raise UsageError(f"--weights {named}: this is a file, not a folder")
    return own_folder(path, within=untrusted_top(path, cwd))


def _approve(call: Invocation, world: Environment, cu: float, number: int) -> None:
    """Asks, where Scenario charges for an export. Raises ApprovalImpossible, WeightsError."""
    if call.arguments.auto_approve:
        return
    what = f"{counted(number, 'export')} of weights for {amount(cu)} CU"
    if not call.is_interactive:
        raise ApprovalImpossible(
            f"Scenario charges for {what}; approval is required, but no terminal is attached",
            hint="add --auto-approve to begin them without asking",
        )
    project = f" (project {world.project})" if world.project else ""
    if not call.confirm(f"Begin {what}{project}?", "Only 'yes' will be accepted."):
        raise WeightsError(f"not approved: {what}")


def _say(call: Invocation, world: Environment, results: Sequence[WeightsResult], missing: Sequence[NotChosen]) -> int:
    words = WeightsWords(
        folder=call.arguments.weights,
        results=tuple(results),
        missing=tuple(missing),
        requests=0 if world.counter is None else world.counter.sent,
    )
    call.show(weights_json(words) if call.arguments.format == "json" else weights_text(words, call.out_now))
    return ExitCode.ERROR if words.failures else ExitCode.OK
