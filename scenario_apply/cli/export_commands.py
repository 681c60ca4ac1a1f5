"""export and import as commands: which models are meant, and what is said in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scenario_apply.apply.export.remote_models import selected_models
from scenario_apply.apply.refresh import read_models
from scenario_apply.cli.address_arguments import address_of
from scenario_apply.cli.command_lines import again
from scenario_apply.cli.export_target import CannotExport, export_target
from scenario_apply.cli.exporting import Exported, ExportSession, export_session
from scenario_apply.errors import Diagnostic, ExitCode, ManifestError, UsageError
from scenario_apply.manifest.spec import Import
from scenario_apply.model.address import Address
from scenario_apply.model.ids import ID_IN_WORDS, is_id
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.model.training_types import training_type
from scenario_apply.planning.adoption import adopted, unsettled
from scenario_apply.planning.desired import desire
from scenario_apply.planning.export_layout import NotExported, title_of
from scenario_apply.planning.import_blocks import imported
from scenario_apply.review.export_text import ExportWords, export_json, export_text

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation


def export(call: Invocation) -> int:
    """0 when everything that was chosen is in the manifest now, else 1."""
    asked = call.arguments
    words = list(asked.words)
    if asked.version is not None or asked.epoch is not None:
        raise UsageError("--version and --epoch need --weights", hint="export --weights DIR ADDRESS [MANIFEST]")
    if len(words) > 1:
        raise UsageError(
            f"unexpected argument {words[1]!r}", hint="export takes one manifest; addresses go with --weights DIR"
        )
    target = export_target(words[0] if words else None, call.settings.cwd)
    with export_session(call, target, locks=False) as (session, _):
        chosen = selected_models(session.own, asked.select, asked.exclude)
        fixed = _undeclared_blocks(session)
        known = session.known().keys() | session.blocks().keys() - fixed.keys()
        new = [model for model in chosen if model.id not in known]
        out = session.export(new, fixed)
        out.already = len(chosen) - len(new)
        return _say(session, out, "exported")


def _undeclared_blocks(session: ExportSession) -> dict[ModelId, Address]:
    """What `import:` blocks name and the manifest does not declare: its part of the manifest is written."""
    declared = {*session.manifest.models, *session.manifest.compositions}
    return {model_id: address for model_id, address in session.blocks().items() if address not in declared}


def import_models(call: Invocation) -> int:
    """0 when everything that was chosen is recorded now, else 1."""
    asked = call.arguments
    words = list(asked.words)
    if asked.all and asked.blocks:
        raise UsageError("--all and --blocks cannot be combined", hint="--all imports the models of the blocks, too")
    if (asked.select or asked.exclude) and not asked.all:
        raise UsageError("--select and --exclude need --all")
    is_one = not (asked.all or asked.blocks)
    if is_one and len(words) not in (2, 3):
        raise UsageError("name an address and a model", hint="import ADDRESS MODEL_ID [MANIFEST], or import --all")
    if not is_one and len(words) > 1:
        raise UsageError(f"unexpected argument {words[1]!r}", hint="import --all [MANIFEST]")
    one = _one_model(words) if is_one else None
    rest = words[2:] if is_one else words
    target = export_target(rest[0] if rest else None, call.settings.cwd)
    with export_session(call, target, locks=True) as (session, save):
        out = _imported(session, one)
        if out.read is not None and (models := _recorded_now(session, out)):
            desired = desire(out.read.manifest, out.read.datasets)
            observed = session.observed(models.values())
            state = adopted(session.state, desired, models, observed)
            left = unsettled(state, desired, observed, models.keys(), now=session.world.clock.now())
            out.problems += [
                NotExported(str(address), "the next plan asks for changes of it")
                for address in left
                if address not in out.adopted
            ]
            save(state)
        return _say(session, out, "imported")


def _one_model(words: Sequence[str]) -> tuple[Address, ModelId]:
    address, model_id = address_of(words[0]), words[1]
    if address.kind == "dataset" or address.label:
        raise UsageError(f"{address} cannot be imported", hint="name a model or a composition, such as model.kael")
    if not is_id(model_id):
        raise UsageError(f"{model_id[:140]!r} is no id of a model", hint=f"an id is {ID_IN_WORDS}")
    return address, ModelId(model_id)


def _imported(session: ExportSession, one: tuple[Address, ModelId] | None) -> Exported:
    """Exports what the manifest does not declare; out.adopted: what it declares, and the state does not record."""
    asked, blocks, known = session.call.arguments, session.blocks(), session.known()
    if one is not None:
        address, model_id = one
        model = _listed(session, model_id)
        _refuse_taken(session, address, model)
        wanted: list[RemoteModel] = [model]
        fixed = {model_id: address}
    else:
        fixed = blocks
        wanted = _wanted(session, asked)
    new = [model for model in wanted if model.id not in known]
    declared = {*session.manifest.models, *session.manifest.compositions}
    only_recorded = [model for model in new if fixed.get(model.id) in declared]
    out = session.export([model for model in new if model not in only_recorded], fixed)
    out.already = len(wanted) - len(new)
    if only_recorded and out.read is None:
        out.read = session.read(session.target.manifest)
    for model in only_recorded:
        _adopt_declared(session, out, model, fixed[model.id])
    return out


def _wanted(session: ExportSession, asked: object) -> list[RemoteModel]:
    """The models of --all, or those of the `import:` blocks."""
    given = vars(asked)
    if given["all"]:
        return selected_models(session.own, given["select"], given["exclude"])
    by_id = {model.id: model for model in session.own}
    if not session.manifest.imports:
        raise CannotExport(
            f"{session.manifest.path} has no import: block",
            hint="import --all imports every model of the project; import ADDRESS MODEL_ID one of them",
        )
    return [by_id.get(model_id) or _listed(session, model_id) for model_id in session.blocks()]


def _listed(session: ExportSession, model_id: ModelId) -> RemoteModel:
    """One of the project's own models. Raises CannotExport for any other."""
    found = next((model for model in session.own if model.id == model_id), None)
    if found is not None:
        return found
    assert session.world.api is not None
    shown = read_models(session.world.api, [model_id], images=False, may_be_hidden=[model_id])
    if model_id in shown:
        raise CannotExport(
            f"{model_id} is not one of the project's own models",
            code="import-foreign",
            hint="a public model can be a part of a composition: modelId",
        )
    raise CannotExport(f"the service knows of no model {model_id}", code="import-nothing")


