"""Workloads for the benchmarks: many models over many small real pictures, and the state as if all were applied."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from collections.abc import Iterator

from msgspec.structs import replace

WORDS = ("red", "blue", "tall", "small", "old", "young", "forest", "harbour", "cloak", "lantern", "river", "stone")


def picture(seed: int, size_bytes: int) -> bytes:
    """A valid 1024 x 1024 PNG of about that size whose bytes no other seed has (an ancillary chunk pads it)."""
    from PIL import Image

    global _BASE
    if _BASE is None:
        image = Image.linear_gradient("L").resize((1024, 1024)).convert("RGB")
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        _BASE = buffer.getvalue()
    head, tail = _BASE[:-12], _BASE[-12:]
    pad = random.Random(seed).randbytes(max(16, size_bytes - len(_BASE) - 12))
    chunk = b"prVt" + pad
    return head + struct.pack(">I", len(pad)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + tail


_BASE: bytes | None = None


def caption(seed: int) -> str:
    draw = random.Random(seed)
    return "a " + " ".join(draw.choice(WORDS) for _ in range(12))


def make_workload(root: str, models: int, images: int, size_bytes: int) -> str:
    """models datasets of that many images and caption files, and one manifest; its path."""
    os.makedirs(root, exist_ok=True)
    lines = ["version: 1", "models:"]
    for number in range(models):
        folder = os.path.join(root, f"set-{number:05}")
        os.makedirs(folder, exist_ok=True)
        for position in range(images):
            seed = number * images + position
            with open(os.path.join(folder, f"{position:02}.png"), "wb") as file:
                file.write(picture(seed, size_bytes))
            with open(os.path.join(folder, f"{position:02}.txt"), "w", encoding="utf-8") as file:
                file.write(caption(seed))
        lines += [
            f"  model-{number:05}:",
            f"    name: Model {number}",
            "    type: flux.1-lora",
            f"    dataset: ./set-{number:05}",
            "    parameters:",
            f"      learningRate: {1e-4 + number * 1e-9:.9f}",
            "      nbEpochs: 10",
            "      rank: 16",
        ]
    path = os.path.join(root, "scenario.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def write_applied_state(manifest_path: str) -> str:
    """The state file as if everything had been applied, made by the tool's own transition function; its path."""
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import PlanOptions, make_plan
    from scenario_apply.apply.system_clock import SystemClock
    from scenario_apply.dataset.scan.scan_all import scan_datasets
    from scenario_apply.manifest.loader.load import load_manifest
    from scenario_apply.model.steps import AwaitTraining, CreateModel, SetCaption, StartTraining, UploadImage
    from scenario_apply.state.fingerprint import fingerprint
    from scenario_apply.state.outcome import Outcome, after
    from scenario_apply.state.state import State
    from scenario_apply.state.stores.file_store import FileStore

    root = os.path.dirname(manifest_path)
    path = os.path.join(root, "state", "scenario.json")
    clock = SystemClock()
    store = FileStore(path, endpoint=None, project=None, tool_version="bench", clock=clock)
    manifest = load_manifest(manifest_path, variables={}, var_files=[], env={}, cwd=root)
    datasets = scan_datasets(manifest.datasets, root=manifest.root, cache_path=None, types_of={}, cwd=root)
    world = Environment(api=None, store=store, clock=clock, endpoint="bench", project=None, tool_version="bench")
    plan = make_plan(world, manifest, datasets, PlanOptions(refresh=False), clock.now()).plan
    records = {}
    assets: dict[str, str] = {}
    at = "2026-01-01T00:00:00Z"
    state = State()
    address = None
    for planned in plan.steps:
        step = planned.step
        if step.address != address:  # one record at a time keeps this linear
            records.update(state.records)
            state, address = State(), step.address
        outcome = Outcome(at=at)
        match step:
            case CreateModel():
                outcome = replace(outcome, model_id=f"model_{len(records):08}")
            case UploadImage():
                assets[planned.id] = f"asset_{len(assets):08}"
                outcome = replace(outcome, asset_id=assets[planned.id])
            case SetCaption():
                outcome = replace(outcome, asset_id=assets[step.asset.step])
            case StartTraining():
                made_from = fingerprint(type="flux.1-lora", parameters=step.parameters, dataset=step.dataset)
                outcome = replace(outcome, job_id=f"job_{len(records):08}", fingerprint=made_from, cu=100.0)
            case AwaitTraining():
                outcome = replace(outcome, phase="trained")
        state = after(state, planned, outcome)
    records.update(state.records)
    store.read()
    store.save(State(records=records))
    return path


def medians(samples: dict[str, list[float]]) -> Iterator[tuple[str, float, float, float]]:
    """name, minimum, median, maximum."""
    import statistics

    for name, values in samples.items():
        yield name, min(values), statistics.median(values), max(values)
