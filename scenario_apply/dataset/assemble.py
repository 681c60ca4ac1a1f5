"""Assembles a dataset as it will be sent from pictures, their facts and their captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.captions.caption_errors import LONGEST_CAPTION, CaptionTemplateError, CaptionTooLong
from scenario_apply.dataset.captions.caption_text import CaptionLine, caption_line
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.captions.gather import UNREAD_CAPTIONS, Gathered, Reader, gather
from scenario_apply.dataset.captions.instructions import instruct
from scenario_apply.dataset.conventions import caption_conventions, pair_conventions
from scenario_apply.dataset.digest import digest_of_rows
from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference
from scenario_apply.dataset.lint.lint import Judged, lint, lint_texts
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.pairing import Paired
from scenario_apply.dataset.types import Convention, Pair
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.lint_rules import Finding, LintSettings, settings_from
from scenario_apply.model.picture_options import content_id

_MOST_CHARACTERS = 50_000_000  # of all captions of a dataset


class Captioned(Struct, frozen=True, kw_only=True):
    """pictures: in order, with their captions as found and as sent."""

    pictures: tuple[Picture, ...]
    findings: tuple[Finding, ...]


def caption_pictures(
    spec: DatasetSpec,
    images: Sequence[FileEntry],
    facts: Mapping[str, Facts],
    gathered: Gathered,
    budget: CaptionBudget | None = None,
) -> Captioned:
    """facts: by file. A template that fails is reported once as T08; its pictures get no caption."""
    findings: list[Finding] = []
    try:
        composer = Composer(spec, budget)
    except CaptionTemplateError as error:
        findings.append(_template_finding(error))
        composer = Composer(_without_templates(spec), budget)
    templated = spec.captions.kind == "map"
    failed = False
    room = _MOST_CHARACTERS
    pictures = []
    for image in images:
        raw = gathered.raws.get(image.path)
        text, found, at, line = None, CaptionLine(""), None, None
        try:
            if raw is not None:
                found = caption_line(raw, spec.captions.lines)
                findings += found.findings
                text, at, line = found.text, raw.file, raw.line
                if templated:
                    text = composer.render("captions", text, image.path) if text else ""
            elif composer.default is not None and spec.captions.kind != "auto":
                text = composer.default("", image.path)
            if text and len(text) > LONGEST_CAPTION:
                raise CaptionTooLong(len(text))
            caption = composer.compose(text, image.path) if text and room >= 0 else None
            room -= len(caption or "")
        except CaptionTemplateError as error:
            if not failed:
                findings.append(_template_finding(error, image.path))
            failed, caption = True, None
        own = found.line_count, found.separator, spec.pictures
        pictures.append(Picture(image.path, facts[image.file], text, caption, at, line, *own))
    if room < 0:
        what = f"the captions of this dataset have more than {_MOST_CHARACTERS:,} characters together"
        findings.append(Finding("T08", what, hint="shorten `prefix`, `suffix` and `caption`, or split the dataset"))
    return Captioned(pictures=tuple(pictures), findings=tuple(findings))


def _template_finding(error: CaptionTemplateError, path: str | None = None) -> Finding:
    if isinstance(error, CaptionTooLong):
        return Finding("T08", f"{path or error.key}: {error.why}", hint="shorten it", key=error.key)
    known = "available there: trigger, caption, stem, path"
    on = f" on {path}" if path else ""
    return Finding("T08", f"{error.key}: the template fails{on}: {error.why}", hint=known, key=error.key)


def _without_templates(spec: DatasetSpec) -> DatasetSpec:
    from msgspec.structs import replace

    return replace(spec, caption=None, prefix=None, suffix=None, caption_template=None)


class DatasetInputs(Struct, frozen=True, kw_only=True):
    """The files of a dataset before any is opened: one selection of files, or the two sides of pairs."""

    images: tuple[FileEntry, ...]
    selection: Selection | None = None
    paired: Paired | None = None
    findings: tuple[Finding, ...] = ()
    skipped_folders: Mapping[str, int] = field(default_factory=dict)
    layout: tuple[Convention, ...] = ()


class Assembled(Struct, frozen=True, kw_only=True):
    """pictures and pairs as sent; findings with their final severities; digests as in Dataset.

    conventions: the layout of the folders, then where captions were found.
    """

    pictures: tuple[Picture, ...]
    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]
    digest: str
    source_digest: str
    conventions: tuple[Convention, ...] = ()


class Described(Struct, frozen=True, kw_only=True):
    """What the texts of a dataset say, for which no picture is read.

    pictures: with their captions; of the facts only the name of the file is known. findings: of reading. judged: what
    the rules about texts found.
    """

    pictures: tuple[Picture, ...]
    pairs: tuple[Pair, ...]
    conventions: tuple[Convention, ...]
    unread: frozenset[str]
    findings: tuple[Finding, ...]
    judged: Judged


def describe(
    spec: DatasetSpec,
    types: tuple[str, ...],
    inputs: DatasetInputs,
    read: Reader,
    budget: CaptionBudget | None = None,
) -> Described:
    """read: reads caption files. budget: of the manifest's caption templates; None: one for this dataset alone."""
    settings, findings = settings_from(spec.lint)
    facts = {
        image.file: Facts(image.file, image.size, image.mtime_ns, image.identity, "", "", "") for image in inputs.images
    }
    pairs: tuple[Pair, ...] = ()
    unread: frozenset[str] = frozenset()
    if inputs.paired is not None:
        pairs, more = instruct(spec, inputs.paired, read, budget)
        found = [*inputs.paired.findings, *more]
        pictures = tuple(Picture(image.path, facts[image.file], options=spec.pictures) for image in inputs.images)
        conventions = pair_conventions(spec, len(pairs))
    else:
        gathered = gather(spec, inputs.selection or Selection(images=(), texts={}), read)
        captioned = caption_pictures(spec, inputs.images, facts, gathered, budget)
        found = [*gathered.findings, *captioned.findings]
        pictures = captioned.pictures
        sent = {picture.path: picture.caption is not None for picture in pictures}
        conventions = caption_conventions(
            spec, inputs.images, gathered.raws, gathered.forms, sent, by_service=_leaves_all(spec, gathered)
        )
        unread = _excused(gathered, settings)
    before = (*findings, *inputs.findings, *found)
    subject = _subject(spec, types, settings, inputs, before, pictures, pairs, unread)
    return Described(
        pictures=pictures,
        pairs=pairs,
        conventions=conventions,
        unread=unread,
        findings=tuple(found),
        judged=lint_texts(subject),
    )


