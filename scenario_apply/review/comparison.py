"""Sample pictures side by side, as values: rows are prompts, columns the weights that drew them.

Weights are those of a version of a resource, of one of its trainings and of one epoch. What is not there is said in its
place; nothing is judged: a distance counts bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.review.best_words import choice_text
from scenario_apply.review.comparison_view import (
    DEFAULT,
    NOT_DRAWN,
    WILL_BE_DRAWN,
    CellView,
    ColumnHead,
    Comparison,
    DrawnView,
    Planned,
    PromptRow,
    SampleSources,
)
from scenario_apply.review.drawing_weights import Weights, in_use, weights_of
from scenario_apply.review.epoch_samples import WHILE_TRAINING, WHILE_TRAINING_WORDS
from scenario_apply.review.hash_bits import differing_bits
from scenario_apply.review.part_words import known_models, name_of
from scenario_apply.review.sample_words import settings_text
from scenario_apply.review.screen import counted
from scenario_apply.review.values import value_text
from scenario_apply.state.state import DrawnPicture, Record, SampleRecord, Version


def compared(
    title: str, chosen: Sequence[Weights], known: SampleSources, planned: Mapping[Address, Planned] | None = None
) -> Comparison:
    """The table of these weights, column by column. planned: further columns, for what the next apply draws."""
    drawn = [_samples(weights, known) for weights in chosen]
    wanted = list((planned or {}).items())
    asked = [[_asked(request) for request in one.requests] for _, one in wanted]
    measure = _Measure(chosen, known)
    found = [
        (_place_of(cells), _row(cells, [measure.cell(at, cells) for at in range(len(chosen))], len(chosen)))
        for cells in _rows([*drawn, *asked])
    ]
    rows = _in_order(found, chosen, known, len(asked))
    heads = _heads(chosen, drawn, known)
    later = tuple(ColumnHead(address, one.title, "", ()) for address, one in wanted)
    return Comparison(title, (*heads, *later), tuple(rows), measure.bits)


def request_words(request: SampleRequest, *, base: bool = False) -> str:
    """'seed 42, scale 0.8, 1024x768'. base: whether the base model is named, too."""
    if request.base == WHILE_TRAINING:
        return WHILE_TRAINING_WORDS
    text = settings_text(request.seed, request.settings)
    return f"{text}, on {request.base}" if base else text


# -- rows

_Cells = list[SampleRecord | None]
_Same = tuple[str, int, str | None, bool]
_Place = tuple[str, int]


def _same(request: SampleRequest) -> _Same:
    """What the samples of one row share: settings may differ between columns."""
    return request.prompt, request.seed, request.reference, request.base == WHILE_TRAINING


def _way(request: SampleRequest) -> tuple[SampleSettings, str]:
    """What samples of one row may differ in."""
    return request.settings, request.base


def _samples(weights: Weights, known: SampleSources) -> list[SampleRecord]:
    drawn_with = (weights.training, weights.epoch)
    return [s for s in known.version(weights).samples if (s.training, s.epoch) == drawn_with]


def _asked(request: SampleRequest) -> SampleRecord:
    return SampleRecord(request=request, phase="drawing", at="")


def _rows(columns: Sequence[Sequence[SampleRecord]]) -> Iterator[_Cells]:
    """The samples of each row, by column. Samples of one prompt and seed share a row unless a column has several."""
    grouped: dict[_Same, list[list[SampleRecord]]] = {}
    for at in reversed(range(len(columns))):  # the newest say in what order they are
        for sample in columns[at]:
            grouped.setdefault(_same(sample.request), [[] for _ in columns])[at].append(sample)
    for cells in grouped.values():
        if all(len(cell) <= 1 for cell in cells):
            yield [cell[0] if cell else None for cell in cells]
        else:
            yield from _by_settings(cells)


def _by_settings(cells: Sequence[Sequence[SampleRecord]]) -> Iterator[_Cells]:
    for way in dict.fromkeys(_way(sample.request) for cell in reversed(cells) for sample in cell):
        yield [next((sample for sample in cell if _way(sample.request) == way), None) for cell in cells]


def _in_order(
    found: Sequence[tuple[_Place, PromptRow]], chosen: Sequence[Weights], known: SampleSources, planned: int
) -> list[PromptRow]:
    """The rows in the order of the manifest, with those that it declares and nothing drew; then those it has not."""
    declared: dict[_Place, str] = {}
    for weights in reversed(chosen):
        for name, prompt, seed in known.declared.get(weights.address, ()):
            declared.setdefault((prompt, seed), name)
    by_place: dict[_Place, list[PromptRow]] = {place: [] for place in declared}
    for place, row in found:
        by_place.setdefault(place, []).append(row)
    for (prompt, seed), name in declared.items():
        if not by_place[prompt, seed]:
            missing = [CellView(missing=_why_missing(known.version(weights))) for weights in chosen]
            cells = (*missing, *[CellView()] * planned)
            by_place[prompt, seed].append(PromptRow(name, prompt, seed, f"seed {seed}", cells))
    return [row for rows in by_place.values() for row in rows]


def _place_of(cells: _Cells) -> _Place:
    last = _last(cells)
    return last.prompt, -1 if last.base == WHILE_TRAINING else last.seed


def _last(cells: _Cells) -> SampleRequest:
    return next(sample.request for sample in reversed(cells) if sample is not None)


def _row(cells: _Cells, views: Sequence[CellView], recorded: int) -> PromptRow:
    """views: of the recorded columns, which come first; the others are to be drawn."""
    last = _last(cells)
    named = len({sample.request.base for sample in cells if sample is not None}) > 1
    words = request_words(last, base=named)
    own = ["" if sample is None else request_words(sample.request, base=named) for sample in cells]
    noted = [
        view._replace(note=text) if text not in ("", words) else view for view, text in zip(views, own, strict=False)
    ]
    later = [CellView(missing="" if one is None else WILL_BE_DRAWN) for one in cells[recorded:]]
    is_asked = last.base != WHILE_TRAINING
    return PromptRow(
        last.name,
        last.prompt,
        last.seed if is_asked else None,
        words,
        (*noted, *later),
        last.settings,
        last.base if is_asked else "",
    )


# -- cells and their distances


class _Measure:
    """Cells with distances. The pictures before are those of the weights before, whether or not they are shown."""

    def __init__(self, chosen: Sequence[Weights], known: SampleSources) -> None:
        self._known = known
        self._chosen = chosen
        self._before = [_before(weights, chosen, known) for weights in chosen]
        self._earlier = [{} if one is None else _by_prompt(_samples(one, known)) for one in self._before]
        self._near = [_trained_on(weights, known) for weights in chosen]
        self.bits = 0

    def cell(self, at: int, cells: _Cells) -> CellView:
        sample, weights = cells[at], self._chosen[at]
        if sample is None:
            return CellView(missing=_why_missing(self._known.version(weights)))
        if sample.phase == "drawing":
            return CellView(missing="being drawn")
        if sample.phase == "failed":
            return CellView(missing=f"failed: {sample.reason}" if sample.reason else "failed")
        if not sample.pictures:
            return CellView(missing="drawn, but Scenario named no picture")
        before = self._sample_before(at, sample)
        title = "" if self._before[at] is None else _step_words(self._before[at], weights)
        return CellView(
            tuple(
                self._picture(one, before[number] if number < len(before) else None, title, self._near[at])
                for number, one in enumerate(sample.pictures)
            )
        )

    def _sample_before(self, at: int, sample: SampleRecord) -> tuple[DrawnPicture, ...]:
        fitting = self._earlier[at].get(_same(sample.request), [])
        exact = [s for s in fitting if _way(s.request) == _way(sample.request)]
        chosen = exact or (fitting if len(fitting) == 1 else [])
        return chosen[0].pictures if chosen else ()

    def _picture(
        self, one: DrawnPicture, before: DrawnPicture | None, previous: str, near: Sequence[tuple[str, str]]
    ) -> DrawnView:
        to_before = None if before is None else differing_bits(one.dhash, before.dhash)
        distances = [(bits, path) for path, other in near if (bits := differing_bits(one.dhash, other)) is not None]
        nearest = min(distances, default=None)
        if one.dhash and (to_before is not None or nearest is not None):
            self.bits = 4 * len(one.dhash)
        return DrawnView(
            asset_id=one.asset_id,
            thumbnail=one.thumbnail,
            from_previous=to_before,
            previous="" if to_before is None else previous,
            from_dataset=None if nearest is None else nearest[0],
            nearest="" if nearest is None else nearest[1],
        )


def _by_prompt(samples: Iterable[SampleRecord]) -> dict[_Same, list[SampleRecord]]:
    found: dict[_Same, list[SampleRecord]] = {}
    for sample in samples:
        found.setdefault(_same(sample.request), []).append(sample)
    return found


def _before(weights: Weights, chosen: Sequence[Weights], known: SampleSources) -> Weights | None:
    """The epoch before it among those shown; else the trained weights before it."""
    siblings = [one for one in chosen if _training_of(one) == _training_of(weights)]
    if len(siblings) > 1:
        at = siblings.index(weights)
        return siblings[at - 1] if at else None
    record = known.state.records[weights.address]
    older = [one for one in weights_of(weights.address, record) if _training_of(one) < _training_of(weights)]
    return older[-1] if older else None


def _training_of(weights: Weights) -> tuple[Address, int, str]:
    """What epochs share; in the order of trainings within an address."""
    return weights.address, weights.number, weights.training or ""


def _step_words(before: Weights | None, weights: Weights) -> str:
    """What the weights before are called: 'version 2', 'epoch 4', 'the training before'."""
    assert before is not None
    if before.number != weights.number:
        return f"version {before.number}"
    return "the training before" if before.training != weights.training else _epoch_words(before.epoch)


def _trained_on(weights: Weights, known: SampleSources) -> list[tuple[str, str]]:
    """Paths and hashes of the pictures that were trained on, as far as they are known."""
    version = known.version(weights)
    if weights.training != version.launched_at:
        return []
    return [(image.path, known.hashes[image.source]) for image in version.images if image.source in known.hashes]


def _why_missing(version: Version) -> str:
    if version.phase in ("building", "training"):
        return "not trained yet"
    return "its training failed" if version.phase in ("failed", "canceled") else NOT_DRAWN


# -- heads


def _heads(
    chosen: Sequence[Weights], drawn: Sequence[Sequence[SampleRecord]], known: SampleSources
) -> Iterator[ColumnHead]:
    facts = [_facts(weights, known) for weights in chosen]
    recorded = [one for one in facts if one is not None]
    names = dict.fromkeys(chain.from_iterable(recorded))
    differing = [name for name in names if len({one.get(name, DEFAULT) for one in recorded}) > 1]
    for weights, samples, own in zip(chosen, drawn, facts, strict=True):
        charges = [sample.charged for sample in samples if sample.charged is not None]
        yield ColumnHead(
            address=weights.address,
            title=_title(weights, chosen),
            place=_place(weights, known.state.records[weights.address]),
            facts=() if own is None else tuple((name, own.get(name, DEFAULT)) for name in differing),
            training_cu=_training_cu(weights, known),
            samples_cu=total(charges) if charges else None,
            weights=weights,
            best=_best(weights, known),
        )


def _best(weights: Weights, known: SampleSources) -> str:
    """'chosen by Ada on 2026-11-27: sharper hands', or 'yes'; "" for weights that were not found best."""
    best, version = known.best.get(weights.address), known.version(weights)
    epoch = version.epoch if best is None or best.epoch is None else best.epoch
    is_best = best is not None and (weights.number, weights.training, weights.epoch) == (
        best.version,
        version.launched_at,
        epoch,
    )
    return (choice_text(best) or "yes") if best is not None and is_best else ""


def _title(weights: Weights, chosen: Sequence[Weights]) -> str:
    """As much as tells it from the others: address, version, training, epoch."""

    def differs(part: Callable[[Weights], object], of: Iterable[Weights]) -> bool:
        return len({part(one) for one in of}) > 1

    same = [one for one in chosen if one.address == weights.address]
    again = [one for one in same if one.number == weights.number]
    parts = [_short(weights.address, chosen)] if differs(lambda one: one.address, chosen) else []
    names_epoch = differs(lambda one: one.epoch, again) or weights.epoch is not None
    if differs(lambda one: one.number, same) or not (parts or names_epoch):
        parts.append(f"version {weights.number}")
    if differs(lambda one: one.training, again):
        parts.append(f"trained {_moment(weights.training)}")
    return ", ".join([*parts, _epoch_words(weights.epoch)] if names_epoch else parts)


def _short(address: Address, chosen: Sequence[Weights]) -> str:
    """Of the children of one sweep, their labels."""
    families = {(one.address.kind, one.address.name) for one in chosen}
    return address.label if address.label and len(families) == 1 else str(address)


def _moment(at: str | None) -> str:
    return "earlier" if at is None else at[:19].replace("T", " ")


def _epoch_words(epoch: str | None) -> str:
    return "epoch of Scenario's choice" if epoch is None else f"epoch {epoch}"


def _place(weights: Weights, record: Record) -> str:
    if record.pending is not None and weights.number == record.pending.number:
        return "being made"
    if weights == in_use(weights.address, record.current):
        return "current"
    is_other = weights.number == record.current.number and weights.training == record.current.launched_at
    return "" if is_other else "previous"


def _facts(weights: Weights, known: SampleSources) -> dict[str, str] | None:
    """Values that the weights were made of; None for an earlier training of the same version: they are not recorded."""
    version = known.version(weights)
    if weights.training != version.launched_at:
        return None
    found = {name: value_text(value) for name, value in sorted(version.parameters.items())}
    found["type"] = version.type
    if version.images:
        found["trained on"] = counted(len(version.images), "picture")
    if version.concepts:
        models = known_models(known.state.records)
        found["parts"] = "; ".join(f"{name_of(one.model_id, models)} at {one.scale:g}" for one in version.concepts)
    return found


def _training_cu(weights: Weights, known: SampleSources) -> float | None:
    version = known.version(weights)
    if weights.training == version.launched_at:
        return version.charged
    entries = known.state.trainings
    return next((e.charged for e in entries if (e.model_id, e.at) == (version.id, weights.training)), None)
