"""Lint rules about models: reported with the severity that the `lint:` of their datasets sets. M03 is checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.errors import Severity
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import DatasetSpec, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.lint_rules import Finding, settings_from

_RATES = ("learningRate", "learningRateUnet", "learningRateTextEncoder")


def severity_for(code: str, owners: Iterable[DatasetSpec], severity: Severity | None = None) -> Severity | None:
    """The severity of a rule for these datasets; None when one of them switches it off. severity: else the rule's."""
    judged = [settings_from(owner.lint)[0].judge(Finding(code, "", severity=severity)) for owner in owners]
    found = [finding.severity for finding in judged if finding is not None]
    return found[0] if found and len(found) == len(judged) else None


def check_learning_rates(
    models: Mapping[Address, ModelSpec], datasets: Mapping[str, DatasetSpec], report: Report
) -> None:
    """M03: a rate that the type accepts, and that is ten times and more from those that train, such as 1 or 1e-8."""
    for model in models.values():
        numbers = settings_from(datasets[model.dataset].lint)[0].numbers
        low, high = numbers["min-learning-rate"], numbers["max-learning-rate"]
        severity = severity_for("M03", [datasets[model.dataset]])
        for name in _RATES:
            rate = model.parameters.get(name)
            if severity is None or isinstance(rate, bool) or not isinstance(rate, int | float) or low <= rate <= high:
                continue
            which = "small: the model learns next to nothing" if rate < low else "large: the training usually collapses"
            hint = f"rates are usually between {low:g} and {high:g}, such as 1e-4"
            place = model.places.get(f"parameters.{name}", model.place)
            report.add("M03", f"{name} {rate:g} is very {which}", place, hint, severity)