def assemble(
    spec: DatasetSpec,
    types: tuple[str, ...],
    inputs: DatasetInputs,
    facts: Mapping[str, Facts],
    described: Described,
    colour_difference: ColourDifference | None = None,
) -> Assembled:
    """facts: by file, of every image of inputs. described: by describe(). See lint() for colour_difference."""
    settings, findings = settings_from(spec.lint)
    before = (*findings, *inputs.findings, *described.findings)
    pictures = tuple([picture._replace(facts=facts[picture.file]) for picture in described.pictures])
    pairs = described.pairs
    subject = _subject(spec, types, settings, inputs, before, pictures, pairs, described.unread)
    return Assembled(
        pictures=pictures,
        pairs=pairs,
        findings=lint(subject, list(dict.fromkeys(before)), colour_difference, described.judged),
        digest=digest_of_pictures(pictures, pairs, as_sent=True),
        source_digest=digest_of_pictures(pictures, pairs, as_sent=False),
        conventions=(*inputs.layout, *described.conventions),
    )


def _subject(
    spec: DatasetSpec,
    types: tuple[str, ...],
    settings: LintSettings,
    inputs: DatasetInputs,
    before: Sequence[Finding],
    pictures: tuple[Picture, ...],
    pairs: tuple[Pair, ...],
    unread: frozenset[str],
) -> Subject:
    return Subject(
        spec=spec,
        types=types,
        settings=settings,
        pictures=pictures,
        pairs=pairs,
        junk=inputs.selection.junk if inputs.selection is not None else (),
        skipped_folders=inputs.skipped_folders,
        layout=inputs.layout,
        unread=unread,
        reported=frozenset(finding.code for finding in before),
    )


def _leaves_all(spec: DatasetSpec, gathered: Gathered) -> bool:
    """Whether there is no caption, and no error about one: Scenario writes all of them."""
    is_left = spec.captions.kind == "recognise" and not (gathered.raws or gathered.unreadable or gathered.lost_rows)
    return is_left and all(finding.severity != "error" for finding in gathered.findings)


def _excused(gathered: Gathered, settings: LintSettings) -> frozenset[str]:
    """Pictures whose caption could not be read, which an error reports; none if the dataset lowered its severity."""
    judged = [settings.judge(finding) for finding in gathered.findings if finding.code in UNREAD_CAPTIONS]
    stops = all(finding is not None and finding.severity == "error" for finding in judged)
    return frozenset(gathered.unreadable) if stops else frozenset()


def digest_of_pictures(pictures: Sequence[Picture], pairs: Sequence[Pair], *, as_sent: bool) -> str:
    """The digest of a dataset as it is sent, or of its files as they are."""
    ids = {p.path: content_id(p.facts.sha256, p.recipe) if as_sent else p.facts.sha256 for p in pictures}
    return digest_of_rows(
        ((ids[p.path], p.caption) for p in pictures),
        ((ids[pair.before], ids[pair.after], pair.instruction) for pair in pairs),
    )
