"""The columns of tables of edit pairs, as trainers and hubs name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from scenario_apply.dataset.captions.table_entries import FILE_COLUMNS, column_name
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
_Kind = Literal["before", "after", "image", "instruction"]
_COLUMNS_OF: Mapping[_Kind, tuple[str, ...]] = {
    "before": (*_BEFORE_COLUMNS, *_CONTROL_COLUMNS),
    "after": _AFTER_COLUMNS,
    "image": _IMAGE_COLUMNS,
    "instruction": _INSTRUCTION_COLUMNS,
}
_ROLES = {name: (kind, at) for kind, columns in _COLUMNS_OF.items() for at, name in enumerate(columns)}
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


class PairOfRow(NamedTuple):
    """What a row says of a pair; None: it has no column for that."""

    before: str | None
    after: str | None
    instruction: str | None


def pair_of(fields: Mapping[str, str]) -> PairOfRow:
    """The pair of a row. Beside a control picture, the image is what it is turned into.

    Raises SeveralPictures.
    """
    held: dict[_Kind, list[tuple[int, str, str]]] = {}
    for name, value in fields.items():
        if (role := _role_of(name)) is not None:
            held.setdefault(role[0], []).append((role[1], name, value.strip()))
    before, after = _only(held.get("before"), "before"), _only(held.get("after"), "after")
    image = _first(held.get("image"))
    if before is None:
        before, image = image, None
    return PairOfRow(before, image if after is None else after, _first(held.get("instruction")))


def _first(found: list[tuple[int, str, str]] | None) -> str | None:
    """The value of the first column that is not blank; "" when all are."""
    if found is None:
        return None
    return next((value for _, _, value in sorted(found) if value), "")


def _only(found: list[tuple[int, str, str]] | None, side: str) -> str | None:
    """The one picture of a side; a text only where there is none."""
    given = sorted(one for one in found or () if one[2])
    if len(given) > 1:
        given = [one for one in given if is_image_name(one[2])] or given[:1]
        for _, name, value in given[1:]:
            if value != given[0][2]:
                raise SeveralPictures(side, name)
    return given[0][2] if given else None


@lru_cache(1000)
def _role_of(name: str) -> tuple[_Kind, int] | None:
    """What a column holds, and its place among those that hold the same; numbered ones come last."""
    name = _plain(name)
    if name in _ROLES:
        return _ROLES[name]
    role = _ROLES.get(_NUMBER.sub("", name))
    return None if role is None or role[0] not in ("before", "after") else (role[0], len(_ROLES) + role[1])


def _plain(name: str) -> str:
    """The column's name without the ending that diffusers' options have: cond_image_column."""
    return name.strip().casefold().removesuffix("_column")
