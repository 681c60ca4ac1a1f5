"""Amounts as text: of compute units, which are fractions, and of what else limits count."""

from __future__ import annotations

import math
from collections.abc import Iterable


def amount(value: float) -> str:
    """A number with the fraction that it has, up to a millionth: 230, 10.75, 1,200."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def total(values: Iterable[float]) -> float:
    """A sum of CU to the last fraction that they have: 0.1 and 0.2 are 0.3."""
    return round(math.fsum(values), 6)
