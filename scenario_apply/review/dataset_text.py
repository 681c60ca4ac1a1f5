"""A dataset as people and programs see it: images with the captions that will be sent."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.review.screen import Screen, columns, counted, fit, fit_path, pad, prose, safe, wrap
from scenario_apply.review.step_sums import training_lines, trainings_json
from scenario_apply.review.validation_text import diagnostic


def dataset_text(dataset: Dataset, models: Sequence[ModelSpec], screen: Screen) -> str:
    """A line per image: path, size in pixels and bytes, caption; captions whole with -v. Pairs below.

    models: that are trained on it; the steps of each are shown.
    """
    contents = dataset.contents
    rows = [(safe(image.path), f"{image.width}x{image.height}", _bytes(image.size_bytes)) for image in contents.images]
    wide = [max((columns(row[n]) for row in rows), default=0) for n in range(3)]
    wide[0] = min(wide[0], screen.width // 3)
    lines: list[str] = []
    for image, (path, pixels, size) in zip(contents.images, rows, strict=True):
        start = f"{pad(fit_path(path, wide[0]), wide[0])}  {pixels:>{wide[1]}}  {size:>{wide[2]}}  "
        captions = _caption(image, screen.width - columns(start), screen)
        lines.append(start + captions[0])
        lines += [" " * columns(start) + line for line in captions[1:]]
    for pair in contents.pairs:
        lines += prose(f"{safe(pair.before)} -> {safe(pair.after)}: {safe(pair.instruction)}", screen.width, screen)
    lines += training_lines(models, dataset, screen)
    pairs = f", {counted(dataset.pair_count, 'pair')}" if dataset.pair_count else ""
    lines.append(f"{safe(dataset.name)}: {counted(dataset.image_count, 'image')}{pairs}, {dataset.digest}")
    return "\n".join(lines) + "\n"


def _caption(image: Image, room: int, screen: Screen) -> list[str]:
    if image.caption is None:
        return ["(captioned by Scenario)"]
    text = f'"{safe(image.caption)}"'
    if not screen.terminal:
        return [text]
    return wrap(text, room) if screen.verbose else [text if columns(text) <= room else f'{fit(text, room - 1)}"']


def _bytes(size: int) -> str:
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB" if size >= 1000 else f"{size} B"
    return f"{size / 1_000_000:.1f} MB"


def dataset_json(dataset: Dataset, models: Sequence[ModelSpec]) -> str:
    """name, digest, images (path, file, sha256, size_bytes, mime, width, height, caption), pairs, diagnostics, and
    trainings: the steps of each of the models, which are trained on it.
    """
    contents = dataset.contents
    values = {
        "name": dataset.name,
        "digest": dataset.digest,
        "images": [
            {
                "path": image.path,
                "file": image.file,
                "sha256": image.sha256,
                "size_bytes": image.size_bytes,
                "mime": image.mime,
                "width": image.width,
                "height": image.height,
                "caption": image.caption,
            }
            for image in contents.images
        ],
        "pairs": [
            {"before": pair.before, "after": pair.after, "instruction": pair.instruction} for pair in contents.pairs
        ],
        "trainings": trainings_json(models, dataset),
        "diagnostics": [diagnostic(problem) for problem in dataset.problems],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
