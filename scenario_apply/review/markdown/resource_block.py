"""One resource of a plan as a block that opens with a click: why, values, pictures, captions, pairs, steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action
from scenario_apply.review.affected_text import affected_text
from scenario_apply.review.change_view import ChangeView, PairView, PictureView, TextView
from scenario_apply.review.diagnostics_text import tally
from scenario_apply.review.image_lines import paths_in_pairs, replaced_text
from scenario_apply.review.markdown.fitting import Lines
from scenario_apply.review.markdown.inline import code, diff, in_html, table, words
from scenario_apply.review.markdown.picture_links import PictureLinks, Side
from scenario_apply.review.plan_words import content_counts, price_and_requests, title_address, twin_text, values_text
from scenario_apply.review.sample_words import SampleView
from scenario_apply.review.screen import counted, duration, fit, safe
from scenario_apply.review.values import cost_text
from scenario_apply.review.word_diff import Stretch, shortened

T = TypeVar("T")
_WIDE = 110  # pixels of a picture
_ALT: dict[Side, str] = {"base": "picture before", "head": "picture"}  # the name is beside it
_OWN = "captioned by Scenario"


class Detail(NamedTuple):
    """How much of a resource is shown. images: whether pictures are shown, not only linked. most: rows of a kind.

    keep: characters of a caption, or around the changed words of it.
    """

    images: bool
    most: int
    keep: int


ALL = 1_000_000
DETAILS = (Detail(True, ALL, ALL), Detail(True, 20, 200), Detail(False, 20, 80), Detail(False, 6, 40))
"""From the richest to the poorest."""


class BlockStyle(NamedTuple):
    """folds: whether the host has blocks that open with a click. is_open: whether they start opened.

    samples: see MarkdownOptions.
    """

    links: PictureLinks
    folds: bool = True
    is_open: bool = False
    samples: Mapping[Address, Sequence[Lines]] = MappingProxyType({})


def block_levels(change: ChangeView, style: BlockStyle) -> list[Lines]:
    """A resource from its whole block down to a line that counts."""

    def at(detail: Detail) -> Lines:
        return lambda: _block(change, style, detail)

    return [*map(at, DETAILS), lambda: _one_line(change)]


def _one_line(change: ChangeView) -> Iterator[str]:
    about = "; ".join([*(words(fit(safe(reason.text), 200)) for reason in change.reasons), *price_and_requests(change)])
    yield f"- {_sign(change)} {code(title_address(change))} {phrase(change)}{f': {about}' if about else ''}"


def _sign(change: ChangeView) -> str:
    """Its sign as text: a line that begins with + or - would be a list."""
    return code(change.sign)


def _block(change: ChangeView, style: BlockStyle, detail: Detail) -> Iterator[str]:
    tail = "".join(f" · {part}" for part in (*content_counts(change), *price_and_requests(change)))
    address = title_address(change)
    if style.folds:
        yield f"<details{' open' if style.is_open else ''}>"
        title = f"<b>{in_html(address)}</b> {_phrase_html(change)}"
        yield f"<summary>{in_html(change.sign)} {title}{tail}</summary>"
        yield ""
    else:
        yield f"#### {_sign(change)} {code(address)} {phrase(change)}{tail}"
        yield ""
    yield from _body(change, style.links, detail)
    levels = style.samples.get(change.address, ())
    if levels:
        yield "**Samples side by side**"
        yield ""
        yield from levels[min(DETAILS.index(detail), len(levels) - 1)]()
        yield ""
    if style.folds:
        yield "</details>"


def phrase(change: ChangeView) -> str:
    """What happens to it; of a move, with its new address."""
    return f"is renamed to {code(str(change.address))} (no training)" if change.action is Action.MOVE else change.phrase


def _phrase_html(change: ChangeView) -> str:
    if change.action is Action.MOVE:
        return f"is renamed to {in_html(str(change.address))} (no training)"
    return change.phrase


def _body(change: ChangeView, links: PictureLinks, detail: Detail) -> Iterator[str]:
    def shown(text: str) -> str:
        return words(fit(safe(text), detail.keep + 300))

    if change.reasons:
        yield f"- Because {'; '.join(shown(reason.text) for reason in change.reasons)}"
    for note in change.notes:
        yield f"- Note: {shown(note.text)}"
    if change.beside.dependants:
        yield f"- It {words(affected_text(change.beside.dependants))}"
    if change.beside.findings:
        codes = dict.fromkeys(problem.code for problem in change.beside.findings)
        yield f"- Its dataset: {tally(change.beside.findings)} ({', '.join(map(code, codes))})"
    if change.training is not None:
        yield f"- Training: {code(change.training)}"
    if change.samples:
        yield f"- {words(change.samples.line.replace('samples', 'Samples:', 1).replace('::', ':'))}"
    price = [text] if (text := cost_text(change.cost)) else []
    if change.beside.seconds is not None:
        price.append(f"about {duration(change.beside.seconds)} by past trainings")
    if price:
        yield f"- {', '.join(price)}".replace("- c", "- C", 1)
    yield ""
    yield from _attributes(change, detail)
    yield from _section("Samples", change.samples.draw, detail, lambda rows: _samples(rows, detail))
    if change.twin is not None and (change.pictures or change.captions or change.pairs):
        text = twin_text(change)
        yield f"{text[:1].upper()}{text[1 : -len(str(change.twin))]}{code(str(change.twin))}."
        yield ""
        return
    yield from _section("Pairs", change.pairs, detail, lambda rows: _pairs(rows, links, detail))
    paired = paths_in_pairs(change)
    loose = [picture for picture in change.pictures if picture.path not in paired]
    yield from _section("Pictures", loose, detail, lambda rows: _pictures(rows, links, detail))
    yield from _section("Captions", change.captions, detail, lambda rows: _captions(rows, links, detail))


def _section(
    title: str, rows: Sequence[T], detail: Detail, draw: Callable[[Sequence[T]], Iterator[str]]
) -> Iterator[str]:
    if not rows:
        return
    yield f"**{title}**"
    yield ""
    yield from draw(rows[: detail.most])
    if len(rows) > detail.most:
        yield ""
        yield f"… and {len(rows) - detail.most:,} more"
    yield ""


# -- values


def _attributes(change: ChangeView, detail: Detail) -> Iterator[str]:
    exists = any(attribute.before is not None for attribute in change.attributes)
    is_gone = change.action in (Action.DELETE, Action.FORGET)
    if exists and not is_gone:
        shown = change.changed_attributes
        if not shown:
            return
        rows = [[code(one.name), *(_value(text, detail) for text in values_text(one))] for one in shown]
        yield from _rows_or_none(["value", "before", "after"], rows)
        same = len(change.attributes) - len(shown)
        yield f"{counted(same, 'value')} unchanged" if same else ""
        yield ""
        return
    values = [(one.name, one.before if is_gone else one.after) for one in change.attributes]
    rows = [[code(name), _value(value, detail)] for name, value in values if value]
    rows += [["images", f"{change.image_count:,}"]] if change.image_count else []
    yield from _rows_or_none(["value", "before" if is_gone else "after"], rows)


def _rows_or_none(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield from table(header, rows)
        yield ""


def _value(text: str, detail: Detail) -> str:
    return text if text in ("(default)", "(none)") else code(_cut(text, detail))


def _cut(text: str, detail: Detail) -> str:
    shown = safe(text)
    return shown if detail.keep == ALL else fit(shown, 2 * detail.keep)


# -- pictures, captions, pairs


def _pictures(pictures: Sequence[PictureView], links: PictureLinks, detail: Detail) -> Iterator[str]:
    """Replaced ones side by side; then those that come and those that go, each with its caption."""
    replaced = [picture for picture in pictures if picture.kind == "replaced"]
    if replaced:
        rows = [
            [
                _linked(picture.path, picture.file, "head", links),
                _image(picture.file, "base", links, detail) or _link("before", picture.file, "base", links),
                _image(picture.file, "head", links, detail) or _link("after", picture.file, "head", links),
                f"{words(replaced_text(picture)[1:-1])}{_altered(picture)}",
            ]
            for picture in replaced
        ]
        if any(links.page(picture.file, side) for picture in replaced for side in _ALT):
            yield from table(["replaced", "before", "after", ""], rows)
        else:  # two columns that would say no more than their heads
            yield from table(["replaced", ""], [[name, what] for name, _, _, what in rows])
        yield ""
    others = [picture for picture in pictures if picture.kind != "replaced"]
    if not others:
        return
    rows = []
    for picture in others:
        side: Side = "base" if picture.kind == "removed" else "head"
        caption = f"{_caption(picture.caption, detail)}{_altered(picture)}"
        rows.append([picture.kind, _shown(picture.path, picture.file, side, links, detail), caption])
    yield from table(["", "picture", "caption"], rows)


def _altered(picture: PictureView) -> str:
    if picture.resent or not picture.alterations:
        return ""
    return f" · {words('sent ' + ', '.join(picture.alterations))}"


def _captions(captions: Sequence[TextView], links: PictureLinks, detail: Detail) -> Iterator[str]:
    rows = []
    for caption in captions:
        if caption.kind == "changed":
            text = _diff(caption.words, detail)
        else:
            before, after = (_caption(side, detail) for side in (caption.before, caption.after))
            text = f"~~{before}~~ **{after}**" if caption.after is not None else f"~~{before}~~ {after}"
            text = f"{before} → **{after}**" if caption.before is None else text
        rows.append([_shown(caption.path, caption.file, "head", links, detail), text])
    yield from table(["picture", "caption"], rows)


def _pairs(pairs: Sequence[PairView], links: PictureLinks, detail: Detail) -> Iterator[str]:
    rows = []
    for pair in pairs:
        side: Side = "base" if pair.kind == "removed" else "head"
        cells = []
        for path, file in ((pair.before, pair.before_file), (pair.after, pair.after_file)):
            cells.append(_shown(path, file, side, links, detail))
        replaced = f"{' and '.join(pair.replaced)} picture replaced · " if pair.replaced else ""
        is_same = pair.previous_instruction is None
        text = _caption(pair.instruction, detail) if is_same else _diff(pair.words, detail)
        rows.append([pair.kind, *cells, f"{replaced}{text}"])
    yield from table(["", "before", "after", "instruction"], rows)


def _samples(samples: Sequence[SampleView], detail: Detail) -> Iterator[str]:
    rows = []
    for one in samples:
        why = f"{one.news}: {words(fit(safe(one.failed), detail.keep + 300))}" if one.failed else one.news
        prompt = code(_cut(one.prompt, detail)) if one.previous is None else _diff(one.words, detail)
        rows.append([code(one.name), why, prompt, one.settings])
    yield from table(["sample", "", "prompt", "settings"], rows)


def _caption(caption: str | None, detail: Detail) -> str:
    return _OWN if caption is None else code(_cut(caption, detail))


def _diff(stretches: Sequence[Stretch], detail: Detail) -> str:
    return diff(stretches if detail.keep == ALL else shortened(stretches, detail.keep, changed=3 * detail.keep))


def _image(file: str | None, side: Side, links: PictureLinks, detail: Detail) -> str:
    address = links.image(file, side) if detail.images else None
    if address is None:
        return ""
    page = links.page(file, side)
    return f'<a href="{page}"><img src="{address}" width="{_WIDE}" alt="{_ALT[side]}"></a>'


def _shown(path: str, file: str | None, side: Side, links: PictureLinks, detail: Detail) -> str:
    """The picture, which links to its page, with its path; or the path alone, which links to it."""
    image = _image(file, side, links, detail)
    return f"{image} {code(path)}" if image else _linked(path, file, side, links)


def _linked(path: str, file: str | None, side: Side, links: PictureLinks) -> str:
    """The path within the dataset, linked to its page."""
    page = links.page(file, side)
    return code(path) if page is None else f"[{code(path)}]({page})"


def _link(text: str, file: str | None, side: Side, links: PictureLinks) -> str:
    page = links.page(file, side)
    return text if page is None else f"[{text}]({page})"
