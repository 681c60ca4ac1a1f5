"""A plan as JSON, for other programs: the shape is the design page's, the same as in a saved plan."""

from __future__ import annotations

import json

from scenario_apply.core.plan import Plan
from scenario_apply.core.plan_file import plan_to_json, sealed


def plan_json(plan: Plan) -> str:
    """One JSON document."""
    return json.dumps(sealed(plan_to_json(plan)), indent=2, ensure_ascii=False) + "\n"
