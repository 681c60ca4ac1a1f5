"""Samples on the workbench: declared in a line, and what must hold of a service and a state once all are drawn."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from scenario_apply.manifest.spec import CompositionSpec, ModelSpec, SampleSpec, SamplesSpec
from scenario_apply.model.address import parse_address
from scenario_apply.model.samples import SampleSettings, derived_seed
from scenario_apply.state.state import SampleRecord
from tests.fakes.bench import PLACE, Bench
from tests.fakes.service import FakeScenario

PLAIN = SampleSettings(scale=1.0)


def samples(*prompts: str, seed: int | None = None, settings: SampleSettings = PLAIN) -> SamplesSpec:
    """Samples of these prompts, named 1, 2, 3 ... seed None: derived from the prompt."""
    made = (
        SampleSpec(
            name=str(number),
            prompt=prompt,
            seed=derived_seed(parse_address("model.any"), prompt) if seed is None else seed,
            settings=settings,
            place=PLACE,
        )
        for number, prompt in enumerate(prompts, 1)
    )
    return SamplesSpec(samples=tuple(made))


def drawing(
    spec: ModelSpec | CompositionSpec, *prompts: str, settings: SampleSettings = PLAIN
) -> ModelSpec | CompositionSpec:
    """The same resource with these samples."""
    if isinstance(spec, CompositionSpec):
        settings = replace(settings, scale=None)
    return replace(spec, samples=samples(*prompts, settings=settings))


def recorded(bench: Bench, address: str = "model.kael") -> tuple[SampleRecord, ...]:
    """The samples of the version in use, drawn with its weights."""
    return bench.record(address).current.current_samples


def phases(bench: Bench, address: str = "model.kael") -> dict[str, str]:
    """The phase of each sample, by prompt."""
    return {one.request.prompt: one.phase for one in recorded(bench, address)}


def sample_wrongs(bench: Bench, service: FakeScenario, *, paid: int) -> list[str]:
    """Everything that is not as if each sample had been drawn once. paid: generations in all."""
    found = []
    asked = Counter(
        (str(job.input["modelId"]), str(job.input["prompt"]), job.input["seed"]) for job in service.drawings.values()
    )
    twice = [key for key, times in asked.items() if times > 1]
    if twice or len(service.drawings) != paid:
        found.append(f"{len(service.drawings)} generations, twice: {twice}")
    jobs: list[str] = []
    for address in bench.state().records:
        spec = bench.spec(address)
        want = {one.prompt for one in spec.samples.samples}
        held = {one.request.prompt: one for one in recorded(bench, str(address))}
        if set(held) != want or any(one.phase != "drawn" or len(one.pictures) != 1 for one in held.values()):
            found.append(f"{address} has {[(p, one.phase) for p, one in held.items()]}")
        for prompt, one in held.items():
            job = None if one.job_id is None else service.drawings.get(one.job_id)
            if job is None or job.input["prompt"] != prompt:
                found.append(f"{address}: {prompt} is recorded with job {one.job_id}")
            jobs.append(one.job_id or "")
    if len(jobs) != len(set(jobs)):
        found.append("a job is recorded for two samples")
    entries = bench.state().samples
    if len(entries) != paid or any(one.phase == "drawing" for one in entries):
        found.append(f"the account has {[(e.name, e.phase) for e in entries]}")
    return found
