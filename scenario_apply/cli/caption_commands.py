"""The work of `captions pull` and `captions check`: read manifest, state and service, then write files or compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from scenario_apply.apply.held_captions import HeldModel, held_models
from scenario_apply.cli.dataset_arguments import asked_datasets, models_of, with_manifest_of_all
from scenario_apply.cli.wiring import (
    open_datasets,
    open_manifest,
    open_world,
    place_of_manifest,
    refuse_errors,
    require_service,
)
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import Diagnostic, ExitCode, ScenarioApplyError
from scenario_apply.planning.caption_comparison import ComparedCaption, compare_captions
from scenario_apply.review.captions_text import captions_json, compared_json, compared_text, written_text

if TYPE_CHECKING:
    import threading

    from scenario_apply.apply.caption_pull import Pulled
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.dataset.scan.caption_places import CaptionPlaces
    from scenario_apply.dataset.types import Dataset
    from scenario_apply.manifest.spec import Manifest


class NothingRecorded(ScenarioApplyError):
    """No model of the dataset exists yet, so the service has no captions of its images."""

    code = "nothing-recorded"


class CaptionSession(Struct, frozen=True, kw_only=True):
    """What these commands start from. models: of each dataset, those that are recorded, as the service shows them."""

    call: Invocation
    manifest: Manifest
    datasets: Mapping[str, Dataset]
    models: Mapping[str, tuple[HeldModel, ...]]
    world: Environment

    def places(self, name: str) -> CaptionPlaces:
        from scenario_apply.dataset.scan.caption_places import caption_places

        settings, spec = self.call.settings, self.manifest.datasets[name]
        allowed, remote = settings.allow_outside_root, settings.remote
        return caption_places(spec, root=self.manifest.root, allow_outside=allowed, remote=remote)


@contextmanager
def caption_session(
    call: Invocation, *, read_only: bool = True, cancel: threading.Event | None = None, must_be_recorded: bool = True
) -> Iterator[CaptionSession]:
    """Raises NothingRecorded for one dataset of which no model is recorded, where one must be."""
    call = with_manifest_of_all(call)
    manifest = open_manifest(call.settings)
    names = asked_datasets(call, manifest)
    datasets = {name: open_datasets(manifest, call.settings, only=name, depth=Depth.HEADERS)[name] for name in names}
    place = place_of_manifest(manifest, call.settings, endpoint=call.settings.endpoint)
    refuse_errors(place.notes, strict=False)
    call.warn(place.notes)
    require_service(call.settings)
    with open_world(place, call.settings, read_only=read_only, cancel=cancel) as world:
        state = world.store.read()
        wanted = {name: models_of(manifest, name) for name in names}
        found = held_models(world, state, [address for addresses in wanted.values() for address in addresses])
        models = {name: tuple(found[a] for a in addresses if a in found) for name, addresses in wanted.items()}
        if must_be_recorded and not call.arguments.all and not models[names[0]]:
            raise NothingRecorded(
                f"no model of dataset {names[0]} is recorded, so Scenario has no captions of its images",
                hint="run scenario-apply apply first; `captions draft` writes captions before any training",
            )
        yield CaptionSession(call=call, manifest=manifest, datasets=datasets, models=models, world=world)


def pull(call: Invocation) -> int:
    """0 when every image that lacked a caption has one now, else 1."""
    from scenario_apply.apply.caption_pull import note_what_follows, pull_captions

    results: list[Pulled] = []
    with caption_session(call) as session:
        for name, models in session.models.items():
            if not models:
                call.tell(f"{name}: no model of this dataset is recorded; nothing is written")
                continue
            places = session.places(name)
            done = pull_captions(places, session.datasets[name].contents.images, models)
            settings = session.call.settings
            again = open_datasets(session.manifest, settings, only=name, depth=Depth.HEADERS)[name]
            note_what_follows(done, again.contents.images, places, models)
            results.append(done)
    if call.arguments.format == "json":
        call.show(captions_json([_pulled_json(done) for done in results]))
    else:
        for done in results:
            written = [(one.file, one.caption) for one in done.written]
            call.show(written_text(done.dataset, written, done.left, done.notes, call.out_now))
    return ExitCode.ERROR if any(done.left for done in results) else ExitCode.OK


def _pulled_json(done: Pulled) -> dict[str, object]:
    return {
        "dataset": done.dataset,
        "written": [{"path": one.path, "file": one.file, "caption": one.caption} for one in done.written],
        "left": [{"path": path, "reason": why} for path, why in done.left.items()],
        "notes": done.notes,
    }


def check(call: Invocation) -> int:
    """0 when all captions are equal; else 1, or 4 with --detailed-exitcode."""
    blocks: list[tuple[str, HeldModel, list[ComparedCaption]]] = []
    with caption_session(call) as session:
        problems = [problem for dataset in session.datasets.values() for problem in dataset.problems]
        call.warn(_errors(problems))
        for name, models in session.models.items():
            if session.manifest.datasets[name].is_pairs:
                call.tell(f"{name}: edit pairs have instructions instead of captions; plan compares them")
                continue
            contents = session.datasets[name].contents
            if not models:
                call.tell(f"{name}: no model of this dataset is recorded; there is nothing to compare")
            for model in models:
                if model.remote is None:
                    call.tell(f"{model.address} ({model.version.id}) no longer exists on Scenario")
                    continue
                blocks.append((name, model, compare_captions(contents, model.version, model.remote)))
    if call.arguments.format == "json":
        call.show(
            captions_json(
                [
                    {"dataset": name, "model": str(m.address), "id": m.version.id, "captions": compared_json(compared)}
                    for name, m, compared in blocks
                ]
            )
        )
    else:
        for name, model, compared in blocks:
            call.show(compared_text(f"{model.address} ({name})", compared, call.out_now))
    apart = any(one.status != "same" for _, _, compared in blocks for one in compared)
    return call.code(ExitCode.DRIFT) if apart else ExitCode.OK


def _errors(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [problem for problem in problems if problem.severity == "error"]
