"""matrix: one model -> a child for each combination of values, each with a stable label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from math import prod

from scenario_apply.manifest.fields import is_extension, maps, text
from scenario_apply.manifest.positions import Map, Mark, Node, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.secret import Secret
from scenario_apply.model.training_types import SECRET_PARAMETERS

MODEL_FIELDS = frozenset(
    {"name", "type", "dataset", "description", "tags", "lifecycle", "enabled", "samples", "epoch", "best", "license"}
)
"""Keys of a matrix that are fields of the model; every other key is a parameter."""
_NEVER_IN_LABELS = frozenset({"samples", "epoch", "best", "license"})
"""What changes after the training: a child keeps its name."""

_LABEL = re.compile(r"[A-Za-z0-9_.+-]+")
_OWN_LABEL = re.compile(
    rf"{_LABEL.pattern}(?:,{_LABEL.pattern})*"
)  # of an included child, which may look like a crossed label
_NOT_LABEL = re.compile(r"[^A-Za-z0-9_.+-]+")
_MOST_CHILDREN = 1000
_MOST_SHOWN = 1_000_000_000  # longer numbers are not printed
_LEAST_IN_DIGITS = 1e-3
_LARGEST_IN_DIGITS = 1e15  # up to here a float holds every whole number

Choice = tuple[str, Node, tuple[Mark, Mark]]  # label, value, position
Combination = dict[str, Choice]


def children(model: Map, address: str, report: Report) -> Iterator[tuple[str, Map]]:
    """Label and fields of each child, in the order written; one pair ("", model) when there is no matrix."""
    matrix = model.get("matrix")
    if not isinstance(matrix, Map):
        yield "", model
        return
    seen: set[str] = set()
    before = len(report.problems)
    for label, combination, mark in _combinations(matrix, address, report):
        if label in seen:
            what = f"{address}/{label} would exist twice"
            report.error("matrix-label", what, mark, "give the values labels of their own: {slow: 5e-5, fast: 2e-4}")
            continue
        seen.add(label)
        yield label, _child(model, combination)
    if not seen and len(report.problems) == before:
        report.error("matrix-empty", f"the matrix of {address} produces no models", model.key_mark("matrix"))


def _child(model: Map, combination: Combination) -> Map:
    fields = model.copied()
    del fields["matrix"]
    given = model.get("parameters")
    parameters = given.copied() if isinstance(given, Map) else Map(model.start)
    for key, (_, value, marks) in combination.items():
        (fields if key in MODEL_FIELDS else parameters).put(key, value, marks)
    if parameters:
        fields.put("parameters", parameters, model.marks.get("parameters") or model.marks["matrix"])
    return fields


def _combinations(matrix: Map, address: str, report: Report) -> Iterator[tuple[str, Combination, Mark]]:
    dimensions = {
        key: _choices(key, values, matrix.key_mark(key), report)
        for key, values in matrix.items()
        if key not in ("include", "exclude") and not is_extension(key)
    }
    count = prod(len(choices) for choices in dimensions.values())
    if count > _MOST_CHILDREN:
        many = f"{count}" if count < _MOST_SHOWN else f"more than {_MOST_SHOWN:,}"
        what = f"the matrix of {address} makes {many} models; at most {_MOST_CHILDREN} are allowed"
        report.error("matrix-too-large", what, matrix.start, "use fewer values")
        return
    excluded = [entry for entry, _ in maps(matrix, "exclude")]
    for entry, mark in maps(matrix, "exclude"):
        for key in entry:
            if key not in dimensions and not is_extension(key):
                report.error("matrix-exclude", f"exclude names {key}, which is not a key of the matrix", mark)
    if dimensions:
        for chosen in product(*dimensions.values()):
            combination = dict(zip(dimensions, chosen, strict=True))
            if not any(_matches(entry, combination) for entry in excluded):
                yield ",".join(label for label, _, _ in chosen), combination, matrix.start
    for entry, mark in maps(matrix, "include"):
        yield _included(entry, mark, dimensions, report)


def _included(
    entry: Map, mark: Mark, dimensions: dict[str, list[Choice]], report: Report
) -> tuple[str, Combination, Mark]:
    combination: Combination = {}
    axes = [key for key in dimensions if key in entry]  # the label names them in the order of the crossed ones
    for key in (*axes, *(key for key in entry if key not in dimensions)):
        if key == "label" or is_extension(key):
            continue
        value = entry[key]
        known = [choice for choice in dimensions.get(key, ()) if _is_meant(value, choice)]
        if known:
            combination[key] = known[0]
            continue
        is_secret = key in SECRET_PARAMETERS or isinstance(value, Secret)
        if is_secret and "label" not in entry:
            hint = "add `label:` to the entry: it names the child"
            report.error("matrix-label", f"an entry with {key} needs a label", entry.key_mark(key), hint)
        combination[key] = (key if is_secret else label_of(value), value, entry.marks[key])
    own = text(entry, "label")
    if own is not None and not _OWN_LABEL.fullmatch(own):
        _bad_label(own, entry.value_mark("label"), report)
        own = label_of(own)
    label = own or ",".join(choice[0] for key, choice in combination.items() if key not in _NEVER_IN_LABELS)
    if not label:
        hint = "add `label:` to the entry: it names the child"
        report.error("matrix-label", f"an entry with {listed(combination)} alone needs a label", mark, hint)
    return label, combination, mark


def _matches(entry: Map, combination: Combination) -> bool:
    pairs = [(combination.get(key), value) for key, value in entry.items() if not is_extension(key)]
    return bool(pairs) and all(choice is not None and _is_meant(value, choice) for choice, value in pairs)


def _is_meant(value: Node, choice: Choice) -> bool:
    """By its label, or by its value: 16 and 16.0 are one number, 1 and true are not. A secret by its label only."""
    if value == choice[0]:
        return True
    if isinstance(value, Secret) or isinstance(choice[1], Secret):
        return False
    return value == choice[1] and isinstance(value, bool) == isinstance(choice[1], bool)


def _choices(key: str, values: Node, key_mark: Mark, report: Report) -> list[Choice]:
    if isinstance(values, Map):
        labelled: list[Choice] = []
        for label, value in values.items():
            if is_extension(label):
                continue
            marks = values.marks[label]
            if not _LABEL.fullmatch(label):
                _bad_label(label, marks[0], report)
            labelled.append((label_of(label), value, (key_mark, marks[1])))
        return labelled
    if not isinstance(values, Seq):
        return []
    if key in SECRET_PARAMETERS:  # in a list a value is its own label, and the label is part of the address
        if not any(report.is_wrong(mark) for mark in values.marks):
            hint = f'write {key}: {{ team-a: "{{{{ env.NAME }}}}", team-b: ... }}'
            report.error("matrix-label", f"a matrix over {key} needs a label for each value", key_mark, hint)
        return []
    listed: list[Choice] = []
    for value, mark in zip(values, values.marks, strict=True):
        if isinstance(value, Map | Seq):
            hint = f"write {key} as a map of labels: {{ first: ..., second: ... }}"
            report.error("matrix-label", f"a list or map in the matrix of {key} needs a label", mark, hint)
            continue
        listed.append((label_of(value), value, (key_mark, mark)))
    return listed


def _bad_label(label: str, mark: Mark, report: Report) -> None:
    what = f"{label!r} cannot be a label"
    report.error("matrix-label", what, mark, "use letters, digits and _ . + - only")


def label_of(value: Node) -> str:
    """5e-5, 16, true, kael: one label for a value, however it is spelled and wherever it comes from.

    A whole number is written in digits, a fraction too from 0.001 on, a smaller one as 5e-5.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return _label_of_number(value)
    return _NOT_LABEL.sub("-", str(value)).strip("-.") or "value"


def _label_of_number(value: float) -> str:
    if value.is_integer() and abs(value) < _LARGEST_IN_DIGITS:
        return str(int(value))
    shortest = repr(value)  # 0.0001, 5e-05: digits down to 0.0001, which is one too many for a learning rate
    if _LEAST_IN_DIGITS <= abs(value) < _LARGEST_IN_DIGITS:
        return shortest
    from decimal import Decimal

    mantissa, _, exponent = f"{Decimal(shortest):e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"
