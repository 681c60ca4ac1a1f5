"""Findings for files and folders that must not be read as data."""

from __future__ import annotations

from scenario_apply.manifest.loader.data_guard import Barrier
from scenario_apply.model.lint_rules import Finding

_CODES: dict[Barrier, str] = {"outside": "outside-root", "hidden": "hidden-path", "machine": "outside-root"}
_WHAT: dict[Barrier, str] = {
    "outside": "lies outside the manifest's folder",
    "hidden": "is hidden: a part of its path begins with a dot",
    "machine": "is part of the system, not a data file",
}
_CONSENT = (
    "if it may be read and uploaded, run with --allow-outside-root (or SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT=1)",
    "move it inside; or write `allow_outside_root: true` and run with --allow-outside-root",
)
_OTHERS: dict[Barrier, str] = {
    "outside": "",
    "hidden": "hidden files and folders are never read as data: rename it, or choose another one",
    "machine": "choose a file or folder of pictures",
}


def refusal_finding(
    barrier: Barrier, written: str, file: str | None = None, *, link_to: str | None = None, declared: bool = False
) -> Finding:
    """The finding for a path that must not be read.

    written: its name in the manifest or folder. file: location of the finding; None for the dataset as declared.
    link_to: the target, when it is a link. declared: the dataset already has `allow_outside_root: true`.
    """
    target = "" if link_to is None else f", a link to {link_to},"
    hint = _CONSENT[0 if declared else 1] if barrier == "outside" else _OTHERS[barrier]
    return Finding(_CODES[barrier], f"{written}{target} {_WHAT[barrier]}", file, hint=hint)


def no_consent_finding(url: str) -> Finding:
    """The finding for a URL that the caller has not consented to read."""
    hint = "if it may be read, run with --allow-remote (or SCENARIO_APPLY_ALLOW_REMOTE=1, or =URL for some only)"
    return Finding("remote-dataset", f"{url} is not on this machine, and reading it was not allowed", hint=hint)