def _refuse_taken(session: ExportSession, address: Address, model: RemoteModel) -> None:
    kind = "composition" if training_type(model.type).is_composition else "model"
    if kind != address.kind:
        raise CannotExport(
            f"{title_of(model)} is a {kind}, which {address} cannot be",
            hint=f"name it {kind}.{address.name}",
        )
    recorded = session.known().get(model.id)
    if recorded not in (None, address):
        raise CannotExport(
            f"{model.id} is recorded as {recorded} already",
            code="import-recorded",
            hint=f"scenario-apply state mv {recorded} {address} gives it the new address",
        )
    if recorded is None and address in session.state.records:
        held = session.state.records[address].current.id
        raise CannotExport(
            f"{address} records {held} already: {model.id} is not imported over it",
            code="import-taken",
            hint=f"choose another address, or forget the record first: scenario-apply state rm {address}",
        )
    block = session.blocks().get(model.id)
    if block not in (None, address):
        raise CannotExport(
            f"an import: block of the manifest gives {model.id} the address {block}", hint=f"import {block} {model.id}"
        )


def _adopt_declared(session: ExportSession, out: Exported, model: RemoteModel, address: Address) -> None:
    """Notes a model that the manifest declares already, or why it cannot be recorded."""
    assert out.read is not None
    manifest = out.read.manifest
    spec = manifest.models.get(address) or manifest.compositions[address]
    desired = desire(manifest, out.read.datasets)
    wanted = Import(target=address, model_id=model.id, place=spec.place)
    found = imported(wanted, spec, desired.contents_of(spec), session.state, session.observed([model]))
    if isinstance(found, Diagnostic):
        raise ManifestError(found.message, problems=[found])
    out.adopted.append(address)


def _recorded_now(session: ExportSession, out: Exported) -> Mapping[Address, RemoteModel]:
    """The models that the state is to record, whole."""
    models = {resource.address: resource.remote for resource in out.resources}
    if out.adopted:
        assert session.world.api is not None
        ids = {address: model_id for model_id, address in session.blocks().items()}
        if session.call.arguments.words and not (session.call.arguments.all or session.call.arguments.blocks):
            ids[out.adopted[0]] = ModelId(session.call.arguments.words[1])
        shown = read_models(session.world.api, [ids[address] for address in out.adopted], images=True)
        models |= {address: shown[ids[address]] for address in out.adopted if ids[address] in shown}
    return models


def _say(session: ExportSession, out: Exported, done: str) -> int:
    """Prints the ledger; the exit code."""
    call, counter = session.call, session.world.counter
    session.view.close()
    words = ExportWords(
        done=done,
        manifest=session.target.file,
        resources=tuple(out.resources),
        adopted=tuple(map(str, out.adopted)),
        already=out.already,
        downloaded=out.pictures.fetched,
        kept=out.pictures.kept,
        failed=len(out.pictures.failed),
        size_bytes=out.pictures.size_bytes,
        captions=out.captions,
        problems=tuple(out.problems),
        requests=0 if counter is None else counter.sent,
        following=again({}, session.settings, "plan"),
    )
    call.show(export_json(words) if call.arguments.format == "json" else export_text(words, call.out_now))
    return ExitCode.ERROR if out.problems else ExitCode.OK
