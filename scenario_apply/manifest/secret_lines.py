"""Lines of a manifest as they may be quoted: what stands under the name of a secret is masked.

A problem on a line quotes it, also when the file cannot be read as YAML and nobody knows what its values are.
"""

from __future__ import annotations

import re

from scenario_apply.model.secret import MASK

_NAMED_SECRET = re.compile(
    r"""(?ix)
    ( [\w-]* (?: wandb[_-]?(?:api[_-]?)?key | secret | token | passw(?:or)?d | api[_-]?key | access[_-]?key ) [\w-]*
      ["']? \s* [:=] \s* )
    ( "[^"]*"? | '[^']*'? | [^\s\{\[&*|>"',}\]#] [^,}\]\#]* )
    """
)
_HARMLESS = re.compile(r"""["']?\s*(?:true|false|null|~|\{\{.*|)\s*["']?""", re.IGNORECASE)


def without_secret_values(line: str) -> str:
    """The line with every value masked that stands behind a name such as wandbKey; columns stay where they are."""
    return _NAMED_SECRET.sub(_masked, line)


def masked_in_place(text: str) -> str:
    """The mask, as long as the text, so that what stands behind it does not move."""
    return MASK.ljust(len(text)) if len(text) >= len(MASK) else "*" * len(text)


def _masked(match: re.Match[str]) -> str:
    value = match[2]
    if _HARMLESS.fullmatch(value):
        return match[0]
    return match[1] + masked_in_place(value)
