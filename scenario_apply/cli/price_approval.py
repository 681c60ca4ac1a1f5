"""What of a run's cost the command line approved, and the question about a price above it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from scenario_apply.apply.price_round import Approval

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenario_apply.cli.apply_session import ApplySession


def approval_of(session: ApplySession, pause: Callable[[], AbstractContextManager[None]]) -> Approval:
    """A user is asked about more than the plan showed. With --auto-approve a saved plan approves what it shows, unless
    a limit on cost is given with the command; without a saved plan, whatever the limits allow is approved.

    pause: stops the drawing of progress while the user is asked.
    """
    call = session.call
    if call.is_interactive and not call.arguments.auto_approve:
        return Approval(ask=lambda priced, more: _is_approved(session, pause, more))
    is_limited = call.settings.limits.cost is not None
    return Approval(plan=None if is_limited else session.saved)


def _is_approved(session: ApplySession, pause: Callable[[], AbstractContextManager[None]], more: str) -> bool:
    from scenario_apply.cli.signals import answering

    text = f"{more[0].upper()}{more[1:]}. Nothing is uploaded yet. Continue at this price?"
    try:
        with pause(), answering(session.stop):
            return session.call.confirm(text, "Only 'yes' will be accepted.")
    except KeyboardInterrupt:
        session.call.say("\n")
        return False
