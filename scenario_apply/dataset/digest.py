"""The digest of a dataset, which does not depend on file names or their order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from scenario_apply.dataset.types import Contents


def digest_of(contents: Contents, *, as_files: bool = False) -> str:
    """ "sha256:<hex>" over the sorted (content, caption) of the images and the pairs by content.

    as_files: as if no picture were altered, which gives Dataset.source_digest.
    """
    by_path = {image.path: image.sha256 if as_files else image.content for image in contents.images}
    return digest_of_rows(
        ((by_path[image.path], image.caption) for image in contents.images),
        ((by_path[pair.before], by_path[pair.after], pair.instruction) for pair in contents.pairs),
    )


def digest_of_rows(images: Iterable[tuple[str, str | None]], pairs: Iterable[tuple[str, str, str]]) -> str:
    """The digest of rows: (content, caption) and (content before, content after, instruction)."""
    # None and "" differ: an empty caption is sent, None is not.
    rows = sorted(images, key=lambda row: (row[0], row[1] is not None, row[1] or ""))
    text = json.dumps({"images": rows, "pairs": sorted(pairs)}, separators=(",", ":"))
    return "sha256:" + sha256(text.encode()).hexdigest()
