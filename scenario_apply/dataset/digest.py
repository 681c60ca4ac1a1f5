"""The digest of a dataset, which does not depend on file names or their order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from scenario_apply.dataset.types import Contents


def digest_of(contents: Contents) -> str:
    """ "sha256:<hex>" over the sorted (sha256, caption) of the images and the pairs by digest."""
    by_path = {image.path: image.sha256 for image in contents.images}
    return digest_of_rows(
        ((image.sha256, image.caption) for image in contents.images),
        ((by_path[pair.before], by_path[pair.after], pair.instruction) for pair in contents.pairs),
    )


def digest_of_rows(images: Iterable[tuple[str, str | None]], pairs: Iterable[tuple[str, str, str]]) -> str:
    """The digest of rows: (sha256, caption) and (sha256 before, sha256 after, instruction)."""
    # None and "" differ: an empty caption is sent, None is not.
    rows = sorted(images, key=lambda row: (row[0], row[1] is not None, row[1] or ""))
    text = json.dumps({"images": rows, "pairs": sorted(pairs)}, separators=(",", ":"))
    return "sha256:" + sha256(text.encode()).hexdigest()
