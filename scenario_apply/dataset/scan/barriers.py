"""What is said of a file or a folder that must not be read as data."""

from __future__ import annotations

from scenario_apply.manifest.loader.data_guard import Barrier
from scenario_apply.model.lint_rules import Finding

_CODES: dict[Barrier, str] = {"outside": "outside-root", "hidden": "hidden-path", "machine": "outside-root"}
_WHAT: dict[Barrier, str] = {
    "outside": "lies outside the manifest's folder",
    "hidden": "is hidden: a part of its path begins with a dot",
    "machine": "is a part of the system, no file of data",
}
_CONSENT = (
    "if it may be read and sent, run with --allow-outside-root (or SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT=1)",
    "move it inside; or write `allow_outside_root: true` and run with --allow-outside-root",
)
_OTHERS: dict[Barrier, str] = {
    "outside": "",
    "hidden": "hidden files and folders are never read as data: rename it, or name another one",
    "machine": "name a file or a folder of pictures",
}


def barred_finding(
    barrier: Barrier, written: str, file: str | None = None, *, link_to: str | None = None, declared: bool = False
) -> Finding:
    """The finding for a path that must not be read.

    written: as the manifest or the folder names it. file: where the finding stands, None for the dataset as declared.
    link_to: where it leads, when it is a link. declared: the dataset says `allow_outside_root: true` already.
    """
    led = "" if link_to is None else f", a link to {link_to},"
    hint = _CONSENT[0 if declared else 1] if barrier == "outside" else _OTHERS[barrier]
    return Finding(_CODES[barrier], f"{written}{led} {_WHAT[barrier]}", file, hint=hint)
