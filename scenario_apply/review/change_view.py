"""One change of a plan as every writer shows it: terminal, Markdown, HTML, annotations. Values only.

Texts are other people's: nothing here is escaped or fit to print. A writer passes each text through screen.safe() and
then through the escapes of its own format. Only the stretches of a word diff are safe() already, because what must be
spelled out depends on the neighbouring characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    Change,
    ChangeClass,
    Cost,
    ImageChange,
    PairChange,
    PairSide,
)
from scenario_apply.planning.reasons import (
    DeleteNeedsConsent,
    DestroyAskedFor,
    MovedFrom,
    Reason,
)
from scenario_apply.review.part_words import PartNames
from scenario_apply.review.reason_words import reason_text
from scenario_apply.review.recipe_words import recipe_words
from scenario_apply.review.sample_words import SamplesView, basis_of, samples_view, waits_for_samples
from scenario_apply.review.screen import counted, safe
from scenario_apply.review.step_sums import sum_text
from scenario_apply.review.values import value_text
from scenario_apply.review.word_diff import Stretch, word_diff

PictureKind = Literal["added", "removed", "replaced"]
TextKind = Literal["added", "changed", "removed"]
NO_NAMES = PartNames()


class ReasonView(Struct, frozen=True, kw_only=True):
    """code: of the reason, which never changes. text: in words. needs_consent: of a delete that is not allowed yet."""

    code: str
    text: str
    needs_consent: bool = False


class AttributeView(Struct, frozen=True, kw_only=True):
    """An attribute, or one parameter, before and after. None: it is not set, or the resource does not exist.

    name: such as "name", "type", "tags", "concepts", or "nbEpochs" where is_parameter.
    """

    name: str
    before: str | None
    after: str | None
    is_parameter: bool = False

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


class PictureView(Struct, frozen=True, kw_only=True):
    """A picture that comes, goes or has other bytes.

    path: within its dataset. file: relative to the manifest's root, where it is, or, for one that was removed, where
    it was as far as that is known; None where it is not. sha256: of its file, the old one's where it was removed.
    previous_sha256: of the file that a replaced picture had, None where it is not recorded. caption: the one it will
    have, or had; None: Scenario's own. previous_caption: of a replaced picture, where that changes as well. resent:
    the same file is sent in another form. recipe: what is done to it before it is sent; see alterations.
    """

    kind: PictureKind
    path: str
    file: str | None = None
    sha256: str | None = None
    previous_sha256: str | None = None
    caption: str | None = None
    previous_caption: str | None = None
    resent: bool = False
    recipe: str = ""

    @property
    def alterations(self) -> list[str]:
        """What is done to it before it is sent, in phrases."""
        return recipe_words(self.recipe)


class TextView(Struct, frozen=True, kw_only=True):
    """A caption that changes: of a picture that stays, or of a replaced one. before, after: None is Scenario's own.

    added: from Scenario's own to one of ours; removed: back to Scenario's own.
    """

    kind: TextKind
    path: str
    before: str | None
    after: str | None
    file: str | None = None  # of its picture, as in PictureView

    @property
    def words(self) -> tuple[Stretch, ...]:
        """What changed, word by word, in safe texts; computed when asked for. Empty where a side is Scenario's own."""
        return _words(self.before, self.after)


class PairView(Struct, frozen=True, kw_only=True):
    """An edit pair that comes, changes or goes. replaced: the sides that have other bytes.

    previous_instruction: the old instruction, where that changes.
    """

    kind: TextKind
    before: str
    after: str
    instruction: str
    previous_instruction: str | None = None
    replaced: tuple[PairSide, ...] = ()
    before_file: str | None = None
    after_file: str | None = None

    @property
    def words(self) -> tuple[Stretch, ...]:
        """What changed in the instruction, word by word, in safe texts. Empty where it does not change."""
        return _words(self.previous_instruction, self.instruction)


class DependantView(Struct, frozen=True, kw_only=True):
    """A resource that depends on a changed one. action: what this plan does to it."""

    address: Address
    action: Action = Action.NONE
    is_protected: bool = False


class Beside(Struct, frozen=True, kw_only=True):
    """What is known of a resource beside the plan. Each is empty where the caller does not know it.

    seconds: how long its training takes, by the state's history. findings: of its dataset. folder: of its dataset,
    relative to the manifest's root, "" for the root itself; None where its pictures lie in several.
    """

    dependants: tuple[DependantView, ...] = ()
    seconds: float | None = None
    findings: tuple[Diagnostic, ...] = ()
    folder: str | None = None


