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
from scenario_apply.model.lint_rules import Finding

_RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
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
    lint_pairs.sides,
)
_MOST_OF_A_KIND = 100
_LONGEST = 400  # characters of a message


def lint(
    subject: Subject, before: Iterable[Finding] = (), colour_difference: ColourDifference | None = None
) -> tuple[Finding, ...]:
    """Every finding with its final severity, those of reading first; rules that are switched off report nothing.

    colour_difference: given when pixels may be decoded; near duplicates are reported only then.
    """
    judged: list[Finding] = []
    counts: dict[str, int] = {}
    for finding in _all(subject, before, colour_difference):
        final = subject.settings.judge(_readable(finding))
        if final is None:
            continue
        counts[final.code] = counts.get(final.code, 0) + 1
        if counts[final.code] <= _MOST_OF_A_KIND:
            judged.append(final)
    for code, count in counts.items():
        if count > _MOST_OF_A_KIND:
            severity = next(finding.severity for finding in judged if finding.code == code)
            judged.append(Finding(code, f"... and {count - _MOST_OF_A_KIND} more of this kind", severity=severity))
    return tuple(judged)


def _readable(finding: Finding) -> Finding:
    """Shortened: names, patterns and captions may have megabytes."""
    if len(finding.what) <= _LONGEST and len(finding.hint or "") <= _LONGEST:
        return finding
    hint = finding.hint
    return finding._replace(what=_cut(finding.what), hint=None if hint is None else _cut(hint))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _all(subject: Subject, before: Iterable[Finding], colour_difference: ColourDifference | None) -> Iterator[Finding]:
    yield from before
    for rule in _RULES:
        yield from rule(subject)
    if colour_difference is not None:
        yield from lint_duplicates.near(subject, colour_difference)
