"""What an id of the service may look like. Checked wherever one enters: state, journal, manifest, options, answers.

Ids end up in URLs, shells and environment files, so none may hold a line break, a slash or a blank. The service's own
ids are opaque, and all that were ever seen fit. Source: the contract, section 2; the design page, section 10.
"""

from __future__ import annotations

import re

ID_PATTERN = r"\A(?!\.\.?\Z)[A-Za-z0-9_.-]{1,128}\Z"
"""\\Z, not $: the latter fits before a line break at the end. "." and ".." would climb in a path."""

ID_OR_EMPTY_PATTERN = r"\A(?!\.\.?\Z)[A-Za-z0-9_.-]{0,128}\Z"

ID_IN_WORDS = "1 to 128 letters, digits, dots, hyphens and underscores"

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether text may be the id of a model, asset, job or upload."""
    return _ID.match(text) is not None
