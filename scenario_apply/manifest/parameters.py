"""Checks training parameters against the table of types: kinds, ranges, and what a type does not accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from scenario_apply.manifest.model_lint import severity_for
from scenario_apply.manifest.other_trainers import foreign_parameter
from scenario_apply.manifest.positions import Map, Mark, Node, kind_of
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import DatasetSpec, Json
from scenario_apply.manifest.written_numbers import number_hint
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.model.secret import MASK, Secret
from scenario_apply.model.training_types import (
    PARAMETER_NAMES,
    SECRET_PARAMETERS,
    SECRET_RULE,
    ParameterRule,
    TrainingType,
)

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


class ParameterCheck:
    """Checks the parameters of every model; reports once which inherited parameters a type does not accept."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._dropped: dict[tuple[str, str], tuple[Mark, list[str]]] = {}

    def checked(
        self, training: TrainingType, merged: Map, written: Map | None, address: str, dataset: DatasetSpec
    ) -> Mapping[str, Json | Secret]:
        """The parameters as they will be sent. written: those of the model itself; the rest is inherited."""
        rules = training.parameters
        taken: dict[str, Json | Secret] = {}
        for name, value in merged.items():
            if value is None or name.startswith("x-"):
                continue
            rule = rules.get(name)
            if rule is None and not training.known and name in SECRET_PARAMETERS:
                rule = SECRET_RULE
            is_inherited = written is None or name not in written
            if rule is None and training.known:
                self._not_taken(training, name, merged.marks[name], address, None if is_inherited else dataset)
            elif rule is None:
                if self._is_sendable(name, value, merged.marks[name][1]):
                    taken[name] = _json(value)
            elif self._fits(rule, name, value, merged.marks[name][1], training, address if is_inherited else None):
                taken[name] = _as_sent(rule, value)
        self._check_together(training, merged, written, taken, address)
        return taken

    def report_dropped(self) -> None:
        for (type_name, name), (mark, addresses) in self._dropped.items():
            what = f"{name} is not sent for {listed(addresses, 3)}: {type_name} does not accept it"
            self._report.note("parameter-left-out", what, mark)

    def _not_taken(
        self, training: TrainingType, name: str, marks: tuple[Mark, Mark], address: str, owner: DatasetSpec | None
    ) -> None:
        """M02. owner: the dataset whose `lint:` counts; None: the value is inherited."""
        if self._report.is_wrong(marks[0]):
            return
        if name not in PARAMETER_NAMES:
            unknown_parameter(name, marks[0], self._report, training.parameters)
        elif owner is None:
            self._dropped.setdefault((training.name, name), (marks[0], []))[1].append(address)
        elif (severity := severity_for("M02", [owner])) is not None:
            takes = f"it accepts {listed(p for p, rule in training.parameters.items() if not rule.deprecated)}"
            what = f"{training.name} does not accept {name}"
            self._report.add(
                "M02", what if severity == "error" else f"{what}: it is not sent", marks[0], takes, severity
            )

    def _fits(
        self, rule: ParameterRule, name: str, value: Node, mark: Mark, training: TrainingType, heir: str | None
    ) -> bool:
        """heir: the model, where it inherits the value."""
        if self._report.is_wrong(mark):
            return False
        problem = _misfit(rule, value)
        if problem is not None:
            what, hint = problem
            if rule.secret and isinstance(value, str):
                self._report.hide(value)
                self._report.error("secret-in-clear", f"{name} {what}", mark, hint)
                return False
            code = "parameter-range" if what.startswith("is") else "wrong-type"
            if heir is not None and code == "parameter-range":
                leave_out = f"write `{name}: null` under parameters of {heir}"
                hint = f"{hint}, or {leave_out}" if hint else leave_out
            self._report.error(code, f"{name} {what} ({training.name})", mark, hint)
            return False
        if rule.deprecated:
            self._report.warn("parameter-legacy", f"{name} of {training.name}: {rule.note}", mark, "leave it out")
        return True

    def _is_sendable(self, name: str, value: Node, mark: Mark) -> bool:
        """Whether JSON holds the value of a parameter that has no rule; reports what it does not hold."""
        large = next((number for number in _integers(value) if not fits_64_bits(number)), None)
        if large is None or self._report.is_wrong(mark):
            return large is None
        what, hint = _too_large(large)
        self._report.error("parameter-range", f"{name} {what}", mark, hint)
        return False

    def _check_together(
        self, training: TrainingType, merged: Map, written: Map | None, taken: Mapping[str, Json | Secret], address: str
    ) -> None:
        for name in taken:
            rule = training.parameters.get(name)
            if rule is not None and rule.same_length_as:
                own, other = taken[name], taken.get(rule.same_length_as)
                lengths = [len(v) if isinstance(v, list) else 0 for v in (own, other)]
                if lengths[0] != lengths[1]:
                    what = f"{name} has {lengths[0]} entries and {rule.same_length_as} {lengths[1]}"
                    self._report.error(
                        "parameter-lengths", what, merged.value_mark(name), "give both the same number of entries"
                    )
        counted = [name for name in ("nbEpochs", "nbRepeats") if name in taken]
        if "maxTrainSteps" in taken and counted:
            what = f"{address} sets maxTrainSteps and {listed(counted)}; it is not documented which of them wins"
            what += ": plans count maxTrainSteps"
            hint = "keep the steps, or epochs and repeats; `nbEpochs: null` removes an inherited value"
            on_purpose = written is not None and all(name in written for name in ("maxTrainSteps", *counted))
            mark = merged.key_mark("maxTrainSteps")
            if on_purpose:
                self._report.warn("steps-twice", what, mark, hint)
            else:
                self._report.note("steps-twice", what, mark, hint)


