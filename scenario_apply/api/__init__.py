"""The typed client of the Scenario API over HTTP. connect() builds one; nothing heavy is imported before it is called.

Owns requests, retries, time limits, the request budget and what errors of the service mean. Read client.py, then
sender.py: a call from its request to its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.errors import Unauthorized, Unreachable

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection

    from scenario_apply.api.client import Client
    from scenario_apply.api.rate.budget import RequestBudget
    from scenario_apply.api.transport import Timeouts
    from scenario_apply.model.ports import Clock
    from scenario_apply.model.secret import Secret


def connect(
    *,
    base_url: str,
    api_key: str,
    api_secret: str,
    project_id: str | None,
    rate_limit_per_minute: int,
    clock: Clock,
    read_only: bool = False,
    cancel: threading.Event | None = None,
    timeouts: Timeouts | None = None,
    allow_http: bool = False,
    secrets: Collection[Secret] = (),
) -> tuple[Client, RequestBudget]:
    """A client and its request budget; sends nothing yet.

    rate_limit_per_minute: 0 for no bound. cancel: once set, calls that wait or have not been sent raise Interrupted.
    allow_http: whether credentials may be sent unencrypted to another machine.
    secrets: what the bodies of requests may carry; hidden in whatever comes back.
    Raises Unauthorized when there are no credentials or they cannot be any, Unreachable for a proxy in the environment
    that cannot be one, ApiError (code base-url) for an address that is none.
    """
    from scenario_apply.api.client import Client
    from scenario_apply.api.error_responses import CREDENTIALS_HINT
    from scenario_apply.api.rate.budget import RequestBudget
    from scenario_apply.api.sender import Sender
    from scenario_apply.api.transport import Transport
    from scenario_apply.api.urls import require_private_channel

    key, secret = api_key.strip(), api_secret.strip()
    if not key or not secret:
        raise Unauthorized("there are no credentials for the service", hint=CREDENTIALS_HINT)
    try:
        sent = [hidden.reveal() for hidden in secrets]
        transport = Transport(base_url, key, secret, timeouts=timeouts, sent=sent)
    except ValueError as error:
        raise Unauthorized(str(error), hint=CREDENTIALS_HINT) from None
    if (wrong := transport.proxy_problem(transport.base_url)) is not None:
        raise Unreachable(wrong.what, hint=wrong.hint)
    require_private_channel(base_url, allow_http=allow_http)
    budget = RequestBudget(rate_limit_per_minute, clock, cancel)
    sender = Sender(transport, budget, clock, read_only=read_only, cancel=cancel)
    return Client(sender, project_id), budget
