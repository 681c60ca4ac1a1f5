"""The work of `import` and `export`: read models, download their pictures, write the manifest, record them.

An export writes `import:` blocks, so that a first plan takes the models over instead of making them. An import writes
them, too, before the state records the models: a run that is killed between the two costs nothing.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct, field

from scenario_apply.apply.export.export_notes import ClaimedFolder, ExportNotes
from scenario_apply.apply.export.picture_files import PictureFiles, PictureTarget
from scenario_apply.apply.export.pictures import MOST_AT_ONCE, Downloaded, Downloads
from scenario_apply.apply.export.remote_models import RemoteModels, read_with_pictures
from scenario_apply.apply.export.sidecar_texts import write_texts
from scenario_apply.apply.refresh import own_models
from scenario_apply.cli.export_target import CannotExport, ExportTarget, bring_local_data
from scenario_apply.cli.manifest_companions import write_companions
from scenario_apply.cli.manifest_writing import ManifestWriting, ReadManifest, clear_drafts
from scenario_apply.cli.progress.export_view import ExportView
from scenario_apply.cli.state_edits import edited_state
from scenario_apply.cli.wiring import (
    open_datasets,
    open_manifest,
    open_world,
    place_of_manifest,
    refuse_errors,
    require_service,
)
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.planning.adoption import unsettled
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.desired import desire
from scenario_apply.planning.export_layout import (
    DeclaredPart,
    ExportedDataset,
    ExportedResource,
    ExportLayout,
    LayoutMaker,
    NotExported,
)
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.ownership import reference_owners
from scenario_apply.state.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.ports import PictureApi


class Exported(Struct, kw_only=True):
    """What a run did. resources: written into the manifest. adopted: only recorded, the manifest declares them already.

    already: how many models there was nothing to do about.
    """

    resources: list[ExportedResource] = field(default_factory=list)
    adopted: list[Address] = field(default_factory=list)
    already: int = 0
    pictures: Downloaded = field(default_factory=Downloaded)
    captions: int = 0
    problems: list[NotExported] = field(default_factory=list)
    read: ReadManifest | None = None


class ExportSession(Struct, frozen=True, kw_only=True):
    """What a run starts from. manifest: as it is before. own: all models of the project, newest first."""

    call: Invocation
    target: ExportTarget
    manifest: Manifest
    world: Environment
    state: State
    own: tuple[RemoteModel, ...]
    view: ExportView

    @property
    def settings(self) -> Settings:
        """Those of the command, for the manifest that is written."""
        return dataclasses.replace(self.call.settings, manifest=self.target.manifest)

    def known(self) -> dict[ModelId, Address]:
        """Models that the state records, in any version."""
        return {v.id: address for address, record in self.state.records.items() for v in record.versions()}

    def blocks(self) -> dict[ModelId, Address]:
        """Models that `import:` blocks of the manifest name."""
        return {ModelId(block.model_id): block.target for block in self.manifest.imports}

    def observed(self, models: Iterable[RemoteModel]) -> Observed:
        """The service as a plan would see it, of the models that were read."""
        found = {model.id: model for model in models}
        return Observed(
            models=found,
            asked=frozenset(found),
            own=self.own,
            refreshed=True,
            owners=reference_owners(self.world.project, self.own),
        )

    def export(self, models: Sequence[RemoteModel], fixed: Mapping[ModelId, Address]) -> Exported:
        """Writes models into the manifest, with pictures and captions. models: as listed. fixed: addresses they get."""
        out = Exported()
        clear_drafts(self.target)
        found = read_with_pictures(self._pictures, models, self.view.models)
        out.problems += found.problems
        with ExportNotes(self.target.root).opened() as notes:
            layout = self._layout(found.models, fixed, notes)
            out.problems += layout.problems
            failed = self._write_files(layout, found, notes, out)
        writing = ManifestWriting(
            target=self.target,
            resources=list(layout.resources),
            datasets={dataset.identity: dataset for dataset in layout.datasets},
            imported=frozenset(self.blocks()),
            project=self.manifest.project,
            read=self.read,
            judge=lambda read, resources: self._judged(read, resources, found),
        )
        for resource in layout.resources:
            if resource.is_incomplete or resource.dataset in failed:
                writing.keep(resource.address)
        out.read = writing.write()
        out.resources, out.problems = writing.resources, [*out.problems, *writing.problems]
        if out.read is not None and not self.target.has_manifest:
            write_companions(self.target.root, self.call.settings.cwd)
        return out

    def read(self, path: str) -> ReadManifest:
        """The manifest of now at a path, with its datasets."""
        settings = dataclasses.replace(self.settings, manifest=path)
        manifest = open_manifest(settings)
        return ReadManifest(manifest=manifest, datasets=open_datasets(manifest, settings, depth=Depth.FEW_PIXELS))

    def _layout(
        self, models: Sequence[RemoteModel], fixed: Mapping[ModelId, Address], notes: ExportNotes
    ) -> ExportLayout:
        declared = {a.name for a in (*self.manifest.models, *self.manifest.compositions, *self.state.records)}
        places = {name.casefold() for name in (*self.manifest.datasets, *_names_in(self.target.root))}
        parts = {
            model_id: DeclaredPart(address, self.manifest.models[address].type)
            for model_id, address in {**self.blocks(), **self._current()}.items()
            if address in self.manifest.models
        }
        maker = LayoutMaker(
            taken={name.casefold() for name in declared} | places,
            places=frozenset(places),
            fixed=fixed,
            parts=parts,
            folders=self._claimed(notes),
        )
        return maker.layout(models)

    def _current(self) -> dict[ModelId, Address]:
        return {record.current.id: address for address, record in self.state.records.items()}

    def _claimed(self, notes: ExportNotes) -> dict[str, str]:
        """Folders of runs that were broken off; not those that a manifest has by now."""
        used = {key.casefold() for key in self.manifest.datasets}
        return {identity: folder for identity, folder in notes.folders.items() if folder.casefold() not in used}

    def _write_files(self, layout: ExportLayout, found: RemoteModels, notes: ExportNotes, out: Exported) -> set[str]:
        """Pictures and captions of every dataset. Identities of the datasets that lack one."""
        for dataset in layout.datasets:
            if notes.folders.get(dataset.identity) != dataset.key:
                notes.add(ClaimedFolder(folder=dataset.key, identity=dataset.identity))
        targets = _targets(layout.datasets)
        stop = threading.Event()
        downloads = Downloads(
            api=self._pictures,
            source=WebReader(self._access(), is_signed=True),
            files=PictureFiles(self.target.root, notes, stop),
            clock=self.world.clock,
            stop=stop,
            at_once=min(self.call.settings.parallelism, MOST_AT_ONCE),
            told=self.view.pictures,
        )
        out.pictures = downloads.run(targets, found.addresses)
        texts = self._write_texts(layout.datasets, out)
        failed: set[str] = set()
        for dataset in layout.datasets:
            lost = [asset for asset in dataset.stems if asset in out.pictures.failed]
            out.problems += [
                NotExported(f"{dataset.key}: {dataset.names[asset]} ({asset})", out.pictures.failed[asset])
                for asset in lost
            ]
            without = {stem for asset in lost for stem in dataset.stems[asset]}
            problems = texts[dataset.identity]
            out.captions += len(dataset.texts.keys() - without) - len(problems)
            out.problems += problems
            if lost or problems:
                failed.add(dataset.identity)
        return failed

    def _write_texts(self, datasets: Sequence[ExportedDataset], out: Exported) -> dict[str, list[NotExported]]:
        """The captions of every dataset; what could not be written, by identity. Each file waits for the disk."""

        def write(dataset: ExportedDataset) -> list[NotExported]:
            lost = [stem for asset, stems in dataset.stems.items() if asset in out.pictures.failed for stem in stems]
            return write_texts(self.target.root, dataset, lost)

        with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            return dict(zip((dataset.identity for dataset in datasets), threads.map(write, datasets), strict=True))

    def _access(self) -> RemoteAccess:
        """Public addresses, and the service's own, which may be private. Plain http only where the service is."""
        base = urlsplit(self._pictures.base_url)
        return RemoteAccess(
            everything=True, prefixes=(f"{base.scheme}://{base.netloc}",), allow_http=base.scheme == "http"
        )

    @property
    def _pictures(self) -> PictureApi:
        assert self.world.pictures is not None
        return self.world.pictures

    def _judged(
        self, read: ReadManifest, resources: Sequence[ExportedResource], found: RemoteModels
    ) -> Mapping[Address, Decision]:
        """What a plan would do about the resources, which it takes over by their `import:` blocks."""
        desired = desire(read.manifest, read.datasets)
        observed = self.observed(found.models)
        addresses = {resource.address for resource in resources}
        return unsettled(self.state, desired, observed, addresses, now=self.world.clock.now())


