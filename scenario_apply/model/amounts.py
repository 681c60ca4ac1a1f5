"""Amounts as text: of compute units, which are fractions, and of what else limits count."""

from __future__ import annotations


def amount(value: float) -> str:
    """A number without a needless fraction: 230, 10.75, 1,200."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")
