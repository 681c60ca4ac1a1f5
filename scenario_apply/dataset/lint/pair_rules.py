"""P rules for edit pairs: instructions begin with a verb, and both sides have the same shape."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_INSTRUCTING = """
turn make replace remove add change convert transform apply restyle colorize colourize relight put swap paint draw
render edit erase fill crop rotate zoom blur sharpen brighten darken insert give set move extend expand outpaint
inpaint style recolor recolour show place take translate rewrite redraw create generate enhance upscale clean
restore cover undo reveal open close let lower raise light wrap dress
"""
_VERBS = frozenset(_INSTRUCTING.split())
_AFTER_WORDS = ("after", "target", "output", "result", "end", "edited", "painted")
_BEFORE_WORDS = ("before", "source", "input", "start", "control", "original")


def instructions(subject: Subject) -> Iterator[Finding]:
    """P03, P04."""
    verbs: dict[str, str] = {}
    by_path = {picture.path: picture for picture in subject.pictures}
    for text, pair in {pair.instruction: pair for pair in subject.pairs}.items():
        trigger = subject.spec.trigger or ""
        words = text.removeprefix(trigger).lstrip(" ,").split()
        verb = words[0].casefold().strip(",.:") if words else ""
        if verb in _VERBS:
            verbs.setdefault(verb, text)
        elif text:
            what = f"{text[:60]!r} describes the result; an instruction says what to do"
            yield by_path[pair.after].finding("P03", what, "start with a verb: turn, make, replace, remove, add ...")
    if len(verbs) > 1:
        yield Finding("P04", f"instructions start with different verbs: {', '.join(sorted(verbs))}", hint="use one")


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
    before_name, after_name = (
        name_of((side or "").rstrip("/")).casefold() for side in (subject.spec.before, subject.spec.after)
    )
    if before_name.startswith(_AFTER_WORDS) or after_name.startswith(_BEFORE_WORDS):
        yield Finding("P06", f"before: {before_name}, after: {after_name}: are they swapped?")
