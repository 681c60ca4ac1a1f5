"""How large a manifest may become once defaults, extends, matrices and aliases are applied.

A list of a thousand tags under defaults is written once and copied into every model: a few megabytes of YAML could
become gigabytes. The values of each resource are counted.
"""

from __future__ import annotations

from scenario_apply.manifest.positions import Map, Mark, values_in
from scenario_apply.manifest.report import Report

MOST_VALUES = 1_000_000
MOST_RESOURCES = 50_000


class Expansion:
    """Counts the values of all resources of a manifest."""

    def __init__(self, report: Report, most_values: int = MOST_VALUES, most_resources: int = MOST_RESOURCES) -> None:
        self._report = report
        self._most_values, self._most_resources = most_values, most_resources
        self._values = self._resources = 0

    def add(self, fields: Map, mark: Mark) -> None:
        """One more resource. Raises ManifestError, with a problem at mark, when there are too many of them."""
        self._resources += 1
        self._values += values_in(fields, self._most_values)
        if self._resources > self._most_resources:
            what = f"more than {self._most_resources:,} models, datasets and compositions"
        elif self._values > self._most_values:
            what = f"more than {self._most_values:,} values once defaults, extends and matrices are applied"
        else:
            return
        self._report.error("too-large", what, mark, "split it into several manifests, or move less into defaults")
        self._report.raise_errors()
