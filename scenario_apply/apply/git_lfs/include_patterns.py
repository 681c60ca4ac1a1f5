"""The command that pulls certain files with Git LFS, quoted for git-lfs and for the shell. Pure."""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterable

_NAMED = 8
"""So many files of a folder are named; of more, all with their ending are pulled."""


def pull_command(paths: Iterable[str], *, top: str | None = None) -> str:
    """The command. paths: relative to the checkout's top. top: the folder to run it in, if not in the current one."""
    words = ["git", *(() if top is None else ("-C", top)), "lfs", "pull", f"--include={include_patterns(paths)}"]
    return shlex.join(words)


def include_patterns(paths: Iterable[str]) -> str:
    """A value for --include that means these files: patterns, separated by commas, from the top of the checkout."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted(paths):
        folder, name = posixpath.split(path)
        alike[folder, posixpath.splitext(name)[1]].append(path)
    patterns: list[str] = []
    for (folder, ending), files in alike.items():
        if len(files) > _NAMED:
            patterns.append(f"{_quoted(posixpath.join('/', folder))}/*{_quoted(ending)}".replace("//", "/"))
        else:
            patterns += [f"/{_quoted(file)}" for file in files]
    return ",".join(patterns)


def _quoted(path: str) -> str:
    """The path as a pattern. git-lfs splits the value at commas, and has no way to quote one: `?` matches it."""
    return "".join(map(_quoted_sign, path))


def _quoted_sign(sign: str) -> str:
    if sign in ", \\":  # a blank, too: a terminal breaks lines there
        return "?"
    if sign in "*?[]":
        return f"\\{sign}"
    return sign if sign.isprintable() else "*"
