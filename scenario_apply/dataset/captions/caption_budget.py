"""How much work the caption templates of each dataset may do, so that all of a manifest end soon.

It follows from the manifest alone: whether a dataset fails does not depend on which others come from the cache.
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
    """work: units for the templates of each dataset. Halved as often as needed, so that it rarely changes."""

    def __init__(self, specs: Mapping[str, DatasetSpec]) -> None:
        self._templated = {name for name, spec in specs.items() if has_templates(spec)}
        self.work = _WORK_OF_A_DATASET
        while self.work * len(self._templated) > _WORK_IN_ALL:
            self.work //= 2
        self._templates: CaptionTemplates | None = None

    def depended_on(self, spec: DatasetSpec) -> int | None:
        """What the result of a dataset depends on: its work when it has templates."""
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
    """Whether any caption of the dataset is made by a template."""
    texts = (spec.caption, spec.prefix, spec.suffix, spec.caption_template, spec.instruction)
    return any(text is not None and is_template(text) for text in (*texts, *spec.captions.entries.values()))
