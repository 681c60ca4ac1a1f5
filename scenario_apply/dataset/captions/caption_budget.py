"""Limits the work that the caption templates of each dataset may do, so that a manifest is rendered in bounded time.

The limit depends on the manifest alone: whether a dataset fails does not depend on which others are cached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.manifest.spec import DatasetSpec

if TYPE_CHECKING:
    from scenario_apply.dataset.captions.caption_templates import CaptionTemplates, DatasetTemplates

_WORK_OF_A_DATASET = 2_000_000  # units: half a second at worst
_WORK_IN_ALL = 40_000_000  # of all datasets of a manifest


class CaptionBudget:
    """work: units for the templates of each dataset, halved while the total would exceed the limit."""

    def __init__(self, specs: Mapping[str, DatasetSpec]) -> None:
        self._templated = {name for name, spec in specs.items() if has_templates(spec)}
        self.work = _WORK_OF_A_DATASET
        while self.work * len(self._templated) > _WORK_IN_ALL:
            self.work //= 2
        self._templates: CaptionTemplates | None = None

    def cache_part(self, spec: DatasetSpec) -> int | None:
        """The part of a dataset's cache signature that comes from the budget; None without templates."""
        return self.work if spec.name in self._templated else None

    def templates(self) -> DatasetTemplates:
        """The templates of one dataset."""
        if self._templates is None:
            from scenario_apply.dataset.captions.caption_templates import CaptionTemplates

            self._templates = CaptionTemplates()
        return self._templates.of_dataset(self.work)


def is_template(text: str) -> bool:
    """Whether a text of a manifest is rendered."""
    return "{{" in text or "{%" in text


def has_templates(spec: DatasetSpec) -> bool:
    """Whether any caption of the dataset comes from a template."""
    texts = (spec.caption, spec.prefix, spec.suffix, spec.caption_template, spec.instruction)
    return any(text is not None and is_template(text) for text in (*texts, *spec.captions.entries.values()))
