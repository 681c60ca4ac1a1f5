"""F and R rules: the format of each picture file, and its size compared with the others."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from scenario_apply.dataset.facts import FORMAT_OF_SUFFIX
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.recipes import (
    KEPT_FORMATS,
    changes_pixels,
    has_plain_colours,
    most_bytes,
    sent_format,
    value_of,
)
from scenario_apply.errors import Severity
from scenario_apply.model.file_names import name_of, nfc, suffix_of
from scenario_apply.model.lint_rules import Finding

_CONVERT = "set `convert: png`, or convert it"


def faults(subject: Subject) -> Iterator[Finding]:
    """F01, F02, F04, F10: the file cannot be used; Facts.fault_text says why."""
    for picture in subject.pictures:
        if picture.facts.fault:
            what, _, hint = picture.facts.fault_text.partition("; ")
            severity: Severity | None = "error" if picture.facts.fault in ("F04", "F10") else None
            yield Finding(picture.facts.fault, what, picture.file, None, hint or None, severity)


def pointers(subject: Subject) -> Iterator[Finding]:
    """F13: pictures that were not pulled. Whether one of them is needed is known only to a plan."""
    count = sum(picture.facts.is_lfs_pointer for picture in subject.pictures)
    if count:
        what = f"{count} of {len(subject.pictures)} images are Git LFS pointers: their pixels were not checked"
        yield Finding(
            "F13",
            what,
            hint="an apply pulls and checks those that it uploads; `git lfs pull` gets all",
        )


def formats(subject: Subject) -> Iterator[Finding]:
    """F03 to F10 for pictures that can be read."""
    colourful = any(p.facts.mode not in ("L", "LA", "1") for p in subject.sound)
    for picture in subject.sound:
        yield from _format(subject, picture)
        yield from _colours(picture, among_colour=colourful)
        yield from _weight(subject, picture)


def _format(subject: Subject, picture: Picture) -> Iterator[Finding]:
    facts = picture.facts
    ending = suffix_of(picture.path)
    if FORMAT_OF_SUFFIX.get(ending) != facts.format:
        named = f"named {ending}" if ending else "its name has no extension"
        what = f"{name_of(picture.path)} is a {facts.format} file, but {named}"
        yield picture.finding("F03", what, "rename it; it is uploaded with its real type")
    if sent_format(facts, picture.recipe) not in KEPT_FORMATS:
        yield picture.finding("F04", f"{facts.format} may be refused by the service", _CONVERT)
    if facts.animated and not changes_pixels(picture.recipe):
        yield picture.finding(
            "F05", "animated: only the first frame is used", "save the first frame as PNG, or set `convert: png`"
        )
    if facts.transparent and value_of(picture.recipe, "background") is None:
        hint = 'set `background: "#ffffff"`, or another colour, to flatten it'
        yield picture.finding("F06", "has transparent parts, which may train as black", hint)
    if facts.orientation != 1:
        yield _turned(picture)


def _turned(picture: Picture) -> Finding:
    tag = f"EXIF orientation {picture.facts.orientation}"
    if picture.options.orient == "apply":
        return Finding(
            "F08", f"{tag}: its pixels are turned upright before they are sent", picture.file, severity="info"
        )
    what = f"{tag}: its pixels are sent as they are stored and may be trained rotated or mirrored"
    return picture.finding("F08", what, "leave out `orient: keep`, or save it upright without the tag")


def _colours(picture: Picture, *, among_colour: bool) -> Iterator[Finding]:
    facts = picture.facts
    is_fixed = has_plain_colours(facts, picture.recipe)
    if facts.mode == "CMYK" and not is_fixed:
        yield picture.finding("F07", "CMYK colours", _CONVERT)
    elif facts.depth > 8 and not is_fixed:
        yield picture.finding("F07", f"{facts.depth} bits per channel", _CONVERT)
    elif facts.mode == "P" and facts.format != "GIF" and not is_fixed:
        yield picture.finding("F07", "palette colours", _CONVERT)
    elif facts.mode in ("L", "LA", "1") and among_colour:
        yield Finding("F07", "grayscale in a dataset of colour pictures", picture.file, severity="info")


def _weight(subject: Subject, picture: Picture) -> Iterator[Finding]:
    facts = picture.facts
    size_bytes = most_bytes(facts, picture.recipe, picture.size)
    megapixels, megabytes = prod(picture.size) / 1e6, min(facts.size, size_bytes) / 1e6
    if megapixels > subject.number("max-megapixels") or megabytes > subject.number("max-megabytes"):
        what = f"{megapixels:.0f} megapixels, {megabytes:.0f} MB"
        yield picture.finding("F10", what, "scale it down: trainings use one to two megapixels")
    elif size_bytes > subject.number("multipart-bytes"):
        weight = (
            f"up to {size_bytes / 1e6:.1f} MB once altered" if changes_pixels(picture.recipe) else f"{megabytes:.1f} MB"
        )
        yield picture.finding("F09", f"{weight}: it is uploaded in several parts")


def names(subject: Subject) -> Iterator[Finding]:
    """F11: names that cause problems in archives and on other systems."""
    for picture in subject.pictures:
        name = name_of(picture.file)
        if not name.isprintable() or len(name.encode(errors="replace")) > subject.number("max-name-bytes"):
            yield picture.finding("F11", f"the name {name[:60]!r} will cause problems on other systems", "rename it")
        elif name != nfc(name):
            yield picture.finding("F11", "its name is not in Unicode NFC", "rename it")


def sizes(subject: Subject) -> Iterator[Finding]:
    """R01, R02."""
    for picture in subject.sound:
        width, height = picture.size
        short, long = min(width, height), max(width, height)
        if short and short < subject.number("min-side"):
            yield _too_small(subject, picture, short)
        if short and long / short > subject.number("aspect"):
            extreme = long / short > subject.number("extreme-aspect")
            what = f"{width}x{height}: {long / short:.1f} times as long as it is wide"
            hint = "crop it; nearly square pictures train best"
            yield Finding("R02", what, picture.file, None, hint, "warning" if extreme else "info")


def _too_small(subject: Subject, picture: Picture, short: int) -> Finding:
    size = "{}x{}".format(*picture.size)
    recommended = subject.number("min-side")
    hint = f"use a picture with at least {recommended:g} pixels on its short side"
    if short < subject.number("floor-side"):
        return Finding("R01", f"{size} is too small to train on", picture.file, None, hint, "error")
    if short < subject.number("low-side"):
        return picture.finding("R01", f"{size} is far below {recommended:g}: expect blurred results", hint)
    return picture.finding("R01", f"{size}: Scenario recommends at least {recommended:g} on each side", hint)


def outliers(subject: Subject) -> Iterator[Finding]:
    """R03: sizes far from the others: the square root of the area lies outside median ± factor * IQR."""
    sides = sorted(prod(p.size) ** 0.5 for p in subject.sound)
    if len(sides) < 8 or sides[0] == sides[-1]:
        return
    quarter = len(sides) // 4
    median, spread = sides[len(sides) // 2], sides[-1 - quarter] - sides[quarter]
    margin = max(spread * subject.number("iqr-factor"), median * 0.1)
    for picture in subject.sound:
        if abs(prod(picture.size) ** 0.5 - median) > margin:
            size = "{}x{}".format(*picture.size)
            yield picture.finding("R03", f"{size}: far from the others, about {median:.0f} pixels per side")
