"""What can safely be repaired in a caption file: its encoding, line ends and empty tags, and where its trigger stands.

Everything but the trigger leaves the caption that is sent as it is: a fix that would change it is not made. The
trigger is moved only where it is a tag or a sentence of its own, so that the rest of the text still reads well.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.captions.caption_text import caption_line, without_empty_tags
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.captions.tables import caption_in_file, caption_rows, read_table
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import SIDECAR_SUFFIXES, suffix_of
from scenario_apply.model.fix_kinds import FIX_KINDS

_LINE_END = re.compile(r"\r\n?")
_TYPOGRAPHIC = frozenset("‘’“”–—…•€™©®°ï")
_MARK = codecs.BOM_UTF8


class FixedFile(Struct, frozen=True, kw_only=True):
    """A caption file before and after. encoding: what it is in before, for people. left: what was not repaired."""

    file: str
    before: bytes
    after: bytes
    text: str
    kinds: tuple[str, ...] = ()
    encoding: str = "UTF-8"
    left: tuple[str, ...] = ()


class CaptionFixer:
    """Repairs the caption files of one dataset. kinds: those of FIX_KINDS to make."""

    def __init__(self, spec: DatasetSpec, kinds: Collection[str]) -> None:
        self._spec = spec
        self._kinds = kinds
        bare = _without_templates(spec)
        self._composer = Composer(bare)
        has_front = spec.prefix is not None or spec.caption_template is not None
        self._trigger = spec.trigger if spec.trigger and not has_front else None

    def fixed(self, data: bytes, *, file: str) -> FixedFile | None:
        """The file repaired; None for one that cannot be read at all, which the linter reports.

        Repeated until nothing is left to repair: removing a comma may expose a byte order mark.
        """
        found = last = self._fixed_once(data, file)
        while last is not None and last.kinds:
            last = self._fixed_once(last.after, file)
            if last is not None and last.kinds and found is not None:
                kinds = tuple(kind for kind in FIX_KINDS if kind in {*found.kinds, *last.kinds})
                found = replace(found, after=last.after, kinds=kinds, left=last.left)
        return found

    def _fixed_once(self, data: bytes, file: str) -> FixedFile | None:
        text, encoding = _text_of(data, file, self._spec.encoding)
        if text is None:
            return None
        has_mark = data.startswith(_MARK)
        is_utf_8 = (_MARK if has_mark else b"") + text.encode() == data
        found = FixedFile(file=file, before=data, after=data, text=text, encoding=encoding)
        if not is_utf_8 and "encoding" not in self._kinds:
            return found
        kinds = [] if is_utf_8 else ["encoding"]
        is_csv = suffix_of(file) in (".csv", ".tsv")  # whose spreadsheets need the mark, and write CRLF
        mark = _MARK if has_mark else b""
        if has_mark and "bom" in self._kinds and not is_csv:
            kinds.append("bom")
            mark = b""
        new = text
        if "line-ends" in self._kinds and "\r" in text and not is_csv:
            new = self._if_same(text, _LINE_END.sub("\n", text), file)
            kinds += ["line-ends"] if new != text else []
        new, more, left = self._with_fixed_captions(new, file)
        after = mark + new.encode()
        return FixedFile(
            file=file,
            before=data,
            after=after,
            text=text,
            kinds=(*kinds, *more) if after != data else (),
            encoding=encoding,
            left=left,
        )

    # -- captions

    def _with_fixed_captions(self, text: str, file: str) -> tuple[str, list[str], tuple[str, ...]]:
        """The text with its captions repaired, the kinds of repairs, and what was left."""
        if suffix_of(file) not in (*SIDECAR_SUFFIXES, self._spec.captions.suffix) or suffix_of(file) == ".json":
            return self._with_fixed_rows(text, file)
        kinds = []
        new = text
        if "commas" in self._kinds:
            new = self._if_same(text, _by_line(text, _without_empty_tags), file)
            kinds += ["commas"] if new != text else []
        moved = self._with_trigger_first(new)
        if moved is None:
            return new, kinds, (f"{self._trigger} stands within a sentence",)
        return moved, [*kinds, *(["trigger"] if moved != new else [])], ()

    def _with_fixed_rows(self, text: str, file: str) -> tuple[str, list[str], tuple[str, ...]]:
        """A table or JSON file. Only what stands on its line exactly once is replaced, and read again."""
        lines = _lines(text)
        kinds: set[str] = set()
        left: list[str] = []
        wanted = []
        for line, caption in _captions_in(text, file):
            new = _without_empty_tags(caption) if "commas" in self._kinds else caption
            kind = "commas" if new != caption else ""
            if (moved := self._with_trigger_first(new)) not in (None, new):
                new, kind = moved or new, "trigger"
            at = _only_place(lines, line, caption, new) if kind else None
            if kind and at is None:
                left.append(f"line {line}: {kind}, which cannot be changed there byte for byte; edit it by hand")
                new = caption
            elif at is not None:
                lines[at[0]] = at[1]
                kinds.add(kind)
            wanted.append(new)
        new_text = "".join(lines)
        if [caption for _, caption in _captions_in(new_text, file)] != wanted:
            return text, [], ("its captions cannot be changed byte for byte; edit them by hand",)
        return new_text, [kind for kind in FIX_KINDS if kind in kinds], tuple(left)

    def _with_trigger_first(self, text: str) -> str | None:
        """The trigger in front; the same text where it is or nothing is wanted; None where it cannot be moved."""
        trigger = self._trigger
        held = text.strip()
        if trigger is None or "trigger" not in self._kinds or "\n" in held or "\r" in held:
            return text
        word = rf"(?<!\w){re.escape(trigger)}(?!\w)"
        if len(re.findall(word, held)) != 1 or re.match(word, held):
            return text
        stop = "." if re.search(rf",\s*{re.escape(trigger)}\.$", held) else ""  # of the sentence, not of the trigger
        parts = held.removesuffix(stop).split(",")
        own = [at for at, part in enumerate(parts) if part.strip() == trigger]
        if own:
            rest = ",".join(part for at, part in enumerate(parts) if at != own[0]).strip() + stop
        elif sentence := re.fullmatch(rf"(.*[.!?;])\s+{re.escape(trigger)}\.?", held):
            rest = sentence[1]
        else:
            return None
        return text.replace(held, f"{trigger}, {rest}")

    # -- what is sent

    def _if_same(self, text: str, new: str, file: str) -> str:
        """The new text where it is sent as the old one is, else the old one."""
        return new if self._sent(text, file) == self._sent(new, file) else text

    def _sent(self, text: str, file: str) -> object:
        """What a caption file says, as it is composed; of a table, its rows."""
        if suffix_of(file) in (*SIDECAR_SUFFIXES, self._spec.captions.suffix):
            caption, _ = caption_in_file(text, file=file)
            return None if caption is None else self._normal(caption)
        return [(row.key, self._normal(row.text)) for row in caption_rows(read_table(text, file=file), file=file)[0]]

    def _normal(self, caption: str) -> str:
        return without_empty_tags(self._composer.fill(caption_line(Raw(caption), self._spec.captions.lines).text))


def _without_templates(spec: DatasetSpec) -> DatasetSpec:
    return replace(spec, caption=None, prefix=None, suffix=None, caption_template=None)


def _text_of(data: bytes, file: str, encoding: str) -> tuple[str | None, str]:
    """The text of a file, and the name of its encoding."""
    text = decode(data, file=file, encoding=encoding)
    if isinstance(text, str):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return text, "UTF-16" if b"\0" in data else encoding
        return text, "UTF-8"
    guessed = windows_text(data) if text.code == "C06" else None
    return guessed, "cp1252"


def windows_text(data: bytes) -> str | None:
    """Text of Windows in Western Europe, where no other of its encodings would be read differently; else None.

    Letters that other encodings write with the same bytes could be others: they need `encoding:` in the dataset.
    """
    try:
        text, other = data.decode("cp1252"), data.decode("cp1250", errors="replace")
    except UnicodeDecodeError:
        return None
    if b"\0" in data:
        return None
    signs = [(one, two) for one, two in zip(text, other, strict=True) if one > "\x7f"]
    is_known = all(one in _TYPOGRAPHIC or (one == two and one.isalpha()) for one, two in signs)
    letters = sum(char.isalpha() and char.isascii() for char in text)
    is_odd = any(b > "\x7f" and a.isalpha() and (a > "\x7f" or b.isupper()) for a, b in pairwise(text) if b.isalpha())
    return text if is_known and not is_odd and 4 * len(signs) <= letters else None


def _without_empty_tags(line: str) -> str:
    """A line without empty tags; unchanged but for them."""
    held = line.strip()
    new = without_empty_tags(held)
    return line if new == held or new.startswith("\ufeff") else line.replace(held, new)


def _by_line(text: str, change: Callable[[str], str]) -> str:
    bare = ((line, line.rstrip("\r\n")) for line in _lines(text))
    return "".join(change(held) + line[len(held) :] for line, held in bare)


def _lines(text: str) -> list[str]:
    """With their ends."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _captions_in(text: str, file: str) -> list[tuple[int, str]]:
    """Line and caption of each row; of a JSON file beside its image, of the whole."""
    if suffix_of(file) == ".json":
        caption, findings = caption_in_file(text, file=file)
        if caption is not None and not findings:
            return [(0, caption)]
    return [(row.line, row.text) for row in caption_rows(read_table(text, file=file), file=file)[0]]


def _only_place(lines: list[str], number: int, old: str, new: str) -> tuple[int, str] | None:
    """The index of the line that says the old text exactly once, and that line with the new one."""
    if not old.strip() or '"' in new or "\\" in new:
        return None
    for at in range(len(lines)) if number == 0 else (number - 1,):
        if at >= len(lines):
            continue
        for form, other in (
            (json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False)),
            (json.dumps(old), json.dumps(new)),
            (old, new),
        ):
            if lines[at].count(form) == 1:
                return at, lines[at].replace(form, other)
    return None