@contextmanager
def export_session(call: Invocation, target: ExportTarget, *, locks: bool) -> Iterator[tuple[ExportSession, Save]]:
    """Opens service and state. locks: the state is going to be written, by the function that is given beside."""
    settings = dataclasses.replace(call.settings, manifest=target.manifest)
    call = dataclasses.replace(call, settings=settings)
    require_service(settings)
    os.makedirs(target.root, exist_ok=True)
    source = _source(call)
    home = None if source is None else source.root
    if settings.local and (here := bring_local_data(target, home, settings.cwd)) is not None:
        call.tell(f"The embedded Scenario of {here} is copied beside the manifest, for plans with --local.")
    project = None if source is None else source.project
    manifest = open_manifest(settings) if target.has_manifest else target.blank(project)
    if project is not None and manifest.project != project:
        raise CannotExport(f"{target.manifest} is for another project than {call.arguments.source}")
    place = place_of_manifest(manifest, settings, endpoint=settings.endpoint)
    refuse_errors(place.notes, strict=False)
    call.warn(place.notes)
    with ExitStack() as stack:
        world = stack.enter_context(open_world(place, settings, read_only=True))
        view = stack.enter_context(closing(ExportView.on_stderr(settings)))
        save: Save = _refused
        if locks:
            edit = stack.enter_context(edited_state(world.store, call, "import", "models imported"))
            state, save = edit.state, edit.save
        else:
            state = world.store.read()
        assert world.api is not None
        own = own_models(world.api)
        yield (
            ExportSession(call=call, target=target, manifest=manifest, world=world, state=state, own=own, view=view),
            save,
        )


def _source(call: Invocation) -> Manifest | None:
    """The manifest of --from."""
    named = call.arguments.source
    return None if named is None else open_manifest(dataclasses.replace(call.settings, manifest=named))


Save = Callable[[State], State]


def _refused(state: State) -> State:
    raise AssertionError("an export writes no state")


def _names_in(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _targets(datasets: Iterable[ExportedDataset]) -> list[PictureTarget]:
    """Every picture once, with all of its places."""
    stems: dict[AssetId, list[str]] = {}
    names: dict[AssetId, str] = {}
    for dataset in datasets:
        for asset, inner in dataset.stems.items():
            stems.setdefault(asset, []).extend(f"{dataset.key}/{stem}" for stem in inner)
            names[asset] = dataset.names[asset]
    return [PictureTarget(asset, names[asset], tuple(places)) for asset, places in stems.items()]
