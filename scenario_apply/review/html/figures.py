"""The pictures, captions and pairs of a change as the figures of a page. Values only; texts are raw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.review.change_view import ChangeView, PairView, PictureView, TextView
from scenario_apply.review.pair_lines import bytes_text
from scenario_apply.review.word_diff import Stretch

FigureKind = Literal["added", "replaced", "removed", "caption", "pair", "picture"]


class PictureFacts(Struct, frozen=True, kw_only=True):
    """A picture of a dataset as it is now. twins: paths of those that a finding says it repeats.

    sha256: of its file. width, height: in pixels as sent, 0 where a Git LFS pointer hides them.
    """

    sha256: str
    width: int = 0
    height: int = 0
    size_bytes: int = 0
    findings: tuple[Diagnostic, ...] = ()
    twins: tuple[str, ...] = ()


Facts = Mapping[str, PictureFacts]
"""Of one dataset, by path within it."""


class FigureSide(NamedTuple):
    """One picture of a figure. label: "", or what tells it from the other. measures: '1024 x 768, 310 kB'."""

    label: str
    path: str
    sha256: str | None
    measures: str = ""


class Figure(Struct, frozen=True, kw_only=True):
    """id: of its element. sign: + ~ -. note: what else is to be said. twins: pictures that it repeats.

    text: its caption or instruction; None: Scenario's own. words: what changed in it, in safe texts; empty where
    nothing did, or where one side is Scenario's own, which caption_note says.
    """

    kind: FigureKind
    sign: str
    path: str
    sides: tuple[FigureSide, ...]
    id: str = ""
    text: str | None = None
    words: tuple[Stretch, ...] = ()
    caption_note: str = ""
    note: str = ""
    findings: tuple[Diagnostic, ...] = ()
    twins: tuple[FigureSide, ...] = ()

    @property
    def codes(self) -> str:
        """Of its findings, each once, with a blank between."""
        return " ".join(dict.fromkeys(finding.code for finding in self.findings))


class Sheet(NamedTuple):
    """Figures of one kind under a heading. id: of its element."""

    id: str
    kind: FigureKind
    title: str
    figures: tuple[Figure, ...]


_TITLES: dict[FigureKind, str] = {
    "added": "Pictures added",
    "replaced": "Pictures replaced",
    "removed": "Pictures removed",
    "caption": "Captions changed",
    "pair": "Edit pairs",
}
_SIGNS = {"added": "+", "replaced": "~", "removed": "-", "changed": "~"}


def sheets_of(change: ChangeView, facts: Facts, number: int) -> tuple[Sheet, ...]:
    """The figures of a change by kind; none where its twin shows them. number: of the change on the page."""
    if change.twin is not None:
        return ()
    by_kind: dict[FigureKind, list[Figure]] = {kind: [] for kind in _TITLES}
    for at, figure in enumerate(_figures(change, facts)):
        by_kind[figure.kind].append(replace(figure, id=f"p{number}-{at}"))
    return tuple(
        Sheet(f"s{number}-{kind}", kind, _TITLES[kind], tuple(figures)) for kind, figures in by_kind.items() if figures
    )


def digests_of(sheets: Iterable[Sheet]) -> Iterator[str]:
    """The digest of every picture that the figures show, as often as they do."""
    for sheet in sheets:
        for figure in sheet.figures:
            yield from (side.sha256 for side in (*figure.sides, *figure.twins) if side.sha256)


def _figures(change: ChangeView, facts: Facts) -> Iterator[Figure]:
    captions = {text.path: text for text in change.captions}
    paired = {path for pair in change.pairs for path in (pair.before, pair.after)}
    for picture in change.pictures:
        if picture.path not in paired:  # pictures of pairs are shown with their instruction
            yield _of_picture(picture, captions.get(picture.path), facts)
        captions.pop(picture.path, None)
    for text in captions.values():
        yield _of_caption(text, facts)
    for pair in change.pairs:
        yield _of_pair(pair, facts)


def _of_picture(picture: PictureView, text: TextView | None, facts: Facts) -> Figure:
    fact = facts.get(picture.path) if picture.kind != "removed" else None
    now = FigureSide("", picture.path, picture.sha256, _measures(fact))
    sides: tuple[FigureSide, ...] = (now,)
    note = f"sent altered: {', '.join(picture.recipe)}" if picture.recipe else ""
    if picture.resent:
        note = f"the same file, now {note or 'sent as it is'}"
    elif picture.kind == "replaced":
        sides = (FigureSide("before", picture.path, picture.previous_sha256), now._replace(label="after"))
    return Figure(
        kind=picture.kind,
        sign=_SIGNS[picture.kind],
        path=picture.path,
        sides=sides,
        text=picture.caption,
        words=text.words if text is not None else (),
        caption_note=_caption_note(text),
        note=note,
        findings=fact.findings if fact is not None else (),
        twins=_twins(fact, facts),
    )


def _of_caption(text: TextView, facts: Facts) -> Figure:
    fact = facts.get(text.path)
    return Figure(
        kind="caption",
        sign=_SIGNS[text.kind],
        path=text.path,
        sides=(FigureSide("", text.path, fact.sha256 if fact is not None else None, _measures(fact)),),
        text=text.after if text.after is not None else text.before,
        words=text.words,
        caption_note=_caption_note(text),
        findings=fact.findings if fact is not None else (),
        twins=_twins(fact, facts),
    )


def _of_pair(pair: PairView, facts: Facts) -> Figure:
    both = (("before", pair.before), ("after", pair.after))
    known = [(label, path, facts.get(path) if pair.kind != "removed" else None) for label, path in both]
    return Figure(
        kind="pair",
        sign=_SIGNS[pair.kind],
        path=f"{pair.before} -> {pair.after}",
        sides=tuple(
            FigureSide(label, path, fact.sha256 if fact else None, _measures(fact)) for label, path, fact in known
        ),
        text=pair.instruction,
        words=pair.words,
        note=f"{' and '.join(pair.replaced)} picture replaced" if pair.replaced else "",
        findings=tuple(dict.fromkeys(finding for _, _, fact in known if fact for finding in fact.findings)),
    )


def _twins(fact: PictureFacts | None, facts: Facts) -> tuple[FigureSide, ...]:
    paths = fact.twins if fact is not None else ()
    return tuple(FigureSide("", path, facts[path].sha256) for path in paths if path in facts)


def _caption_note(text: TextView | None) -> str:
    if text is None or (text.before is not None and text.after is not None):
        return ""
    return "captioned by Scenario before" if text.before is None else "will be captioned by Scenario; the caption was"


def _measures(fact: PictureFacts | None) -> str:
    if fact is None:
        return ""
    pixels = f"{fact.width} x {fact.height}, " if fact.width else ""
    return f"{pixels}{bytes_text(fact.size_bytes)}"
