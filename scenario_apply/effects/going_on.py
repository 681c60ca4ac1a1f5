"""The one command to go on with: which of a run's commands it is, and what of --replace and --adopt it still needs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from scenario_apply.core.steps import CreateModel

if TYPE_CHECKING:
    from scenario_apply.core.address import Address
    from scenario_apply.core.events import EndStatus, LedgerLine
    from scenario_apply.core.plan import Plan
    from scenario_apply.effects.applying import ApplyOptions
    from scenario_apply.effects.executor import Executor


def next_command(
    executor: Executor,
    options: ApplyOptions,
    status: EndStatus,
    left: tuple[LedgerLine, ...],
    withheld: tuple[LedgerLine, ...],
) -> str | None:
    """None when all is done. left: what is unknown or not started, beside running trainings.

    Only where nothing is left is watching them all there is to do.
    """
    if status == "done":
        return None
    if status == "running" and not left:
        return options.status_command
    consent = bool(withheld) and status in ("partial", "running")
    return apply_again(options, executor.plan, executor, consent=consent)


def apply_again(
    options: ApplyOptions, plan: Plan, executor: Executor | None, *, consent: bool = False, unsaved: bool = False
) -> str:
    """The same run once more. consent: to the deletes that wait for it. unsaved: nothing of it is in the state.

    A creation that --adopt named a model for is answered once that is saved; to name it again would be an error.
    """
    words = [options.command]
    words += [f"--replace={address}" for address in _still_to_replace(options, plan, executor)]
    words += [shlex.quote(f"--adopt={pair}") for pair in options.adopted if unsaved]
    words += ["--allow-destroy"] if consent else []
    return " ".join(words)


def _still_to_replace(options: ApplyOptions, plan: Plan, executor: Executor | None) -> list[Address]:
    """Of the resources that were to be replaced, those whose new model is not made: the others go on by themselves,
    and to ask for them again would be to make, and to pay, one more.
    """
    done = executor.done.keys() if executor is not None else frozenset()
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
