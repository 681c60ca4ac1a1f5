"""Errors of caption templates and of captions that are too long."""

from __future__ import annotations

LONGEST_CAPTION = 1_000_000
"""Characters: far above any real caption."""


class CaptionTemplateError(ValueError):
    """A template of the dataset cannot be rendered. key: caption, prefix, suffix, caption_template or captions."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key
        self.why = why


class CaptionTooLong(CaptionTemplateError):
    """A caption whose length would exceed LONGEST_CAPTION, for example after many placeholders are replaced."""

    def __init__(self, characters: int) -> None:
        super().__init__(
            "trigger", f"the caption has {characters:,} characters, and at most {LONGEST_CAPTION:,} may be used"
        )