class ChangeView(Struct, frozen=True, kw_only=True):
    """What a plan does to one resource.

    phrase: "will be replaced". reasons: without those that the phrase says. attributes: all, changed or not, in the
    order of the manifest. training: the sum of the steps, where something is trained on pictures. twin: an earlier
    change with the same pictures, captions and pairs. trains: whether a training is launched. cost: of that and of
    its samples. cost_basis: what an estimate is made from, or why it is unknown.
    """

    address: Address
    previous_address: Address | None
    action: Action
    phrase: str
    change_class: ChangeClass
    name: str | None
    type: str | None
    reasons: tuple[ReasonView, ...] = ()
    notes: tuple[ReasonView, ...] = ()
    attributes: tuple[AttributeView, ...] = ()
    pictures: tuple[PictureView, ...] = ()
    captions: tuple[TextView, ...] = ()
    pairs: tuple[PairView, ...] = ()
    image_count: int = 0
    training: str | None = None
    trains: bool = False
    cost: Cost = Cost()
    cost_basis: str = ""
    samples: SamplesView = SamplesView()
    requests: int = 0
    place: Location | None = None
    twin: Address | None = None
    beside: Beside = Beside()

    @property
    def sign(self) -> str:
        return self.action.sign

    @property
    def changed_attributes(self) -> tuple[AttributeView, ...]:
        return tuple(attribute for attribute in self.attributes if attribute.is_changed)

    def of_kind(self, kind: PictureKind) -> tuple[PictureView, ...]:
        """Its pictures that are added, removed or replaced."""
        return tuple(picture for picture in self.pictures if picture.kind == kind)


def change_view(
    change: Change,
    beside: Beside,
    complete: Callable[[str], str] = str,
    *,
    destroy: bool = False,
    twin: Address | None = None,
    names: PartNames = NO_NAMES,
) -> ChangeView:
    """A change as it is shown. destroy: it belongs to a plan that deletes everything. complete: see PlanContext.

    names: of the parts of compositions.
    """
    attributes = change.after if change.after is not None else change.before or {}
    # what the title of a move, or of the plan, says already
    said = (*((MovedFrom,) if change.action is Action.MOVE else ()), *((DestroyAskedFor,) if destroy else ()))
    return ChangeView(
        address=change.address,
        previous_address=change.previous_address,
        action=change.action,
        phrase=phrase_of(change),
        change_class=change.change_class,
        name=_text(attributes.get("name")),
        type=_text(attributes.get("type")),
        reasons=tuple(_reason(names.in_reason(one, change)) for one in change.reasons if not isinstance(one, said)),
        notes=tuple(_reason(note, complete) for note in change.notes),
        attributes=tuple(_attributes(change, names)),
        pictures=tuple(_pictures(change, beside.folder)),
        captions=tuple(_captions(change, beside.folder)),
        pairs=tuple(_pairs(change)),
        image_count=change.image_count,
        training=None if change.arithmetic is None else sum_text(change.arithmetic, change.step_sources),
        trains=change.change_class == "training" and change.cost.source != "none",
        cost=change.total_cost,
        cost_basis=basis_of(change),
        samples=samples_view(change),
        requests=change.requests,
        place=change.place,
        twin=twin,
        beside=replace(beside, dependants=_dependants(change)) if change.affects else beside,
    )


def phrase_of(change: Change) -> str:
    """'will be created and trained'; not safe to print before safe()."""
    trains = change.change_class == "training" and change.cost.source != "none"
    match change.action:
        case Action.CREATE:
            return "will be created and trained" if trains else "will be created"
        case Action.UPDATE:
            return f"gets {counted(len(change.samples.draw), 'sample')}" if change.draws_only else "will be updated"
        case Action.RETRAIN:
            return "will be retrained"
        case Action.REPLACE:
            return "will be replaced"
        case Action.DELETE:
            return "will be deleted"
        case Action.WAIT:
            return "waits for its samples" if waits_for_samples(change) else "is still training"
        case Action.MOVE:
            return f"is renamed to {change.address} (no training)"
        case Action.IMPORT:
            return "will be adopted"
        case Action.FORGET:
            return "will be forgotten"
        case Action.NONE:
            return "stays as it is"


