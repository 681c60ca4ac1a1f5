"""Jinja2's sandbox, restricted: which attributes, items and calls a template has, and what each of them costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scenario_apply.manifest.positions import kind_of
from scenario_apply.manifest.templating.allowed import FILTERS, METHODS, TESTS, Budget, bounded, one_text
from scenario_apply.manifest.templating.template_values import EnvironmentVariables


class NarrowEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 with a budget. Its code generation is left alone: the tree is changed before it."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True)
        self.budget = Budget()
        self.filters = {name: self._paying(function) for name, function in FILTERS.items()}
        self.filters["_joined"] = self._joined
        self.filters["_paid_rounds"] = self._paid_rounds
        self.filters["_without_lists"] = self._without_lists
        self.filters["_paid_operand"] = self._paid_operand
        self.tests = {name: self._paying_for_operands(function) for name, function in TESTS.items()}
        self.globals = {"range": self._range}
        self.finalize = self._shown

    def _paying(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def paying(*args: Any, **kwargs: Any) -> Any:
            self.budget.pay_for(args)
            return self.budget.pay_for_result(function(*args, **kwargs))

        return paying

    def _paying_for_operands(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def paying(*args: Any) -> Any:
            for value in args:
                self.budget.pay_for_comparing(value)
            return function(*args)

        return paying

    def _paid_operand(self, value: Any) -> Any:
        """One side of a comparison."""
        self.budget.pay_for_comparing(value)
        return value

    def _joined(self, parts: list[Any]) -> str:
        joined = "".join(one_text(part) for part in parts)
        self.budget.pay_for_result(joined)
        return joined

    def _paid_rounds(self, items: Any, body: int) -> Iterator[Any]:
        if isinstance(items, Mapping):
            items = list(items)
        for item in items:
            self.budget.pay(body)
            yield item

    def _without_lists(self, items: Any) -> Any:
        """A list with computed values contains no lists: doubling one forty times would exhaust memory."""
        for item in items.values() if isinstance(items, dict) else items:
            one_text(item)
        self.budget.pay(len(items))
        return items

    def _range(self, *args: Any) -> range:
        made = range(*args)
        self.budget.pay(min(len(made), 10**9))
        return made

    def _shown(self, value: Any) -> Any:
        return value if isinstance(value, StrictUndefined) else self.budget.pay_for_result(one_text(value))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        bounded(operator, left, right)
        return self.budget.pay_for_result(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise SecurityError(f"{attribute} is private")
        if isinstance(obj, Mapping):
            return self._item(obj, attribute)
        if isinstance(obj, str) and attribute in METHODS:
            function = METHODS[attribute]
            return _Method(lambda *args: self._paying(function)(obj, *args))
        if isinstance(obj, StrictUndefined):
            return obj[attribute]
        if type(obj).__name__ in ("LoopContext", "AsyncLoopContext") and attribute in _LOOP:
            return getattr(obj, attribute)
        raise SecurityError(f"{kind_of(obj)} has no .{attribute} here")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return self._item(obj, argument)
        if isinstance(obj, str | list | tuple | range) and isinstance(argument, int | slice):
            try:
                return self.budget.pay_for_result(obj[argument])
            except IndexError:
                return self.undefined(obj=obj, name=str(argument))
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, StrictUndefined):
            return obj[argument]
        raise SecurityError(f"[ ] of {kind_of(obj)}")

    def _item(self, obj: Mapping[Any, Any], key: Any) -> Any:
        if key in ("items", "keys", "values", "get") and (isinstance(obj, EnvironmentVariables) or key not in obj):
            if key == "get":
                return _Method(lambda name, default=None: obj.get(name, default))
            return _Method(lambda: self._listed(obj, key))
        try:
            return obj[key]
        except (KeyError, TypeError):
            return self.undefined(obj=obj, name=key)

    def _listed(self, obj: Mapping[Any, Any], key: str) -> list[Any]:
        self.budget.pay(len(obj))
        return list(getattr(obj, key)())

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(obj, _Method) or obj == self._range:
            kwargs.pop("_loop_vars", None)  # Jinja2's own, for functions that take the context
            kwargs.pop("_block_vars", None)
            return obj(*args, **kwargs)
        if isinstance(obj, StrictUndefined):
            return obj()  # raises with the undefined name
        raise SecurityError("only range() and methods of text and maps can be called")


_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"})


class _Method:
    """The only thing besides range that a template may call."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)
