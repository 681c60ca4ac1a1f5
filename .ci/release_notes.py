"""Print the section of CHANGELOG.md for a version: python .ci/release_notes.py 0.1.0. Exit 1 when there is none."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def section(changelog: str, version: str) -> str | None:
    """The text under the heading of a version, up to the next heading of its level; None without one."""
    heading = re.compile(rf"^## \[?v?{re.escape(version)}\]?(?![\w.-]).*$", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        return None
    rest = changelog[found.end() :]
    following = re.search(r"^## ", rest, re.MULTILINE)
    return rest[: following.start() if following else None].strip() + "\n"


if __name__ == "__main__":
    text = section((Path(__file__).parent.parent / "CHANGELOG.md").read_text(encoding="utf-8"), sys.argv[1])
    if text is None:
        sys.exit(f"CHANGELOG.md has no section for {sys.argv[1]}")
    sys.stdout.write(text)
