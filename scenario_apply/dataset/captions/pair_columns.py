"""The columns of tables of edit pairs, as trainers and hubs name them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scenario_apply.dataset.captions.table_entries import FILE_COLUMNS, column_name, first_of
from scenario_apply.model.file_names import is_image_name

# Those of the Hugging Face image folder, diffusers, InstructPix2Pix, musubi-tuner, ai-toolkit and SimpleTuner.
_BEFORE_COLUMNS = (
    *("before", "source", "input", "input_file_name", "input_image", "source_image", "original_image", "original"),
    *("before_image", "source_path", "input_path", "source_file_name", "before_file_name", "before_path", "start"),
)
_CONTROL_COLUMNS = (
    *("control_path", "control", "control_image", "control_file_name"),
    *("cond_image", "conditioning_image", "conditioning", "cond", "cond_path", "conditioning_image_path"),
    *("cond_file_name", "conditioning_file_name", "reference", "reference_image"),
)
_AFTER_COLUMNS = (
    *("after", "target", "output", "output_file_name", "edited_image", "target_image", "edited", "output_image"),
    *("after_image", "target_path", "output_path", "target_file_name", "after_file_name", "edited_file_name"),
    *("after_path", "end"),
)
_IMAGE_COLUMNS = ("image_path", "image", "file_name", "image_file_name", "filename", "file", "path")
"""The after picture beside a control picture, else the before picture beside an after picture."""
_INSTRUCTION_COLUMNS = ("instruction", "edit_prompt", "edit_instruction", "prompt", "text", "caption")
PAIR_COLUMNS = (*_BEFORE_COLUMNS, *_CONTROL_COLUMNS, *_AFTER_COLUMNS, *_IMAGE_COLUMNS, *_INSTRUCTION_COLUMNS)
_PICTURE_COLUMNS = frozenset((*_BEFORE_COLUMNS, *_CONTROL_COLUMNS, *_AFTER_COLUMNS, *FILE_COLUMNS))
_NUMBER = re.compile(r"_?\d{1,3}\Z")


class SeveralPictures(Exception):
    """A row names several before pictures, or several after pictures. column: of the second one."""

    def __init__(self, side: str, column: str) -> None:
        super().__init__(column)
        self.side = side
        self.column = column


def names_a_picture(value: object) -> bool:
    """Whether it is a record with a picture, or with one side of an edit pair."""
    if not isinstance(value, dict):
        return False
    columns = [_plain(column_name(str(key))) for key in value]
    return not _PICTURE_COLUMNS.isdisjoint(columns)


def instruction_of(fields: Mapping[str, str]) -> str | None:
    return first_of(_by_plain_name(fields), _INSTRUCTION_COLUMNS)


def sides_of(fields: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The before and the after picture of a row. Beside a control picture, the image is what it is turned into.

    Raises SeveralPictures.
    """
    fields = _by_plain_name(fields)
    image = first_of(fields, _IMAGE_COLUMNS)
    before = _only(fields, (*_BEFORE_COLUMNS, *_CONTROL_COLUMNS), "before")
    after = _only(fields, _AFTER_COLUMNS, "after")
    if before is None:
        return image, after
    return before, after if after is not None else image


def _only(fields: Mapping[str, str], columns: tuple[str, ...], side: str) -> str | None:
    """The one picture that those columns hold, or numbered ones of such names; a text only where there is none."""
    found = [(name, fields[name].strip()) for name in _present(fields, columns) if fields[name].strip()]
    found = [(name, value) for name, value in found if is_image_name(value)] or found[:1]
    for name, value in found[1:]:
        if value != found[0][1]:
            raise SeveralPictures(side, name)
    return found[0][1] if found else None


def _present(fields: Mapping[str, str], columns: tuple[str, ...]) -> Iterator[str]:
    """The columns that a row has, those without a number first."""
    yield from (name for name in columns if name in fields)
    yield from (name for name in fields if name not in columns and _NUMBER.sub("", name) in columns)


def _by_plain_name(fields: Mapping[str, str]) -> dict[str, str]:
    plain: dict[str, str] = {}
    for name, value in fields.items():
        plain.setdefault(_plain(name), value)
    return plain


def _plain(name: str) -> str:
    """The column's name without the ending that diffusers' options have: cond_image_column."""
    return name.strip().casefold().removesuffix("_column")
