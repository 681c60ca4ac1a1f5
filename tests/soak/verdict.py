"""What the service holds against the manifest and the state: duplicates, second trainings, second samples, losses."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenario_apply.state.state import State
from scenario_apply.state.state_file import state_from_json
from tests.soak.manifest import Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Sentences on what is wrong, by kind; all empty when nothing is."""

    duplicates: tuple[str, ...]
    second_trainings: tuple[str, ...]
    second_samples: tuple[str, ...]
    lost: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.duplicates, *self.second_trainings, *self.second_samples, *self.lost, *self.wrong)


def judge(snapshot: dict[str, Any], folder: Path, expected: Expected) -> Verdict:
    """Compare the service's own store with the state file and the manifest."""
    path = folder / "state" / "scenario.json"
    state = state_from_json(json.loads(path.read_text()), source=str(path))
    models = [m for m in snapshot["models"] if m["privacy"] != "public" and m["deleted"] is None]
    names = {m["id"]: m["name"] for m in models}
    uploads = [a for a in snapshot["assets"] if a["deleted"] is None and a["sha256"] and _is_picture(a)]
    launches = Counter(job["model"] for job in snapshot["jobs"] if str(job["type"]).endswith("training"))
    return Verdict(
        duplicates=(*_models_twice(models, expected), *_uploads_twice(uploads, expected)),
        second_trainings=_trained_twice(launches, snapshot, expected),
        second_samples=_drawn_twice(snapshot, expected),
        lost=(*_lost(state, names, uploads, launches, snapshot), *_lost_samples(state, snapshot), *_journals(folder)),
        wrong=(*_pictures(state, names, snapshot, expected), *_phases(state, expected)),
    )


def _is_picture(asset: dict[str, Any]) -> bool:
    return str(asset["name"]).rpartition("/")[2][:2].isdigit()


def _models_twice(models: list[dict[str, Any]], expected: Expected) -> list[str]:
    counts = Counter(m["name"] for m in models)
    return [
        f"{counts[name]} models named {name}, {expected.versions.get(name, 0)} expected"
        for name in sorted({*counts, *expected.versions})
        if counts[name] != expected.versions.get(name, 0)
    ]


def _uploads_twice(uploads: list[dict[str, Any]], expected: Expected) -> list[str]:
    if len(uploads) == expected.assets:
        return []
    counts = Counter((a["name"], a["sha256"][:8], a["description"]) for a in uploads)
    twice = {key: number for key, number in counts.items() if number > 1}
    return [f"{len(uploads)} pictures were uploaded, {expected.assets} expected; more than once: {twice}"]


def _trained_twice(launches: Counter[str], snapshot: dict[str, Any], expected: Expected) -> tuple[str, ...]:
    by_name: Counter[str] = Counter()
    every = {m["id"]: m["name"] for m in snapshot["models"]}
    for model_id, number in launches.items():
        by_name[every.get(model_id, model_id)] += number
    return tuple(
        f"{name} was trained {by_name[name]} times, {expected.launches.get(name, 0)} expected"
        for name in sorted({*by_name, *expected.launches})
        if by_name[name] != expected.launches.get(name, 0)
    )


def _drawn_twice(snapshot: dict[str, Any], expected: Expected) -> tuple[str, ...]:
    drawn = Counter(job["doc"]["input"]["prompt"] for job in _draws(snapshot))
    return tuple(
        f"{prompt!r} was drawn {drawn[prompt]} times, {expected.draws.get(prompt, 0)} expected"
        for prompt in sorted({*drawn, *expected.draws})
        if drawn[prompt] != expected.draws.get(prompt, 0)
    )


def _draws(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    return [job for job in snapshot["jobs"] if job["type"] == "custom"]


def _lost_samples(state: State, snapshot: dict[str, Any]) -> list[str]:
    """Jobs that the account does not know, and samples that are not recorded as drawn, paid for and looked at."""
    jobs = {job["id"]: job["doc"]["input"]["prompt"] for job in _draws(snapshot)}
    known = {entry.job_id for entry in state.samples}
    lost = [f"the account does not know the sample {jobs[i]!r} ({i})" for i in jobs if i not in known]
    lost += [f"the account names a sample that was not drawn: {i}" for i in known if i not in jobs]
    for address, record in state.records.items():
        for version in record.versions():
            for one in version.samples:
                is_whole = one.phase == "drawn" and one.charged is not None and one.pictures
                if not is_whole or any(picture.thumbnail is None for picture in one.pictures):
                    lost.append(f"{address} version {version.number}: {one.request.prompt!r} is {one}")
    return lost


def _lost(
    state: State,
    names: dict[str, str],
    uploads: list[dict[str, Any]],
    launches: Counter[str],
    snapshot: dict[str, Any],
) -> list[str]:
    """What the service holds and the state does not know, and the other way round."""
    known = state.model_ids()
    lost = [f"the state does not know the model {names[i]} ({i})" for i in names if i not in known]
    lost += [f"the state names a model that is not there: {i}" for i in known if i not in names]
    assets = state.assets()
    there = {a["id"] for a in uploads}
    lost += [f"the state does not know the asset of {a['name']} ({a['id']})" for a in uploads if a["id"] not in assets]
    lost += [f"the state names an asset that is not there: {i}" for i in assets if i not in there]
    jobs = {job["id"] for job in snapshot["jobs"]}
    for address, record in state.records.items():
        for version in record.versions():
            if version.job_id is None or version.job_id not in jobs:
                lost.append(f"{address} version {version.number} records no training that took place: {version.job_id}")
            if launches[version.id] and version.launched_at is None:
                lost.append(f"{address} version {version.number} does not record its launch")
    return lost


def _pictures(state: State, names: dict[str, str], snapshot: dict[str, Any], expected: Expected) -> list[str]:
    """The current versions hold just the pictures and captions the manifest says."""
    assets = {a["id"]: a for a in snapshot["assets"]}
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in snapshot["training_images"]:
        asset = assets[row["asset"]]
        held[row["model"]].append((asset["name"], asset["description"]))
    wrong = []
    for address, record in state.records.items():
        wanted = expected.images.get(names.get(record.current.id, ""))
        if wanted is not None and sorted(held[record.current.id]) != sorted(wanted):
            wrong.append(f"{address} holds {sorted(held[record.current.id])}")
        recorded = {(i.path, i.caption) for i in record.current.images}
        if wanted is not None and recorded != set(wanted):
            wrong.append(f"{address} is recorded with {sorted(recorded)}")
    return wrong


def _phases(state: State, expected: Expected) -> list[str]:
    phases = {str(address): record.current.phase for address, record in state.records.items()}
    wrong = [f"{address} is {phase}" for address, phase in phases.items() if phase != "trained"]
    if len(phases) != len(expected.versions):
        wrong.append(f"{len(phases)} resources are recorded, {len(expected.versions)} are declared")
    wrong += [f"{address} has a version left over" for address, r in state.records.items() if r.pending is not None]
    return wrong


def _journals(folder: Path) -> list[str]:
    left = [*(folder / "state").glob("*.journal"), *(folder / "state").glob("*.tmp")]
    return [f"left behind: {path.name}" for path in left]
