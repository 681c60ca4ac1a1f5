"""The resource in an answer, wrapped or bare, and the items of a list; what is only marked as deleted is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from scenario_apply.errors import BadAnswer, NotFound
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit

Value = TypeVar("Value")


def read_as(value: object, type_: type[Value], at: str = "") -> Value:
    try:
        return codec.fitted(value, type_, at)
    except Misfit as misfit:
        raise BadAnswer(f"the service's answer is not what its contract says: {misfit}") from None


def unwrapped(value: object, name: str, type_: type[Value]) -> Value:
    """The resource in an answer, wrapped ({"model": {...}}) as the API does, or bare as the older guides show it.

    Raises NotFound for one that is shown as deleted.
    """
    at = place_of(value, name).removesuffix(".")
    inner = value[name] if at and isinstance(value, dict) else value
    if is_deleted(inner):
        raise NotFound(f"the {name} is deleted", status=404)
    return read_as(inner, type_, at)


def place_of(value: object, name: str) -> str:
    """The path of what unwrapped read."""
    return f"{name}." if isinstance(value, dict) and value.get(name) is not None else ""


def either(one: Value | None, other: Value | None, at: str) -> Value:
    """The id under the one name or the other."""
    found = other if one is None else one
    if found is None:
        raise BadAnswer(f"the service's answer has no {at}")
    return found


def each_of(items: Iterable[object], name: str) -> Iterable[tuple[str, object]]:
    """The items of a list with their paths, without those that are shown as deleted."""
    return ((f"{name}[{n}]", item) for n, item in enumerate(items) if not is_deleted(item))


def is_deleted(item: object) -> bool:
    """Whether a model or an asset is only marked as deleted, as the service keeps it for 30 days."""
    return isinstance(item, dict) and bool(item.get("deletedAt"))
