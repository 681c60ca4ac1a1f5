"""`moved:` blocks against what is recorded: which record gets which address, and which entries do nothing. Pure.

The blocks are a history that stays in the manifest: a -> b of last month and b -> c of today move a record that is
still at a to c. An entry between two matrices moves every child by its label. A record moves as far as it can: to the
last address on its way that is declared and free. What is passed over though a record waits for it costs a training,
so it is reported with its place; an entry whose source is recorded nowhere was carried out, and is silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import Moved
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import nearest

_MOST_STOPS = 500_000  # of all records together, on the way to their addresses
_MOST_GUESSES = 2_000_000  # comparisons of names


class Moves(Struct, frozen=True, kw_only=True):
    """sources: new address -> recorded one. Errors among the problems stop a plan: it would pay for a slip."""

    sources: Mapping[Address, Address] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()


class _Way(Struct, frozen=True, kw_only=True):
    """Where the entries lead a record: one address after the other, each with the entry that names it.

    closing: the entry that leads back to an earlier address, so that they go in a circle.
    """

    source: Address
    stops: tuple[tuple[Address, Moved], ...]
    closing: Moved | None = None


def resolve_moves(
    moved: Sequence[Moved],
    recorded: Collection[Address],
    declared: Collection[Address],
    open_to: Collection[Address],
    forgotten: Collection[Address] = (),
) -> Moves:
    """open_to: declared addresses that are selected and not disabled; no record moves to any other one now.

    forgotten: addresses of `removed:`, whose records move nowhere.
    """
    if not moved:
        return Moves()
    ways = _ways(moved, recorded, forgotten)
    if ways is None:
        return Moves(problems=(_too_long(moved),))
    sources = _assigned(ways, recorded, declared)
    problems = tuple(_problems(moved, ways, sources, recorded, declared))
    return Moves(sources=_possible(sources, recorded, open_to), problems=problems)


def _ways(moved: Sequence[Moved], recorded: Collection[Address], forgotten: Collection[Address]) -> list[_Way] | None:
    """Of each record that is moved; None where they are too long in all."""
    entries = {move.source: move for move in moved}
    ways: list[_Way] = []
    stops = 0
    for source in recorded:
        way = _way(source, entries)
        if source in forgotten or not way.stops:
            continue
        ways.append(way)
        stops += len(way.stops)
        if stops > _MOST_STOPS:
            return None
    return ways


def _way(source: Address, entries: Mapping[Address, Moved]) -> _Way:
    stops: list[tuple[Address, Moved]] = []
    seen, here = {source}, source
    while (entry := entries.get(here) or entries.get(Address(here.kind, here.name))) is not None:
        here = _target(here, entry)
        if here in seen:
            return _Way(source=source, stops=tuple(stops), closing=entry)
        seen.add(here)
        stops.append((here, entry))
    return _Way(source=source, stops=tuple(stops))


def _target(here: Address, entry: Moved) -> Address:
    """Of a child that only the entry of its whole matrix names: the child of that label."""
    is_whole = entry.source != here and not entry.target.label
    return Address(entry.target.kind, entry.target.name, here.label) if is_whole else entry.target


def _assigned(
    ways: Sequence[_Way], recorded: Collection[Address], declared: Collection[Address]
) -> dict[Address, Address]:
    """The nearest first: where a record leaves, the next one may follow."""
    sources: dict[Address, Address] = {}
    left: set[Address] = set()
    for way in sorted(ways, key=lambda way: (len(way.stops), way.source)):
        if way.closing and way.source in declared:
            continue
        for stop, _ in reversed(way.stops):
            if stop in declared and stop not in sources and (stop not in recorded or stop in left):
                sources[stop] = way.source
                left.add(way.source)
                break
    return sources


def _possible(
    sources: Mapping[Address, Address], recorded: Collection[Address], open_to: Collection[Address]
) -> dict[Address, Address]:
    """Without those that have to wait, and those that wait for them to leave."""
    found = {target: source for target, source in sources.items() if target in open_to}
    leaving = set(found.values())
    stuck = [target for target in found if target in recorded and target not in leaving]
    while stuck:
        stays = found.pop(stuck.pop())
        if stays in found:  # a record waits for this one to leave; none waits for two
            stuck.append(stays)
    return found


def _problems(
    moved: Sequence[Moved],
    ways: Sequence[_Way],
    sources: Mapping[Address, Address],
    recorded: Collection[Address],
    declared: Collection[Address],
) -> Iterator[Diagnostic]:
    moving = set(sources.values())
    created = [address for address in declared if address not in recorded and address not in sources]
    said: set[Moved] = set()
    guesses = _Guesses()
    for way in ways:
        end, last = way.stops[-1]
        problem: Diagnostic | None = None
        if way.closing and way.source in declared and way.source not in moving:
            others = [stop for stop, _ in way.stops if stop in declared and stop in recorded]
            last = max((way.closing, *(entry for _, entry in way.stops)), key=lambda entry: entry.place.line or 0)
            problem = _circle(way, others[0], last) if others else None
        elif end not in declared and end not in recorded:
            problem = _undeclared(way, end, last, moving, created, declared, guesses)
        elif way.source not in moving and way.source not in declared:
            problem = _taken(way.source, end, last)
        if problem is not None and last not in said:
            said.add(last)
            yield problem
    yield from _misspelt(moved, ways, moving, recorded, declared, set(created), guesses)


def _too_long(moved: Sequence[Moved]) -> Diagnostic:
    return Diagnostic(
        code="too-large",
        message=f"the moves lead over more than {_MOST_STOPS:,} addresses",
        location=moved[-1].place,
        hint="delete entries that every state has behind it",
    )


def _circle(way: _Way, other: Address, last: Moved) -> Diagnostic:
    a, b = sorted((way.source, other))
    return Diagnostic(
        code="moved-circle",
        message=f"the moves lead from {a} over {b} back to {a}, and both are recorded",
        location=last.place,
        hint="delete the entry that no longer holds; two records are swapped once, by hand: "
        f"state mv {a} {a.kind}.swap, state mv {b} {a}, state mv {a.kind}.swap {b}",
    )


def _undeclared(
    way: _Way,
    end: Address,
    last: Moved,
    moving: Collection[Address],
    created: Sequence[Address],
    declared: Collection[Address],
    guesses: _Guesses,
) -> Diagnostic:
    """An error where something is made meanwhile: probably what the entry should have named."""
    alike = [address for address in created if address.kind == end.kind]
    is_paid = bool(alike) and way.source not in moving and way.source not in declared
    left = "" if way.source in moving or way.source in declared else f": {way.source} would be deleted"
    children = [str(address) for address in declared if (address.kind, address.name) == (end.kind, end.name)]
    if children and not end.label:
        guess: str | None = f"it is a matrix: name one of its models, e.g. {children[0]}"
    else:
        guess = guesses.of(end, alike or declared)
    return Diagnostic(
        code="moved-target",
        severity="error" if is_paid else "warning",
        message=f"{way.source} is moved to {end}, which is not declared{left}",
        location=last.place,
        hint=guess or "name the address it has now, or delete the entry",
    )


def _taken(source: Address, end: Address, last: Moved) -> Diagnostic:
    return Diagnostic(
        code="moved-taken",
        severity="warning",
        message=f"{source} is not moved: {end} is taken already, so {source} would be deleted",
        location=last.place,
        hint=f"delete the entry, or decide which record stays: scenario-apply state rm {end}",
    )


def _misspelt(
    moved: Sequence[Moved],
    ways: Sequence[_Way],
    moving: Collection[Address],
    recorded: Collection[Address],
    declared: Collection[Address],
    created: Collection[Address],
    guesses: _Guesses,
) -> Iterator[Diagnostic]:
    """Entries whose source is recorded nowhere, though a name like it is about to be deleted and its target made."""
    lost = [address for address in recorded if address not in declared and address not in moving]
    walked = {entry for way in ways for _, entry in way.stops}
    for entry in moved:
        if entry in walked or entry.source in recorded or entry.target not in created or not lost:
            continue
        guess = guesses.of(entry.source, lost)
        if guess is not None:
            yield Diagnostic(
                code="moved-source",
                severity="warning",
                message=f"{entry.source} is not recorded: {entry.target} would be made and trained",
                location=entry.place,
                hint=guess,
            )


class _Guesses:
    """Suggests addresses, as long as the comparisons that this takes are bounded: thousands of slips have one cause."""

    def __init__(self) -> None:
        self._left = _MOST_GUESSES

    def of(self, address: Address, known: Collection[Address]) -> str | None:
        """The kind is left out of the comparison: it makes all addresses alike."""
        self._left -= len(known)
        if self._left < 0:
            return None
        names = {str(one).partition(".")[2]: one for one in known if one.kind == address.kind}
        found = nearest(str(address).partition(".")[2], names, 1)
        return f"did you mean {names[found[0]]}?" if found else None
