"""Drafts: captions that a model wrote and that were not reviewed. Their first line says so, and is never sent."""

from __future__ import annotations

import re

from scenario_apply.model.lint_rules import Finding

DRAFT_MARK = "# draft: review this caption and delete this line"

_MARK = re.compile(r"\s*# draft:[^\r\n]*(?:\r\n?|\n|\Z)")


def without_draft_mark(text: str, *, file: str) -> tuple[str, list[Finding]]:
    """The caption without the line that marks it as a draft, and C40 where there was one."""
    mark = _MARK.match(text) if "# draft:" in text else None
    if mark is None:
        return text, []
    hint = "read it, correct it, and delete the first line of the file"
    return text[mark.end() :], [Finding("C40", "is a draft that has not been reviewed", file, hint=hint)]
