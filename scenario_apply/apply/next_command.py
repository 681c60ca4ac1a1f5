"""The command that continues a run, with the options that it still needs. Pure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.apply.launch_gates import rounded_down
from scenario_apply.model.steps import CreateModel, DrawSample, StartTraining

if TYPE_CHECKING:
    from scenario_apply.apply.apply_options import ApplyOptions
    from scenario_apply.apply.events import EndStatus, LedgerLine
    from scenario_apply.apply.run_snapshot import RunSnapshot
    from scenario_apply.model.address import Address
    from scenario_apply.planning.changes import Cost
    from scenario_apply.planning.plan import Plan


def next_command(
    run: RunSnapshot,
    options: ApplyOptions,
    status: EndStatus,
    left: tuple[LedgerLine, ...],
    withheld: tuple[LedgerLine, ...],
) -> str | None:
    """None when all is done. left: what is unknown, not started or being drawn, besides running trainings.

    The status command is enough only where nothing is left.
    """
    if status == "done":
        return None
    if status == "running" and not left:
        return options.status_command
    consent = bool(withheld) and status in ("partial", "running")
    return apply_again(options, run.plan, run, consent=consent)


def apply_again(
    options: ApplyOptions, plan: Plan, run: RunSnapshot | None, *, consent: bool = False, unsaved: bool = False
) -> str:
    """The same command again. consent: to the deletes that need it. unsaved: the state holds nothing of the run.

    An adoption that was saved must not be named again: that would be an error.
    """
    words = [with_limits(options.command, _limits_needed(plan, run))]
    words += [f"--replace={address}" for address in _still_to_replace(options, plan, run)]
    words += [shlex.quote(f"--adopt={pair}") for pair in options.adopted if unsaved]
    words += ["--allow-destroy"] if consent else []
    return " ".join(words)


def with_limits(command: str, limits: Mapping[str, float]) -> str:
    """The command with these limits in place of its own."""
    if not limits:
        return command
    words = [w for w in shlex.split(command) if not any(w.startswith(f"--limit={name}=") for name in limits)]
    return shlex.join([*words, *(f"--limit={name}={value:.12g}" for name, value in limits.items())])


def _limits_needed(plan: Plan, run: RunSnapshot | None) -> dict[str, float]:
    """The limits that allow the launches that were refused.

    Each run counts its cost from zero: what this run launched costs the next one nothing.
    """
    if run is None or not run.is_gated:
        return {}
    refused = run.refused
    needed: dict[str, float] = {}
    trainings = _left(run, StartTraining, refused.over_cost, {c.address: c.cost for c in plan.changes})
    samples = _left(run, DrawSample, refused.samples, {c.address: c.samples.cost for c in plan.changes})
    cost = math.ceil(trainings + samples)
    if (refused.over_cost or refused.samples) and refused.limits.cost is not None and cost > refused.limits.cost:
        needed["cost"] = cost
    most = refused.limits.samples_cost
    if refused.samples and most is not None and math.ceil(samples) > most:
        needed["samples_cost"] = math.ceil(samples)
    if refused.lowest_score is not None:
        needed["min_score"] = rounded_down(refused.lowest_score)
    return needed


def _left(
    run: RunSnapshot,
    kind: type[StartTraining | DrawSample],
    quoted: Mapping[Address, float],
    costs: Mapping[Address, Cost],
) -> float:
    """CU of what was not launched: the next plan is checked with its own estimate, its launches with the quote then."""
    left = {
        planned.address
        for planned in run.plan.steps
        if isinstance(planned.step, kind) and planned.id not in run.outcomes
    }
    return sum(max(quoted.get(address, 0.0), costs[address].cu or 0.0 if address in costs else 0.0) for address in left)


def _still_to_replace(options: ApplyOptions, plan: Plan, run: RunSnapshot | None) -> list[Address]:
    """The resources to replace whose new model was not created yet.

    The others continue without the option; naming them again would create, and pay for, one more model.
    """
    done = run.done if run is not None else ()
    steps = {planned.id: planned for planned in plan.steps}
    return [
        change.address
        for change in plan.changes
        if any(_names(asked, change.address) for asked in options.replaced)
        and any(isinstance(steps[id].step, CreateModel) and id not in done for id in change.steps)
    ]


def _names(asked: Address, address: Address) -> bool:
    """A matrix stands for its children."""
    return asked == address or (not asked.label and (asked.kind, asked.name) == (address.kind, address.name))
