"""Composes the caption that is sent from the one found: placeholders, template, prefix, suffix, trigger."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from scenario_apply.dataset.captions.caption_budget import CaptionBudget, is_template
from scenario_apply.dataset.captions.caption_errors import LONGEST_CAPTION, CaptionTooLong
from scenario_apply.dataset.captions.caption_text import without_empty_tags
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of, nfc, stem_of

if TYPE_CHECKING:
    from scenario_apply.dataset.captions.caption_templates import DatasetTemplates

_PLACEHOLDER = re.compile(r"\[ ?trigger ?\]|(?<![{$])\{ ?trigger ?\}(?!\})", re.IGNORECASE)
Part = Callable[[str, str], str]  # (caption, path) -> text


class Composer:
    """Composes the captions of one dataset. Compiles its templates once; without any, Jinja2 is not imported."""

    def __init__(self, spec: DatasetSpec, budget: CaptionBudget | None = None) -> None:
        """budget: of the manifest; None: one for this dataset alone.

        Raises CaptionTemplateError for a template that does not compile.
        """
        self._budget = budget or CaptionBudget({spec.name: spec})
        self._templates: DatasetTemplates | None = None
        self._trigger = spec.trigger or None
        self._holds = _word(spec.trigger) if spec.trigger else None
        self._holds_in_nfc = _word(nfc(spec.trigger)) if spec.trigger else None
        self._template = self._part("caption_template", spec.caption_template)
        self._prefix = self._part("prefix", spec.prefix)
        self._suffix = self._part("suffix", spec.suffix)
        self.default = self._part("caption", spec.caption)

    def compose(self, raw: str, path: str) -> str:
        """The caption as sent. Raises CaptionTemplateError when a template fails on this image."""
        text = without_empty_tags(self.fill(raw))
        if self._template is not None:
            text = without_empty_tags(self._template(text, path))
        if self._prefix is not None or self._suffix is not None:
            parts = (self._prefix and self._prefix(text, path), text, self._suffix and self._suffix(text, path))
            text = ", ".join([held for part in parts if part and (held := without_empty_tags(part))])
        return self._with_trigger(text)

    def _with_trigger(self, text: str) -> str:
        """The trigger at the front, unless the text holds it; in one spelling, however é was typed there."""
        trigger = self._trigger
        if trigger is None or self.holds_trigger(text):
            return text
        if self._holds_in_nfc is not None and not (text.isascii() or trigger.isascii()):
            composed, count = self._holds_in_nfc.subn(lambda _: trigger, nfc(text))
            if count:
                return composed
        return f"{trigger}, {text}" if text else trigger

    def fill(self, text: str) -> str:
        """[trigger] and {trigger} replaced; unchanged when the dataset has no trigger (T03 reports them).

        Raises CaptionTooLong when the result would exceed LONGEST_CAPTION.
        """
        if self._trigger is None or "trigger" not in text.casefold():
            return text
        trigger = self._trigger
        places = text.casefold().count("trigger")
        if len(text) + places * len(trigger) > LONGEST_CAPTION:
            places = len(_PLACEHOLDER.findall(text))
        if len(text) + places * len(trigger) > LONGEST_CAPTION:
            raise CaptionTooLong(len(text) + places * len(trigger))
        return _PLACEHOLDER.sub(lambda _: trigger, text)

    def holds_trigger(self, text: str) -> bool:
        return self._holds is not None and self._holds.search(text) is not None

    def render(self, key: str, source: str, path: str) -> str:
        """A caption written in the manifest, which may itself be a template."""
        part = self._part(key, source)
        return part("", path) if part is not None else ""

    def _part(self, key: str, source: str | None) -> Part | None:
        if not source:
            return None
        if not is_template(source):
            filled = self.fill(source)
            return lambda caption, path: filled
        if self._templates is None:
            self._templates = self._budget.templates()
        render = self._templates.compile(key, self.fill(source))
        trigger = self._trigger
        return lambda caption, path: render(
            {
                "caption": caption,
                "path": path,
                "stem": stem_of(name_of(path)),
                **({"trigger": trigger} if trigger else {}),
            }
        )


def _word(trigger: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(trigger)}(?!\w)")
