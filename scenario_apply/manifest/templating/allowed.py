"""The parts a template is allowed: filters, methods, tests, and the budget that all of them pay into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from jinja2 import Undefined
from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests
from jinja2.exceptions import SecurityError

WORK_OF_A_VALUE = 300_000  # units of work: a node in a round of a loop, 64 characters of text
WORK_OF_A_FILE = 3_000_000  # of a *.yaml.j2
_WORK_IN_ALL = 6_000_000  # of all templates of a manifest: some seconds at worst
LONGEST_TEXT = 100_000  # characters
_LONGEST_LIST = 10_000
_LARGEST_BITS = 1024


class BudgetSpent(Exception):
    """The template has used up its budget."""


class Budget:
    """What one template may still do, out of the budget of all. longest_text: characters of any text it produces."""

    def __init__(self, in_all: int = _WORK_IN_ALL, longest_text: int = LONGEST_TEXT) -> None:
        self._in_all = in_all
        self._longest_text = longest_text
        self._left = 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left for any template."""
        return not (self._in_all or self._left)

    def renew(self, units: int) -> None:
        self._in_all += self._left - (grant := min(units, self._in_all + self._left))
        self._left = grant

    def pay(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            self._left = 0
            raise BudgetSpent("an endless loop, or too much text")

    def pay_for(self, values: tuple[Any, ...]) -> None:
        for value in values:
            if isinstance(value, str):
                self.pay(1 + len(value) // 64)
            elif isinstance(value, list | tuple | dict | range):
                self.pay(1 + len(value))

    def pay_for_comparing(self, value: Any) -> None:
        """Comparing or searching a value takes time for everything in it; visiting it is paid for as well."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            self.pay_for((item,))
            if isinstance(item, list | tuple):
                waiting.extend(item)
            elif isinstance(item, dict):
                waiting.extend(item.values())

    def pay_for_result(self, value: Any) -> Any:
        if isinstance(value, str):
            if len(value) > self._longest_text:
                raise BudgetSpent(f"a text of {len(value)} characters")
            self.pay(1 + len(value) // 64)
        elif isinstance(value, list | tuple):
            if len(value) > _LONGEST_LIST:
                raise BudgetSpent(f"a list of {len(value)} entries")
            self.pay(1 + len(value))
        return value


def one_text(value: Any) -> str:
    """The text of a single value. Raises SecurityError for a list or a map: their text has no bound."""
    if isinstance(value, str):
        return "".join(value) if type(value) is not str else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # says which name is undefined
    raise SecurityError(f"a {'map' if isinstance(value, Mapping) else 'list or function'} in the middle of a text")


def sendable(text: str) -> str:
    """The text. Raises SecurityError when it is not Unicode: half a surrogate pair, or bytes that were not UTF-8."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SecurityError("text that is not Unicode: the bytes it was made of are not UTF-8") from None
    return text


def bounded(operator: str, left: Any, right: Any) -> None:
    """Raises BudgetSpent or SecurityError when the result of left operator right would be too large to compute."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if operator == "**":
        if not numbers:
            raise SecurityError("** works on numbers only")
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > _LARGEST_BITS:
            raise BudgetSpent("a power with more than 300 digits")
    elif operator == "*":
        if numbers:
            if (
                isinstance(left, int)
                and isinstance(right, int)
                and left.bit_length() + right.bit_length() > _LARGEST_BITS
            ):
                raise BudgetSpent("a product with more than 300 digits")
            return
        count, repeated = (left, right) if isinstance(left, int) else (right, left)
        if isinstance(repeated, str | list | tuple) and isinstance(count, int):
            most = LONGEST_TEXT if isinstance(repeated, str) else _LONGEST_LIST
            if len(repeated) * count > most:
                raise BudgetSpent(f"a repetition of {len(repeated) * count} characters or entries")
    elif operator == "%" and not numbers:
        raise SecurityError("% formats text; use ~ to join")


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = one_text(text), one_text(old), one_text(new)
    if len(text) + max(0, len(new) - len(old)) * (text.count(old) if old else len(text) + 1) > LONGEST_TEXT:
        raise BudgetSpent("a replacement that makes the text too long")
    replaced: str = text.replace(old, new, count)
    return replaced


def _join(items: Any, separator: str = "") -> str:
    parts: list[str] = []
    length = 0
    for item in items:
        parts.append(one_text(item))
        length += len(parts[-1]) + len(separator)
        if length > LONGEST_TEXT:
            raise BudgetSpent(f"a text of more than {LONGEST_TEXT} characters")
    return separator.join(parts)


def _join_method(separator: str, items: Any) -> str:
    return _join(items, separator)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if not -15 <= precision <= 15:
        raise SecurityError("round takes -15 to 15 digits")
    return jinja_filters.do_round(value, precision, method)  # type: ignore[arg-type]  # the filter checks method itself


def _reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else list(value)[::-1]


def _trim(value: Any, characters: str | None = None) -> str:
    return one_text(value).strip(characters)


def _length(value: Any) -> int:
    return len(value)


def _list(value: Any) -> list[Any]:
    return list(value)


def _items(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return list(value.items())


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return jinja_filters.do_default(value, default, boolean)


def _extreme(choose: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def extreme(value: Any) -> Any:
        return choose(list(value))

    return extreme


def _split(text: str, separator: str | None = None, most: int = -1) -> list[str]:
    return text.split(separator, most)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": lambda value: one_text(value).capitalize(),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": lambda value: next(iter(value)),
    "float": jinja_filters.do_float,
    "int": lambda value, default=0: jinja_filters.do_int(value, default),
    "items": _items,
    "join": _join,
    "last": lambda value: value[-1],
    "length": _length,
    "list": _list,
    "lower": lambda value: one_text(value).lower(),
    "max": _extreme(max),
    "min": _extreme(min),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "sort": lambda value: sorted(value),
    "string": one_text,
    "title": lambda value: one_text(value).title(),
    "trim": _trim,
    "unique": lambda value: list(dict.fromkeys(value)),
    "upper": lambda value: one_text(value).upper(),
}

METHODS: dict[str, Callable[..., Any]] = {
    "capitalize": str.capitalize,
    "endswith": str.endswith,
    "join": _join_method,
    "lower": str.lower,
    "lstrip": str.lstrip,
    "removeprefix": str.removeprefix,
    "removesuffix": str.removesuffix,
    "replace": _replace,
    "rstrip": str.rstrip,
    "split": _split,
    "startswith": str.startswith,
    "strip": str.strip,
    "title": str.title,
    "upper": str.upper,
}

TESTS: dict[str, Callable[..., Any]] = {
    name: cast("Callable[..., Any]", jinja_tests.TESTS[name])
    for name in (
        "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "gt", "in", "integer",
        "iterable", "le", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sequence", "string", "true",
        "undefined", "upper", "==", "!=", ">", ">=", "<", "<=", "greaterthan", "lessthan",
    )
}  # fmt: skip
