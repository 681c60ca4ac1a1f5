"""The instruction of each edit pair: from a table, a text file beside a picture, or the dataset's default."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.captions.caption_errors import CaptionTemplateError
from scenario_apply.dataset.captions.caption_text import caption_line
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.captions.gather import Gathered, Reader, gather
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.pairing import AFTER, BEFORE, Couple, Paired, side_of
from scenario_apply.dataset.types import Pair
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of, stem_of
from scenario_apply.model.lint_rules import Finding


def instruct(
    spec: DatasetSpec, paired: Paired, read: Reader, budget: CaptionBudget | None = None
) -> tuple[tuple[Pair, ...], list[Finding]]:
    """Pairs with their instructions as sent. A pair without an instruction is left out and reported as P02."""
    if spec.captions.kind == "auto":
        after = before = Gathered()
    else:
        after = gather(spec, side_of(paired.images, AFTER, paired.texts), read)
        beside = spec.captions.kind in ("recognise", "sidecar")
        before = gather(spec, side_of(paired.images, BEFORE, paired.texts), read) if beside else Gathered()
    findings = [*after.findings, *before.findings]
    files = {entry.path: entry.file for entry in paired.images}
    try:
        composer = Composer(spec, budget)
        pairs = []
        for couple in paired.couples:
            text = _instruction(spec, couple, before, after, findings, composer, files)
            if text:
                pairs.append(
                    Pair(before=couple.before, after=couple.after, instruction=composer.compose(text, couple.after))
                )
            elif couple.after not in after.unreadable:
                stem = name_of(stem_of(couple.after))
                hint = f"add `instruction:` to the dataset, or {stem}.txt beside the after picture"
                findings.append(Finding("P02", f"the pair {stem} has no instruction", files[couple.after], hint=hint))
    except CaptionTemplateError as error:
        hint = "available there: trigger, caption, stem, path"
        findings.append(Finding("T08", f"{error.key}: the template fails: {error.why}", hint=hint, key=error.key))
        return (), findings
    return tuple(pairs), findings


def _instruction(
    spec: DatasetSpec,
    couple: Couple,
    before: Gathered,
    after: Gathered,
    findings: list[Finding],
    composer: Composer,
    files: Mapping[str, str],
) -> str:
    if couple.instruction:
        line = caption_line(Raw(couple.instruction), spec.captions.lines)
        findings += [finding._replace(file=files[couple.after]) for finding in line.findings]
        return line.text
    found = [raw for raw in (after.raws.get(couple.after), before.raws.get(couple.before)) if raw is not None]
    read = [caption_line(raw, spec.captions.lines) for raw in found]
    findings += [finding for line in read for finding in line.findings]
    texts = [line.text for line in read]
    if len(texts) == 2 and texts[0] != texts[1]:
        what = f"the pair {name_of(stem_of(couple.after))} has two instructions; the other is in {found[1].file}"
        findings.append(Finding("C17", what, found[0].file, found[0].line, "keep one of them"))
    if texts and texts[0]:
        return texts[0]
    key, template = ("instruction", spec.instruction) if spec.instruction else ("caption", spec.caption)
    return composer.render(key, template, couple.after) if template else ""
