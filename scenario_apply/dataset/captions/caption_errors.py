"""What is wrong with a template or a caption of a dataset."""

from __future__ import annotations

LONGEST_CAPTION = 1_000_000
"""Characters: far above any caption."""


class CaptionTemplateError(ValueError):
    """A template of the dataset cannot be rendered. key: caption, prefix, suffix, caption_template or captions."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key
        self.why = why


class CaptionTooLong(CaptionTemplateError):
    """A text with so many placeholders that it would fill the memory."""

    def __init__(self, characters: int) -> None:
        super().__init__("trigger", f"a caption of {characters:,} characters; at most {LONGEST_CAPTION:,} are taken")
