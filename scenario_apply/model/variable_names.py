"""Names of environment variables, and the variable that lists those a manifest may read."""

from __future__ import annotations

import re

ALLOW_VARIABLE = "SCENARIO_APPLY_ENV"
"""Names what a manifest may read, separated by commas, for callers that cannot add --allow-env."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_variable_name(text: str) -> bool:
    """Whether a text can be the name of an environment variable."""
    return _NAME.fullmatch(text) is not None
