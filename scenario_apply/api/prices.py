"""What an answer says of a job's price."""

from __future__ import annotations

from typing import Any

from scenario_apply.api import loose
from scenario_apply.api.answers import BillingAnswer


def billed(billing: object) -> dict[str, Any]:
    """What a job costs, by the fields of RemoteJob; nothing where the answer does not say."""
    known = loose.fitted(billing, BillingAnswer)
    if known is None:
        return {}
    told = {
        "cu_cost": loose.price(known.cu_cost),
        "discount": loose.price(known.cu_discount),
        "details": loose.cost_details(known.cu_cost_details),
        "is_refunded": False if known.disable_refund is True else None,
    }
    return {name: value for name, value in told.items() if value is not None}
