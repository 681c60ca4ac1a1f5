"""P rules for edit pairs: instructions begin with a verb, and both sides have the same shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_INSTRUCTING = """
turn make replace remove add change convert transform apply restyle colorize colourize colourise relight put swap paint
draw render edit erase fill crop rotate zoom blur sharpen brighten darken insert give set move extend expand outpaint
inpaint style recolor recolour show place take translate rewrite redraw create generate enhance upscale clean
restore colorise recolour recolor stylize stylise cartoonize animate sketch simplify decorate furnish extract segment
separate outline reduce increase adjust fix repair retouch reframe rearrange shift flip mirror swap keep have use age
dress undress shave wear reimagine imagine replace repaint retexture rerender convert relight deblur denoise dehaze
cover undo reveal open close let lower raise light wrap delete switch isolate cut lift correct swap unify complete
"""
_VERBS = frozenset(_INSTRUCTING.split())
_POLITE = frozenset({"please", "now", "just", "kindly"})
_AFTER_WORDS = frozenset(["after", "target", "targets", "output", "outputs", "result", "results", "end", "edited"])
_BEFORE_WORDS = frozenset(["before", "source", "sources", "input", "inputs", "start", "control", "controls"])
_WORD = re.compile(r"[a-z]+")


def instructions(subject: Subject) -> Iterator[Finding]:
    """P03, P04."""
    verbs: dict[str, str] = {}
    by_path = {picture.path: picture for picture in subject.pictures}
    for text, pair in {pair.instruction: pair for pair in subject.pairs}.items():
        verb = _first_word(text, subject.spec)
        if verb in _VERBS:
            verbs.setdefault(verb, text)
        elif text:
            what = f"{text[:60]!r} describes the result; an instruction says what to do"
            yield by_path[pair.after].finding("P03", what, "start with a verb: turn, make, replace, remove, add ...")
    if len(verbs) > 1:
        yield Finding("P04", f"instructions start with different verbs: {', '.join(sorted(verbs))}", hint="use one")


def _first_word(text: str, spec: DatasetSpec) -> str:
    """The word that an instruction begins with, after trigger and prefix, in small letters."""
    for start in (spec.trigger, spec.prefix, spec.trigger):
        text = text.removeprefix(start or "").lstrip(" ,")
    words = (word.casefold().strip("\"'([,.:;!") for word in text.split())
    return next((word for word in words if word not in _POLITE), "")


def sides(subject: Subject) -> Iterator[Finding]:
    """P05, P06."""
    by_path = {picture.path: picture for picture in subject.sound}
    for pair in subject.pairs:
        before, after = by_path.get(pair.before), by_path.get(pair.after)
        if before is None or after is None or 0 in (*before.size, *after.size) or before.size == after.size:
            continue
        (width, height), (after_width, after_height) = before.size, after.size
        sizes = f"{width}x{height} before, {after_width}x{after_height} after"
        ratio = (width * after_height) / (after_width * height)
        if abs(ratio - 1) > subject.number("aspect-off"):
            what = f"{name_of(pair.after)}: {sizes}: one side will be cropped"
            yield Finding("P05", what, after.file, None, "crop both to the same aspect ratio")
        else:
            yield Finding("P05", f"{name_of(pair.after)}: {sizes}", after.file, severity="info")
    before_name, after_name = _roles(subject.spec)
    if _is_of(before_name, _AFTER_WORDS, _BEFORE_WORDS) or _is_of(after_name, _BEFORE_WORDS, _AFTER_WORDS):
        yield Finding("P06", f"before: {before_name}, after: {after_name}: are they swapped?")


def _roles(spec: DatasetSpec) -> tuple[str, str]:
    """What the two sides are called: their folders, or the endings of their names."""
    if spec.pairs is not None and spec.pairs.suffixes is not None:
        return spec.pairs.suffixes
    before, after = (name_of((side or "").rstrip("/")) for side in (spec.before, spec.after))
    return before, after


def _is_of(name: str, words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a name has one of the words, and none of the others."""
    held = set(_WORD.findall(name.casefold()))
    return bool(held & words) and not held & others
