"""What validate --suggest prints: for each model, parameters to start with, as YAML that can be pasted, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.starting_points import StartingPoint, starting_point
from scenario_apply.model.training_types import training_type
from scenario_apply.planning.step_arithmetic import step_arithmetic
from scenario_apply.review.screen import Screen, counted, hanging, safe
from scenario_apply.review.step_sums import sum_text
from scenario_apply.review.yaml_text import yaml_text

_COMMENTS = Screen(width=76, terminal=True)
"""Comments are wrapped to 80 columns, wherever the document goes."""


class Suggestion(Struct, frozen=True, kw_only=True):
    """For one entry of models:, with the children of its matrix. count: "8 images". now, then: steps as a sum.

    parameters: to write; None removes one that would decide instead. varied: those left out, since the children of
    the matrix differ in them. reason: why these, or why none.
    """

    name: str
    count: str
    reason: str
    parameters: Mapping[str, int | float | None]
    varied: tuple[str, ...] = ()
    now: str | None = None
    then: str | None = None


def suggestions(models: Iterable[ModelSpec], datasets: Mapping[str, Dataset]) -> list[Suggestion]:
    """One for each model, in the order of the manifest; children of a matrix that need different ones get one each."""
    found: list[Suggestion] = []
    for _, children in groupby(models, key=lambda model: model.address.name):
        family = tuple(children)
        each = [_suggestion(model, datasets[model.dataset], family) for model in family if model.dataset in datasets]
        alike = {(one.count, one.reason, tuple(one.parameters.items())) for one in each}
        found += [_shared(family[0].address.name, each)] if len(alike) == 1 else each
    return found


def _shared(name: str, each: Sequence[Suggestion]) -> Suggestion:
    """One for all children of a matrix; without sums, where they differ."""
    is_same = len({(one.now, one.then) for one in each}) == 1
    return replace(each[0], name=name) if is_same else replace(each[0], name=name, now=None, then=None)


def _suggestion(model: ModelSpec, dataset: Dataset, family: Sequence[ModelSpec]) -> Suggestion:
    kind = training_type(model.type)
    pairs, images = dataset.pair_count, dataset.image_count
    count = counted(pairs, "pair") if pairs else counted(images, "image")
    now = step_arithmetic(model, images, pairs)
    shown = None if now is None else sum_text(now.text, now.sources)
    point = starting_point(kind, pairs or images)
    name = str(model.address).partition(".")[2]
    if not isinstance(point, StartingPoint):
        return Suggestion(name=name, count=count, reason=f"No suggestion: {point}.", parameters={}, now=shown)
    decisive = (*point.parameters, "maxTrainSteps")
    varied = tuple(key for key in decisive if len({repr(m.parameters.get(key)) for m in family}) > 1)
    wanted: dict[str, int | float | None] = {k: v for k, v in point.parameters.items() if k not in varied}
    if "maxTrainSteps" in model.parameters and "maxTrainSteps" not in varied:
        wanted["maxTrainSteps"] = None
    after = {key: value for key, value in {**model.parameters, **wanted}.items() if value is not None}
    then = step_arithmetic(replace(model, parameters=after), images, pairs)
    changed = {key: value for key, value in wanted.items() if model.parameters.get(key) != value}
    return Suggestion(
        name=name,
        count=count,
        reason=point.reason if changed else f"Nothing to change: it has what the table suggests. {point.reason}",
        parameters=wanted if changed else {},
        varied=varied,
        now=shown,
        then=None if then is None or not changed else then.text,
    )


def suggestions_text(found: Sequence[Suggestion]) -> str:
    """A YAML document whose models: can be pasted over the manifest's; what is said about them stands in comments."""
    lines = ["# Suggestions only; nothing was changed. Training shows what suits a subject.", "models:"]
    for one in found:
        lines += [f"  # {line}" for line in _comments(one)]
        if one.parameters and "/" not in one.name:
            block = yaml_text({one.name: {"parameters": one.parameters}})
            lines += [f"  {line}" for line in block.splitlines()]
    if not any(one.parameters and "/" not in one.name for one in found):
        lines[1] = "models: {}"
    return "\n".join(lines) + "\n"


def _comments(one: Suggestion) -> list[str]:
    lines = [("", f"model.{one.name}, {one.count}. {one.reason}")]
    if one.now is not None:
        lines.append(("now:       ", one.now))
    if one.then is not None:
        lines.append(("suggested: ", one.then))
    if one.varied:
        lines.append(("", f"{listed(one.varied)}: left to the matrix"))
    if one.parameters and "/" in one.name:
        lines.append(("", ", ".join(f"{key}: {value}" for key, value in one.parameters.items() if value is not None)))
    if one.parameters.get("maxTrainSteps", 0) is None:
        lines.append(("", "maxTrainSteps is removed: it would decide instead of epochs and repeats"))
    return [line for label, text in lines for line in hanging(label, safe(text), _COMMENTS)]


def suggestions_json(found: Sequence[Suggestion]) -> list[dict[str, object]]:
    """model, count, reason, parameters (null: remove it), varied, now, then."""
    return [
        {
            "model": one.name,
            "count": one.count,
            "reason": one.reason,
            "parameters": dict(one.parameters),
            "varied": list(one.varied),
            "now": one.now,
            "then": one.then,
        }
        for one in found
    ]