def unknown_parameter(name: str, mark: Mark, report: Report, known: Mapping[str, object] | None = None) -> None:
    """Reports a parameter that no type has, with a hint at the one that may be meant."""
    foreign = foreign_parameter(name)
    if name.isdigit():
        foreign = "write numbers with a point, as in 0.0001: a comma separates the entries of { }"
    hint = foreign or did_you_mean(name, known or PARAMETER_NAMES) or did_you_mean(name, PARAMETER_NAMES)
    report.error("unknown-parameter", f"{name} is not a training parameter", mark, hint)


def _misfit(rule: ParameterRule, value: Node) -> tuple[str, str | None] | None:
    """What is wrong with the value, and the hint; None when nothing is."""
    match rule.kind:
        case "number" | "integer":
            return _misfit_number(rule, value)
        case "boolean":
            return None if isinstance(value, bool) else (f"must be true or false, not {kind_of(value)}", None)
        case "strings":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                return "must be a list of texts", "write [first, second]"
            if rule.max_items is not None and len(value) > rule.max_items:
                return f"is a list of {len(value)}; at most {rule.max_items} are allowed", None
            return None
        case "string":
            return _misfit_text(rule, value)


def _misfit_number(rule: ParameterRule, value: Node) -> tuple[str, str | None] | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = number_hint(value, whole=rule.kind == "integer", quoted=True) if isinstance(value, str) else None
        return f"must be a number, not {kind_of(value)}", hint
    is_whole = isinstance(value, int) or rule.kind == "integer"
    if is_whole and not fits_64_bits(value):
        return _too_large(value)
    if rule.kind == "integer" and value != int(value):
        return f"is {value:g}, but must be a whole number", None
    low, high = rule.minimum, rule.maximum
    too_low = low is not None and (value <= low if rule.exclusive else value < low)
    if too_low or (high is not None and value > high):
        return f"is {value:g}, out of range", f"use {_range(rule)}"
    return None


def fits_64_bits(number: float) -> bool:
    """Whether JSON's readers and writers keep a whole number of this size. Source: msgspec; states hold signed ones."""
    return _LEAST <= number <= _MOST


def _too_large(number: float) -> tuple[str, str]:
    shown = f"{number}" if abs(number) < 10**40 else f"a number of {len(str(abs(int(number))))} digits"
    return f"is {shown}, too large for a whole number of 64 bits", f"use {_LEAST} to {_MOST}"


def _integers(value: Node) -> Iterator[int]:
    """Every whole number in a value, however deep."""
    match value:
        case int():
            yield value
        case list():
            for item in value:
                yield from _integers(item)
        case dict():
            for item in value.values():
                yield from _integers(item)


def _range(rule: ParameterRule) -> str:
    least = f"{rule.minimum:g}" if rule.minimum is not None else ""
    if rule.maximum is not None:
        return f"{least} to {rule.maximum:g}"
    return f"more than {least}" if rule.exclusive else f"{least} or more"


def _misfit_text(rule: ParameterRule, value: Node) -> tuple[str, str | None] | None:
    if rule.secret and isinstance(value, Secret):
        too_long = rule.max_length is not None and len(value.reveal()) > rule.max_length
        return (f"is longer than the {rule.max_length} characters that are allowed", None) if too_long else None
    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}", "put it in quotes"
    if rule.secret:
        return (
            "is a secret and must not be written in a manifest",
            'write "{{ env.WANDB_API_KEY }}", set that variable and add --allow-env WANDB_API_KEY',
        )
    if rule.choices and value not in rule.choices:
        return f"is {value!r}", f"use {listed(rule.choices, last='or')}"
    if rule.max_length is not None and len(value) > rule.max_length:
        return f"is {len(value)} characters long; at most {rule.max_length} are allowed", "shorten it"
    return None


def _as_sent(rule: ParameterRule, value: Node) -> Json | Secret:
    if rule.kind == "integer" and isinstance(value, float):
        return int(value)  # 10.0 and 10 are the same training
    return _json(value)


def _json(value: Node) -> Json | Secret:
    if isinstance(value, Secret):
        return value
    return _plain(value)


def _plain(value: Node) -> Json:
    if isinstance(value, Secret):
        return MASK  # a secret inside a list or a map is never sent
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