def twins_of(changes: Iterable[Change]) -> dict[Address, Address]:
    """Changes with the images and captions of an earlier one: children of a matrix, models that share a dataset."""
    first: dict[object, Address] = {}
    twins = {}
    for change in changes:
        if change.images or change.captions or change.pairs:
            twin = first.setdefault((change.images, change.captions, change.pairs), change.address)
            if twin != change.address:
                twins[change.address] = twin
    return twins


def _dependants(change: Change) -> tuple[DependantView, ...]:
    """The compositions that it reaches."""
    return tuple(
        DependantView(address=one.address, action=one.action, is_protected=one.is_protected) for one in change.affects
    )


def _text(value: object) -> str | None:
    return None if value is None else value_text(value)


def _reason(reason: Reason, complete: Callable[[str], str] = str) -> ReasonView:
    needs_consent = isinstance(reason, DeleteNeedsConsent)
    return ReasonView(code=reason.code, text=complete(reason_text(reason)), needs_consent=needs_consent)


def _words(before: str | None, after: str | None) -> tuple[Stretch, ...]:
    return () if before is None or after is None else tuple(word_diff(safe(before), safe(after)))


# -- attributes


def _attributes(change: Change, names: PartNames) -> Iterator[AttributeView]:
    before, after = change.before or {}, change.after or {}
    for key in dict.fromkeys((*after, *before)):
        if key == "parameters":
            yield from _parameters(before.get(key), after.get(key))
        elif key == "concepts":
            parts = names.texts(change)
            yield AttributeView(name=key, before=parts.before, after=parts.after)
        elif key == "id":  # the same model, or the one that is kept: nothing that changes
            yield AttributeView(name=key, before=_shown(key, before), after=_shown(key, {**before, **after}))
        else:
            yield AttributeView(name=key, before=_shown(key, before), after=_shown(key, after))


def _parameters(before: object, after: object) -> Iterator[AttributeView]:
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    for key in dict.fromkeys((*new, *old)):
        yield AttributeView(name=key, before=_shown(key, old), after=_shown(key, new), is_parameter=True)


def _shown(key: str, values: Mapping[str, object]) -> str | None:
    return value_text(values[key]) if key in values else None


# -- pictures, captions, pairs


def _pictures(change: Change, folder: str | None) -> Iterator[PictureView]:
    diff = change.images
    old = {caption.path: caption.before for caption in (*change.captions.change, *change.captions.remove)}
    kinds: tuple[tuple[PictureKind, tuple[ImageChange, ...]], ...] = (
        ("added", diff.add), ("replaced", diff.change), ("removed", diff.remove),
    )  # fmt: skip
    for kind, images in kinds:
        for image in images:
            yield PictureView(
                kind=kind,
                path=image.path,
                file=image.file or _file(folder, image.path),
                sha256=image.sha256,
                previous_sha256=image.previous_sha256,
                caption=image.caption,
                previous_caption=old.get(image.path) if kind == "replaced" else None,
                resent=image.same_file,
                recipe=image.recipe,
            )


def _captions(change: Change, folder: str | None) -> Iterator[TextView]:
    diff = change.captions
    files = {image.path: image.file for image in change.images.change}
    kinds: tuple[tuple[TextKind, tuple[CaptionChange, ...]], ...] = (
        ("changed", diff.change), ("added", diff.add), ("removed", diff.remove),
    )  # fmt: skip
    for kind, captions in kinds:
        for one in captions:
            file = files.get(one.path) or _file(folder, one.path)
            yield TextView(kind=kind, path=one.path, before=one.before, after=one.after, file=file)


def _file(folder: str | None, path: str) -> str | None:
    return None if folder is None else f"{folder}/{path}" if folder else path


def _pairs(change: Change) -> Iterator[PairView]:
    diff = change.pairs
    kinds: tuple[tuple[TextKind, tuple[PairChange, ...]], ...] = (
        ("changed", diff.change), ("added", diff.add), ("removed", diff.remove),
    )  # fmt: skip
    for kind, pairs in kinds:
        for pair in pairs:
            yield PairView(
                kind=kind,
                before=pair.before,
                after=pair.after,
                instruction=pair.instruction,
                previous_instruction=pair.previous,
                replaced=pair.replaced,
                before_file=pair.before_file,
                after_file=pair.after_file,
            )
