"""A dataset as people and programs see it: images with the captions that will be sent."""

from __future__ import annotations

import json

from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.review.pair_lines import bytes_text, pairs_as_json, pairs_shown, pixels_text
from scenario_apply.review.screen import Screen, columns, counted, fit, fit_path, pad, safe, wrap
from scenario_apply.review.validation_text import diagnostic


def dataset_text(dataset: Dataset, screen: Screen) -> str:
    """A line per image: path, size in pixels and bytes, caption; captions whole with -v. Pairs together, below."""
    contents = dataset.contents
    paired = {path for pair in contents.pairs for path in (pair.before, pair.after)}
    images = [image for image in contents.images if image.path not in paired]
    rows = [(safe(image.path), pixels_text(image), bytes_text(image.size_bytes)) for image in images]
    wide = [max((columns(row[n]) for row in rows), default=0) for n in range(3)]
    wide[0] = min(wide[0], screen.width // 3)
    lines: list[str] = []
    for image, (path, pixels, size) in zip(images, rows, strict=True):
        start = f"{pad(fit_path(path, wide[0]), wide[0])}  {pixels:>{wide[1]}}  {size:>{wide[2]}}  "
        captions = _caption(image, screen.width - columns(start), screen)
        lines.append(start + captions[0])
        lines += [" " * columns(start) + line for line in captions[1:]]
    lines += pairs_shown(contents, screen)
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


def dataset_json(dataset: Dataset) -> str:
    """name, digest, images (path, file, sha256, size_bytes, mime, width, height, caption), pairs, diagnostics."""
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
        "pairs": pairs_as_json(contents),
        "diagnostics": [diagnostic(problem) for problem in dataset.problems],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
