"""A dataset as people and programs see it: images with the captions that will be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.model.picture_options import UNKNOWN_RECIPE
from scenario_apply.review.convention_words import convention_json, convention_sentence
from scenario_apply.review.image_findings import CaptionPlace
from scenario_apply.review.pair_lines import bytes_text, pairs_as_json, pairs_shown, pixels_text
from scenario_apply.review.recipe_words import altered_lines
from scenario_apply.review.screen import Color, Screen, columns, counted, fit, fit_path, pad, prose, safe, wrap
from scenario_apply.review.step_sums import training_lines, trainings_json
from scenario_apply.review.validation_text import diagnostic

Findings = Mapping[str, Sequence[Diagnostic]]
_HEADER = ("image", "pixels", "size", "findings")
_COLORS: Mapping[str, Color] = {"error": "red", "warning": "yellow", "info": "cyan"}
_WORST = ("error", "warning", "info")


def dataset_text(dataset: Dataset, screen: Screen, findings: Findings, models: Sequence[ModelSpec]) -> str:
    """A table with a line per image: path, pixels, bytes, codes of its findings, caption; whole with -v.

    The images of pairs are shown below, together. findings: of each image, by path. models: that are trained on the
    dataset; the steps of each are shown.
    """
    contents = dataset.contents
    codes = {path: " ".join(dict.fromkeys(one.code for one in found)) for path, found in findings.items()}
    paired = {path for pair in contents.pairs for path in (pair.before, pair.after)}
    images = [image for image in contents.images if image.path not in paired]
    rows = [_HEADER] if images else []
    rows += [
        (safe(i.path), pixels_text(i), bytes_text(i.size_bytes), _codes(codes.get(i.path, ""), screen)) for i in images
    ]
    wide = [max((columns(row[n]) for row in rows), default=0) for n in range(len(_HEADER))]
    wide[0] = min(wide[0], max(screen.width // 3, len(_HEADER[0])))
    lines: list[str] = []
    for number, (path, pixels, size, found) in enumerate(rows):
        start = f"{pad(fit_path(path, wide[0]), wide[0])}  {pixels:>{wide[1]}}  {size:>{wide[2]}}  "
        room = screen.width - columns(start) - wide[3] - 2
        if not number:
            lines.append(screen.paint(f"{start}{pad(found, wide[3])}  caption", "dim"))
            continue
        image = images[number - 1]
        captions = _caption(image, room, screen)
        color = _color(findings.get(image.path, ()))
        lines.append(start + screen.paint(pad(found, wide[3]), color) + "  " + captions[0])
        lines += [" " * (screen.width - room) + line for line in captions[1:]]
    lines += pairs_shown(contents, codes, screen)
    lines += [""] if lines else []
    lines += training_lines(models, dataset, screen)
    pairs = f", {counted(dataset.pair_count, 'pair')}" if dataset.pair_count else ""
    lines += altered_lines([(image.path, image.recipe) for image in contents.images], screen, 0)
    for convention in dataset.conventions:
        lines += prose(safe(convention_sentence(convention)), screen.width, screen)
    summary = f"{safe(dataset.name)}: {counted(dataset.image_count, 'image')}{pairs},"
    is_short = not screen.terminal or columns(summary) + 1 + len(dataset.source_digest) <= screen.width
    lines += [f"{summary} {dataset.source_digest}"] if is_short else [summary, dataset.source_digest]
    return "\n".join(lines) + "\n"


def _codes(codes: str, screen: Screen) -> str:
    """The codes of findings; on a terminal no more than a quarter of its width has room for, without -v."""
    most = screen.width // 4
    if not screen.terminal or screen.verbose or len(codes) <= most:
        return safe(codes)
    return safe(codes[: codes.rindex(" ", 0, most - 1)]) + " …"


def _color(found: Sequence[Diagnostic]) -> Color | None:
    """Of the worst finding."""
    return next((_COLORS[kind] for kind in _WORST if any(one.severity == kind for one in found)), None)


def _caption(image: Image, room: int, screen: Screen) -> list[str]:
    text = "(captioned by Scenario)" if image.caption is None else f'"{safe(image.caption)}"'
    if not screen.terminal or columns(text) <= room:
        return [text]
    return wrap(text, room) if screen.verbose else [fit(text, room - 1) + text[-1]]


def dataset_json(
    dataset: Dataset, findings: Findings, captions: Mapping[str, CaptionPlace], models: Sequence[ModelSpec]
) -> str:
    """name, digest, convention, images, pairs, trainings and diagnostics.

    images: path, file, sha256, size_bytes, mime, width, height (both null for a Git LFS pointer), caption, caption_file
    and caption_line (where it was found), findings and recipe (what is done to it before it is sent; null: not known of
    a pointer). captions: by path of the image. trainings: the steps of each of the models, which are trained on it.
    """
    nowhere = CaptionPlace(None)
    contents = dataset.contents
    values = {
        "name": dataset.name,
        "digest": dataset.source_digest,
        "convention": convention_json(dataset.conventions),
        "images": [
            {
                "path": image.path,
                "file": image.file,
                "sha256": image.sha256,
                "size_bytes": image.size_bytes,
                "mime": image.mime,
                "width": image.width or None,
                "height": image.height or None,
                "caption": image.caption,
                "caption_file": captions.get(image.path, nowhere).file,
                "caption_line": captions.get(image.path, nowhere).line,
                "findings": [diagnostic(problem) for problem in findings.get(image.path, ())],
                "recipe": None if image.recipe == UNKNOWN_RECIPE else image.recipe,
            }
            for image in contents.images
        ],
        "pairs": pairs_as_json(contents),
        "trainings": trainings_json(models, dataset),
        "diagnostics": [diagnostic(problem) for problem in dataset.problems],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
