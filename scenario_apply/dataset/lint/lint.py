"""Runs all rules over one dataset, in the order in which findings are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from scenario_apply.dataset.lint import (
    caption_rules as lint_captions,
)
from scenario_apply.dataset.lint import (
    count_rules as lint_counts,
)
from scenario_apply.dataset.lint import (
    duplicate_rules as lint_duplicates,
)
from scenario_apply.dataset.lint import (
    file_rules as lint_files,
)
from scenario_apply.dataset.lint import (
    layout_rules as lint_layouts,
)
from scenario_apply.dataset.lint import (
    mask_rules as lint_masks,
)
from scenario_apply.dataset.lint import (
    pair_rules as lint_pairs,
)
from scenario_apply.dataset.lint import (
    phrase_rules as lint_phrases,
)
from scenario_apply.dataset.lint import (
    pixel_rules,
)
from scenario_apply.dataset.lint import (
    trigger_rules as lint_triggers,
)
from scenario_apply.dataset.lint import (
    wording_rules as lint_wording,
)
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference
from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.lint_rules import Finding, LintSettings

Rule = Callable[[Subject], Iterator[Finding]]

_ABOUT_FILES: tuple[Rule, ...] = (
    lint_counts.counts,
    lint_layouts.skipped,
    lint_layouts.repeats,
    lint_layouts.junk,
    lint_files.faults,
    lint_files.pointers,
    lint_files.formats,
    lint_files.names,
    lint_masks.masks,
    lint_files.sizes,
    lint_files.outliers,
    pixel_rules.blur_and_exposure,
    lint_duplicates.exact,
    pixel_rules.unlike_others,
)
_ABOUT_TEXTS: tuple[Rule, ...] = (  # of the facts of a picture they use only the name of its file
    lint_captions.missing,
    lint_captions.empty,
    lint_captions.lines,
    lint_captions.lengths,
    lint_captions.identical,
    lint_captions.too_close,
    lint_wording.wording,
    lint_phrases.shared_phrase,
    lint_triggers.placeholders,
    lint_triggers.in_some,
    lint_triggers.spelling,
    lint_triggers.ordinary,
    lint_triggers.repeated,
    lint_pairs.instructions,
)
_MOST_OF_A_KIND = 100
_LONGEST = 400  # characters of a message


class Judged:
    """Findings with their final severities, of each kind at most _MOST_OF_A_KIND, and how many there are of each."""

    def __init__(self, settings: LintSettings) -> None:
        self._settings = settings
        self._kept: list[Finding] = []
        self._counts: dict[str, int] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            final = self._settings.judge(_readable(finding))
            if final is not None:
                self._keep(final)

    def add_judged(self, other: Judged) -> None:
        """Adds what another one judged."""
        more = dict(other._counts)
        for finding in other._kept:
            self._keep(finding)
            more[finding.code] -= 1
        for code, count in more.items():
            self._counts[code] += count

    def _keep(self, finding: Finding) -> None:
        count = self._counts[finding.code] = self._counts.get(finding.code, 0) + 1
        if count <= _MOST_OF_A_KIND:
            self._kept.append(finding)

    def shown(self) -> tuple[Finding, ...]:
        """Those that are kept, and one finding for the others of each kind."""
        shown = list(self._kept)
        for code, count in self._counts.items():
            if count > _MOST_OF_A_KIND:
                severity = next(finding.severity for finding in shown if finding.code == code)
                shown.append(Finding(code, f"... and {count - _MOST_OF_A_KIND} more of this kind", severity=severity))
        return tuple(shown)


def lint_texts(subject: Subject) -> Judged:
    """What is wrong with the captions and instructions. The pictures need not be read: only their files are named."""
    judged = Judged(subject.settings)
    for rule in _ABOUT_TEXTS:
        judged.add(rule(subject))
    return judged


def lint(
    subject: Subject,
    before: Iterable[Finding] = (),
    colour_difference: ColourDifference | None = None,
    texts: Judged | None = None,
) -> tuple[Finding, ...]:
    """Every finding with its final severity, those of reading first; rules that are switched off report nothing.

    colour_difference: given when pixels may be decoded; near duplicates are reported only then. texts: what
    lint_texts() found, if it ran already.
    """
    judged = Judged(subject.settings)
    judged.add(before)
    for rule in _ABOUT_FILES:
        judged.add(rule(subject))
    judged.add_judged(texts or lint_texts(subject))
    judged.add(lint_pairs.sides(subject))
    if colour_difference is not None:
        judged.add(lint_duplicates.near(subject, colour_difference))
    return judged.shown()


def _readable(finding: Finding) -> Finding:
    """Shortened: names, patterns and captions may have megabytes."""
    if len(finding.what) <= _LONGEST and len(finding.hint or "") <= _LONGEST:
        return finding
    hint = finding.hint
    return finding._replace(what=_cut(finding.what), hint=None if hint is None else _cut(hint))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
