"""Replaces one caption in a caption file or table and leaves every other byte: or does not replace it at all. Pure.

What is replaced is read again before it counts: the other rows have to be as they were, this one as it is meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from scenario_apply.dataset.captions.caption_text import caption_line, without_empty_tags
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.captions.tables import caption_in_file, caption_rows, read_table
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of, nfc, stem_of, suffix_of

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
Quote = Callable[[str], str]
_QUOTES: tuple[Quote, ...] = (
    lambda text: json.dumps(text, ensure_ascii=False),
    json.dumps,
    lambda text: '"' + text.replace('"', '""') + '"',
    lambda text: "'" + text.replace("'", "''") + "'",
    lambda text: text,
)


def to_be_written(spec: DatasetSpec, path: str, before: str, caption: str) -> str | None:
    """The text that is sent as this caption once trigger, prefix and suffix are joined to it; None: there is none.

    before: the text as it is written now. A text without what the dataset adds is preferred where the old one had none
    of it either.
    """
    composer = Composer(spec)
    candidates = [*_stripped(spec, caption), caption]
    if spec.trigger is not None and composer.holds_trigger(composer.fill(before)):
        candidates.reverse()
    return next((text for text in candidates if is_sent_as(spec, path, text, caption)), None)


def is_sent_as(spec: DatasetSpec, path: str, text: str, caption: str) -> bool:
    """Whether a written text is sent as this caption of an image, with what the dataset adds, and whole."""
    line = caption_line(Raw(text), spec.captions.lines)
    return line.text == without_empty_tags(text) and Composer(spec).compose(line.text, path) == caption


def _stripped(spec: DatasetSpec, caption: str) -> Iterator[str]:
    text = caption
    for front in (spec.trigger, spec.prefix):
        if front and text.startswith(f"{front}, "):
            text = text[len(front) + 2 :]
            yield text
    if spec.suffix and text.endswith(f", {spec.suffix}"):
        text = text[: -len(spec.suffix) - 2]
        yield text
        if spec.trigger and spec.prefix:
            yield caption[: -len(spec.suffix) - 2]


def with_caption(text: str, file: str, old: Raw, new: str, path: str, *, is_table: bool) -> str | None:
    """The text of a caption file with the caption of one image replaced; None where that cannot be done alone.

    old: as it was found there. path: of the image. is_table: the file holds captions of several images.
    """
    if is_table:
        return _in_table(text, file, old, new, path)
    if suffix_of(file) == ".json":
        changed = _replaced(text, 0, len(text), old.text, new)
        return next((one for one in changed if caption_in_file(one, file=file) == (new, [])), None)
    held = old.text.strip()
    if not held or text.count(held) != 1:
        return None
    changed_text = text.replace(held, new)
    found, _ = caption_in_file(changed_text, file=file)
    return changed_text if found is not None and found.strip() == new else None


def _in_table(text: str, file: str, old: Raw, new: str, path: str) -> str | None:
    rows = [(row.key, row.text, row.line) for row in caption_rows(read_table(text, file=file), file=file)[0]]
    own = [at for at, row in enumerate(rows) if row[1:] == (old.text, old.line) and _names(row[0], path)]
    if len(own) != 1 or old.line is None:
        return None
    key = rows[own[0]][0]
    wanted = [(row[0], new if at == own[0] else row[1]) for at, row in enumerate(rows)]
    lines = [match.span() for match in _LINES.finditer(text)]
    if old.line > len(lines):
        return None
    start, end = lines[old.line - 1]
    for begin in (start, *_after_key(text, start, end, key)):
        for changed in _replaced(text, begin, end, old.text, new):
            found = [(row.key, row.text) for row in caption_rows(read_table(changed, file=file), file=file)[0]]
            if found == wanted:
                return changed
    return None


def _names(key: str, path: str) -> bool:
    name = nfc(name_of(key.replace("\\", "/")))
    return name in (name_of(path), stem_of(name_of(path)))


def _after_key(text: str, start: int, end: int, key: str) -> Iterator[int]:
    at = text.find(key, start, end)
    if at >= 0:
        yield at + len(key)


def _replaced(text: str, start: int, end: int, old: str, new: str) -> Iterator[str]:
    """The text with the first place between start and end that says the old caption, in each way it may be quoted."""
    for quote in _QUOTES:
        held = quote(old)
        at = text.find(held, start, end) if old.strip() else -1
        if at < 0:
            continue
        for other in dict.fromkeys((quote(new), *(one(new) for one in _QUOTES))):
            yield text[:at] + other + text[at + len(held) :]
