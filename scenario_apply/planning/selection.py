"""Which resources a run is about: addresses, globs, tag:, +upstream, downstream+."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

from scenario_apply.errors import UsageError
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.planning.dependency_graph import ancestors, dependants
from scenario_apply.planning.desired import Desired
from scenario_apply.state.state import State


class PlanRequestOptions(Struct, frozen=True, kw_only=True):
    """What the command line asked of a plan beyond the manifest, by address. selected None: everything.

    draw: of `samples draw`, which trains nothing: the resources whose samples are drawn, also those that are drawn only
    when asked for. None: any other command. draw_version: of them, instead of the one in use.
    """

    replace: frozenset[Address] = frozenset()
    train: frozenset[Address] = frozenset()
    selected: frozenset[Address] | None = None
    destroy: bool = False
    draw: frozenset[Address] | None = None
    draw_version: int | None = None


def requested(
    desired: Desired,
    state: State,
    *,
    replace: Iterable[Address] = (),
    train: Iterable[Address] = (),
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    destroy: bool = False,
    draw: Iterable[Address] | None = None,
    draw_version: int | None = None,
) -> PlanRequestOptions:
    """The options resolved to addresses. Raises UsageError for one that names nothing, or that another contradicts.

    draw: the resources that `samples draw` names; none of them stands for all.
    """
    selected = select(desired, state, include, exclude)
    drawn = None if draw is None else _drawn(frozenset(draw), desired, selected)
    if draw_version is not None:
        _require_version(drawn or (), draw_version, state)
    return PlanRequestOptions(
        replace=_named("--replace", replace, desired, selected),
        train=_named("--train", train, desired, selected),
        selected=selected,
        destroy=destroy,
        draw=drawn,
        draw_version=draw_version,
    )


def _drawn(addresses: frozenset[Address], desired: Desired, selected: frozenset[Address] | None) -> frozenset[Address]:
    if addresses:
        return _named("samples draw", addresses, desired, selected)
    return frozenset(desired.specs) if selected is None else selected.intersection(desired.specs)


def _require_version(addresses: Iterable[Address], number: int, state: State) -> None:
    """Raises UsageError for a resource that does not record the version."""
    for address in addresses:
        record = state.records.get(address)
        numbers = sorted(version.number for version in record.versions()) if record is not None else []
        if number not in numbers:
            hint = f"recorded: {', '.join(map(str, numbers))}" if numbers else "apply trains it first"
            raise UsageError(f"{address} has no version {number}", hint=hint)


def _named(
    option: str, addresses: Iterable[Address], desired: Desired, selected: frozenset[Address] | None
) -> frozenset[Address]:
    """The declared resources that an option names; a matrix stands for its children."""
    found: set[Address] = set()
    for address in addresses:
        fitting = {
            a for a in desired.specs if a == address or (not address.label and Address(a.kind, a.name) == address)
        }
        if not fitting:
            raise UsageError(f"{address} is not declared", hint=did_you_mean(str(address), map(str, desired.specs)))
        if selected is not None and not fitting & selected:
            raise UsageError(
                f"{option} names {address}, and --select or --exclude leaves it out",
                hint=f"select it, too, or leave {option} out",
            )
        found |= fitting
    return frozenset(found)


def select(desired: Desired, state: State, select: Iterable[str], exclude: Iterable[str]) -> frozenset[Address] | None:
    """The chosen addresses; None when nothing narrows the run. Raises UsageError for a pattern that fits nothing."""
    chosen, left_out = list(select), list(exclude)
    if not chosen and not left_out:
        return None
    everything = {*desired.specs, *state.records}
    picked = set(everything)
    if chosen:
        picked = set().union(*(_matching(pattern, everything, desired) for pattern in chosen))
    for pattern in left_out:
        picked -= _matching(pattern, everything, desired)
    return frozenset(picked)


def _near(word: str, everything: set[Address]) -> str | None:
    """What may have been meant: the address of a key alone, also of a dataset's, or the nearest one."""
    key = word.removeprefix("dataset.")
    known = sorted(map(str, everything))
    own = [address for address in known if address.partition(".")[2] == key]
    if own:
        return f"did you mean {' or '.join(own)}?"
    return did_you_mean(word, known) or (f"there are {listed(known)}" if known else None)


def _matching(pattern: str, everything: set[Address], desired: Desired) -> set[Address]:
    upstream, downstream = pattern.startswith("+"), pattern.endswith("+")
    core = pattern.removeprefix("+").removesuffix("+")
    if core.startswith("tag:"):
        tag = core.removeprefix("tag:")
        found = {address for address, spec in desired.specs.items() if any(fnmatchcase(t, tag) for t in spec.tags)}
    else:
        # a name matches the resource itself and, for a matrix, all its children
        found = {a for a in everything if fnmatchcase(str(a), core) or str(a).startswith(core + "/")}
    if not found:
        raise UsageError(f"{pattern!r} selects nothing", hint=_near(core, everything))
    first = set(found)
    if upstream:
        found |= ancestors(desired.needs, first)
    if downstream:
        found |= dependants(desired.needs, first)
    return found
