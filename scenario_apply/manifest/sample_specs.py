"""SampleSpecs as declared -> SamplesSpec: prompts rendered, settings checked, names and seeds given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from msgspec import Struct

from scenario_apply.errors import Location
from scenario_apply.manifest.fields import child, is_extension, number, service_id, text, texts, whole
from scenario_apply.manifest.merge import layered
from scenario_apply.manifest.other_generators import SIZE_HINT
from scenario_apply.manifest.positions import Map, Mark, Node, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.sample_forms import SAMPLE_SETTINGS
from scenario_apply.manifest.spec import SampleSpec, SamplesSpec
from scenario_apply.manifest.templating.template_text import Trigger
from scenario_apply.manifest.templating.templates import Templates
from scenario_apply.manifest.variable_values import Variables
from scenario_apply.model.address import Address
from scenario_apply.model.sample_bases import known_base
from scenario_apply.model.samples import (
    LARGEST_SIDE,
    LONGEST_PROMPT,
    SIDE_STEP,
    SMALLEST_SIDE,
    SampleEvent,
    SampleSettings,
    derived_seed,
)
from scenario_apply.model.training_types import TrainingType

_NONE = SamplesSpec()
_EVENTS = ("trained", "manual")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SIZE = re.compile(r"\s*(\d{1,9})\s*[xX\u00d7]\s*(\d{1,9})\s*")


class _Entry(Struct, frozen=True):
    """A prompt as written. fields: it with the settings of its block."""

    name: str
    fields: Map
    mark: Mark


class SampleSpecs:
    """Builds the samples of every model and composition."""

    def __init__(self, templates: Templates, variables: Variables, report: Report) -> None:
        self._templates = templates
        self._variables = variables
        self._report = report
        self._has_prompts = False
        self._empty: dict[Location, Address] = {}  # blocks without prompts, by where they are written

    def check_prompts(self, defaults: Map) -> None:
        """Warns of settings without any prompt. Those of defaults may be for the prompts of some resource."""
        holders = (defaults, child(defaults, "models"), child(defaults, "compositions"))
        place = self._report.place
        shared = {place(holder.value_mark("samples")) for holder in holders if holder and "samples" in holder}
        for where, address in self._empty.items():
            if where not in shared or not self._has_prompts:
                what = f"samples: has settings and no prompts, so {address} owes no picture"
                self._report.warn("samples-empty", what, where, "add `prompts:` to it, a list")

    def of(self, address: Address, fields: Map, trigger: Trigger, training: TrainingType) -> SamplesSpec:
        """The samples of one resource. fields: merged, with samples in the one form of sample_forms."""
        block = child(fields, "samples")
        if block is None:
            return _NONE
        if block.get("prompts") is None:
            if not any(self._report.is_wrong(key_mark) for key_mark, _ in block.marks.values()):
                self._empty.setdefault(self._report.place(fields.value_mark("samples")), address)
            return _NONE
        self._has_prompts = True
        found: dict[object, SampleSpec] = {}
        names: dict[str, SampleSpec] = {}
        for entry in _entries(block, fields.value_mark("samples")):
            sample = self._sample(address, entry, trigger, training)
            if sample is None or self._is_named_twice(address, sample, names):
                continue
            identity = sample.prompt, sample.seed, sample.settings, sample.base, sample.reference
            first = found.setdefault(identity, sample)
            if first is not sample:
                what = f"{address}: sample {sample.name} is the same as sample {first.name}: it is drawn once"
                hint = "give one of them a seed: of its own, or count: for several pictures"
                self._report.warn("sample-twice", what, sample.place, hint)
        if not found:
            return _NONE
        events = tuple(event for event in texts(block, "on") if event in _EVENTS) or _NONE.on
        return SamplesSpec(samples=tuple(found.values()), on=cast(tuple[SampleEvent, ...], events))

    def _is_named_twice(self, address: Address, sample: SampleSpec, names: dict[str, SampleSpec]) -> bool:
        first = names.setdefault(sample.name, sample)
        if first is sample:
            return False
        what = f"{address} has two samples named {sample.name}"
        self._report.error("sample-name", what, sample.place, f"the first is at {first.place}")
        return True

    def _sample(self, address: Address, entry: _Entry, trigger: Trigger, training: TrainingType) -> SampleSpec | None:
        fields, report = entry.fields, self._report
        written = text(fields, "prompt")
        if written is None:
            return None  # which the check of the shape has reported
        mark = fields.value_mark("prompt")
        prompt = self._templates.prompt(written, mark, self._variables, trigger)
        if prompt is None or not self._is_prompt(prompt := prompt.strip(), mark):
            return None
        if address.kind == "composition" and fields.get("scale") is not None:
            what = f"{address}: a sample of a composition takes no scale"
            report.error("sample-scale", what, fields.key_mark("scale"), "set the scale of its concepts")
        base = service_id(fields, "base", report)
        reference = self._reference(address, fields, training, base)
        width, height = self._size(fields)
        seed = whole(fields, "seed")
        return SampleSpec(
            name=entry.name,
            prompt=prompt,
            seed=derived_seed(address, prompt) if seed is None else seed,
            settings=SampleSettings(
                scale=_float(fields, "scale"),
                width=width,
                height=height,
                count=whole(fields, "count") or 1,
                guidance=_float(fields, "guidance"),
                steps=whole(fields, "steps"),
            ),
            base=base,
            reference=reference,
            reference_place=None if reference is None else report.place(fields.value_mark("reference")),
            place=report.place(entry.mark),
        )

    def _reference(self, address: Address, fields: Map, training: TrainingType, base: str | None) -> str | None:
        """The picture that an edit starts from; None, and it is said, where nothing is edited."""
        reference = text(fields, "reference")
        if reference is None:
            return None
        if training.is_composition:
            what = f"{address}: a sample of a composition takes no reference"
            self._report.error("sample-reference", what, fields.key_mark("reference"), "remove it")
            return None
        known = known_base(training.name, base)
        if training.dataset == "pairs" or not training.known or known is None or known.needs_reference:
            return reference
        what = f"{address}: the reference is not sent, because {known.id} draws {training.name} from the prompt alone"
        hint = "remove it; `reference: null` takes back that of the defaults"
        self._report.warn("sample-reference", what, fields.key_mark("reference"), hint)
        return None

    def _is_prompt(self, prompt: str, mark: Mark) -> bool:
        if self._report.is_wrong(mark):
            return False
        if not prompt:
            self._report.error("empty-value", "the prompt is empty", mark, "write what is drawn")
        elif len(prompt) > LONGEST_PROMPT:
            what = f"the prompt has {len(prompt)} characters; at most {LONGEST_PROMPT} are allowed"
            self._report.error("too-long", what, mark, "shorten it")
        elif (found := _CONTROL.search(prompt)) is not None:
            what = f"the prompt has the control character {found[0]!r}"
            self._report.error("control-character", what, mark, "remove it: only line breaks and tabs are allowed")
        else:
            return True
        return False

    def _size(self, fields: Map) -> tuple[int | None, int | None]:
        value = fields.get("size")
        if value is None:
            return None, None
        mark = fields.value_mark("size")
        if any(map(self._report.is_wrong, (mark, *(value.marks if isinstance(value, Seq) else ())))):
            return None, None
        sides = _sides(value)
        if sides is None:
            what = f"size {value!r} is not a size" if isinstance(value, str) else "size is not a size"
            self._report.error("sample-size", what[:200], mark, SIZE_HINT)
            return None, None
        for side in sides:
            if not SMALLEST_SIDE <= side <= LARGEST_SIDE or side % SIDE_STEP:
                wrong = "out of range" if not SMALLEST_SIDE <= side <= LARGEST_SIDE else f"no multiple of {SIDE_STEP}"
                near = min(max(round(side / SIDE_STEP) * SIDE_STEP, SMALLEST_SIDE), LARGEST_SIDE)
                hint = f"use {SMALLEST_SIDE} to {LARGEST_SIDE}, a multiple of {SIDE_STEP}, such as {near}"
                self._report.error("sample-size", f"size has a side of {side}, {wrong}", mark, hint)
                return None, None
        return sides


def _sides(value: Node) -> tuple[int, int] | None:
    match value:
        case bool():
            return None
        case int() | float():
            return (int(value), int(value)) if value == int(value) else None
        case str():
            found = _SIZE.fullmatch(value)
            return None if found is None else (int(found[1]), int(found[2]))
        case list() if len(value) == 2:
            width, height = (_sides(side) if isinstance(side, int | float) else None for side in value)
            return None if width is None or height is None else (width[0], height[0])
        case _:
            return None


def _float(fields: Map, key: str) -> float | None:
    value = number(fields, key)
    return None if value is None else float(value)


def _entries(block: Map, mark: Mark) -> Iterator[_Entry]:
    """Every prompt in the order written: `1`, `2` of a list; `portrait`, `portrait/2` of a set."""
    prompts = block.get("prompts")
    if isinstance(prompts, Map):
        for name, written in prompts.items():
            if not is_extension(name):
                yield from _set(name, written, prompts.value_mark(name), block)
    elif isinstance(prompts, Seq):
        for index, (written, where) in enumerate(zip(prompts, prompts.marks, strict=True), 1):
            yield from _entry(str(index), written, where, block)


def _set(name: str, written: Node, mark: Mark, block: Map) -> Iterator[_Entry]:
    if not isinstance(written, Seq):
        yield from _entry(name, written, mark, block)
        return
    for index, (prompt, where) in enumerate(zip(written, written.marks, strict=True), 1):
        yield from _entry(name if index == 1 else f"{name}/{index}", prompt, where, block, prefix=f"{name}/")


def _entry(name: str, written: Node, mark: Mark, block: Map, prefix: str = "") -> Iterator[_Entry]:
    if isinstance(written, str):
        own = Map(mark)
        own.put("prompt", written, (mark, mark))
    elif isinstance(written, Map):
        own = written
    else:
        return
    common = Map(block.start)
    for key in SAMPLE_SETTINGS:
        if key in block:
            common.put(key, block[key], block.marks[key])
    given = text(own, "name")
    yield _Entry(name if given is None else f"{prefix}{given}", layered(common, own), mark)
