"""A state that Git could not merge: found by its conflict markers, and taken apart into its sides. Pure."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

_MARKER = rb"(<{7}|\|{7}|={7}|>{7})(?: ([^\r\n]*))?\r?\n?"
_LONGEST_NAME = 80

Part = Literal["both", "ours", "base", "theirs"]


class Conflict(Struct, frozen=True, kw_only=True):
    """The two sides of a file, and what they come from where the markers tell (merge.conflictStyle diff3).

    line: of the first marker, counted from 1. is_whole: every conflict has all its markers.
    """

    ours: bytes
    theirs: bytes
    base: bytes | None
    ours_name: str
    theirs_name: str
    line: int
    is_whole: bool


def conflict_of(content: bytes) -> Conflict | None:
    """The conflict that a file holds; None without markers. No line of a JSON document looks like one."""
    if b"<<<<<<<" not in content and b">>>>>>>" not in content and b"=======" not in content:
        return None
    sides: dict[Part, list[bytes]] = {"ours": [], "base": [], "theirs": []}
    names = {"ours": "", "theirs": ""}
    part: Part = "both"
    first, whole, has_base = 0, True, False
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        found = re.fullmatch(_MARKER, line)
        if found is None:
            for side in sides if part == "both" else (part,):
                sides[side].append(line)
            continue
        first = first or number
        sign, name = found[1][:1], _shown(found[2])
        after: dict[tuple[Part, bytes], Part] = {
            ("both", b"<"): "ours",
            ("ours", b"|"): "base",
            ("ours", b"="): "theirs",
            ("base", b"="): "theirs",
            ("theirs", b">"): "both",
        }
        following = after.get((part, sign))
        whole = whole and following is not None
        has_base = has_base or sign == b"|"
        if sign in b"<>" and name:
            names["ours" if sign == b"<" else "theirs"] = name
        part = following or part
    if not first:
        return None
    return Conflict(
        ours=b"".join(sides["ours"]),
        theirs=b"".join(sides["theirs"]),
        base=b"".join(sides["base"]) if has_base else None,
        ours_name=names["ours"] or "ours",
        theirs_name=names["theirs"] or "theirs",
        line=first,
        is_whole=whole and part == "both",
    )


def _shown(name: bytes | None) -> str:
    text = (name or b"").decode("utf-8", "replace")
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"
