"""The lint rules as data: code, name, severity, thresholds; and how a dataset's `lint:` changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.errors import Severity
from scenario_apply.model.file_names import nearest
from scenario_apply.model.limits import SINGLE_UPLOAD_BYTES

# Increased with every change of a rule, threshold or message: results cached under another version are rebuilt.
LINT_VERSION = 20


class Finding(NamedTuple):
    """One result of a rule. file: relative to the root; None: the dataset as declared. severity None: the rule's.

    key: without a file, the value of the dataset that is wrong, as in DatasetSpec.places.
    """

    code: str
    what: str
    file: str | None = None
    line: int | None = None
    hint: str | None = None
    severity: Severity | None = None
    key: str | None = None


class Rule(NamedTuple):
    code: str
    name: str
    severity: Severity
    thresholds: Mapping[str, float] = {}  # never modified


RULES: tuple[Rule, ...] = (
    Rule("N01", "no-images", "error"),
    Rule("N02", "too-few-images", "warning", {"min-images": 5}),
    Rule("N03", "many-images", "info", {"many-images": 20, "many-images-of-style": 25}),
    Rule("N04", "too-many-images", "error", {"max-images": 50, "absolute-max-images": 100}),
    Rule("N05", "too-few-pairs", "error", {"min-pairs": 2, "few-pairs": 5}),
    Rule("N06", "too-many-steps", "warning", {"max-steps": 10_000}),
    Rule("N08", "subfolders-skipped", "warning"),
    Rule("N09", "exclude-unused", "warning"),
    Rule("N10", "zip-file", "error"),
    Rule("N11", "repeats-not-applied", "warning"),
    Rule("F01", "not-an-image", "error"),
    Rule("F02", "damaged-image", "error"),
    Rule("F03", "wrong-extension", "warning"),
    Rule("F04", "unusual-format", "warning"),
    Rule("F05", "animated", "warning"),
    Rule("F06", "transparency", "warning"),
    Rule("F07", "unusual-colours", "warning"),
    Rule("F08", "exif-orientation", "warning"),
    Rule("F09", "multipart-upload", "info", {"multipart-bytes": SINGLE_UPLOAD_BYTES}),
    Rule("F10", "huge-image", "warning", {"max-megapixels": 40, "max-megabytes": 50}),
    Rule("F11", "odd-file-name", "info", {"max-name-bytes": 200}),
    Rule("F12", "junk-skipped", "info"),
    Rule("F13", "lfs-pointers", "info"),
    Rule("F14", "picture-not-named", "warning"),
    Rule("F15", "mask", "warning"),
    Rule("R01", "too-small", "warning", {"min-side": 1024, "low-side": 512, "floor-side": 256}),
    Rule("R02", "odd-aspect", "info", {"aspect": 2.0, "extreme-aspect": 2.85}),
    Rule("R03", "size-outlier", "info", {"iqr-factor": 3}),
    Rule("Q01", "blurred", "info", {"blur": 0.29}),
    Rule("Q02", "dark-bright-or-flat", "info", {"dark": 0.32, "light": 0.05, "flat": 0.3}),
    Rule("D01", "exact-duplicate", "error"),
    Rule("D02", "same-picture", "warning", {"same-distance": 3, "same-colour": 3}),
    Rule("D03", "near-duplicate", "warning", {"near-distance": 12, "near-colour": 12, "new-colours": 0.25}),
    Rule("D04", "mirrored-copy", "info", {"mirror-distance": 12, "mirror-colour": 12}),
    Rule("D05", "no-edit-to-learn", "warning", {"edit-distance": 3, "edit-colour": 1, "edit-most": 20}),
    Rule("D06", "two-captions-of-a-picture", "info"),
    Rule("D07", "unlike-the-others", "info", {"similarity": 0.4}),
    Rule("C01", "caption-missing", "error"),
    Rule("C02", "no-captions", "warning"),
    Rule("C03", "caption-empty", "error"),
    Rule("C04", "caption-orphan", "warning"),
    Rule("C05", "caption-ambiguous", "error"),
    Rule("C06", "caption-encoding", "error"),
    Rule("C07", "caption-lines", "warning"),
    Rule("C08", "caption-too-long", "warning", {"max-words-clip": 55, "max-words": 350}),
    Rule("C09", "caption-too-short", "warning", {"min-words": 3}),
    Rule("C10", "captions-identical", "warning"),
    Rule("C11", "captions-too-close", "warning", {"dice": 0.9}),
    Rule("C12", "caption-boilerplate", "warning"),
    Rule("C13", "caption-debris", "warning"),
    Rule("C14", "caption-syntax", "warning"),
    Rule("C15", "booru-tags", "info", {"underscore-share": 0.7}),
    Rule("C16", "shared-phrase", "info", {"shared-share": 0.8}),
    Rule("C17", "two-captions", "error"),
    Rule("C18", "caption-file", "error"),
    Rule("C19", "caption-cut", "error"),
    Rule("C20", "control-characters", "warning"),
    Rule("C21", "captions-not-read", "warning"),
    Rule("C22", "caption-name", "info"),
    Rule("C30", "captions-recognised", "info"),
    Rule("C40", "caption-draft", "warning"),
    Rule("T01", "trigger-in-some", "error"),
    Rule("T02", "trigger-misspelled", "error"),
    Rule("T03", "placeholder-left", "error"),
    Rule("T04", "trigger-ordinary", "warning"),
    Rule("T05", "trigger-repeated", "info"),
    Rule("T06", "prompt-without-trigger", "warning"),  # T06 and T07 are checked in manifest/shared_triggers.py
    Rule("T07", "shared-trigger", "warning"),
    Rule("T08", "caption-template", "error"),
    Rule("P01", "pair-incomplete", "error"),
    Rule("P02", "instruction-missing", "error"),
    Rule("P03", "instruction-describes", "warning"),
    Rule("P04", "instruction-verbs", "warning"),
    Rule("P05", "pair-sizes", "warning", {"aspect-off": 0.02}),
    Rule("P06", "pair-roles", "warning"),
    Rule("M01", "dataset-of-another-shape", "error"),
    Rule("M02", "parameter-of-another-type", "error"),
    Rule("M03", "learning-rate", "warning", {"max-learning-rate": 1e-3, "min-learning-rate": 1e-6}),
    Rule("outside-root", "outside-root", "error"),
    Rule("hidden-path", "hidden-path", "error"),
    Rule("remote-dataset", "remote-dataset", "error"),
    Rule("lint-setting", "lint-setting", "warning"),
)
REFUSED_CODES = frozenset({"outside-root", "hidden-path", "remote-dataset"})
"""Codes for files that must not be read. A dataset cannot lower their severity."""

NOTES_ABOUT_UNREAD = frozenset({"F10", "F12", "F13", "C21"})
"""Rules whose notes are shown without --verbose, too: something was not read or not checked."""

BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
_DEFAULT_NUMBERS: Mapping[str, float] = {name: n for rule in RULES for name, n in rule.thresholds.items()}
_LONGEST_KEY = 60
_LEVELS: Mapping[str, Severity] = {"error": "error", "warning": "warning", "warn": "warning", "info": "info"}


class LintSettings(Struct, frozen=True, kw_only=True):
    """The rules as one dataset sets them."""

    off: frozenset[str] = frozenset()
    severities: Mapping[str, Severity] = field(default_factory=dict)  # by code, as set by the dataset
    numbers: Mapping[str, float] = field(default_factory=lambda: _DEFAULT_NUMBERS)

    def judge(self, finding: Finding) -> Finding | None:
        """The finding with its final severity; None when the rule is off."""
        if finding.code in self.off:
            return None
        severity = self.severities.get(finding.code) or finding.severity or BY_CODE[finding.code].severity
        return finding._replace(severity=severity)


DEFAULTS = LintSettings()


def settings_from(lint: Mapping[str, object]) -> tuple[LintSettings, tuple[Finding, ...]]:
    """The settings in `lint:`, and findings for invalid ones. Keys are codes, rule names or threshold names."""
    if not lint:
        return DEFAULTS, ()
    off: set[str] = set()
    severities: dict[str, Severity] = {}
    numbers = dict(_DEFAULT_NUMBERS)
    findings: list[Finding] = []
    for key, value in lint.items():
        rule = BY_CODE.get(key.upper()) or _BY_NAME.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and (key in numbers or (rule is not None and rule.thresholds)):
            name = key if key in numbers or rule is None else next(iter(rule.thresholds))
            numbers[name] = float(value)  # type: ignore[arg-type]  # is_number says so
        elif rule is not None and rule.code in REFUSED_CODES:
            what = f"lint: {key} is always an error: files that must not be read are never skipped silently"
            findings.append(Finding("lint-setting", what, hint="remove it", key=f"lint.{key}"))
        elif rule is not None and value in ("off", False):
            off.add(rule.code)
        elif rule is not None and isinstance(value, str) and value in _LEVELS:
            severities[rule.code] = _LEVELS[value]
        elif rule is not None and value in ("on", True):
            continue
        else:
            findings.append(_invalid_setting(key, value, known=rule is not None or key in numbers))
    return LintSettings(off=frozenset(off), severities=severities, numbers=numbers), tuple(findings)


def _invalid_setting(key: str, value: object, *, known: bool) -> Finding:
    if known:
        what = f"lint: {key}: {value!r} is not off, error, warning or info, nor a number for a threshold of this rule"
        hint = f"write `{key}: off`, or one of error, warning, info"
        return Finding("lint-setting", what, hint=hint, key=f"lint.{key}")
    near = nearest(key[:_LONGEST_KEY], [*BY_CODE, *_BY_NAME, *_DEFAULT_NUMBERS])
    return Finding(
        "lint-setting",
        f"lint: unknown rule {key!r}",
        hint=f"did you mean {near}?" if near else "see the list of lint codes",
        key=f"lint.{key}",
    )
