"""Edit pairs compared: what a dataset asks for with what is recorded, and what is recorded with what the service holds.

A pair is its two pictures, by their bytes, and its instruction. Names and the order of pairs are no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Image, Pair
from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import is_kept_form, is_same_but_for_signs, may_be_kept_of
from scenario_apply.model.remote import AssetId, RemoteModel
from scenario_apply.planning.changes import Drift, PairChange, PairDiff, PairSide
from scenario_apply.state.state import Version


class _Side(NamedTuple):
    """One picture of a pair. file: on disk; None for a recorded one. content: what it is compared by; None: of no
    image that is recorded.
    """

    path: str
    content: str | None
    file: str | None = None


class _Pair(NamedTuple):
    before: _Side
    after: _Side
    instruction: str

    @property
    def bytes_and_text(self) -> Hashable:
        return self.before.content, self.after.content, self.instruction

    @property
    def bytes_only(self) -> Hashable:
        return self.before.content, self.after.content

    @property
    def paths(self) -> Hashable:
        return self.before.path, self.after.path


def compare_pairs(contents: Contents, version: Version | None) -> PairDiff:
    """How the pairs of a dataset differ from those of a version; all are added where there is no version."""
    desired = _unique(_desired(contents))
    left = _unique(_recorded(version)) if version is not None else []
    was: dict[int, _Pair] = {}
    for key in _LIKENESSES:
        by_key: dict[Hashable, list[_Pair]] = {}
        for pair in reversed(left):
            by_key.setdefault(key(pair), []).append(pair)
        for index, pair in enumerate(desired):
            if index not in was and (found := by_key.get(key(pair))):
                was[index] = found.pop()
        left = [pair for found in by_key.values() for pair in found]
    changed = [(pair, was[at]) for at, pair in enumerate(desired) if at in was]
    return PairDiff(
        add=tuple(_change(pair) for at, pair in enumerate(desired) if at not in was),
        change=tuple(_change(new, old) for new, old in changed if new.bytes_and_text != old.bytes_and_text),
        remove=tuple(_change(pair) for pair in sorted(left)),
    )


_LIKENESSES: tuple[Callable[[_Pair], Hashable], ...] = (
    lambda pair: pair.bytes_and_text,
    lambda pair: pair.bytes_only,
    lambda pair: pair.paths,
)


def ignoring_instructions(contents: Contents, version: Version) -> tuple[Pair, ...]:
    """The pairs of a dataset with the instructions that were recorded for the same two pictures."""
    recorded = {pair.bytes_only: pair.instruction for pair in _recorded(version)}
    return tuple(
        replace(pair, instruction=recorded.get(wanted.bytes_only, pair.instruction))
        for pair, wanted in zip(contents.pairs, _desired(contents), strict=True)
    )


def _desired(contents: Contents) -> Iterable[_Pair]:
    by_path = {image.path: image for image in contents.images}
    return (_Pair(_side(by_path[p.before]), _side(by_path[p.after]), p.instruction) for p in contents.pairs)


def _side(image: Image) -> _Side:
    return _Side(image.path, image.content, image.file)


def _recorded(version: Version) -> Iterable[_Pair]:
    by_asset = {image.asset_id: _Side(image.path, image.content) for image in version.images}

    def side(asset_id: AssetId) -> _Side:
        return by_asset.get(asset_id, _Side(asset_id, None))

    return (_Pair(side(p.source_id), side(p.target_id), p.instruction) for p in version.pairs)


def _unique(pairs: Iterable[_Pair]) -> list[_Pair]:
    return list({pair.bytes_and_text: pair for pair in reversed(list(pairs))}.values())[::-1]


def _change(pair: _Pair, old: _Pair | None = None) -> PairChange:
    sides: list[tuple[PairSide, _Side, _Side]] = []
    if old is not None:
        sides = [("before", pair.before, old.before), ("after", pair.after, old.after)]
    return PairChange(
        before=pair.before.path,
        after=pair.after.path,
        instruction=pair.instruction,
        previous=None if old is None or old.instruction == pair.instruction else old.instruction,
        replaced=tuple(name for name, new, was in sides if new.content != was.content),
        before_file=pair.before.file,
        after_file=pair.after.file,
    )


# -- recorded and observed

_Ids = tuple[AssetId, AssetId]


def _by_ids(pairs: Sequence[tuple[AssetId, AssetId, str]]) -> dict[_Ids, str]:
    return {(source, target): instruction for source, target, instruction in pairs}


def _sent(version: Version) -> dict[_Ids, str]:
    return _by_ids([(pair.source_id, pair.target_id, pair.instruction) for pair in version.pairs])


def _shown(remote: RemoteModel) -> dict[_Ids, str]:
    return _by_ids([(pair.source_id, pair.target_id, pair.instruction) for pair in remote.pairs or ()])


def pairs_as_sent(version: Version, remote: RemoteModel) -> RemoteModel:
    """The model with every instruction as recorded, where the service only writes it in another form."""
    if not remote.pairs or not version.pairs:
        return remote
    sent = _sent(version)
    texts = [(sent.get((pair.source_id, pair.target_id), ""), pair.instruction) for pair in remote.pairs]
    is_every_one = len(texts) > 1 and all(may_be_kept_of(*text) for text in texts)  # no person edits all like that
    pairs = tuple(
        replace(pair, instruction=text) if is_every_one or _is_held(text, pair.instruction) else pair
        for pair, (text, _) in zip(remote.pairs, texts, strict=True)
    )
    return remote if pairs == remote.pairs else replace(remote, pairs=pairs)


def _is_held(sent: str, shown: str) -> bool:
    return bool(sent) and (is_kept_form(sent, shown) or is_same_but_for_signs(sent, shown))


def holds_pairs(version: Version, remote: RemoteModel | None) -> bool:
    """Whether the service shows exactly the recorded pairs, or does not say."""
    if remote is None or remote.pairs is None:
        return True
    return _sent(version) == _shown(pairs_as_sent(version, remote))


def pair_drift(address: Address, version: Version, remote: RemoteModel) -> list[Drift]:
    """Pairs that were added, removed or given another instruction on the service."""
    if holds_pairs(version, remote):
        return []
    sent, shown = _sent(version), _shown(remote)
    names = {image.asset_id: image.path for image in version.images}
    names |= {image.id: image.name or image.id for image in remote.images or () if image.id not in names}
    return [
        Drift(
            address=address,
            what="pair",
            path=" -> ".join(names.get(side, side) for side in ids),
            recorded=sent.get(ids),
            observed=shown.get(ids),
        )
        for ids in dict.fromkeys([*sent, *sorted(shown)])
        if sent.get(ids) != shown.get(ids)
    ]


def pair_drift_kind(drift: Drift) -> Literal["pair-changed", "pair-added", "pair-removed"]:
    """How a pair differs on the service, as the code of a reason."""
    if drift.recorded is None:
        return "pair-added"
    return "pair-removed" if drift.observed is None else "pair-changed"
